"""Groups of cycles as people read them: a block of lines each, or a row of a table."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gcreplay.replay.garbage import Cycles, Group
from gcreplay.replay.garbage.finalizers import Ran
from gcreplay.replay.modules import root_of
from gcreplay.report.words.numbers import counted, size_words
from gcreplay.report.words.places import UNKNOWN, made_at
from gcreplay.report.words.text import plain
from gcreplay.screen.here import here
from gcreplay.screen.output import PIPE_WIDTH, wrapped
from gcreplay.screen.tables.folding import place_lines
from gcreplay.screen.tables.table import Cell, Place, Size, Table
from gcreplay.store import EventLog

FIRST: Final = 5
"""So many kinds are shown at first."""
MOST_LINES: Final = 3
MOST_RAN: Final = 3
_INDENT, _FURTHER = " " * 5, " " * 7
UNNAMED: Final = (
    "References have no names here: the recording was made by an older gcreplay, which reads none, "
    "or nothing was read up to there."
)


@dataclass(frozen=True, slots=True)
class Code:
    """What a screen says of places: `roots` are cut off their files."""

    roots: tuple[str, ...]
    lines: Mapping[tuple[str, int], str]

    @classmethod
    def of(cls, log: EventLog) -> "Code":
        return cls(here(root_of(site.file for site in log.sites)), log.lines)

    def places(self) -> list[str]:
        """One of each file of source: from these a file has to be told when its name is cut."""
        files = dict.fromkeys(file for file, _ in self.lines)
        return [plain(made_at(file, 1, "", roots=self.roots)) for file in files]


def place_of(group: Group, code: Code) -> str:
    """Where it is made, by the best of its places."""
    if not group.sites:
        return UNKNOWN
    site = group.sites[0]
    return made_at(site.file, site.line, site.function, site.near, code.roots)


def percent(share: float) -> str:
    """0.4 %, 9 %: a share in at most two digits."""
    hundred = 100 * share
    return f"{hundred:.1f} %" if 0 < hundred < 9.95 else f"{hundred:.0f} %"


def drawn(group: Group) -> str:
    """One cycle in a line; of a recording without names its types."""
    if group.example.edges:
        return group.example.path
    if group.types:
        return "a cycle of " + ", ".join(kind.rpartition(".")[2] for kind in group.types)
    return "what no cycle that the recording shows holds"


def each(group: Group) -> str:
    """How many there are, and how large one is with what hangs from it."""
    objects, size = group.objects + group.hanging_objects, group.bytes + group.hanging_bytes
    return "once, " * (group.count == 1) + amount(group.count, objects, size)


def amount(count: int, objects: int, size: int) -> str:
    """`3,000 times, 12 objects, 1.2 KiB each`; of what is there once its objects and bytes."""
    if count <= 1:
        return f"{counted(objects, 'object')}, {size_words(size)}"
    about = "" if objects % count == 0 else "about "
    each = counted(max(1, round(objects / count)), "object")
    return f"{count:,} times, {about}{each}, {size_words(size // count)} each"


def block(number: int, group: Group, share: str, code: Code, width: int) -> list[str]:
    """The lines about one group."""
    told = headed(f"{number:<3}{share}{each(group)}", group, code, width, _INDENT)
    told += wrapped(plain(drawn(group)), _INDENT, _FURTHER, width)
    told += source(group, code, width)
    floated = group.floating_object_events // max(1, group.objects + group.hanging_objects)
    mixed = ", ".join(
        f"{n / max(1, group.count):,.3g} {plain(kind.rpartition('.')[2])}"
        for kind, n in list(group.types.items())[:4]
    )
    if len(group.types) > 4:
        mixed += ", ..."
    if mixed:
        told += wrapped(
            f"in a cycle {mixed}; garbage for {floated:,} events each", _INDENT, _INDENT, width
        )
    return told


def headed(head: str, group: Group, code: Code, width: int, indent: str) -> list[str]:
    """The head, and where the group is made: at the right of the line, else below."""
    place = plain(place_of(group, code))
    room = width - len(head) - len(place)
    if room >= 2:
        return [head + " " * room + place]
    lines = place_lines(place, width - len(indent), code.places())
    return [head, *(indent + line for line in lines)]


def source(group: Group, code: Code, width: int) -> list[str]:
    """The lines of code that make it, of the file in which its best place is."""
    told: dict[str, None] = {}
    for site in group.sites:
        text = code.lines.get((site.file, site.line), "").strip()
        if text and site.file == group.sites[0].file and not site.near:
            line = f"{site.line:>6}  {plain(text)}"
            told[line if len(line) <= width else f"{line[: width - 3]}..."] = None
    return list(told)[:MOST_LINES]


def answer(found: Cycles, groups: Sequence[Group], own: Sequence[Group]) -> str:
    """What it comes to, in a sentence."""
    if not found.groups:
        return "No cycles: all that dies is freed by its reference count."
    if not groups:
        return "No cycles of that kind."
    chosen, whose = (own, " in your code") if own else (groups, "")
    kinds = f"{counted(len(chosen), 'kind')} of cycles{whose}"
    if found.gc_visited:
        return f"{percent(found.share(chosen))} of the GC's work is for {kinds}."
    objects = sum(group.objects + group.hanging_objects for group in chosen)
    return f"{counted(objects, 'object')} of {kinds} wait for a collection that never comes."


def screen(
    found: Cycles,
    groups: Sequence[Group],
    rest: Sequence[tuple[str, Sequence[Group]]],
    code: Code,
) -> list[str]:
    """A block a group, and a line for each kind of groups that is not shown."""
    width = (
        shutil.get_terminal_size((PIPE_WIDTH, 24)).columns if sys.stdout.isatty() else PIPE_WIDTH
    )
    told = []
    for number, group in enumerate(groups, start=1):
        share = f"{percent(found.share([group]))}  " if found.gc_visited else ""
        told += ["", *block(number, group, share, code, width)]
    if any(others for _, others in rest):
        told.append("")
    for name, others in rest:
        if others:
            share = percent(found.share(others))
            told.append(f"{name}: {counted(len(others), 'kind')}, {share} of the work (--all)")
    return told


def ran_words(ran: Sequence[Ran], code: Code) -> list[str]:
    """What ran in the recorded collections, a sentence each."""
    told = []
    for one in ran[:MOST_RAN]:
        most = one.begun_at[0]
        where = made_at(most.file, most.line, most.function, roots=code.roots)
        more = len(one.begun_at) - 1
        others = f" and {counted(more, 'other place')}" if more else ""
        least = "at least " if one.callback else ""
        told.append(
            f"In recorded collections ran {one.name}, {least}{counted(one.times, 'time')}; they "
            f"began at {where}{others}."
        )
    if len(ran) > MOST_RAN:
        told.append(
            f"And {counted(len(ran) - MOST_RAN, 'other kind')} of finalizers and callbacks."
        )
    return told


COLUMNS: Final = ("cycle", "made at", "times", "objects", "hanging", "bytes", "% work", "signature")


def table(found: Cycles, groups: Sequence[Group], code: Code) -> Table:
    """One row a group."""
    rows: list[tuple[Cell, ...]] = [
        (
            drawn(group),
            Place(place_of(group, code)),
            group.count,
            group.objects,
            group.hanging_objects,
            Size(group.bytes + group.hanging_bytes),
            round(100 * found.share([group]), 1),
            group.signature,
        )
        for group in groups
    ]
    return Table(COLUMNS, tuple(rows), key="cycles")
