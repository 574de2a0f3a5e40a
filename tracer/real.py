"""Really run a program under a setting of the collector, unrecorded, and note its collections.

The capture attaches in its measuring mode (capture/measure.c): it reads no object, it only counts
those of the lists, and the program's collections are those of a plain run under that setting.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gcreplay.store.ending import without_shutdown
from gcreplay.store.errors import NotFound
from gcreplay.store.marks import spelled

from .errors import BrokenSpool, CannotRecord
from .interpreter import Interpreter
from .program import alone, start_program
from .record import check_program
from .spool import Spool, Status

_SPOOL_LIMIT = 1 << 30
_MARK, _END, _MEASURED = 20, 22, 24  # enum record_tag of capture/format.h
_MOST_ACTIONS = 64
_ENCODINGS = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}


@dataclass(frozen=True, slots=True)
class FreezeAt:
    """`gc.freeze()`, once, right after the first such mark."""

    mark: str


@dataclass(frozen=True, slots=True)
class FreezeLine:
    """`gc.freeze()`, once, right before a line of a file first takes memory."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class CollectAt:
    """`gc.collect()` right after every such mark, or every n-th one."""

    mark: str
    every: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What a measured run does to the collector.

    `thresholds` hold whatever the program itself sets (None: the program's own; T0 = 0: only calls
    collect). Its own calls of functions in `without` do nothing: collect, disable or freeze.
    `actions` are done in order. `apply_from`: both begin at the first such mark, and
    marks count from that one on; otherwise with the program.
    """

    thresholds: tuple[int, int, int] | None = None
    actions: tuple[FreezeAt | FreezeLine | CollectAt, ...] = ()
    apply_from: str | None = None
    without: tuple[str, ...] = ()

    def text(self, sizes: bool) -> str:
        """The plan as capture/measure.c reads it. Raises CannotRecord for what it could not."""
        at_marks = [action for action in self.actions if not isinstance(action, FreezeLine)]
        marks = [action.mark for action in at_marks] + [self.apply_from or "start"]
        files = [action.file for action in self.actions if isinstance(action, FreezeLine)]
        named = [(name, "mark") for name in marks] + [(name, "file") for name in files]
        for name, what in named:
            if any(unprintable in name for unprintable in "\n\0"):
                raise CannotRecord(f"'{name}': a {what} to act at must be one line of text")
        if len(self.actions) > _MOST_ACTIONS:
            raise CannotRecord(f"a setting acts at {_MOST_ACTIONS} kinds of marks at most")
        lines = ["sizes"] if sizes else []
        if self.apply_from is not None:
            lines.append(f"from {self.apply_from}")
        if self.thresholds is not None:
            lines.append("thresholds {},{},{}".format(*self.thresholds))
        lines += [f"without {call}" for call in self.without]
        for action in self.actions:
            match action:
                case FreezeAt(mark):
                    lines.append(f"freeze {mark}")
                case FreezeLine(file, line):
                    lines.append(f"freeze-line {line} {file}")
                case CollectAt(mark, every):
                    lines.append(f"collect {every} {mark}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class RealOptions:
    """A program, as in RecordOptions, and the plan to run it under.

    `sizes`: count the objects in the lists at each collection. That walks all lists, so pauses
    are measured without it. `stdin`, `stdout`, `stderr` are the program's; None: ours.
    """

    argv: list[str]
    plan: Plan = field(default_factory=Plan)
    python: str | None = None
    sizes: bool = True
    environment: dict[str, str] = field(default_factory=dict)
    directory: Path | None = None
    stdin: int | None = None
    stdout: int | None = None
    stderr: int | None = None


@dataclass(frozen=True, slots=True)
class RealCollection:
    """A collection that the interpreter made.

    `called`: by gc.collect(), otherwise by the thresholds (or from C). `at_ns`: since the capture
    attached. `pause_ns`: CPU time of the collection alone; it ends at the call's end or, of an
    automatic one, at the program's next malloc. `candidates`: objects in the collected
    generations; `tracked`: in all three; None when not counted.
    """

    generation: int
    called: bool
    at_ns: int
    pause_ns: int
    candidates: int | None
    tracked: int | None
    collected: int
    uncollectable: int


@dataclass(frozen=True, slots=True)
class RealMark:
    """A mark, and how many collections had been made before it."""

    label: str
    collections: int


@dataclass(frozen=True, slots=True)
class RealRun:
    """A measured run, up to the interpreter's finalization.

    `complete`: that was reached; `message` says why not. `missed`: collections of which nothing
    but their number is known. `exit_code`: as a shell says it, 128 + n for signal n.
    `own_cpu_ns`: CPU time that the program took for itself, without its collections. `peak_bytes`:
    the most memory that its process had.
    """

    collections: tuple[RealCollection, ...]
    marks: tuple[RealMark, ...]
    missed: int
    exit_code: int
    complete: bool
    message: str
    own_cpu_ns: int | None = None
    peak_bytes: int | None = None

    def window(self, first: str, last: str) -> tuple[RealCollection, ...]:
        """The collections between the first mark of one label and the next one of another.

        Raises NotFound when there are no such marks.
        """
        labels = [mark.label for mark in self.marks]
        try:
            begin = labels.index(first)
            end = labels.index(last, begin + 1)
        except ValueError:
            raise NotFound(
                f"the real run passed no marks '{first}' and then '{last}'; "
                f"its marks are: {spelled(labels)}"
            ) from None
        return self.collections[self.marks[begin].collections : self.marks[end].collections]


def run_real(options: RealOptions) -> RealRun:
    """Run the program once. Raises CannotRecord before it starts, and when the capture could not
    attach; BrokenSpool when what it noted cannot be read."""
    return RealRunner(options.python, options.environment).run(options)


class RealRunner:
    """Runs programs with one interpreter in one environment."""

    def __init__(
        self,
        python: str | None = None,
        environment: Mapping[str, str] | None = None,
        base: Mapping[str, str] | None = None,
    ) -> None:
        """`base`: the environment to add to, by default our own."""
        self._environment = {**(os.environ if base is None else base), **(environment or {})}
        self._interpreter = Interpreter.find(python, self._environment)

    def run(self, options: RealOptions) -> RealRun:
        """As `run_real`, with this interpreter and, below the options' own, this environment."""
        check_program(options.argv, options.directory)
        plan = options.plan.text(options.sizes)
        with tempfile.TemporaryDirectory(prefix="gcreplay-") as folder:
            spool = Spool.create(Path(folder, "measured"))
            try:
                environment = self._interpreter.environment(
                    {**self._environment, **options.environment},
                    spool.path,
                    (0, 0, 0, _SPOOL_LIMIT),
                    alone=alone(options.argv),
                    plan=plan,
                )
                child = start_program(
                    [self._interpreter.executable, *options.argv],
                    environment,
                    directory=options.directory,
                    stdin=options.stdin,
                    stdout=options.stdout,
                    stderr=options.stderr,
                )
                try:
                    code = child.wait()
                finally:  # nobody is left to read what it notes; see also measure_start()
                    child.kill()
                    child.wait()
                return _read(spool, code)
            finally:
                spool.close()


