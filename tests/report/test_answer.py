"""The first screen of a report: what to do, what it gains, and below it what is found beside."""

from __future__ import annotations

import re

from gcreplay.advice.paste import in_words
from gcreplay.report.renderers.html import html, with_code
from gcreplay.report.renderers.markdown import markdown
from gcreplay.report.view import Finding, View
from gcreplay.store.builder import TraceBuilder

VIEW = View(
    "shop.py",
    "0.1 s of its own",
    ("Call gc.freeze() before line 7 of shop.py.", "GC time falls by 5 ms."),
    (
        Finding(
            "setting", "notice", "Call gc.freeze() before line 7 of shop.py. GC time falls by 5 ms."
        ),
        Finding("cycles", "notice", "Two kinds of cycles."),
        Finding("ages", "info", "Most die young under `never`."),
    ),
    (),
    "gcreplay report",
)


def test_a_finding_that_the_answer_gives_is_not_said_again() -> None:
    assert [one.id for one in VIEW.beside(info=False)] == ["cycles"]
    assert [one.id for one in VIEW.beside(info=True)] == ["ages"]
    assert html(VIEW).count("Call gc.freeze()") == 1
    assert markdown(VIEW).count("Call gc.freeze()") == 1


def test_what_is_for_information_is_folded_below_the_others() -> None:
    for text in (html(VIEW), markdown(VIEW)):
        fold = text.index("<details")
        assert text.index("Two kinds") < fold < text.index("Most die young")
        assert text.index("Most die young") < text.index("</details>", fold)


def test_only_what_to_do_is_large() -> None:
    lines = markdown(VIEW).splitlines()
    assert lines[2] == "**Call gc.freeze() before line 7 of shop.py.**"
    assert lines[4] == "GC time falls by 5 ms."
    assert re.findall(r'<p class="first">(.*?)</p>', html(VIEW)) == [VIEW.answer[0]]


def test_backticks_become_code_and_what_is_within_them_stays_text() -> None:
    assert with_code("under `never` <b>") == "under <code>never</code> &lt;b&gt;"
    assert with_code("`<i>`") == "<code>&lt;i&gt;</code>"
    assert with_code("a`b`c and one `") == "a`b`c and one `"
    assert "<code>never</code>" in html(VIEW)


def test_a_setting_is_one_sentence() -> None:
    b = TraceBuilder(argv=["/srv/app.py"])
    b.start()
    b.mark("ready")
    log = b.build()
    for policy, told in (
        ("cpython-3.11:5000,10,10", "Call gc.set_threshold(5_000, 10, 10) at the top of app.py."),
        (
            "freeze-at:app.py:78+cpython-3.11:700,10,50",
            "Call gc.set_threshold(700, 10, 50) at the top of app.py and call gc.freeze() before "
            "line 78 of app.py.",
        ),
        (
            "freeze@ready+cpython-3.11",
            'Call gc.freeze() where the program passes the mark "ready".',
        ),
    ):
        assert in_words(policy, log) == told
