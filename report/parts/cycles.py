"""The cycles that matter: each as a graph with the names of its references, and its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gcreplay.replay.garbage import Cycles, Group
from gcreplay.store.events import Site

from ..places import Places
from ..view import Block, Edge, Finding, Graph, Level, Node, Section, SourceLine, Words
from ..words.numbers import counted, in_percent, size_words

SHOWN = 6
MOST_NODES = 12
MUCH = 0.05
"""A share of the work that is worth a look."""
LITTLE = 0.005
"""A share of the work for which kinds in others' code are not drawn, where there are others."""
MOST_LINES = 3
MOST_TYPES = 4
MORE = " more)"


@dataclass(frozen=True, slots=True)
class Advice:
    """The reference that is best cut in a group, found by replays without it. cut: as `--cut` takes
    it. holder, label: what a person calls who holds it, and its name. gain: what that saves, in
    words. ways: how to cut it, the best first. lines: where it is taken, in words. care: what the
    program would miss, "" nothing. command: shows the run without it."""

    cut: str
    holder: str
    label: str
    gain: str
    ways: tuple[str, ...]
    lines: tuple[str, ...] = ()
    care: str = ""
    command: str = ""


def cycles(
    found: Cycles,
    places: Places,
    command: str,
    advice: Mapping[str, Advice] | None = None,
    suggest: str = "",
) -> tuple[Section, list[Finding]]:
    """One's own kinds first. command: what shows them in a terminal. advice: by signature of a
    group; None where nobody looked for it, and `suggest` is the command that does."""
    if not found.groups:
        return Section("cycles", _TITLE, _NONE, "", ()), []
    ordered = sorted(found.groups, key=lambda group: not group.own)
    drawable = [group for group in ordered if group.example.edges]
    matter = [one for one in drawable if one.own or found.share([one]) >= LITTLE] or drawable
    known = advice or {}
    graphs = [
        graph(number, group, found, places, known.get(group.signature))
        for number, group in enumerate(matter[:SHOWN], start=1)
    ]
    blocks: list[Block] = [*graphs]
    blocks += [Words(text) for text in _notes(found, ordered, graphs, matter[:SHOWN])]
    if advice is None and suggest:
        blocks.append(Words("Which of these references is best cut? This tries each in a replay:"))
        blocks.append(Words(suggest, code=True))
    if advice is not None and not advice:
        blocks.append(Words("Tried: no single reference is worth cutting in these cycles."))
    section = Section("cycles", _TITLE, _MEANING, command, tuple(blocks))
    return section, _findings(found, places, command, known)


_TITLE = "The cycles that matter"
_MEANING = (
    "Objects that refer to each other in a circle: no reference count frees them. A cycle whose "
    "reference is cut is freed at once, without a collection."
)
_NONE = "No cycles became garbage: all that died was freed by its reference count."


