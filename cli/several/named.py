"""Which recordings a command line names: files, and folders of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gcreplay.screen.outcome import MEASURED
from gcreplay.screen.pauses import META
from gcreplay.store import EventLog
from gcreplay.store.errors import GcreplayError, UsageError
from gcreplay.trace import opened

ENDING: Final = ".gcreplay"
_LATER: Final = {META, MEASURED, "checksums"}
"""Facts that commands add to a recording."""


@dataclass(frozen=True, slots=True)
class Recording:
    """name: as it was typed, by which results name it and are ordered. path: from the root, for
    whoever stands in another folder. mark: tells it from any other recording."""

    name: str
    path: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What keeps a recording from being used, in a sentence, and the exit code of that alone."""

    name: str
    sentence: str
    exit_code: int = 1

    @property
    def told(self) -> str:
        """With the name, which not every sentence has."""
        return self.sentence if self.name in self.sentence else f"{self.name}: {self.sentence}"

    def to_json(self) -> dict[str, str]:
        return {"trace": self.name, "error": self.sentence}


def names_several(operands: Sequence[Path]) -> bool:
    """Whether these are recordings to be seen together; one file is shown alone."""
    return len(operands) != 1 or operands[0].is_dir()


def recordings_of(operands: Sequence[Path]) -> list[Recording]:
    """All that are named, ordered by name; raises UsageError."""
    paths = [path for operand in operands for path in _in(operand)]
    found: dict[str, Recording] = {}
    for path in paths:
        whole = str(path.resolve())
        if whole in found:
            raise UsageError(f"{path} is named twice: each recording counts once")
        found[whole] = Recording(str(path), whole)
    return sorted(found.values(), key=lambda one: one.name)


def _in(operand: Path) -> list[Path]:
    if not operand.is_dir():
        return [operand]
    inside = [path for path in operand.iterdir() if path.suffix == ENDING]
    if not inside:
        raise UsageError(f"the folder {operand} has no recording, which end in {ENDING}")
    return inside


def checked(recordings: Sequence[Recording]) -> tuple[list[Recording], list[Wrong]]:
    """Those that can be opened, with their marks, and what is wrong with the others."""
    good, wrong = [], []
    for one in recordings:
        try:
            with opened(Path(one.name)) as log:
                if log.unfinished:
                    raise GcreplayError(
                        f"{one.name} is not whole: its recorder is still at it, or was killed"
                    )
                good.append(Recording(one.name, one.path, mark_of(log)))
        except GcreplayError as error:
            wrong.append(Wrong(one.name, str(error), error.exit_code))
    return good, wrong


def mark_of(log: EventLog) -> str:
    """A digest of what a recording is as a whole: what its segments hold, and its own facts."""
    facts = sorted((key, repr(value)) for key, value in log.meta.items() if key not in _LATER)
    return hashlib.sha256(repr((log.segment_table, facts)).encode()).hexdigest()


def short_names(names: Sequence[str]) -> dict[str, str]:
    """The names of files for tables, where no two are the same."""
    short = {name: Path(name).name.removesuffix(ENDING) for name in names}
    return short if len(set(short.values())) == len(short) else {name: name for name in names}
