// Theme, paths, what is unfolded, where the reader is, and the one tip that all charts share.
const root = document.documentElement;
root.classList.add("js");

const THEMES = ["", "light", "dark"];
const themeButton = document.getElementById("theme");
themeButton.addEventListener("click", () => {
  const now = THEMES.indexOf(state.get("theme") || "");
  setState("theme", THEMES[(now + 1) % THEMES.length]);
  showTheme();
});
function showTheme() {
  const theme = THEMES.includes(state.get("theme")) ? state.get("theme") : "";
  if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
  themeButton.querySelector("span").textContent = theme || "as system";
}
onState(showTheme);

const pathsButton = document.getElementById("paths");
const starts = [...document.querySelectorAll(".path-full:first-child")];
for (const { parentElement: cell } of starts) cell.title = cell.textContent.trim();
if (!document.querySelector(".path-full")) pathsButton.hidden = true;
pathsButton.addEventListener("click", () => {
  setState("paths", state.get("paths") === "full" ? "" : "full");
  showPaths();
});
function showPaths() {
  const full = state.get("paths") === "full";
  if (full) root.dataset.paths = "full"; else delete root.dataset.paths;
  pathsButton.setAttribute("aria-pressed", String(full));
}
onState(showPaths);

const linkButton = document.getElementById("link");
linkButton.addEventListener("click", () => { writeAddress(); copyText(location.href, linkButton); });

// What can be unfolded has the number of its place in the page, which is the same in each copy.
const folds = [...document.querySelectorAll("details")];
for (const fold of folds) fold.addEventListener("toggle", () => {
  setState("open", folds.flatMap((one, i) => (one.open ? [i] : [])).join("."));
});
onState(() => {
  const open = new Set((state.get("open") || "").split("."));
  folds.forEach((fold, i) => { fold.open = open.has(String(i)); });
});

const entries = [...document.querySelectorAll(".contents a")];
const sections = entries.map((a) => document.getElementById(decodeURIComponent(a.hash.slice(1))));
let looking = 0;
function showPosition() {
  looking = 0;
  const bottom = innerHeight + scrollY >= root.scrollHeight - 2;
  let here = 0;
  sections.forEach((section, i) => {
    if (section.getBoundingClientRect().top < innerHeight * 0.3) here = i;
  });
  if (bottom) here = sections.length - 1;
  entries.forEach((a, i) => {
    if (i === here) a.setAttribute("aria-current", "location"); else a.removeAttribute("aria-current");
  });
}
addEventListener("scroll", () => { looking ||= requestAnimationFrame(showPosition); }, { passive: true });

const tip = document.getElementById("tip");
let tipOf = null; // what the tip stands at, where it can move
function showTip(text, x, y, owner = null) {
  tipOf = owner;
  tip.textContent = text;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = x + 14 + width < innerWidth - 8 ? x + 14 : x - 14 - width;
  tip.style.left = Math.max(8, Math.min(left, innerWidth - width - 8)) + "px";
  tip.style.top = Math.max(8, y - height - 10 > 8 ? y - height - 10 : y + 18) + "px";
}
function hideTip() { tip.hidden = true; }
// Tab scrolls the page to what it reaches: the tip of that goes along.
addEventListener("scroll", () => {
  if (tip.hidden || !tipOf || tipOf !== document.activeElement) return hideTip();
  const at = tipOf.getBoundingClientRect();
  return showTip(tip.textContent, at.left, at.top, tipOf);
}, { passive: true, capture: true });
