"""The HTML report in a real browser: Chromium, without a window.

Each test opens a page of its own in one browser. A message on the console fails it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_view import heap, sample

from gcreplay.report.renderers.html import html
from gcreplay.report.view import Line, Section, Series, View

Opened = Callable[..., Any]
SAMPLE = sample()
WHOLE = html(SAMPLE)

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        missing = "needs Chromium: apt-get install chromium (as root `make test` does it)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Opened]:
    """Opens a view: `opened(view, width=400, at="#pauses")`. Nothing may be said on the console,
    no dialog may open, nothing may be asked for."""
    said: list[str] = []
    asked: list[str] = []
    contexts: list[Any] = []

    def open_page(view: View, *, width: int = 1000, at: str = "", **options: Any) -> Any:
        path = tmp_path / "report.html"
        if not path.exists():
            path.write_text(WHOLE if view is SAMPLE else html(view), "utf-8")
        options = {"reduced_motion": "reduce", **options}  # a click waits for a moving page
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri() + at)
        if options.get("java_script_enabled", True):
            charts = sum(isinstance(b, Series) for s in view.sections for b in s.blocks)
            until(page, f"document.querySelectorAll('.plot.live > svg').length == {charts}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def until(page: Any, expression: str) -> None:
    """Waits for an expression to be true. (The page's policy forbids Playwright's own way.)"""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(15)
    raise AssertionError(f"never: {expression}")


def only(view: View, *sections: str) -> View:
    return replace(view, sections=tuple(s for s in view.sections if s.id in sections))


def first_column(page: Any, table: str) -> list[str]:
    rows = page.locator(f"#table-{table} tbody tr:visible > :first-child")
    texts: list[str] = rows.all_inner_texts()
    return texts


def test_the_page_never_scrolls_sideways(opened: Opened) -> None:
    page = opened(SAMPLE, width=400)
    for width in (400, 800, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_everything_stands_in_the_page(opened: Opened) -> None:
    page = opened(SAMPLE, java_script_enabled=False)
    assert page.locator("#table-garbage-by-line tbody tr:visible").count() == 40
    assert page.locator("svg.drawing:visible").count() == 7
    assert page.locator("button:visible").count() == 0


def test_a_table_sorts_by_the_raw_figure_and_unknown_ones_stay_last(opened: Opened) -> None:
    page = opened(SAMPLE)
    head = page.locator("#table-policies thead th").nth(3)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    down = first_column(page, "policies")
    assert down[:3] == ["now (700,10,10)", "5000,10,10", "freeze@ready"]  # 15.3, 9.8, 1.2 ms
    head.locator("button").click()
    assert first_column(page, "policies") == [*reversed(down[:3]), *down[3:]]
    head.locator("button").click()
    assert head.get_attribute("aria-sort") is None


def test_a_table_shows_its_first_rows_and_filters_all_of_them(opened: Opened) -> None:
    page = opened(SAMPLE)
    table = page.locator("#table-garbage-by-line")
    assert len(first_column(page, "garbage-by-line")) == 12
    table.locator(".more").click()
    assert len(first_column(page, "garbage-by-line")) == 40
    table.locator(".filter").fill("valueerror")
    assert set(first_column(page, "garbage-by-line")) == {"ValueError"}
    assert table.locator(".count").inner_text() == "5 of 40 rows"


def test_a_table_is_copied_with_raw_figures(opened: Opened) -> None:
    page = opened(SAMPLE, permissions=["clipboard-read", "clipboard-write"])
    page.locator("#table-policies .copy-table").click()
    until(page, "document.querySelector('#table-policies .copy-table').textContent == 'Copied'")
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert lines[0].split("\t")[:2] == ["policy", "GC time"]
    assert lines[1] == "now (700,10,10)\t89.0\t2.9\t15.3\t3\t42991616\t209715"
    assert lines[4] == "bounds: never\t0.0\t0.0\t\t\t59768832\t16777216"


def test_what_a_column_means_is_said_from_the_keyboard(opened: Opened) -> None:
    page = opened(SAMPLE)
    page.locator("#table-policies thead button").nth(1).focus()
    assert page.locator("#tip").inner_text() == (
        "All pauses of the collector together, an estimate."
    )
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()


def test_the_keyboard_reaches_what_can_be_pressed_and_keeps_its_place(opened: Opened) -> None:
    page = opened(only(SAMPLE, "heap", "settings"), width=800)
    reached = "document.activeElement.textContent.trim() || document.activeElement.ariaLabel"
    page.locator("#chart-heap-over-time .lines button").first.focus()
    names = []
    for _ in range(30):
        names.append(page.evaluate(reached))
        page.keyboard.press("Tab")
    assert names[:3] == ["live", "floating garbage", "+"]
    assert None not in names  # each says what it is
    page.locator("#chart-heap-over-time .zoom").nth(3).focus()
    page.keyboard.press("Enter")
    page.get_by_text("Whole").focus()
    page.keyboard.press("Enter")
    until(page, "document.activeElement.classList.contains('live')")  # not lost with the button


def test_what_a_column_means_stays_where_tab_scrolls_the_page(opened: Opened) -> None:
    page = opened(SAMPLE)
    page.evaluate("scrollTo(0, 0)")
    page.locator("#table-policies thead button").nth(1).focus()
    until(page, "scrollY > 500")
    page.wait_for_timeout(60)
    assert page.locator("#tip").is_visible()
    assert page.locator("#tip").inner_text().startswith("All pauses of the collector")


def test_a_link_shows_what_its_sender_saw(opened: Opened) -> None:
    view = only(SAMPLE, "heap", "pauses", "policies", "garbage", "ages")
    page = opened(view)
    page.locator("#theme").click()
    page.locator("#theme").click()
    page.locator("#paths").click()
    page.locator("#table-policies thead button").nth(5).click()
    page.locator("#table-garbage-by-line .filter").fill("line")
    page.locator("#chart-heap-over-time .lines button").nth(1).click()
    page.locator("#chart-heap-over-time .plot").focus()
    page.keyboard.press("+")
    page.locator("#chart-deaths details summary").click()
    page.locator(".contents a[href='#pauses']").click()
    until(page, "location.hash.includes('open=') && location.hash.startsWith('#pauses?')")
    hash_of_sender = page.evaluate("location.hash")

    def seen(one: Any) -> list[Any]:
        return [
            one.evaluate("document.documentElement.dataset.theme"),
            one.evaluate("document.documentElement.dataset.paths"),
            first_column(one, "policies"),
            first_column(one, "garbage-by-line"),
            one.locator("#chart-heap-over-time svg.drawing >> text=/ s$/").all_text_contents(),
            one.locator("#chart-heap-over-time .mean.two").count(),
            one.locator("#chart-deaths details").get_attribute("open"),
        ]

    sender = seen(page)
    assert sender[:2] == ["dark", "full"]
    assert sender[4] != ["0 s", "10 s", "20 s", "30 s"]  # zoomed
    page.reload()
    until(page, "document.querySelectorAll('.plot.live > svg').length == 2")
    other = opened(view, at=hash_of_sender)
    assert seen(page) == seen(other) == sender
    assert other.evaluate("document.getElementById('pauses').getBoundingClientRect().top < 200")


def test_on_paper_there_is_nothing_to_press_and_every_column_is_explained(opened: Opened) -> None:
    page = opened(SAMPLE, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("button:not(thead button):visible").count() == 0
    assert page.locator("input:visible, nav:visible").count() == 0
    assert page.locator("#table-policies dd:visible").count() == 6
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(253, 253, 251)"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".plot.live > svg").first.get_attribute("viewBox").startswith("0 0 690 ")


HOSTILE = (
    "</script><script>hacked=1</script><img src=x onerror=\"alert(1)\">\"'>"
    "<a href='javascript:alert(2)'>{{ 7 * 7 }} ]]>--><!-- "
    "\x1b[31m\x00 \ud800 \u202egpj.exe\u202c \u2066x\u2069 \u200b\u0430\u05d0\u05d1"
)
OBEYED = ("id", "kind", "level", "role", "x_unit", "y_unit", "unit")
"""Fields whose texts are our own, but for ids."""


def hostile(what: Any, text: str) -> Any:
    """The same view with that text for every text in it, of a row and its number where ids are."""
    if isinstance(what, str):
        return text
    if isinstance(what, tuple):
        return tuple(hostile(one, text) for one in what)
    if not is_dataclass(what) or isinstance(what, type):
        return what
    kept = {f.name: getattr(what, f.name) for f in fields(what)}
    changed = {
        name: value if name in OBEYED else hostile(value, text) for name, value in kept.items()
    }
    if "id" in changed:
        changed["id"] = f"{text} {kept['id']}"
    return type(what)(**changed)


@pytest.mark.parametrize("text", [HOSTILE, "W" * 2_000], ids=["markup", "long"])
def test_names_from_a_recording_are_shown_and_never_obeyed(opened: Opened, text: str) -> None:
    page = opened(hostile(sample(), text), width=400)
    assert page.evaluate("typeof hacked") == "undefined"
    assert page.locator("img, iframe, [onerror], a:not([href^='#'])").count() == 0
    seen = page.evaluate("document.documentElement.textContent")
    assert not set("\x00\x1b\u202e\u202c\u2066\u2069\u200b") & set(seen)
    if text == HOSTILE:
        assert "\\u202egpj.exe" in page.locator("h1").inner_text()
    for chart in page.locator(".plot[tabindex]").all():
        chart.focus()
        page.keyboard.press("ArrowRight")
    for width in (400, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("state", ["", "?more.table-garbage-by-line=1&hide.chart-heap-over-time=0"])
def test_a_link_leads_to_its_section(opened: Opened, state: str) -> None:
    """Tables fold and charts go live after the browser went there. The page is one of two parts:
    what stands above the section becomes shorter, and what stands below is higher than a screen."""
    above = only(SAMPLE, "heap", "pauses", "policies", "garbage", "ages")
    below = [replace(one, id=f"{one.id}-again") for one in only(SAMPLE, "garbage").sections]
    view = replace(above, sections=(*above.sections, *below))
    page = opened(view, at="#ages" + state, reduced_motion="no-preference")
    until(page, f"Math.abs({TOP_OF_AGES} - 24) < 1")  # 24 px are left free above it
    page.wait_for_timeout(60)
    assert abs(page.evaluate(TOP_OF_AGES) - 24) < 1


TOP_OF_AGES = "document.getElementById('ages').getBoundingClientRect().top"


def heights(page: Any, path: str) -> list[float]:
    """The y of each corner of a drawn path."""
    d = page.locator(path).first.get_attribute("d")
    return [float(y) for y in re.findall(r"(?:V|M[-\d.]+ |L[-\d.]+ )([-\d.]+)", d)]


def long_series() -> View:
    """100,000 bins of which one, 41,000, reaches up to 2 GiB from below 1 MiB."""
    n = 100_000
    values = np.round(5e5 + 4e5 * np.sin(np.arange(n) / 700))
    high = values + 100.0
    high[41_000] = 2.0**31
    series = replace(
        heap(),
        start=np.arange(n + 1) * 1e-3,
        lines=(Line("live", values - 100.0, high, values),),
        moments=(),
    )
    return replace(sample(), sections=(Section("heap", "Heap", "One peak.", "", (series,)),))


def test_a_peak_of_one_bin_in_100_000_is_seen_at_every_zoom(opened: Opened) -> None:
    page = opened(long_series(), width=1000)
    plot = page.locator(".plot.live")
    width = plot.evaluate("it => it.clientWidth")
    plot.focus()
    spans = []
    for share in (1.0, 0.3, 0.05, 0.01, 0.001, 0.0001):
        low = max(0.0, 41.0005 - 50 * share)
        zoom = f"#heap?zoom.chart-heap-over-time={low}~{low + 100 * share}"
        page.evaluate(f"location.hash = '{zoom}'")
        page.wait_for_timeout(40)
        drawn = heights(page, ".band")
        assert len(drawn) <= 2 * width
        assert min(drawn) == 20  # the peak is as high as the axis, which ends at its 2 GiB
        spans.append(page.locator("svg.drawing .tick").all_text_contents()[-1])
    assert len(set(spans)) == 6
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert "2.0 GiB" in page.locator("#tip").inner_text()


def test_arrow_keys_read_a_series_aloud(opened: Opened) -> None:
    page = opened(only(sample(), "heap"))
    page.locator(".plot.live").focus()
    page.keyboard.press("Home")
    until(page, "document.getElementById('spoken').textContent.includes('live')")
    page.keyboard.press("ArrowRight")
    said = page.locator("#tip").inner_text()
    # Bin 6 of 600, about 0.338 s: 12e6 * (1 - exp(-0.338)) + 2e5 * 0.338 + 1e5 * sin(3.042) bytes.
    assert said.splitlines()[:2] == [
        "312 ms to 364 ms",
        "live: 3.4 MiB (3.3 MiB to 3.5 MiB)",
    ]
