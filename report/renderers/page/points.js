// Bars and dots that say what they are, under the pointer and from the keyboard.
function livePoints(plot) {
  for (const title of plot.querySelectorAll(".point > title, .point rect > title")) title.remove();
  let here = -1;
  const visible = () => [...plot.querySelectorAll(".point")].filter((p) => p.getClientRects().length);
  const leave = () => {
    plot.querySelectorAll(".here").forEach((p) => p.classList.remove("here"));
    hideTip();
  };
  const enter = (point) => {
    leave();
    point.classList.add("here");
    const at = point.getBoundingClientRect();
    showTip(point.dataset.text, at.left + at.width / 2, at.top);
  };
  plot.tabIndex = 0;
  for (const event of ["pointerover", "pointerdown"]) plot.addEventListener(event, (e) => {
    const point = e.target.closest(".point");
    if (point) enter(point); else leave();
  });
  plot.addEventListener("pointerleave", leave);
  plot.addEventListener("blur", leave);
  plot.addEventListener("keydown", (event) => {
    const points = visible();
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") return leave();
    if (!points.length || !(step || event.key === "Home" || event.key === "End")) return undefined;
    event.preventDefault();
    here = event.key === "Home" ? 0 : event.key === "End" ? points.length - 1 : here + step;
    here = (here + points.length) % points.length;
    enter(points[here]);
    return say(points[here].dataset.text);
  });
}

document.querySelectorAll(".chart .plot").forEach((plot) => {
  if (plot.querySelector(".point")) livePoints(plot);
});
