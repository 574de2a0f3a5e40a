"""The replays of a search over several recordings: each is made once, wherever that is, and what
they come to does not depend on the order in which they are done."""

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from gcreplay.replay.estimates.pauses import PauseModel
from gcreplay.replay.sweep.grid import policy_of
from gcreplay.replay.sweep.sweep import Setting
from gcreplay.report.words.numbers import counted
from gcreplay.screen.outcome import PRESENT
from gcreplay.screen.pauses import store_model
from gcreplay.screen.progress import Done, working
from gcreplay.screen.rows import Row
from gcreplay.several.named import Recording, Wrong, checked, recordings_of
from gcreplay.several.tasks import (
    OPTIONS,
    Lanes,
    Play,
    Present,
    Ran,
    Task,
    is_bound,
    policy_file,
    priced,
)
from gcreplay.several.together import Together, together
from gcreplay.several.workers import Workers, processes
from gcreplay.store import EventLog
from gcreplay.store.errors import DamagedFile, GcreplayError, StorageError, UsageError


class Lost(Exception):
    """A recording turned out to be wrong: what was begun is begun anew without it."""


class Asked:
    """Recordings and who works on them. `good` are ordered by name; `wrong` are left out."""

    def __init__(self, good: list[Recording], wrong: list[Wrong], workers: Workers) -> None:
        self.good = good
        self.wrong = wrong
        self.folder = str(Path.cwd())
        self._workers = workers

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.good]

    def answers(self, tasks: Sequence[Task], what: str) -> list[Any]:
        """In the order of the tasks; raises Lost if a recording turned out to be wrong."""
        answers: list[Any] = [None] * len(tasks)
        for i, answer in self.found(tasks, what):
            answers[i] = answer
        return answers

    def found(self, tasks: Sequence[Task], what: str) -> Iterator[tuple[int, Any]]:
        """As they are found; then raises as `answers`."""
        wrong: dict[str, Wrong] = {}
        done = Done(len(tasks), what)
        with working(done):
            for i, answer in self._workers.answers(tasks):
                done.more(1)
                if isinstance(answer, Wrong):
                    first = wrong.setdefault(answer.name, answer)
                    wrong[answer.name] = min(first, answer, key=lambda one: one.sentence)
                else:
                    yield i, answer
        if wrong:
            self.leave_out([wrong[name] for name in sorted(wrong)])
            raise Lost

    def leave_out(self, wrong: Sequence[Wrong]) -> None:
        out = {one.name for one in wrong}
        self.good = [one for one in self.good if one.name not in out]
        self.wrong += wrong
        require(self.good, self.wrong)

    def remarks(self) -> list[str]:
        return [f"Left out: {one.told}" for one in self.wrong]


def require(good: Sequence[object], wrong: Sequence[Wrong]) -> None:
    """Raises what is wrong with the first of them where none is left."""
    if not good:
        kind = UsageError if wrong[0].exit_code == 2 else GcreplayError
        raise kind(f"No recording can be used: {wrong[0].told}")


@contextmanager
def working_on(
    operands: Sequence[Path], policies: Sequence[str], jobs: int | None, dask: str | None
) -> Iterator[Asked]:
    """All recordings that are named, under these policies, by these workers."""
    good, wrong = checked(recordings_of(operands))
    require(good, wrong)
    with workers_for(good, policies, jobs, dask) as workers:
        yield Asked(good, wrong, workers)


@contextmanager
def workers_for(
    recordings: Sequence[Recording], policies: Sequence[str], jobs: int | None, dask: str | None
) -> Iterator[Workers]:
    """Processes of this machine, or of a cluster that sees the recordings and policies."""
    if dask is not None and jobs is not None:
        raise UsageError(
            "--jobs is of this machine's processes, and --dask of a cluster's: give one"
        )
    with ExitStack() as stack:
        if dask is None:
            yield stack.enter_context(processes(jobs))
            return
        from gcreplay.several.cluster import cluster  # only who asks for one needs Dask

        files = sorted({file for one in policies if (file := policy_file(one, str(Path.cwd())))})
        yield stack.enter_context(cluster(dask, recordings, files))


