"""A function called again and again in a process of its own, which is recorded."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

from gcreplay.screen.progress import working
from gcreplay.store.errors import GcreplayError, UsageError
from gcreplay.tracer import RecordOptions, record

MARKS: Final = ("warmed up", "once more", "at last")
_NO_MODULE, _NO_FUNCTION, _NO_CALL = 113, 114, 115
_RUNNER: Final = f"""
import gc, importlib, importlib.util, sys
from gcreplay_capture import mark
module, _, name = sys.argv[1].partition(":")
try:
    called = importlib.import_module(module)
except ModuleNotFoundError as error:
    if error.name is None or not f"{{module}}.".startswith(f"{{error.name}}."):
        raise
    sys.exit({_NO_MODULE})
for part in name.split("."):
    called = getattr(called, part, None)
if called is None:
    sys.exit({_NO_FUNCTION})
if not callable(called):
    sys.exit({_NO_CALL})
if getattr(getattr(called, "__code__", None), "co_flags", 0) & 0x80:
    import asyncio
    work = lambda: asyncio.run(called())
else:
    work = called
for label in {MARKS!r}:
    for _ in range(int(sys.argv[2])):
        work()
    gc.collect()
    mark(label)
"""
"""What is returned is dropped. A coroutine function (0x80) is run to its end."""


def record_calls(target: str, times: int, output: Path, python: str | None, *, force: bool) -> None:
    """Record three times so many calls of `module:function`, with a mark behind each of the three:
    the first are warm-up. What it prints goes to standard error. Raises UsageError where there is
    no such function, GcreplayError where a call fails."""
    module, colon, name = target.partition(":")
    if not (module and colon and name):
        raise UsageError(f"--run {target!r} is no MODULE:FUNCTION, such as shop.orders:checkout")
    options = RecordOptions(
        output, ["-c", _RUNNER, target, str(times)], python, force=force, stdout=2
    )
    with working("recording"):
        summary = record(options)
    if summary.signal == signal.SIGINT:
        raise KeyboardInterrupt
    if summary.exit_code == _NO_MODULE:
        raise UsageError(f"there is no module {module!r} to be imported from this folder")
    if summary.exit_code == _NO_FUNCTION:
        raise UsageError(f"the module {module!r} has no {name!r}")
    if summary.exit_code == _NO_CALL:
        raise UsageError(f"{target} is no function: it cannot be called")
    if summary.exit_code != 0:
        raise GcreplayError(
            f"{target} failed when it was called without arguments (exit code "
            f"{summary.exit_code}): nothing can be said of it"
        )
    if not summary.complete:
        raise GcreplayError(f"{target} could not be recorded to its end: {summary.message}")
