// Tables sort by the raw figure, filter by what is read, show more rows, and copy.
const NUMBERS = new Set(["number", "size", "ms", "percent"]);

function rawOf(cell) { return cell.dataset.raw ?? cell.textContent.trim(); }

// Figures before what is unknown in both directions; texts as a reader orders them.
const collator = new Intl.Collator("en", { numeric: true });
function comparer(column, numeric, down) {
  const sign = down ? -1 : 1;
  return (a, b) => {
    const [x, y] = [rawOf(a.cells[column]), rawOf(b.cells[column])];
    if (x === "" || y === "") return (x === "") - (y === "");
    return sign * (numeric ? Number(x) - Number(y) : collator.compare(x, y));
  };
}

function forSheet(text) {
  const line = text.replace(/[\t\r\n]+/g, " ");
  return /^['=+\-@\uff1d\uff0b\uff0d\uff20]/.test(line) && !/^[+-]?[0-9.,e+-]*$/.test(line) ? "'" + line : line;
}

function liveTable(box) {
  const name = box.id;
  const body = box.querySelector("tbody");
  const rows = [...body.rows];
  const heads = [...box.querySelectorAll("thead th")];
  const filter = box.querySelector(".filter");
  const more = box.querySelector(".more");
  const count = box.querySelector(".count");
  const shown = Number(box.dataset.shown);

  heads.forEach((head, column) => {
    if (!head.textContent.trim()) return; // nothing to press, nothing to read aloud
    const button = document.createElement("button");
    const label = document.createElement("span");
    button.type = "button";
    label.className = "head";
    label.append(...head.childNodes);
    button.append(label);
    head.append(button);
    button.addEventListener("click", () => sortBy(column));
    const help = head.dataset.help && document.getElementById(head.dataset.help);
    if (!help) return;
    button.setAttribute("aria-describedby", help.id);
    const explain = () => {
      const at = button.getBoundingClientRect();
      showTip(help.textContent, at.left, at.top, button);
    };
    for (const event of ["pointerenter", "focus"]) button.addEventListener(event, explain);
    for (const event of ["pointerleave", "blur"]) button.addEventListener(event, hideTip);
    button.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
  });

  function order() {
    const [column, way] = (state.get("sort." + name) || "").split(".");
    return heads[column] && ["asc", "desc"].includes(way) ? { column: Number(column), way } : null;
  }

  // The way that is asked for most, the other, then as the report has it.
  function sortBy(column) {
    const first = NUMBERS.has(heads[column].dataset.kind) ? "desc" : "asc";
    const other = first === "desc" ? "asc" : "desc";
    const now = order();
    const way = now?.column !== column ? first : now.way === first ? other : "";
    setState("sort." + name, way && column + "." + way);
    show();
  }

  function show() {
    const sorted = order();
    heads.forEach((head, i) => {
      if (sorted?.column !== i) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", sorted.way === "desc" ? "descending" : "ascending");
    });
    const numeric = sorted && NUMBERS.has(heads[sorted.column].dataset.kind);
    const inOrder = sorted ? [...rows].sort(comparer(sorted.column, numeric, sorted.way === "desc")) : rows;
    body.append(...inOrder);
    const wanted = (state.get("find." + name) || "").toLowerCase();
    if (filter && filter.value.toLowerCase() !== wanted) filter.value = state.get("find." + name) || "";
    const found = inOrder.filter((row) => row.textContent.toLowerCase().includes(wanted));
    const all = state.get("more." + name) === "1" || found.length <= shown + 3;
    const visible = new Set(all ? found : found.slice(0, shown));
    for (const row of rows) row.hidden = !visible.has(row);
    const words = `${visible.size.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
    count.textContent = visible.size === rows.length ? "" : words;
    more.hidden = found.length <= shown + 3;
    more.textContent = all ? `Show the first ${shown}` : `Show all ${found.length.toLocaleString("en")}`;
    return found;
  }

  more.addEventListener("click", () => {
    setState("more." + name, state.get("more." + name) === "1" ? "" : "1");
    show();
  });
  filter?.addEventListener("input", () => { setState("find." + name, filter.value); show(); });
  box.querySelector(".copy-table").addEventListener("click", (event) => {
    const head = heads.map((one) => forSheet((one.querySelector(".head") ?? one).textContent.trim()));
    const lines = show().map((row) => [...row.cells].map((cell) => forSheet(rawOf(cell))));
    copyText([head, ...lines].map((line) => line.join("\t")).join("\n") + "\n", event.currentTarget);
  });
  onState(show);
}

document.querySelectorAll(".table").forEach(liveTable);