class Replays:
    """Runs by recording and policy. fallback: the model of pauses where no recording has one.
    store: whether new runs are stored in the recordings, each as soon as it is there."""

    def __init__(self, asked: Asked, *, fallback: PauseModel | None, store: bool) -> None:
        self.asked = asked
        self._fallback = fallback
        self._store = store
        self._models: dict[str, PauseModel] = {}
        self._runs: dict[tuple[str, str], Ran] = {}
        self._rows: dict[tuple[str, str, PauseModel], Row] = {}
        self._lanes: dict[Lanes, tuple[list[Row], tuple[str, ...]]] = {}
        self.complaints: dict[str, str] = {}
        self.new = 0

    def present(self) -> None:
        """The present run of each, and their models of pauses."""
        tasks = [Present(one) for one in self.asked.good if (one.name, PRESENT) not in self._runs]
        for i, (ran, model) in self.asked.found(tasks, "replaying as it was"):
            name = tasks[i].recording.name
            if model is not None:
                self._models[name] = model
            self._take(name, PRESENT, ran)

    @property
    def models(self) -> list[PauseModel]:
        """Those of the recordings' own."""
        return [self._models[name] for name in self.asked.names if name in self._models]

    def model(self, name: str) -> PauseModel | None:
        """Its own, or that of the one that tells most, as they ran on like machines."""
        most = max(self.models, key=lambda one: one.collections, default=self._fallback)
        return self._models.get(name, most)

    def run(self, policies: Sequence[str]) -> dict[str, Together]:
        """Each over all recordings."""
        names = self.asked.names
        tasks = [
            Play(one, policy, self.asked.folder)
            for policy in dict.fromkeys(policies)
            for one in self.asked.good
            if (one.name, policy) not in self._runs
        ]
        for i, ran in self.asked.found(tasks, f"replaying {counted(len(names), 'recording')}"):
            self._take(tasks[i].recording.name, tasks[i].policy, ran)
        return {
            policy: together(
                policy,
                {name: (self._row(name, policy), self._runs[name, policy]) for name in names},
            )
            for policy in policies
        }

    def ran(self, policy: str) -> dict[str, Ran]:
        """What is known of those runs beside their figures."""
        return {name: self._runs[name, policy] for name in self.asked.names}

    def swept(
        self, settings: Sequence[Setting]
    ) -> tuple[list[Together], dict[str, tuple[str, ...]]]:
        """Each setting over all recordings, in one pass each; and why which may be off."""
        given = tuple(settings)
        wanted = [Lanes(one, given, self.model(one.name)) for one in self.asked.good]
        left = [one for one in wanted if one not in self._lanes]
        for i, answer in self.asked.found(left, f"sweeping {counted(len(given), 'setting')}"):
            self._lanes[left[i]] = answer
        found = {one.recording.name: self._lanes[one] for one in wanted}
        all_of = [
            together(policy_of(one), {name: (rows[i], None) for name, (rows, _) in found.items()})
            for i, one in enumerate(given)
        ]
        return all_of, {name: why for name, (_, why) in found.items() if why}

    def _take(self, name: str, policy: str, ran: Ran) -> None:
        if ran.new is not None:
            self.new += 1
            if self._store:
                self._save(name, policy, *ran.new)
        self._runs[name, policy] = replace(ran, new=None)

    def _save(self, name: str, policy: str, packed: bytes, digest: str) -> None:
        run = json.loads(zlib.decompress(packed))
        self._change(name, lambda log: log.save_run(policy, OPTIONS, run, digest))

    def save_models(self) -> None:
        for name, model in self._models.items():
            self._change(name, lambda log, model=model: store_model(log, model))  # type: ignore[misc]

    def _change(self, name: str, change: Callable[[EventLog], object]) -> None:
        if name in self.complaints:
            return
        try:
            with EventLog.open(Path(name), writable=True) as log:
                change(log)
        except (StorageError, DamagedFile) as error:
            self.complaints[name] = f"The runs of {name} are not stored: {error}"

    def _row(self, name: str, policy: str) -> Row:
        """With its times, which are counted once."""
        ran, model = self._runs[name, policy], self.model(name)
        if model is None or is_bound(policy):
            return ran.row
        known = (name, policy, model)
        if known not in self._rows:
            self._rows[known] = replace(ran.row, pauses=priced(ran.made, model))
        return self._rows[known]


def over(asked: Asked, make: Callable[[], Any]) -> Any:
    """What it makes of all recordings that are good to the end."""
    while True:
        try:
            return make()
        except Lost:
            continue
