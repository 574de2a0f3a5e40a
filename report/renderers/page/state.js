// What the reader has set stands in the address, so that a link shows what its sender saw:
// #section?theme=dark&sort.table-policies=2.desc. A plain #section works too, and keeps the rest.
const state = new Map();
const watchers = [];
let anchor = "";
let writing = 0;

function readAddress() {
  const text = location.hash.slice(1);
  const cut = text.indexOf("?");
  try { anchor = decodeURIComponent(cut < 0 ? text : text.slice(0, cut)); } catch { anchor = ""; }
  if (cut < 0) return false;
  state.clear();
  for (const [key, value] of new URLSearchParams(text.slice(cut + 1))) state.set(key, value);
  return true;
}

function writeAddress() {
  clearTimeout(writing);
  writing = 0;
  const said = new URLSearchParams([...state].sort((a, b) => (a[0] < b[0] ? -1 : 1))).toString();
  const hash = encodeURIComponent(anchor) + (said && "?" + said);
  if (hash !== location.hash.slice(1)) history.replaceState(null, "", "#" + hash);
}

// Soon, as a browser takes so many changes of the address in a minute and no more.
function setState(key, value) {
  if (value === "" || value === null) state.delete(key);
  else state.set(key, String(value));
  clearTimeout(writing);
  writing = setTimeout(writeAddress, 150);
}

function onState(watcher) { watchers.push(watcher); }

function applyState() { for (const watcher of watchers) watcher(); }

function goToAnchor(behavior = "auto") {
  const place = anchor && document.getElementById(anchor);
  if (place) place.scrollIntoView({ behavior });
}

addEventListener("hashchange", () => {
  if (readAddress()) { applyState(); goToAnchor(); }
  else writeAddress();
});
addEventListener("pagehide", () => { if (writing) writeAddress(); });
