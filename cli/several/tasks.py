"""What is done with one recording, here or on another machine: a task has all that it needs, and
gives plain values, so that results do not depend on who made them, or when."""

import json
import zlib
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from gcreplay.replay import Collection, diff
from gcreplay.replay.estimates.pauses import PauseModel, Pauses, work_of_table
from gcreplay.replay.policies.actions import is_action, parts_of
from gcreplay.replay.policies.registry import make_policy, runs_a_file
from gcreplay.replay.results.dependence import Dependence, Example
from gcreplay.replay.results.diff import KeptLonger
from gcreplay.replay.run import Replay
from gcreplay.replay.sweep.sweep import Setting, Sweep
from gcreplay.screen.outcome import PRESENT
from gcreplay.screen.pauses import pause_model
from gcreplay.screen.rows import Row, Sums, row_of_lane, row_of_run
from gcreplay.several.named import Recording, Wrong, mark_of
from gcreplay.store import EventLog
from gcreplay.store.errors import GcreplayError

VERSION: Final = version("gcreplay")
OPTIONS: Final[dict[str, object]] = {"apply_from": None, "window": None, "sweep": VERSION}
"""Of the runs that a sweep stores."""

Made = npt.NDArray[np.uint32]


class Task(Protocol):
    """Something to do with recordings, the first of which it is about; its answer is plain."""

    @property
    def recordings(self) -> tuple[Recording, ...]: ...

    def do(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class OfOne:
    """A task of one recording."""

    recording: Recording

    @property
    def recordings(self) -> tuple[Recording, ...]:
        return (self.recording,)


@dataclass(frozen=True, slots=True)
class Ran:
    """A run without its times. made: what each collection did, as `priced` takes it. depends: the
    sentence where the program is seen to depend on its collector. left: bytes of garbage at its
    end. vain: young collections, and those of them that found nothing. new: the JSON of the run,
    packed, where it was not stored already, and its hash."""

    row: Row
    made: Made
    depends: str
    left: int
    vain: tuple[int, int]
    new: tuple[bytes, str] | None


@dataclass(frozen=True, slots=True)
class Present(OfOne):
    """The run under the program's own setting, and the recording's model of pauses."""

    def do(self) -> tuple[Ran, PauseModel | None]:
        with _opened(self.recording) as log:
            run, new = _run(log, PRESENT, PRESENT)
            model = pause_model(log, [Collection(**one) for one in run["collections"]])
        return ran_of(run, new), model


@dataclass(frozen=True, slots=True)
class Play(OfOne):
    """A replay under a policy; a file that it names is searched from `folder`."""

    policy: str
    folder: str

    def do(self) -> Ran:
        with _opened(self.recording) as log:
            return ran_of(*_run(log, self.policy, from_folder(self.policy, self.folder)))


@dataclass(frozen=True, slots=True)
class Lanes(OfOne):
    """Many settings in one pass; the value is their rows, and why they may be off."""

    settings: tuple[Setting, ...]
    model: PauseModel | None

    def do(self) -> tuple[list[Row], tuple[str, ...]]:
        price = None if self.model is None else self.model.estimate_table
        with _opened(self.recording) as log:
            swept = Sweep(log, self.settings, price=price).run()
        rows = [row_of_lane(one, self.model, not swept.inexact) for one in swept.settings]
        return [replace(row, pauses=Sums.of(row.pauses)) for row in rows], swept.inexact


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison without times: figures of both sides by name, where the heaps part, what one
    keeps longer, and both sides' rows and collections."""

    figures: dict[str, tuple[int, int]]
    parting: tuple[int, str] | None
    kept_longer: tuple[KeptLonger, ...]
    sides: tuple[Ran, Ran]
    model: PauseModel | None


@dataclass(frozen=True, slots=True)
class Compare:
    """Two replays side by side, of one recording or of two; `found`: with figures of garbage and
    leaks."""

    first: Recording
    policy: str
    second: Recording
    second_policy: str
    folder: str
    found: bool = False

    @property
    def recordings(self) -> tuple[Recording, ...]:
        return (self.first, self.second)

    def do(self) -> Compared:
        with _opened(self.first) as first, _opened(self.second) as second:
            log = first if self.second == self.first else second
            policies = (
                from_folder(self.policy, self.folder),
                from_folder(self.second_policy, self.folder),
            )
            result = diff((first, policies[0]), (log, policies[1]))
            figures = list(result.figures)
            if self.found:
                from gcreplay.versions.found import found_in  # it brings what others need not

                figures += found_in((first, log), policies)
            parting = result.parting
            return Compared(
                {one.figure: (one.first, one.second) for one in figures},
                None if parting is None else (parting.sequence, parting.event),
                result.kept_longer,
                (ran_of(result.first.to_json()), ran_of(result.second.to_json())),
                pause_model(first),
            )


def attempt(task: Task, asked_by: str) -> Any:
    """The task's answer, or Wrong: nothing that is wrong with one recording ends the others'."""
    name = task.recordings[0].name
    try:
        if asked_by != VERSION:
            raise GcreplayError(f"a worker has gcreplay {VERSION}, and you have {asked_by}")
        return task.do()
    except GcreplayError as error:
        sentence = str(error)
        for one in task.recordings:
            sentence = sentence.replace(one.path, one.name)
        return Wrong(name, sentence, error.exit_code)
    except MemoryError:
        return Wrong(name, f"{name}: the memory does not suffice for it")
    except OSError as error:
        return Wrong(name, f"{error.filename or name}: {error.strerror or error}")


def from_folder(policy: str, folder: str) -> str:
    """The policy's name, with the file that it may name from the root."""
    if not runs_a_file(policy):
        return policy
    parts = parts_of(policy)
    first = next(i for i, part in enumerate(parts) if not is_action(part))
    parts[first] = str(Path(folder, parts[first]))
    return "+".join(parts)


def policy_file(policy: str, folder: str) -> str | None:
    """The file that a policy's name names."""
    if not runs_a_file(policy):
        return None
    collector = [part for part in parts_of(from_folder(policy, folder)) if not is_action(part)]
    return "+".join(collector).rpartition(".py:")[0] + ".py"


def _opened(recording: Recording) -> EventLog:
    log = EventLog.open(Path(recording.path))
    try:
        if mark_of(log) != recording.mark:
            raise GcreplayError(f"{recording.path} is not the recording that it was at the start")
    except BaseException:
        log.close()
        raise
    return log


def _run(log: EventLog, policy: str, found: str) -> tuple[dict[str, Any], tuple[bytes, str] | None]:
    """The JSON of the run, and the same packed where it is not stored."""
    for stored in () if runs_a_file(policy) else log.runs():  # a file may have changed
        if stored.options == OPTIONS and stored.policy == policy == stored.result.get("policy"):
            return dict(stored.result), None
    play = Replay(log, found)
    play.name = policy
    run = play.run()
    result = run.to_json()
    return result, (zlib.compress(json.dumps(result).encode(), 1), run.result_hash)


def ran_of(run: dict[str, Any], new: tuple[bytes, str] | None = None) -> Ran:
    """What its JSON says."""
    each = run["collections"]
    young = [one["collected"] for one in each if one["generation"] < 2]
    told = run["depends_on_collector"]
    first = None if told["first"] is None else Example(**told["first"])
    made = [[one[name] for name in _MADE] for one in each]
    return Ran(
        row_of_run(run, None),
        np.array(made, np.uint32).reshape(-1, len(_MADE)),
        Dependence(told["count"], first).sentence(),
        run["floating_bytes"],
        (len(young), young.count(0)),
        new,
    )


_MADE: Final = ("candidates", "links", "freed", "generation")


def work_done(made: Made) -> npt.NDArray[np.float64]:
    """What these collections did in sum."""
    return work_of_table(_named(made))


def _named(made: Made) -> npt.NDArray[Any]:
    return made.view([(name, np.uint32) for name in _MADE]).reshape(-1)


def priced(made: Made, model: PauseModel) -> Sums:
    """What these collections would take."""
    pauses = Pauses(tuple(model.estimate_table(_named(made)).tolist()))
    return Sums(pauses.total, pauses.longest, pauses.p99)


def is_bound(policy: str) -> bool:
    """Whether its collections do no work, so that they take no time."""
    return make_policy(policy).foresees
