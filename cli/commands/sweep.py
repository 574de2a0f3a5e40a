"""`gcreplay sweep`: many settings at once, and which of them are worth having."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import click

from gcreplay.help import Sectioned
from gcreplay.options import alone, policy_option, several_options, traces_argument
from gcreplay.replay import make_policy, replay
from gcreplay.replay.engine.annotation import Garbage
from gcreplay.replay.estimates.pauses import PauseModel
from gcreplay.replay.many import on_all_cores
from gcreplay.replay.sweep.front import REPLAYED, front, spread
from gcreplay.replay.sweep.grid import grid, policy_of
from gcreplay.replay.sweep.groups import Groups, groups_of
from gcreplay.replay.sweep.sweep import Setting, Sweep, Swept
from gcreplay.report.words.numbers import counted
from gcreplay.screen.outcome import (
    ASSUMED_SHARE,
    MEMORY,
    PRESENT,
    TIMES,
    change_words,
    own_time,
    program_words,
    time_cells,
)
from gcreplay.screen.output import Report, format_option, next_command, show
from gcreplay.screen.pauses import pause_model, store_model, trust
from gcreplay.screen.progress import Done, Steps, reading, working
from gcreplay.screen.rows import Row, collections_of, row_of_lane, row_of_run
from gcreplay.screen.tables.table import Cell, Size, Table
from gcreplay.several.named import names_several
from gcreplay.several.tasks import OPTIONS, ran_of
from gcreplay.several.together import best_of, together
from gcreplay.store import EventLog
from gcreplay.store.errors import DamagedFile, StorageError
from gcreplay.store.events import StartState
from gcreplay.store.marks import with_marks_read
from gcreplay.trace import SO_FAR, opened


@click.command(cls=Sectioned)
@traces_argument
@click.option(
    "--t0",
    default="100..100000:20",
    show_default=True,
    metavar="NUMBERS",
    help="First: 700,2000 or A..B:N.",
)
@click.option("--t1", default="5,10,50", show_default=True, metavar="NUMBERS", help="Second ones.")
@click.option("--t2", default="10", show_default=True, metavar="NUMBERS", help="Third ones.")
@policy_option("A further collector to compare with; repeatable.")
@several_options
@format_option("settings", "recordings")
@click.pass_context
def command(
    ctx: click.Context,
    traces: tuple[Path, ...],
    t0: str,
    t1: str,
    t2: str,
    policies: tuple[str, ...],
    each: bool,
    jobs: int | None,
    dask: str | None,
    output_format: str,
) -> None:
    """Compare many settings of `gc.set_threshold` on a recording, all in one pass.

    Says which settings no other beats in GC time, longest pause and memory at once. Full replays
    are stored in the recording; an interrupted sweep goes on from there. Of several recordings, or
    a folder of them, it shows sums and the worst, and what suits all.

    \b
    Example:
      gcreplay sweep demo.gcreplay --t0 100..100000:20 --t1 5,10,50
      gcreplay sweep workers/
    """
    settings = grid(t0, t1, t2)
    for policy in policies:
        make_policy(policy)
    if names_several(traces):
        from gcreplay.several.sweeping import swept_together  # it brings what one needs not

        report, code = swept_together(traces, settings, policies, jobs, dask, each=each)
        show(report, output_format)
        ctx.exit(code)
    alone(each=each, jobs=jobs, dask=dask)
    trace = traces[0]
    with opened(trace) as log:
        search = Search(trace, log)
        with reading(log, "finding the garbage"):
            found = groups_of(log)  # the replays need a part of it
        present = search.replayed([PRESENT])[0]
        with working("fitting pauses"):
            model = pause_model(log, collections_of(present))
        recorded = (log.start or StartState()).threshold
        named = [policy_of(one) for one in settings if one == recorded]
        lanes = [one for one in settings if one != recorded]
        swept, inexact = search.swept(lanes, model, found)
        rows = [row_of_lane(one, model, not inexact) for one in swept]
        more = list(dict.fromkeys([PRESENT, *named, *policies]))
        if inexact:
            costs = [row.costs for row in rows]
            few = spread(front(costs), costs, REPLAYED) if rows else []
            more += [policy_of(lanes[i]) for i in few]
        full = {
            row.policy: row for row in (row_of_run(one, model) for one in search.replayed(more))
        }
        differences = [off(row, full[row.policy]) for row in rows if row.policy in full]
        rows = [full[PRESENT], *(full.pop(row.policy, row) for row in rows)]
        rows += [row for name, row in full.items() if name != PRESENT]
        said = search.stored(model)
        own = own_time(log)
        own_ns = None if own is None else own.ns
        words = [program_words(log, own)]
        note = trust(log, model)
    results = [i for i, row in enumerate(rows) if row.exact]
    chosen = [results[i] for i in front([rows[i].costs for i in results])]
    best = ""
    if model is not None:
        said_first, best = answer([rows[i] for i in results], search.known, own_ns, model)
        words.insert(0, said_first)
    shown = [i for i in results if i in chosen or not inexact or rows[i].policy in more]
    remarks = [f"{about(len(swept), inexact, differences)}.", said]
    payload = {
        "trace": str(trace),
        "settings": [row.to_json() for row in rows],
        "front": chosen,
    }
    marked = dict.fromkeys(chosen, "*") | {i: "best" for i in results if rows[i].policy == best}
    table = comparison([(rows[i], marked.get(i, "")) for i in shown], own_ns)
    report = Report(
        (table,),
        payload,
        tuple(remarks),
        tuple(words),
        (note,),
        then=next_command("tune", trace),
    )
    show(report, output_format)


class Search:
    """The replays of one sweep: what earlier ones have stored is not made again."""

    def __init__(self, trace: Path, log: EventLog) -> None:
        self.trace = trace
        self.log = log
        self.known: dict[str, dict[str, Any]] = {}
        for run in log.runs():
            if run.options == OPTIONS and run.policy == run.result.get("policy"):
                self.known[run.policy] = dict(run.result)
        self.stored_before = set(self.known)
        self.complaint: str | None = None
        if log.unfinished:
            self.complaint = f"The runs are not stored: {SO_FAR.format(trace)}"
        self.storing = Lock()
        self.fresh = 0
        self.again: set[str] = set()

    def swept(
        self, settings: Sequence[Setting], model: PauseModel | None, found: tuple[Garbage, Groups]
    ) -> tuple[Sequence[Swept], tuple[str, ...]]:
        """What each comes to, and why that may not be what a replay does."""
        if not settings:
            return (), ()
        price = None if model is None else model.estimate_table
        sweep = Sweep(self.log, settings, price=price, found=found)
        done = Done(self.log.event_count, f"sweeping {counted(len(settings), 'setting')}")
        with working(done):
            result = sweep.run(done.more)
        return result.settings, result.inexact

    def replayed(self, policies: Sequence[str]) -> list[dict[str, Any]]:
        """The JSON of the runs; what is not known is replayed, on all cores at once, and stored
        as soon as it is done."""
        wanted = [one for one in dict.fromkeys(policies) if one not in self.known]
        self.again |= self.stored_before.intersection(policies)
        steps = Steps(self.log.event_count, str)
        steps.begin(f"replaying {counted(len(wanted), 'setting')}", len(wanted))
        with reading(self.log, steps):
            for policy, result in on_all_cores(self.log, wanted, self._replayed):
                self.known[policy] = result
                self.fresh += 1
        return [self.known[one] for one in dict.fromkeys(policies)]

    def _replayed(self, log: EventLog, policy: str) -> tuple[str, dict[str, Any]]:
        run = replay(log, policy)
        result = run.to_json()
        self._store(policy, result, run.result_hash)
        return policy, result

    def _store(self, policy: str, result: dict[str, Any], digest: str) -> None:
        if self.complaint is not None:
            return
        try:
            with self.storing, EventLog.open(self.trace, writable=True) as log:
                log.save_run(policy, OPTIONS, result, digest)
        except (StorageError, DamagedFile) as error:
            self.complaint = f"The runs are not stored: {error}"

    def stored(self, model: PauseModel | None) -> str:
        """Where the runs are, or why not; the model of pauses is stored beside them."""
        if self.complaint is None:
            try:
                with EventLog.open(self.trace, writable=True) as log:
                    store_model(log, model)
            except (StorageError, DamagedFile) as error:
                self.complaint = f"The model of pauses is not stored: {error}"
        if self.complaint is not None:
            return self.complaint
        again = f", {len(self.again)} known from before" if self.again else ""
        return f"{counted(self.fresh, 'full replay')} made{again}; `gcreplay info` lists them"


def off(estimated: Row, real: Row) -> float:
    """By how much the sweep misses the replay, at most, in the figures that choose."""
    pairs = list(zip(estimated.costs, real.costs, strict=True))
    pairs.append((sum(estimated.collections_by_generation), sum(real.collections_by_generation)))
    return max(abs(a - b) / b if b else float(a != b) for a, b in pairs)


def about(lanes: int, inexact: Sequence[str], differences: Sequence[float]) -> str:
    """What of the sweep is a result."""
    if not lanes or not inexact:
        return f"{counted(lanes, 'setting')} swept in one pass, exactly as replays would"
    worst = f", which differ from it by up to {max(differences):.1%}" if differences else ""
    return (
        f"{counted(lanes, 'setting')} searched in one pass, which is not exact for this recording "
        f"({', '.join(inexact)}); results are the rows shown, from full replays{worst}"
    )


def answer(
    rows: Sequence[Row], runs: Mapping[str, Any], own_ns: int | None, model: PauseModel
) -> tuple[str, str]:
    """Which of these is worth having, in a sentence or two, and its policy; the first row is the
    present one."""
    ran = [ran_of(runs[row.policy]) if row.policy in runs else None for row in rows]
    each = [together(row.policy, {"": (row, of)}) for row, of in zip(rows, ran, strict=True)]
    best = best_of(each[0], each, own_ns or ASSUMED_SHARE * each[0].pauses.total, [model])
    if best is None:
        return "No setting suits it better than that of now, with a tenth more memory.", ""
    return f"Best: {_name(best.policy)}. {change_words(each[0], best, own_ns)}", best.policy


def comparison(rows: Sequence[tuple[Row, str]], own_ns: int | None) -> Table:
    """One row a result, the least GC time first."""
    ordered = sorted(rows, key=lambda row: (row[0].costs, row[0].policy))
    return Table(
        ("setting", *TIMES, *MEMORY, "front"),
        tuple(_cells(row, mark, own_ns) for row, mark in ordered),
        key="settings",
        spare=("peak garbage", "full"),
    )


def _name(policy: str) -> str:
    return with_marks_read(policy).removeprefix(f"{PRESENT}:")


def _cells(row: Row, mark: str, own_ns: int | None) -> tuple[Cell, ...]:
    return (
        "present" if row.policy == PRESENT else _name(row.policy),
        *time_cells(row.pauses, own_ns),
        row.collections_by_generation[2],
        Size(row.peak_bytes),
        Size(row.peak_floating_bytes),
        mark,
    )
