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

PICTURE = FOLDER / "report.png"
MOST_BYTES = 150_000
WIDTH, HEIGHT = 1000, 900
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


def report() -> Path:
    """Of an example, with the folders of this machine left out."""
    trace, made = str(BUILD / "shop.gcreplay"), BUILD / "shop.html"
    gcreplay("record", "--force", "--for", "what-if", "-o", trace, "examples/shop.py")
    gcreplay("report", trace, "--force", "-o", str(made))
    made.write_text(made.read_text("utf-8").replace(f"{ROOT}/", ""), "utf-8")
    return made


def shoot(page_of: Path) -> bytes:
    """The first screen, light, as PNG. Raises SystemExit where there is no browser."""
    try:
        from playwright.sync_api import ViewportSize, sync_playwright
    except ImportError:
        raise SystemExit("no screenshot: Playwright is missing, `pip install playwright`") from None
    browser_at = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if browser_at is None:
        raise SystemExit("no screenshot: there is no Chromium, name one in $CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_at, args=QUIET)
        size: ViewportSize = {"width": WIDTH, "height": HEIGHT}
        page = browser.new_page(viewport=size, color_scheme="light")
        page.goto(page_of.as_uri())
        png: bytes = page.screenshot()
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
