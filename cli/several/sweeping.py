"""`gcreplay sweep` of several recordings: settings by their sums, and what suits all of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gcreplay.replay.sweep.front import REPLAYED, front, spread
from gcreplay.replay.sweep.sweep import Setting
from gcreplay.report.words.numbers import counted
from gcreplay.screen.outcome import PRESENT
from gcreplay.screen.output import Report
from gcreplay.screen.tables.table import Cell, Table
from gcreplay.several.facts import Facts, cut, facts_of, words_of_all
from gcreplay.several.replays import Asked, Replays, over, working_on
from gcreplay.several.together import (
    SETTING,
    Together,
    best_of,
    each_table,
    gain_json,
    own_of_all,
    setting_cells,
    sums_words,
)
from gcreplay.several.told import trust_in_all
from gcreplay.store.marks import with_marks_read


def swept_together(
    traces: Sequence[Path],
    settings: Sequence[Setting],
    policies: Sequence[str],
    jobs: int | None,
    dask: str | None,
    *,
    each: bool,
) -> tuple[Report, int]:
    """What to show, and the exit code."""
    with working_on(traces, policies, jobs, dask) as asked:
        replays = Replays(asked, fallback=None, store=True)
        report = over(asked, lambda: _report(asked, replays, settings, policies, each=each))
    return report, 1 if asked.wrong else 0


def _report(
    asked: Asked,
    replays: Replays,
    settings: Sequence[Setting],
    policies: Sequence[str],
    *,
    each: bool,
) -> Report:
    replays.present()
    lanes, inexact = replays.swept(settings)
    more = list(dict.fromkeys([PRESENT, *policies]))
    if inexact:
        costs = [one.costs for one in lanes]
        more += [lanes[i].policy for i in spread(front(costs), costs, REPLAYED)]
    full = replays.run(more)
    replays.save_models()
    now = full[PRESENT]
    rows = [now, *(full.pop(one.policy, one) for one in lanes)]
    rows += [one for policy, one in full.items() if policy != PRESENT]
    results = [i for i, one in enumerate(rows) if one.exact]
    chosen = [results[i] for i in front([rows[i].costs for i in results])]
    facts = facts_of(asked.names)
    best = best_of(now, [rows[i] for i in results], own_of_all(facts, now), replays.models)
    shown = [rows[i] for i in results if i in chosen or not inexact or rows[i].policy in more]
    words = [*_answer(now, best, facts), words_of_all(facts)]
    tables = [_table(shown, [rows[i] for i in chosen], best, facts)]
    if each:
        own = {name: one.own.ns for name, one in facts.items() if one.own is not None}
        tables.append(each_table(now, best, own))
    payload = {
        "traces": asked.names,
        "settings": [one.to_json() for one in rows],
        "front": chosen,
        "recommended": best and {"policy": best.policy, "gain": gain_json(now, best)},
        "failed": [one.to_json() for one in asked.wrong],
    }
    remarks = [*asked.remarks(), about(len(lanes), inexact), *_stored(replays), *cut(facts)]
    return Report(
        tuple(tables), payload, tuple(remarks), tuple(words), (trust_in_all(replays, now),)
    )


def _answer(now: Together, best: Together | None, facts: Mapping[str, Facts]) -> list[str]:
    if not now.timed:
        return []
    if best is None:
        return ["No setting suits all of them better than those of now, with a tenth more memory."]
    name = with_marks_read(best.policy).removeprefix(f"{PRESENT}:")
    return [f"Best for all: {name}. {sums_words(now, best, own_of_all(facts, now))}"]


def _table(
    shown: Sequence[Together],
    on_front: Sequence[Together],
    best: Together | None,
    facts: Mapping[str, Facts],
) -> Table:
    """One row a setting, the least GC time first."""
    ordered = sorted(shown, key=lambda one: (one.costs, one.policy))
    return Table(
        ("setting", *SETTING, "front"),
        tuple(_cells(one, one in on_front, one is best, facts) for one in ordered),
        key="settings",
        spare=("full", "worst GC ms", "worst"),
    ).without(None)


def _cells(
    one: Together, on_front: bool, best: bool, facts: Mapping[str, Facts]
) -> tuple[Cell, ...]:
    name = with_marks_read(one.policy).removeprefix(f"{PRESENT}:")
    marked = "best" if best else "*" if on_front else ""
    return (
        "present" if one.policy == PRESENT else name,
        *setting_cells(one, own_of_all(facts, one)),
        marked,
    )


def about(lanes: int, inexact: Mapping[str, Sequence[str]]) -> str:
    """What of the sweep is a result."""
    if not inexact:
        return f"{counted(lanes, 'setting')} swept in one pass each, exactly as replays would"
    why = list(dict.fromkeys(word for words in inexact.values() for word in words))
    return (
        f"{counted(lanes, 'setting')} searched in one pass each, which is not exact for "
        f"{counted(len(inexact), 'recording')} ({', '.join(why)}); results are the rows shown, "
        f"from full replays"
    )


def _stored(replays: Replays) -> list[str]:
    if replays.complaints:
        return list(replays.complaints.values())
    return [f"{counted(replays.new, 'full replay')} made; `gcreplay info` lists them"]
