// Zooming, panning and reading a series: by pointer, wheel, buttons and keyboard.
function button(words, label, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.append(words);
  if (label) { made.setAttribute("aria-label", label); made.title = label; }
  made.addEventListener("click", action);
  return made;
}

async function liveSeries(figure) {
  const name = figure.id;
  const plot = figure.querySelector(".plot");
  const title = figure.querySelector("h3").textContent;
  const data = await seriesData(figure);
  const begin = data.start[0], end = data.start[data.start.length - 1];
  const least = (end - begin) / Math.max(20 * data.start.length, 2e4);
  let from = begin, to = end, hidden = new Set(), drawn = null, waiting = 0, cursor = null, drag = null, paper = 0;

  const tools = document.createElement("div");
  tools.className = "chart-tools";
  const names = document.createElement("div");
  names.className = "lines";
  const toggles = data.lines.map((line, i) => {
    const swatch = element("svg", { class: "drawing", viewBox: "0 0 24 8", "aria-hidden": "true" });
    swatch.append(element("path", { class: `mean ${COLOURS[i % 4]}`, d: "M0 4H24" }));
    const toggle = button(swatch, "", () => {
      if (hidden.has(i)) hidden.delete(i); else hidden.add(i);
      setState("hide." + name, [...hidden].sort().join("."));
      redraw();
    });
    const word = document.createElement("bdi");
    word.textContent = line.name;
    toggle.append(word);
    names.append(toggle);
    return toggle;
  });
  const stems = data.moments.kinds.filter((kind, k) => data.moments.kind.some((one, i) => one === k && data.moments.value[i] === data.moments.value[i]));
  if (stems.length > 1) for (const kind of stems) {
    const sign = element("svg", { class: "drawing", viewBox: "0 0 12 12", "aria-hidden": "true" });
    sign.append(element("path", { class: `head ${kind}`, d: headPath(kind, 6, 6) }));
    const entry = document.createElement("span");
    entry.className = "entry";
    entry.append(sign, KINDS[kind] || kind);
    names.append(entry);
  }
  const back = button("‹", `Earlier: ${title}`, () => move(-0.5));
  const on = button("›", `Later: ${title}`, () => move(0.5));
  const out = button("−", `Zoom out: ${title}`, () => zoom(2));
  const into = button("+", `Zoom in: ${title}`, () => zoom(0.5));
  const reset = button("Whole", `Show the whole: ${title}`, () => show(begin, end));
  for (const one of [back, on, out, into]) one.classList.add("zoom");
  tools.append(names, back, on, out, into, reset);
  plot.before(tools);
  plot.classList.add("live");
  plot.tabIndex = 0;
  plot.setAttribute("aria-description", "Arrow keys read it, plus and minus zoom, Shift and arrows move, 0 shows the whole.");

  function show(low, high) {
    const span = Math.min(Math.max(high - low, least), end - begin);
    from = Math.min(Math.max(low + (high - low - span) / 2, begin), end - span);
    to = from + span;
    const whole = span >= (end - begin) * 0.9999;
    if (whole) { from = begin; to = end; }
    setState("zoom." + name, whole ? "" : `${from.toPrecision(9)}~${to.toPrecision(9)}`);
    redraw();
  }
  function zoom(factor, at = cursor !== null && cursor >= from && cursor <= to ? cursor : (from + to) / 2) {
    show(at - (at - from) * factor, at + (to - at) * factor);
  }
  function move(share) {
    const step = Math.min(Math.max((to - from) * share, begin - from), end - to);
    show(from + step, to + step);
  }
  function redraw() { waiting ||= requestAnimationFrame(draw); }
  function draw() {
    waiting = 0;
    const width = paper || Math.max(260, Math.round(plot.clientWidth));
    drawn = drawSeries(data, { from, to, hidden, width });
    plot.replaceChildren(drawn.svg);
    toggles.forEach((toggle, i) => toggle.setAttribute("aria-pressed", String(!hidden.has(i))));
    const whole = from === begin && to === end;
    const pressed = document.activeElement;
    for (const one of [back, out, reset]) one.disabled = whole;
    back.disabled = from <= begin;
    on.disabled = to >= end;
    into.disabled = to - from <= least * 1.001;
    if (tools.contains(pressed) && pressed.disabled) plot.focus({ preventScroll: true });
    placeCursor();
  }

  // What stands at a moment: each line, and what happened within three pixels.
  function reading(at) {
    const bin = binAt(data.start, at);
    const pixel = (to - from) / drawn.room;
    const wide = data.start[bin + 1] - data.start[bin];
    const [low, high] = wide > pixel ? [data.start[bin], data.start[bin + 1]] : [at - pixel / 2, at + pixel / 2];
    const step = Math.max(Math.min(wide, to - from), pixel);
    const said = [data.lines.length ? `${timeAmount(Math.max(low, begin), data.xUnit, step)} to ${timeAmount(Math.min(high, end), data.xUnit, step)}` : timeAmount(at, data.xUnit, pixel)];
    for (const { i } of drawn.lines) {
      const one = binned(data.start, data.lines[i], Math.max(low, begin), Math.min(high, end), 1);
      const [least, mean, most] = [one.low[0], one.mean[0], one.high[0]].map((value) => amount(value, data.yUnit));
      said.push(`${data.lines[i].name}: ${mean}${least === most ? "" : ` (${least} to ${most})`}`);
    }
    const { moments } = data;
    const first = firstFrom(moments.at, at - 3 * pixel), behind = firstFrom(moments.at, at + 3 * pixel);
    const near = Array.from({ length: behind - first }, (_, i) => first + i);
    near.sort((a, b) => (moments.value[b] || 0) - (moments.value[a] || 0) || Math.abs(moments.at[a] - at) - Math.abs(moments.at[b] - at));
    for (const i of near.slice(0, 3)) said.push(moments.text[i].slice(0, 300));
    if (near.length > 3) said.push(`and ${near.length - 3} more here`);
    return said.join("\n");
  }
  function placeCursor() {
    const inside = cursor !== null && cursor >= from && cursor <= to;
    drawn.cursor.setAttribute("visibility", inside ? "visible" : "hidden");
    if (!inside) return;
    const x = short(drawn.x(cursor));
    drawn.cursor.setAttribute("x1", x);
    drawn.cursor.setAttribute("x2", x);
  }
  function read(at, spokenToo, y) {
    cursor = at;
    placeCursor();
    const box = plot.getBoundingClientRect();
    const words = reading(at);
    showTip(words, box.left + (drawn.x(at) / drawn.svg.viewBox.baseVal.width) * box.width, y ?? box.top + 60);
    if (spokenToo) say(words);
  }
  function leave() { cursor = null; hideTip(); if (drawn) placeCursor(); }

  const momentAt = (event) => {
    const box = plot.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * drawn.svg.viewBox.baseVal.width;
    return Math.min(Math.max(from + ((x - LEFT) / drawn.room) * (to - from), from), to);
  };
  plot.addEventListener("pointermove", (event) => {
    const at = momentAt(event);
    if (drag?.pan) { move((drag.at - at) / (to - from)); return; }
    if (drag) {
      const [low, high] = [drag.at, at].sort((a, b) => a - b).map(drawn.x);
      drawn.chosen.setAttribute("visibility", "visible");
      drawn.chosen.setAttribute("x", short(low));
      drawn.chosen.setAttribute("width", short(high - low));
    }
    read(at, false, event.clientY);
  });
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { at: momentAt(event), x: event.clientX, pan: event.shiftKey };
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointerup", (event) => {
    const { at, x, pan } = drag || {};
    drag = null;
    drawn.chosen.setAttribute("visibility", "hidden");
    if (x === undefined || pan || Math.abs(event.clientX - x) < 6) return;
    show(Math.min(at, momentAt(event)), Math.max(at, momentAt(event)));
  });
  plot.addEventListener("pointercancel", () => { drag = null; drawn.chosen.setAttribute("visibility", "hidden"); });
  plot.addEventListener("pointerleave", () => { if (!drag) leave(); });
  plot.addEventListener("dblclick", () => show(begin, end));
  plot.addEventListener("blur", leave);
  // The page keeps the wheel until the reader has chosen the chart, or holds Ctrl.
  plot.addEventListener("wheel", (event) => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (sideways && to - from < end - begin) {
      event.preventDefault();
      move(event.deltaX / drawn.room);
    } else if (!sideways && (event.ctrlKey || event.metaKey || document.activeElement === plot)) {
      event.preventDefault();
      zoom(1.0015 ** event.deltaY, momentAt(event));
    }
  }, { passive: false });
  plot.addEventListener("keydown", (event) => {
    const now = cursor ?? (from + to) / 2;
    const keys = {
      ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10,
    };
    const step = keys[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (step && event.shiftKey) move(step * 0.1);
    else if (step) {
      const at = now + step * Math.max((to - from) / 100, 0);
      if (at < from || at > to) move(step * 0.02);
      read(Math.min(Math.max(at, from), to), true);
    } else if (event.key === "Home" || event.key === "End") read(event.key === "Home" ? from : to, true);
    else if (event.key === "+" || event.key === "=") zoom(0.5);
    else if (event.key === "-") zoom(2);
    else if (event.key === "0") show(begin, end);
    else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
  });

  onState(() => {
    const [low, high] = (state.get("zoom." + name) || "").split("~").map(Number);
    const known = high > low && high > begin && low < end;
    [from, to] = known ? [Math.max(low, begin), Math.min(high, end)] : [begin, end];
    hidden = new Set((state.get("hide." + name) || "").split(".").filter(Boolean).map(Number));
    redraw();
  });
  new ResizeObserver(redraw).observe(plot);
  addEventListener("beforeprint", () => { paper = 690; draw(); });
  addEventListener("afterprint", () => { paper = 0; draw(); });
}
