"""Signs of life on standard error, only when a person watches and something takes over a second."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from gcreplay.report.words.text import plain

if TYPE_CHECKING:
    from rich.text import Text

    from gcreplay.store import EventLog

PATIENCE_SECONDS: Final = 1.0


@contextmanager
def working(
    what: str | Callable[[], str], patience: float = PATIENCE_SECONDS
) -> Iterator[Callable[[str], None]]:
    """Show ``what`` and a spinner from the second second on; the value changes the text. A function
    is asked again whenever the line is drawn."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console  # where nobody watches nobody waits for it

    status = Console(stderr=True).status(_Line(what))
    timer = threading.Timer(patience, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda text: status.update(_Line(text))
    finally:
        timer.cancel()
        timer.join()  # a start already under way must not come after the stop
        status.stop()


class _Line:
    """One line of the terminal, cut where it is too long for it."""

    def __init__(self, what: str | Callable[[], str]) -> None:
        self._what = what

    def __rich__(self) -> "Text":
        from rich.text import Text

        told = self._what if isinstance(self._what, str) else self._what()
        return Text(plain(told), no_wrap=True, overflow="ellipsis")


class Runs:
    """So many runs, one after another, of about the same length: on a terminal it is said which is
    under way, and how long the rest will take."""

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._begun = 0
        self._took: list[float] = []
        self._since = time.monotonic()

    @property
    def now(self) -> str:
        """Which is under way, or was the last."""
        return f"{self._name} {self._begun} of {self._total}"

    @contextmanager
    def one(self, what: str, log: "EventLog | None" = None) -> Iterator[None]:
        """The next of them; where it reads a log, how much of that is read is said as well."""
        self._begun += 1
        started = time.monotonic()
        patience = max(0.0, PATIENCE_SECONDS - (started - self._since))  # with all of them together
        read = None if log is None else Read(log.event_count, what)

        def told() -> str:
            return self._told(what, time.monotonic() - started, read)

        with ExitStack() as watched:
            if log is not None and read is not None:
                watched.enter_context(_heard(log, read))
            watched.enter_context(working(told, patience))
            yield
        self._took.append(time.monotonic() - started)

    def pass_by(self, what: str) -> None:
        """The next of them is of another length, and the terminal is its own."""
        self._begun += 1
        if sys.stderr.isatty():
            print(plain(self._told(what, 0)), file=sys.stderr)

    def _told(self, what: str, elapsed: float, read: "Read | None" = None) -> str:
        left = ""
        if read is not None and read.share:
            now = f"{self.now}, {read.now}"
            # The others read it once; the first perhaps more often, and its garbage is known then.
            each = sum(self._took) / len(self._took) if self._took else read.whole
            return f"{now}{time_left(read.left + each * (self._total - self._begun))}: {what}"
        if self._took:
            each = sum(self._took) / len(self._took)
            left = time_left(max(0.0, each - elapsed) + each * (self._total - self._begun))
        return f"{self.now}{left}: {what}"


class Done:
    """How much of something is done, in words."""

    def __init__(self, total: int, what: str) -> None:
        self.total, self.what, self.made = total, what, 0
        self.since = time.monotonic()

    def more(self, n: int) -> None:
        self.made += n

    def __call__(self) -> str:
        share = self.made / self.total if self.total else 1.0
        left = ""
        if 0 < share < 1:
            left = time_left((time.monotonic() - self.since) * (1 - share) / share)
        return f"{self.what}: {share:.0%}{left}"


class Read:
    """How much of a log is read, in words. Some work reads it more than once, and how often is not
    known before."""

    def __init__(self, total: int, what: str) -> None:
        self._total, self._what, self._passes, self._made = total, what, 0, 0
        self._since = time.monotonic()

    def more(self, first: int, number: int) -> None:
        """So many events from that one on are read."""
        if first == 0:
            self._passes, self._made, self._since = self._passes + 1, 0, time.monotonic()
        self._made += number

    @property
    def share(self) -> float:
        """Of this reading: what is done."""
        return min(1.0, self._made / self._total) if self._total else 0.0

    @property
    def whole(self) -> float:
        """Seconds of a reading as this one."""
        return (time.monotonic() - self._since) / self.share if 0 < self.share < 1 else 0.0

    @property
    def left(self) -> float:
        """Seconds."""
        return self.whole * (1 - self.share)

    @property
    def now(self) -> str:
        """Which reading it is, and how far."""
        which = f"reading {self._passes}, " if self._passes > 1 else ""
        return f"{which}{self.share:.0%} of the events"

    def __call__(self) -> str:
        if not self.share:
            return self._what
        which = f", reading {self._passes}" if self._passes > 1 else ""
        left = time_left(self.left) if self.share < 1 else ""
        return f"{self._what}{which}: {self.share:.0%} of the events{left}"


class Steps:
    """Steps of a search, each of some readings of a log that may go on at the same time. How many
    are made in all is not known before."""

    def __init__(self, events: int, what: Callable[[], str]) -> None:
        self._events, self._what = events, what
        self._step = Done(0, "")

    def begin(self, step: str, readings: int) -> None:
        self._step = Done(readings * self._events, step)

    def more(self, first: int, number: int) -> None:
        """So many events from that one on are read."""
        self._step.made = min(self._step.total, self._step.made + number)

    def __call__(self) -> str:
        return ": ".join(filter(None, (self._what(), self._step() if self._step.made else "")))


class Tries:
    """Which of the references that may be cut is tried, in words. How many cuts follow is not known
    before, so the time left is that of this one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._told = "looking for references to cut"
        self._since = time.monotonic()

    def begin(self, cut: int, number: int, of: int, name: str) -> None:
        """This reference, as that cut, the number of so many."""
        left = ""
        if number == 1:
            self._since = time.monotonic()
        else:
            each = (time.monotonic() - self._since) / (number - 1)
            left = time_left(each * (of - number + 1))
        which = f"cut {cut} of at most {self._most}"
        self._told = f"{which}: trying reference {number} of {of}{left}: {name}"

    def __call__(self) -> str:
        return self._told


@contextmanager
def _heard(log: "EventLog", read: "Read | Steps") -> Iterator[None]:
    """One watches at a time: who began first is told again when this is over."""
    before, log.on_read = log.on_read, read.more
    try:
        yield
    finally:
        log.on_read = before


@contextmanager
def reading(log: "EventLog", what: "str | Steps", *others: "EventLog") -> Iterator[None]:
    """Show what is done with this log, and how much of it is read; of several logs each reading of
    one is counted, of as many events as they have at most."""
    logs = (log, *others)
    most = max(one.event_count for one in logs)
    read = Read(most, what) if isinstance(what, str) else what
    with ExitStack() as watched:
        for one in logs:
            watched.enter_context(_heard(one, read))
        watched.enter_context(working(read))
        yield


def time_left(seconds: float) -> str:
    """In the unit that people count in."""
    if seconds < 90:
        return f", about {seconds:.0f} s left"
    if seconds < 90 * 60:
        return f", about {seconds / 60:.0f} min left"
    return f", about {seconds / 3600:.1f} h left"


def begin_a_line() -> None:
    """On a terminal, the cursor at the start of a line of ours, wherever a program has left it: as
    many blanks as a line has room for end in this line only where they began at its start."""
    if sys.stderr.isatty():
        print(" " * os.get_terminal_size(2).columns, end="\r", file=sys.stderr, flush=True)