def graph(number: int, group: Group, found: Cycles, places: Places, advice: Advice | None) -> Graph:
    """One cycle of the group; a long one without its middle."""
    objects, edges = group.example.objects, group.example.edges
    nodes = [Node(one.called, _made(one.made, places)) for one in objects]
    n = len(nodes)
    cut = [
        advice is not None and (one.called, edge.label) == (advice.holder, advice.label)
        for one, edge in zip(objects, edges, strict=True)
    ]
    kept = list(range(n))
    if n > MOST_NODES:
        kept = [*range(MOST_NODES // 2), *range(n - MOST_NODES // 2 + 1, n)]
    drawn: list[Node] = []
    links: list[Edge] = []
    for i in kept:
        if drawn and i and i - 1 not in kept:
            drawn.append(Node(f"({n - len(kept):,}{MORE}"))
            links.append(Edge(len(drawn) - 1, len(drawn), ""))
        drawn.append(nodes[i])
        links.append(Edge(len(drawn) - 1, len(drawn), _name(edges[i].label), cut[i]))
    links[-1] = Edge(len(drawn) - 1, 0, links[-1].name, links[-1].cut)
    return Graph(
        f"cycle-{number}",
        _title(number, group, found, places),
        tuple(drawn),
        tuple(links),
        tuple(_sources(group, places)),
        tuple(_words(group, advice)),
    )


def _made(site: Site | None, places: Places) -> str:
    return places.words(site.file, site.line, site.function, bool(site.near)) if site else ""


def _name(label: str) -> str:
    """The name of a reference as people read it: a local variable without its colon."""
    return label[1:] if label[:1] == ":" else label


def times(group: Group) -> str:
    """`600 times, about 12 objects and 1.4 KiB each`, with what hangs from them."""
    objects, size = group.objects + group.hanging_objects, group.bytes + group.hanging_bytes
    if group.count <= 1:
        return f"once, {counted(objects, 'object')}, {size_words(size)}"
    about = "about " * (objects % group.count != 0)
    each = counted(max(1, round(objects / group.count)), "object")
    return f"{group.count:,} times, {about}{each} and {size_words(size // group.count)} each"


def share(found: Cycles, groups: Sequence[Group]) -> str:
    """`75.0 % of the collector's work`; "" where no collection examined anything."""
    if not found.gc_visited:
        return ""
    return f"{in_percent(found.share(groups))} of the collector's work"


def _part(found: Cycles, groups: Sequence[Group]) -> str:
    part = share(found, groups)
    return f", {part}," if part else ""


def _types(group: Group) -> str:
    """How many of each type one cycle has, as `3 frame, 1 ValueError`."""
    mix = [
        f"{n / max(1, group.count):,.3g} {kind.rpartition('.')[2]}"
        for kind, n in group.types.items()
    ]
    return ", ".join([*mix[:MOST_TYPES], *(["..."] if len(mix) > MOST_TYPES else [])])


def _sources(group: Group, places: Places) -> Iterator[SourceLine]:
    """The lines that make it, of the file of its best place."""
    told: dict[int, SourceLine] = {}
    for site in group.sites:
        if site.file == group.sites[0].file and not site.near:
            line = places.source(site.file, site.line)
            if line is not None:
                told.setdefault(site.line, line)
    yield from list(told.values())[:MOST_LINES]


def _title(number: int, group: Group, found: Cycles, places: Places) -> str:
    """`1. shop/orders.py:41 Order.__init__: 9.0 % of the collector's work`."""
    part = share(found, [group])
    return f"{number}. {places.words_of(group)}" + (f": {part}" if part else "")


def _words(group: Group, advice: Advice | None) -> Iterator[str]:
    yield f"{times(group)}. In one cycle: {_types(group)}."
    each = group.objects + group.hanging_objects
    yield (
        f"Garbage for {group.floating_object_events // max(1, each):,} events, on average, before "
        "a collection frees it."
    )
    if not group.sites:
        yield "Where it is made is not known."
    elif not group.own:
        yield "It is made in a library, not in your code."
    if advice is not None:
        yield f"Best cut: {advice.cut}. {advice.gain}."
        yield from advice.lines
        yield from advice.ways
        if advice.care:
            yield f"Take care: {advice.care}."


def _notes(
    found: Cycles, ordered: Sequence[Group], shown: Sequence[Graph], drawn: Sequence[Group]
) -> Iterator[str]:
    """What is not drawn, and why."""
    rest = [group for group in ordered if group not in drawn and group.example.edges]
    unnamed = [group for group in ordered if group.count and not group.example.edges]
    loose = [group for group in ordered if not group.count]
    if rest:
        part = share(found, rest)
        yield f"Not drawn: {_kinds(rest)}{f', {part}' if part else ''}."
    if unnamed:
        yield (
            f"{_kinds(unnamed)}{_part(found, unnamed)} cannot be drawn: the recording has no links "
            "of them."
        )
    if loose:
        objects = sum(group.hanging_objects for group in loose)
        yield f"{counted(objects, 'object')} became garbage in no cycle that the recording shows."
    if any(
        not edge.name and not each.nodes[edge.source].text.endswith(MORE)
        for each in shown
        for edge in each.edges
    ):
        yield "A reference without a name: the recording has read none for it."


def _kinds(groups: Sequence[Group]) -> str:
    return counted(len(groups), "more kind") if len(groups) != 1 else "1 more kind"


def _findings(
    found: Cycles, places: Places, command: str, advice: Mapping[str, Advice]
) -> list[Finding]:
    """The kinds of one's own code that cost most, and what to cut."""
    own = [group for group in found.groups if group.own]
    told = []
    if own:
        one = len(own) == 1
        kinds = f"{'One kind' if one else f'{len(own):,} kinds'} of cycles in your code"
        part = found.share(own)
        objects = sum(group.objects + group.hanging_objects for group in own)
        text = f"{kinds}: {counted(objects, 'object')} that only the collector frees"
        if found.gc_visited:
            text += f", {in_percent(part)} of its work"
        if own[0].sites:
            text += f"; {'made' if one else 'the first is made'} at {places.words_of(own[0])}"
        figure = round(100 * part, 3) if found.gc_visited else float(objects)
        level: Level = "notice" if part >= MUCH or not found.gc_visited else "info"
        told.append(Finding("cycles-own", level, f"{text}.", figure, command))
    for group in found.groups:
        if best := advice.get(group.signature):
            text = f"Cut {best.cut}, made at {places.words_of(group)}: {best.gain}."
            told.append(Finding("cycles-cut", "notice", text, None, best.command))
    return told
