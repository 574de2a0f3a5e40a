"""A setting as lines of Python: what to paste, where, and how to take it back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

from gcreplay.replay import make_policy
from gcreplay.replay.modules import root_of
from gcreplay.replay.places import is_in
from gcreplay.replay.policies.actions import Every, Freeze, FreezeBefore, Without
from gcreplay.replay.policies.generational import Generational
from gcreplay.replay.policies.marked import AtMarks
from gcreplay.replay.results.callers import Caller, callers
from gcreplay.replay.tuning.lines import MODULE
from gcreplay.report.words.places import short
from gcreplay.store import EventLog, GcCall

FORMS: Final = ("python", "gunicorn", "uvicorn", "pytest")
Thresholds = tuple[int, ...]
_DEFAULT: Final = (700, 10, 10)


@dataclass(slots=True)
class _Parts:
    """What a setting does at the start, when start-up is done, and at each mark of work."""

    start: list[str] = field(default_factory=list)
    ready: list[tuple[str, str]] = field(default_factory=list)
    each: list[tuple[str, int]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    undo: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def in_words(policy: str, log: EventLog) -> str:
    """The setting as one sentence that a person can follow; "" for one that needs no change."""
    told = " and ".join(_parts_of(policy, log).words)
    return f"{told[0].upper()}{told[1:]}." if told else ""


def lines_of(policy: str, log: EventLog, form: str) -> tuple[list[str], str]:
    """The lines for that place, and what takes them back."""
    parts = _parts_of(policy, log)
    written = _WRITERS[form](parts, _script(log))
    if parts.left_out:
        written += ["", *parts.left_out] if written else parts.left_out
    return written, "; ".join(parts.undo)


def _parts_of(policy: str, log: EventLog) -> _Parts:
    made = make_policy(policy)
    parts = _Parts()
    collector = made.collector if isinstance(made, AtMarks) else made
    if isinstance(collector, Generational) and collector.fixed is not None:
        present = log.start.threshold if log.start is not None else _DEFAULT
        parts.start.append(f"gc.set_threshold({numbers(collector.fixed)})")
        parts.undo.append(f"gc.set_threshold({numbers(present)})")
        parts.words.append(f"call {parts.start[0]} at the top of {_script(log)}")
        parts.left_out += _out(log, GcCall.SET_THRESHOLD, "gc.set_threshold()", parts.undo)
    for action in made.actions if isinstance(made, AtMarks) else ():
        match action:
            case Freeze(mark):
                where = f"where the program passes {_mark(mark)}"
                parts.ready.append(("gc.freeze()", where))
                parts.undo.append("gc.unfreeze()")
                parts.words.append(f"call gc.freeze() {where}")
            case FreezeBefore(file, line):
                parts.ready.append(("gc.freeze()", _before(log, file, line)))
                parts.undo.append("gc.unfreeze()")
                parts.words.append(f"call gc.freeze() before line {line} of {file}")
            case Every(mark, n):
                parts.each.append((mark, n))
                parts.words.append(f"call gc.collect() {_each(mark, n)}")
            case Without(call):
                name = f"gc.{call.name.lower()}()"
                parts.left_out += _out(log, call, name, parts.undo)
    parts.words += [line.removeprefix("# ") for line in parts.left_out]
    return parts


def _each(mark: str, n: int) -> str:
    often = f"each {n}th time that" if n > 1 else "each time that"
    return f"{often} the program passes {_mark(mark)}"


def _mark(mark: str) -> str:
    kinds = "a mark of the kind" if "#" in mark else "the mark"
    return f"{kinds} {_said(mark)}"


def _before(log: EventLog, file: str, line: int) -> str:
    """The line before which it is to stand, and the function that has it."""
    there = [site for site in log.sites if site.line == line and is_in(site.file, file)]
    function = next((site.function for site in there if not site.near), MODULE)
    inside = "" if function == MODULE else f", in {_said(function)}, and only the first time"
    return f"before line {line} of {_said(file)}{inside}"


def _said(name: str) -> str:
    """A name within a comment, which it does not end."""
    return json.dumps(name, ensure_ascii=False)


def numbers(thresholds: Sequence[int]) -> str:
    """As Python has them: 5_000, 10, 10; nothing is left out."""
    return ", ".join(f"{one:_}" for one in thresholds)


def _out(log: EventLog, call: GcCall, name: str, undo: list[str]) -> list[str]:
    """Comments that name the calls to leave out."""
    made = callers(log, call)
    root = root_of(site.file for site in log.sites)
    if made:
        undo.append(f"put {name} back")
    return [f"# leave out {name}{_where(one, root)}" for one in made]


def _where(caller: Caller, root: str) -> str:
    if caller.from_c:
        return ", called by C code"
    return f" at {short(caller.file, root)}:{caller.line}" if caller.file else ""


def _script(log: EventLog) -> str:
    argv = log.meta.get("argv")
    first = str(argv[0]) if isinstance(argv, list) and argv else ""
    return PurePath(first).name if first.endswith(".py") else "the program"


def _python(parts: _Parts, script: str) -> list[str]:
    if not (parts.start or parts.ready or parts.each):
        return []
    written = ["import gc"]
    if parts.start:
        written += ["", f"# at the top of {script}; the default is {numbers(_DEFAULT)}"]
        written += parts.start
    for line, where in parts.ready:
        written += ["", f"# once, {where}; default: no freeze"]
        written.append(line)
    for mark, n in parts.each:
        written += ["", f"# {_each(mark, n)}; default: never"]
        written.append("gc.collect()")
    return written


def _defaults(parts: _Parts) -> str:
    """Of what is written."""
    told = [f"gc.set_threshold({numbers(_DEFAULT)})"] if parts.start else []
    told += ["no freeze"] if parts.ready else []
    told += ["no gc.collect()"] if parts.each else []
    return f"; default{'s' * (len(told) > 1)}: {', '.join(told)}" if told else ""


def _functions(written: list[str], head: str, body: Sequence[str]) -> None:
    if body:
        written += ["", "", head, *(f"    {line}" for line in body)]


def _gunicorn(parts: _Parts, script: str) -> list[str]:
    written = [f"# gunicorn.conf.py{_defaults(parts)}", "import gc"]
    once = [*parts.start, *(line for line, _ in parts.ready)]
    _functions(written, "def post_worker_init(worker):  # the application is loaded", once)
    if parts.each:
        _, n = parts.each[0]
        written += ["", "", "requests = 0"]
        body = ["global requests", "requests += 1", f"if requests % {n} == 0:", "    gc.collect()"]
        _functions(written, "def post_request(worker, request, environ, response):", body)
    return written


def _uvicorn(parts: _Parts, script: str) -> list[str]:
    written = [f"# the application's module{_defaults(parts)}", "import gc"]
    if parts.ready or parts.each:
        written.append("from contextlib import asynccontextmanager")
    if parts.start:
        written += ["", *parts.start]
    if parts.ready:
        written += [
            "",
            "",
            "@asynccontextmanager  # for FastAPI(lifespan=...), Starlette(lifespan=...)",
        ]
        written += ["async def lifespan(app):", *(f"    {line}" for line, _ in parts.ready)]
        written.append("    yield")
    for _, n in parts.each:
        often = f"after each {n}th request" if n > 1 else "after each request"
        written += ["", f"# {often}, in a middleware; default: never", "gc.collect()"]
    return written


def _pytest(parts: _Parts, script: str) -> list[str]:
    written = [f"# conftest.py{_defaults(parts)}", "import gc"]
    _functions(written, "def pytest_configure(config):", parts.start)
    frozen = [line for line, _ in parts.ready]
    _functions(written, "def pytest_collection_finish(session):", frozen)
    if parts.each:
        _functions(written, "def pytest_runtest_teardown(item):", ["gc.collect()"])
    return written


_WRITERS: Final = {
    "python": _python,
    "gunicorn": _gunicorn,
    "uvicorn": _uvicorn,
    "pytest": _pytest,
}
