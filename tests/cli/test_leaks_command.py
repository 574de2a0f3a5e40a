"""What `gcreplay leaks` says of real programs, and of functions that it calls again and again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Gcreplay

from gcreplay.replay.leaks import Leak, Leaks, leaks
from gcreplay.store import EventLog
from gcreplay.tracer import RecordOptions, record

REQUESTS = 60
PROGRAM = f"""
import ctypes, functools, logging
from gcreplay_capture import mark

class Entry:
    def __init__(self, n):
        self.payload = [n]

class Service:
    @functools.lru_cache(maxsize=None)
    def price(self):
        return 7

class Handler(logging.Handler):
    def emit(self, record):
        pass

class Page: pass
class Handle: pass
class Draft: pass

HISTORY, CACHE = [], {{}}

def handle(n):
    HISTORY.append(Entry(n))
    Service().price()
    logging.getLogger("shop").addHandler(Handler())
    if n % 30 not in CACHE:
        CACHE[n % 30] = Page()
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(Handle()))

def main():
    drafts = []
    for n in range({REQUESTS}):
        mark(f"request {{n}}")
        handle(n)
        drafts.append(Draft())
    mark("done")

main()
"""
MODULE = """
import asyncio
KEPT, NAMES, FILLED = [], [], {}
class Session: pass
def leaking():
    KEPT.append(Session())
def longer():
    NAMES.append(str(len(NAMES)) * 40)
def filling():
    FILLED.setdefault("once", Session())
async def waiting():
    await asyncio.sleep(0)
    KEPT.append(Session())
def failing():
    raise ValueError("no such order")
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.py").write_text(PROGRAM)
    path = folder / "shop.gcreplay"
    assert record(RecordOptions(path, [str(folder / "shop.py")])).complete
    return path


@pytest.fixture(scope="module")
def at_the_end(shop: Path) -> Leaks:
    with EventLog.open(shop) as log:
        return leaks(log)


def of(found: Leaks, type: str) -> Leak:
    (leak,) = [leak for leak in found.growing if leak.kind.type == f"__main__.{type}"]
    return leak


def words(leak: Leak) -> list[str]:
    return [f"{step.edge} {step.called}".strip() for step in leak.path]


def test_a_list_of_a_module_holds_what_it_is_given(at_the_end: Leaks) -> None:
    leak = of(at_the_end, "Entry")
    assert leak.kind.objects == REQUESTS
    assert leak.kind.growth is not None and leak.kind.growth.whole == REQUESTS
    first, second, third = words(leak)
    assert (first, second) == ("module __main__", ".HISTORY list")
    assert third.startswith("[") and third.endswith("] Entry")
    assert [kind.type for kind in leak.similar] == ["list"]
    assert leak.holder is not None and leak.holder.name == "__main__.HISTORY"
    assert leak.holder.share == 1


def test_the_cache_of_a_method_holds_the_object_of_each_call(at_the_end: Leaks) -> None:
    leak = of(at_the_end, "Service")
    assert words(leak)[:2] == ["class Service", ".price _lru_cache_wrapper"]
    assert leak.holder is not None and leak.holder.name.startswith("Service.price")


def test_a_logger_holds_the_handlers_that_it_is_given(at_the_end: Leaks) -> None:
    leak = of(at_the_end, "Handler")
    assert leak.holder is not None
    assert leak.holder.name == "Logger.manager.loggerDict['shop'].handlers"


def test_a_cache_that_fills_and_stays_is_alive_and_does_not_grow(at_the_end: Leaks) -> None:
    (page,) = [kind for kind in at_the_end.kinds if kind.type == "__main__.Page"]
    assert (page.objects, page.growing) == (30, False)


def test_what_c_code_holds_nothing_visible_holds(at_the_end: Leaks) -> None:
    leak = of(at_the_end, "Handle")
    assert (leak.unseen, leak.holder, words(leak)) == (REQUESTS, None, ["Handle"])


def test_what_a_function_held_that_has_returned_is_not_alive(at_the_end: Leaks) -> None:
    assert "__main__.Draft" not in [kind.type for kind in at_the_end.kinds]


def test_a_running_function_is_named_by_its_variable(shop: Path) -> None:
    with EventLog.open(shop) as log:
        found = leaks(log, between=("request 0", "done"))
    assert found.whole
    leak = of(found, "Draft")
    assert words(leak)[:2] == ["frame of main", ":drafts list"]
    assert leak.kind.objects == REQUESTS


