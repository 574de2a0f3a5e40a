"""A picture of a report for the README: `python -m gallery.screenshot`, with a browser.

It needs Playwright from PyPI and a Chromium: the one in $CHROMIUM, or `chromium` on the path.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from gallery.measure import BUILD, ROOT, gcreplay
from gallery.pictures import FOLDER
from gallery.reports import without

PICTURE = FOLDER / "report.png"
MOST_BYTES = 150_000
WIDTH, SCALE = 1000, 0.5
LAST = "#chart-heap-bytes .plot"
"""Down to here: answer, findings, figures and the first chart."""
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


def report() -> Path:
    """Of an example, with the folders of this machine left out."""
    trace, made = str(BUILD / "shop.gcreplay"), BUILD / "shop.html"
    gcreplay("record", "--force", "--for", "what-if", "-o", trace, "examples/shop.py")
    gcreplay("report", trace, "--force", "-o", str(made))
    text = made.read_text("utf-8")
    for folder in (f"{ROOT}/", f"{BUILD.relative_to(ROOT)}/"):
        text = without(folder, text)
    made.write_text(text, "utf-8")
    return made


def shoot(page_of: Path) -> bytes:
    """The start of the page, light, as PNG. Raises SystemExit where there is no browser."""
    try:
        from playwright.sync_api import FloatRect, ViewportSize, sync_playwright
    except ImportError:
        raise SystemExit("no screenshot: Playwright is missing, `pip install playwright`") from None
    browser_at = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if browser_at is None:
        raise SystemExit("no screenshot: there is no Chromium, name one in $CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_at, args=QUIET)
        size: ViewportSize = {"width": WIDTH, "height": 900}
        page = browser.new_page(viewport=size, color_scheme="light", device_scale_factor=SCALE)
        page.goto(page_of.as_uri())
        page.locator(f"{LAST}.live > svg").wait_for()
        last = page.locator(LAST).bounding_box()
        assert last is not None
        height = last["y"] + last["height"] + 8
        top: FloatRect = {"x": 0, "y": 0, "width": WIDTH, "height": height}
        png: bytes = page.screenshot(full_page=True, clip=top)
        browser.close()
    return png


def main() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    png = shoot(report())
    if len(png) > MOST_BYTES:
        sys.exit(f"the screenshot has {len(png):,} bytes, {MOST_BYTES:,} are the most")
    PICTURE.write_bytes(png)


if __name__ == "__main__":
    main()
