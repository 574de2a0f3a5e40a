// Charts that cannot be made live stay as they stand in the page.
const drawn = () => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); });

// A browser goes to a link's section at once, but tables fold and charts go live after that.
let readerMoved = false;
for (const event of ["wheel", "touchmove", "pointerdown", "keydown"]) {
  addEventListener(event, () => { readerMoved = true; }, { once: true, passive: true });
}

async function start() {
  readAddress();
  applyState();
  if ("DecompressionStream" in window) {
    await Promise.all([...document.querySelectorAll(".chart.series")].map(liveSeries));
  }
  applyState();
  await drawn();
  if (!readerMoved) goToAnchor("instant");
  showPosition();
}
start();
