// Copying, and saying so.
const spoken = document.getElementById("spoken");
const copied = new Set();
let saying = 0;

function say(text) {
  clearTimeout(saying);
  saying = setTimeout(() => { spoken.textContent = text; }, 60);
}

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  say("Copied");
  if (copied.has(button)) return;
  copied.add(button);
  const face = [...button.childNodes];
  button.replaceChildren("Copied");
  setTimeout(() => { button.replaceChildren(...face); copied.delete(button); }, 1400);
}

for (const button of document.querySelectorAll(".command .copy")) {
  const code = button.parentElement.querySelector("code");
  button.addEventListener("click", () => copyText(code.textContent, button));
}