def test_the_screen_answers_first_and_ends_with_the_next_command(
    gcreplay: Gcreplay, shop: Path
) -> None:
    shown = gcreplay("leaks", shop)
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("Growing: ")
    assert max(map(len, lines[:-1])) <= 80
    held = "     held by   module __main__.HISTORY -> list["
    assert any(line.startswith(held) for line in lines)
    assert "     holder    __main__.HISTORY keeps 100% of what grew here" in lines
    assert "     made at   shop.py:25 handle" in lines
    told = " ".join(shown.stdout.split())
    assert f"something that no recorded object shows: running code, or C ({REQUESTS} of" in told
    assert told.endswith(f"Next: gcreplay leaks {shop} --between 'request 30' 'request 31'")


def test_json_is_the_same_each_time(gcreplay: Gcreplay, shop: Path) -> None:
    first, second = (gcreplay("leaks", shop, "--format", "json").stdout for _ in range(2))
    assert first == second
    told = json.loads(first)
    (entry,) = [one for one in told["growing"] if one["type"] == "__main__.Entry"]
    assert entry["holder"]["name"] == "__main__.HISTORY"
    assert told["named"] and told["whole_heap_read"] and told["unit"] == "request #"


def test_markdown_has_a_list_of_what_grows(gcreplay: Gcreplay, shop: Path) -> None:
    shown = gcreplay("leaks", shop, "--format", "markdown").stdout
    assert "\n\n1. " in shown and "| type | alive | shallow | growing | made at |" in shown


# Calls


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("orders")
    (folder / "orders.py").write_text(MODULE)
    yield folder


def run(gcreplay: Gcreplay, *arguments: object) -> tuple[int, dict[str, object], str]:
    done = gcreplay("leaks", "--python", sys.executable, "--format", "json", "--run", *arguments)
    return done.exit_code, json.loads(done.stdout) if done.stdout else {}, done.stderr


def grows(told: dict[str, object]) -> list[tuple[str, str]]:
    growing = told["growing"]
    assert isinstance(growing, list)
    return [(one["type"], one["holder"]["name"]) for one in growing]


def test_what_a_call_leaves_behind_fails(
    gcreplay: Gcreplay, orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(orders)
    code, told, _ = run(gcreplay, "orders:leaking", "--times", 5)
    assert (code, grows(told)) == (1, [("orders.Session", "orders.KEPT")])
    assert (told["unit"], told["steps"]) == ("call", 10)
    code, told, _ = run(gcreplay, "orders:waiting", "--times", 5)
    assert (code, grows(told)) == (1, [("orders.Session", "orders.KEPT")])
    code, told, _ = run(gcreplay, "orders:longer")
    assert (code, grows(told)) == (1, [("list", "orders.NAMES")])


def test_what_fills_once_is_no_leak(
    gcreplay: Gcreplay, orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(orders)
    code, told, _ = run(gcreplay, "orders:filling")
    assert (code, grows(told)) == (0, [])


def test_what_cannot_be_called_is_said_in_a_sentence(
    gcreplay: Gcreplay, orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(orders)
    for wanted, code, sentence in (
        ("orders", 2, "--run 'orders' is no MODULE:FUNCTION, such as shop.orders:checkout"),
        ("ordres:leaking", 2, "there is no module 'ordres' to be imported from this folder"),
        ("orders:leak", 2, "the module 'orders' has no 'leak'"),
        ("orders:failing", 1, "orders:failing failed when it was called without arguments (exit"),
    ):
        ended, told, said = run(gcreplay, wanted, "--times", 1)
        assert (ended, told) == (code, {})
        assert sentence in said


def test_a_recording_or_a_function_is_needed_and_not_both(gcreplay: Gcreplay, shop: Path) -> None:
    for arguments, sentence in (
        ([], "No recording: name one, or a function with --run MODULE:FUNCTION"),
        ([shop, "--run", "a:b"], "--run makes a recording of its own: leave out TRACE"),
        ([shop, "--force"], "--python, -o and --force are for --run"),
        ([shop, "--between", "request 0", "ready"], "there is no mark 'ready'"),
    ):
        done = gcreplay("leaks", *arguments)
        assert done.exit_code == 2
        assert sentence in done.stderr


def test_where_nothing_grows_the_next_command_shows_garbage(
    gcreplay: Gcreplay, cycles: Path
) -> None:
    shown = gcreplay("leaks", cycles)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Nothing grows: 1 object (48 B) alive at the end, and no kind")
    assert " ".join(shown.stdout.split()).endswith(f" Next: gcreplay cycles {cycles}")
