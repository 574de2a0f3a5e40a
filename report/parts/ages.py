"""How old objects are when they die, and in which generation: what thresholds live on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gcreplay.replay.results.ages import Ages
from gcreplay.replay.results.result import RunResult

from ..view import Bars, Block, Distribution, Figure, Figures, Finding, Section, Words
from ..words.numbers import counted, in_percent, size_words

GENERATIONS = ("young (0)", "middle (1)", "old (2)", "frozen", "not tracked")
CAUSES = ("by reference count", "by the collector")
_TITLE = "Age at death"
MUCH = 0.05
"""A share of what collections freed that is worth a notice, where only full ones find it."""


def ages(found: Ages, run: RunResult, command: str) -> tuple[Section, list[Finding]]:
    """Distributions by objects and by bytes, and deaths by generation. run: the same replay."""
    if not found.died:
        meaning = "Nothing that was made while recording ran has died, so there are no ages."
        return Section("ages", _TITLE, meaning, "", ()), []
    blocks: list[Block] = [
        Figures(tuple(_figures(found, run))),
        _distribution("ages-objects", "Objects by age at death", found, found.objects),
        _distribution("ages-bytes", "Bytes by age at death", found, found.bytes),
    ]
    if sum(run.died_by_refcount) + sum(run.died_by_collector):
        blocks.append(_generations(run))
    blocks += map(Words, _notes(found, run))
    section = Section("ages", _TITLE, _meaning(found), command, tuple(blocks))
    return section, _findings(found, run, command)


def _meaning(found: Ages) -> str:
    told = (
        f"{_share(found)} of the objects that died did so before "
        f"{found.within:,} more were made. The clock is objects made, as that is what starts a "
        "young collection"
    )
    return f"{told}: what dies before it costs the collector nothing."


def _share(found: Ages) -> str:
    """Of all deaths those within; 100 % are all of them."""
    share = found.died_within / found.died
    return "over 99.9 %" if 0.9995 <= share < 1 else in_percent(share)


def _figures(found: Ages, run: RunResult) -> Iterator[Figure]:
    yield Figure(
        f"died before {found.within:,} more were made",
        _share(found),
        f"{found.died_within:,} of {counted(found.died, 'object')}",
    )
    by_count, by_collector = found.objects.sum(axis=1).tolist()
    held = found.bytes.sum(axis=1).tolist()
    yield Figure("by reference count", counted(by_count, "object"), size_words(held[0]))
    yield Figure("by the collector", counted(by_collector, "object"), size_words(held[1]))
    alive = found.made - found.died
    yield Figure("not dead at the end", counted(alive, "object"), f"of {found.made:,} made")


def _distribution(id: str, title: str, found: Ages, counts: np.ndarray) -> Distribution:
    rows = tuple((name, row) for name, row in zip(CAUSES, counts, strict=True))
    return Distribution(id, title, "objects made", found.edges.astype(np.float64), rows)


def _generations(run: RunResult) -> Bars:
    rows = tuple(
        (name, (float(by_count), float(by_collector)))
        for name, by_count, by_collector in zip(
            GENERATIONS, run.died_by_refcount, run.died_by_collector, strict=True
        )
        if by_count or by_collector
    )
    return Bars("ages-generations", "Deaths by generation", "objects", CAUSES, rows)


def _notes(found: Ages, run: RunResult) -> Iterator[str]:
    """What the figures mean for thresholds."""
    died = sum(run.died_by_collector)
    if died:
        young, middle, old = run.died_by_collector[:3]
        yield (
            f"Of {counted(died, 'object')} that collections freed, {in_percent(young / died)} were "
            f"in the young generation, {in_percent(middle / died)} in the middle one and "
            f"{in_percent(old / died)} in the old one."
        )
        if old > MUCH * died:
            yield (
                "Garbage in the old generation waits for a full collection: it was alive, or held, "
                "when a young one came by. A larger first threshold lets more of it die young; "
                "rarer full collections let more of it pile up."
            )
        elif young > 0.9 * died:
            yield (
                "Nearly all garbage is found young: full collections find little here, and making "
                "them rarer leaves little garbage in memory."
            )
    if found.found:
        yield (
            f"{counted(found.found, 'object')} were there before recording began; their age is not "
            "known, and they are left out of the ages."
        )


def _findings(found: Ages, run: RunResult, command: str) -> list[Finding]:
    share = found.died_within / found.died
    text = (
        f"{_share(found)} of the objects that died did so before {found.within:,} more were made."
    )
    told = [Finding("ages-young", "info", text, round(100 * share, 3), command)]
    died, old = sum(run.died_by_collector), run.died_by_collector[2]
    if died and old > MUCH * died:
        text = (
            f"{in_percent(old / died)} of what collections freed had reached the old generation: "
            "only full collections find it."
        )
        told.append(Finding("ages-old", "notice", text, round(100 * old / died, 3), command))
    return told