def _read(spool: Spool, returncode: int) -> RealRun:
    status = spool.status
    if status is Status.CREATED:
        raise CannotRecord(
            "the program ran, but could not be measured: it ended in a start-up file, or a wrapper "
            "runs it with option -I, -E or -S or another environment"
        )
    if status is Status.REFUSED:
        raise CannotRecord(f"the program ran, but could not be measured: {spool.message}")
    stream = _Stream(b"")
    if spool.waiting:
        mapped, start, end = spool.view()
        with mapped:
            stream = _Stream(mapped[start:end])
    collections: list[RealCollection] = []
    marks: list[RealMark] = []
    missed = 0
    while stream.rest:
        tag = stream.number()
        if tag == _MARK:
            marks.append(RealMark(stream.text(), len(collections)))
        elif tag == _MEASURED:
            generation, called, at, pause, candidates, tracked, collected, uncollectable, seen = (
                stream.number() for _ in range(9)
            )
            if generation > 2:
                raise BrokenSpool(f"a measured run left a collection of generation {generation}")
            collections.append(
                RealCollection(
                    generation,
                    bool(called),
                    at,
                    pause,
                    candidates - 1 if candidates else None,
                    tracked - 1 if tracked else None,
                    collected,
                    uncollectable,
                )
            )
            missed += seen - 1
        elif tag != _END:
            raise BrokenSpool(f"a measured run left the unknown record {tag}")
    message = {
        Status.RUNNING: without_shutdown(returncode),
        Status.ENDED: "",
    }.get(status, f"the measurement ended early: {spool.message}")
    complete = status is Status.ENDED
    exit_code = 128 - returncode if returncode < 0 else returncode
    made = (tuple(collections), tuple(marks))
    told = (spool.own_cpu_ns, spool.peak_bytes)
    return RealRun(*made, missed, exit_code, complete, message, *told)


class _Stream:
    """The committed bytes of a spool, read from their start."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def rest(self) -> int:
        return len(self._data) - self._at

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self._bytes(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise BrokenSpool("a measured run left a number that is too long")

    def text(self) -> str:
        kind, length = self.number(), self.number()
        data = self._bytes(length * (kind or 1))
        try:
            return data.decode(_ENCODINGS.get(kind, "utf-8"), "surrogatepass")
        except UnicodeDecodeError:
            raise BrokenSpool("a measured run left a text that is none") from None

    def _bytes(self, n: int) -> bytes:
        data = self._data[self._at : self._at + n]
        if len(data) < n:
            raise BrokenSpool("a measured run left a record that is cut short")
        self._at += n
        return data
