// Draws a series between two moments: the same picture as svg/series.py, at the width that it has.
const LEFT = 72, RIGHT = 14, PLOT = 220, ROW = 16, AXIS = 24, UP = 20, NAMED = 12, CHARACTER = 7.4;
const COLOURS = ["one", "two", "three", "four"];
const KINDS = { young: "young", full: "full", pause: "pauses", mark: "marks" };
const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const short = (number) => String(Math.round(number * 10) / 10);

// A path that holds each height from one edge to the next.
function stepPath(edges, heights) {
  const parts = [`M${short(edges[0])} ${short(heights[0])}H${short(edges[1])}`];
  for (let i = 1; i < heights.length; i += 1) parts.push(`V${short(heights[i])}H${short(edges[i + 1])}`);
  return parts.join("");
}

function headPath(kind, x, y) {
  if (kind === "full") return `M${x} ${short(y - 5)}l5 5l-5 5l-5-5z`;
  return `M${x - 2} ${short(y)}a2 2 0 1 0 4 0a2 2 0 1 0-4 0z`;
}

// The kinds that have a row of ticks below the plot.
function stripKinds({ moments }) {
  const number = new Map();
  for (let i = 0; i < moments.at.length; i += 1) {
    if (Number.isNaN(moments.value[i])) {
      const kind = moments.kinds[moments.kind[i]];
      number.set(kind, (number.get(kind) || 0) + 1);
    }
  }
  const kinds = [...Object.keys(KINDS), ...moments.kinds.filter((kind) => !(kind in KINDS))];
  return kinds.filter((kind) => number.has(kind) && (kind !== "mark" || number.get(kind) > NAMED));
}

