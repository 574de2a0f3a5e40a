// Charts that cannot be made live stay as they stand in the page.
async function start() {
  readAddress();
  if ("DecompressionStream" in window) {
    await Promise.all([...document.querySelectorAll(".chart.series")].map(liveSeries));
  }
  applyState();
  showPosition();
  if (state.size) goToAnchor();
}
start();