// view: { from, to, hidden, width }. Gives the drawing, and the scale from a moment to a pixel.
function drawSeries(data, view) {
  const { from, to, width } = view;
  const rows = stripKinds(data);
  const room = Math.max(20, Math.floor(width - LEFT - RIGHT));
  const down = UP + PLOT, base = down + 6 + ROW * rows.length, height = base + AXIS;
  const x = (at) => LEFT + ((at - from) / (to - from)) * room;
  const { moments } = data;
  const first = firstFrom(moments.at, from);
  let behind = firstFrom(moments.at, to);
  while (behind < moments.at.length && moments.at[behind] === to) behind += 1;

  const lines = data.lines.map((line, i) => ({ i, columns: view.hidden.has(i) ? null : visibleColumns(data.start, line, from, to, room) })).filter((line) => line.columns);
  let most = 0;
  for (const { columns } of lines) for (const high of columns.high) if (high > most) most = high;
  for (let i = first; i < behind; i += 1) if (moments.value[i] > most) most = moments.value[i];
  if (data.deadline !== null && (data.deadline <= 3 * most || most <= 0)) most = Math.max(most, data.deadline * 1.05);
  const top = topOf(most, data.yUnit, Math.floor(PLOT / 45));
  const y = (value) => down - (value / top) * PLOT;

  const svg = element("svg", { class: "drawing", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  for (const [value, label] of ticksOf(0, top, data.yUnit, Math.floor(PLOT / 45))) {
    svg.append(element("line", { class: "grid", x1: LEFT, x2: LEFT + room, y1: short(y(value)), y2: short(y(value)) }));
    svg.append(element("text", { class: "tick", x: LEFT - 8, y: short(y(value) + 4), "text-anchor": "end" }, label));
  }
  svg.append(element("line", { class: "axis", x1: LEFT, x2: LEFT + room, y1: base, y2: base }));
  if (data.yUnit === "objects") svg.append(element("text", { class: "tick", x: 0, y: UP - 8 }, "objects"));
  const along = ticksOf(from, to, data.xUnit, Math.max(2, Math.floor(room / 110)));
  if (data.xUnit === "events" && along.length) along[along.length - 1][1] += " events";
  for (const [at, label] of along) {
    svg.append(element("line", { class: "grid", x1: short(x(at)), x2: short(x(at)), y1: UP, y2: base + 4 }));
    const wide = label.length * CHARACTER;
    svg.append(element("text", { class: "tick", x: short(Math.min(Math.max(x(at) - wide / 2, LEFT - 30), width - wide)), y: base + 18 }, label));
  }
  for (const { i, columns } of lines) for (const part of linePaths(columns, x, y, COLOURS[i % 4])) svg.append(part);
  for (const part of stemPaths(moments, first, behind, x, y)) svg.append(part);
  if (data.deadline !== null) {
    const inside = data.deadline <= top, at = y(data.deadline);
    const words = `deadline ${amount(data.deadline, data.yUnit)}${inside ? "" : " is above"}`;
    if (inside) svg.append(element("line", { class: "deadline", x1: LEFT, x2: LEFT + room, y1: short(at), y2: short(at) }));
    svg.append(element("text", { class: "late", x: LEFT + room, y: short(inside ? at - 5 : UP + 12), "text-anchor": "end" }, words));
  }
  for (const part of namedMarks(moments, first, behind, x, LEFT + room, base)) svg.append(part);
  rows.forEach((kind, row) => {
    const middle = down + 6 + ROW * (row + 0.5);
    svg.append(element("text", { class: "tick", x: LEFT - 8, y: middle + 4, "text-anchor": "end" }, (KINDS[kind] || kind).slice(0, 8)));
    svg.append(tickPath(moments, first, behind, kind, x, middle));
  });
  const cursor = element("line", { class: "cursor", y1: UP, y2: base, visibility: "hidden" });
  const chosen = element("rect", { class: "chosen", y: UP, height: base - UP, visibility: "hidden" });
  svg.append(chosen, cursor);
  return { svg, cursor, chosen, x, room, lines };
}

// The band and the mean, for each stretch without a gap.
function linePaths(columns, x, y, name) {
  const { edges, low, high, mean } = columns;
  const parts = [];
  for (let begin = 0, end; begin < mean.length; begin = end + 1) {
    end = begin;
    while (end < mean.length && mean[end] === mean[end]) end += 1;
    if (end === begin) continue;
    const at = Array.from(edges.subarray(begin, end + 1), x);
    const [lows, highs, means] = [low, high, mean].map((values) => Array.from(values.subarray(begin, end), y));
    if (lows.some((value, i) => value !== highs[i])) {
      const back = stepPath(at.slice().reverse(), lows.slice().reverse());
      parts.push(element("path", { class: `band ${name}`, d: `${stepPath(at, highs)}L${back.slice(1)}Z` }));
    }
    parts.push(element("path", { class: `mean ${name}`, d: stepPath(at, means) }));
  }
  return parts;
}

// One tick a pixel.
function tickPath(moments, first, behind, kind, x, middle) {
  const half = kind === "full" ? ROW / 2 - 2 : ROW / 4;
  const parts = [];
  let before = -1;
  for (let i = first; i < behind; i += 1) {
    if (moments.kinds[moments.kind[i]] !== kind || !Number.isNaN(moments.value[i])) continue;
    const pixel = Math.round(x(moments.at[i]));
    if (pixel !== before) parts.push(`M${pixel} ${middle - half}v${2 * half}`);
    before = pixel;
  }
  return element("path", { class: `ticks ${kind}`, d: parts.join("") || "M0 0" });
}

// The highest of each kind in a pixel, which covers the others.
function stemPaths(moments, first, behind, x, y) {
  const highest = new Map();
  for (let i = first; i < behind; i += 1) {
    if (Number.isNaN(moments.value[i])) continue;
    const kind = moments.kinds[moments.kind[i]];
    if (!highest.has(kind)) highest.set(kind, new Map());
    const of = highest.get(kind), pixel = Math.round(x(moments.at[i]));
    if (!(of.get(pixel) >= moments.value[i])) of.set(pixel, moments.value[i]);
  }
  return [...highest].sort((a, b) => (a[0] === "full") - (b[0] === "full")).flatMap(([kind, of]) => [
    element("path", { class: `stem ${kind}`, d: [...of].map(([pixel, value]) => `M${pixel} ${short(y(0))}V${short(y(value))}`).join("") }),
    element("path", { class: `head ${kind}`, d: [...of].map(([pixel, value]) => headPath(kind, pixel, y(value))).join("") }),
  ]);
}

// Marks across the plot while few are in sight; a name where it does not cover the one before.
function namedMarks(moments, first, behind, x, end, base) {
  const marks = [];
  for (let i = first; i < behind && marks.length <= NAMED; i += 1) {
    if (moments.kinds[moments.kind[i]] === "mark" && Number.isNaN(moments.value[i])) marks.push(i);
  }
  if (marks.length > NAMED) return [];
  let free = 0;
  return marks.flatMap((i) => {
    const at = x(moments.at[i]);
    const parts = [element("line", { class: "mark", x1: short(at), x2: short(at), y1: UP, y2: base })];
    const room = Math.floor(Math.min(end - at, 140) / CHARACTER);
    if (at >= free && room > 5) {
      const name = moments.text[i];
      const fits = name.length > room ? name.slice(0, room - 1) + "…" : name;
      parts.push(element("text", { class: "name", x: short(at), y: UP - 6 }, fits));
      free = at + (fits.length + 1) * CHARACTER;
    }
    return parts;
  });
}
