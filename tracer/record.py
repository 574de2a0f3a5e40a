"""Run a program with the capture inside and write its recording.

The child gets a preloaded library and some environment variables, all of which the capture takes
away again before Python reads them.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shlex
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gcreplay.store.ending import without_shutdown
from gcreplay.store.errors import DamagedFile, GcreplayError, StorageError
from gcreplay.store.facts import checked
from gcreplay.store.place import new_database
from gcreplay.store.quiet import no_threads

from .errors import BrokenSpool, CannotRecord
from .interpreter import Interpreter
from .program import alone, let_go, split_command, start_program
from .signals import Requests, requests
from .source import DIRECTORY, STARTED, before_start
from .spool import Spool, Status, Taken, check_free

if TYPE_CHECKING:  # slow to import: that is done while the program starts
    from gcreplay.store.log import EventLog

    from .ingest import SpoolIngest

SPOOL_LIMIT = 64 << 30
_POLL_SECONDS = 0.02
_FACTS: dict[str, object] = {"counts": "probed", "checkpoints": "every allocation"}


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What to record and how finely.

    `argv` is what would follow the interpreter: its own options, if any, a script or `-m MODULE`
    or `-c CODE`, then arguments. `granularity`: probe the young generation every so many
    net allocations; `full_probe`: the whole heap every so many; 0 means only at collections.
    `probe_budget`: probe the whole heap as often as that per cent of the program's own work allows,
    unless `full_probe` says when. `labels`: what a probe finds changed is read, with the names of
    its links; without it only garbage is read, and all objects at marks and at the end.
    `spool_limit` bounds the bytes that the capture may write. `stdin`, `stdout` are the program's;
    None: ours. `hand_over`: standard input and output and all files that we inherited are the
    program's alone from its start on.
    """

    output: Path
    argv: list[str]
    python: str | None = None
    granularity: int = 0
    full_probe: int = 0
    probe_budget: int = 0
    labels: bool = False
    force: bool = False
    spool_limit: int | None = None
    environment: dict[str, str] = field(default_factory=dict)
    stdin: int | None = None
    stdout: int | None = None
    hand_over: bool = False


@dataclass(frozen=True, slots=True)
class RecordProgress:
    """Figures on the way; `waiting` bytes of the spool are not taken yet. `ended`: the program has,
    and what it wrote to is no longer its."""

    events: int
    objects: int
    waiting: int
    ended: bool


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """How a recording ended. `complete`: the program's end was reached by the recording;
    `message` says why not, or is empty. `exit_code`: the program's, as a shell says it, or 128 + n
    when signal n ended the recorder after the program. `signal` is set when the program died by
    one. `children`: processes that the program made, which are not recorded."""

    output: Path
    exit_code: int
    signal: int | None
    events: int
    objects: int
    collections: int
    complete: bool
    message: str
    children: int = 0


def record(
    options: RecordOptions, progress: Callable[[RecordProgress], None] | None = None
) -> RecordSummary:
    """Record one run of a program. The program is never harmed by what goes wrong with that.

    Raises CannotRecord before the program starts (no such script, another interpreter),
    FileExists when the output exists and `force` is not set.
    """
    interpreter = Interpreter.find(options.python, _environment(options))
    check_program(options.argv)
    facts = _facts(options, interpreter)
    told = {**facts, **before_start()}
    spool = _new_spool(options.output, told, force=options.force)
    spool_served = True
    log: EventLog | None = None
    try:
        with requests() as asked:
            before = _children_cpu_ns()
            child = asked.adopt(_start(options, interpreter, spool))
            spool_served = False
            if options.hand_over:
                let_go()
            begun: SpoolIngest | Exception
            try:
                log = _log(
                    options.output,
                    force=options.force,
                    meta={**facts, "complete": False, "spool": spool.path.name},
                )
                begun = _new_ingest(spool, log)
            except Exception as error:
                begun = error
            cut = _follow(child, spool, begun, asked, progress)
            summary, spool_served = _summary(options, child.returncode, spool, log, cut, before)
            return summary
    finally:
        if log is not None:
            with contextlib.suppress(StorageError):  # no room: the summary says it
                log.close()
        spool.close(remove=spool_served)


def recover(spool_path: Path, output: Path, force: bool = False) -> RecordSummary:
    """Finish an ingest that was interrupted: the spool, read from its start, becomes a recording.

    The partial recording that the interrupted ingest left is replaced, another file only with
    `force`. The spool is kept. Raises NotASpool; NotFound; FileExists; CannotRecord while the
    program runs; BrokenSpool when the run was so long that the start of the spool was released.
    """
    spool = Spool(spool_path)
    try:
        if (writer := spool.written_by) is not None:
            raise CannotRecord(
                f"{spool_path}: the program (process {writer}) still runs; recover when it "
                f"has ended"
            )
        try:
            spool.take()
        except Taken:
            raise CannotRecord(
                f"{spool_path}: another gcreplay is reading it; recover when it has ended"
            ) from None
        if spool.released:
            raise BrokenSpool(
                f"{spool_path}: the run was long and the beginning of the spool has been released; "
                f"open the recording beside it, it holds what was taken"
            )
        own = spool_path.with_suffix("")
        meta = _partial_meta(own, spool_path)
        ours = meta is not None and output.resolve() == own.resolve()
        new_database(output, force=force or ours)
        meta = {**_FACTS, **_told_before(spool), **(meta or {})}
        with contextlib.closing(_log(output, force=True, meta=meta)) as log:
            ingest = _new_ingest(spool, log)
            message = ""
            try:
                ingest.finish()
            except BrokenSpool as error:
                message = str(error)
            complete = ingest.ended and not message
            message = message or ("" if complete else "the program's end was not recorded")
            log.set_meta(
                complete=complete,
                recovered=True,
                message=message,
                children=spool.children,
                own_cpu_ns=spool.own_cpu_ns,
            )
            log.flush()
            return RecordSummary(
                output,
                0,
                None,
                log.event_count,
                log.object_count,
                len(log.observed),
                complete,
                message,
                spool.children,
            )
    finally:
        spool.close()


def _partial_meta(path: Path, spool_path: Path) -> dict[str, object] | None:
    """The facts in the recording that was being made of this spool, which may have none yet; None
    when there is none."""
    from gcreplay.store.log import EventLog

    try:
        with EventLog.open(path) as log:
            events, meta = log.event_count, {}
            with contextlib.suppress(DamagedFile):  # it was not begun
                meta = log.meta
    except (GcreplayError, OSError):
        empty = path.is_file() and not path.stat().st_size
        return {} if empty else None
    facts = {key: value for key, value in meta.items() if key != "schema"}
    if not facts and not events:
        return {}
    return facts if not meta.get("complete") and meta.get("spool") == spool_path.name else None


def _told_before(spool: Spool) -> dict[str, object]:
    """The facts that the recorder wrote before the program started, unless they are damaged."""
    with contextlib.suppress(ValueError):
        told = spool.facts.items()
        return checked({key: value for key, value in told if key not in (STARTED, DIRECTORY)})
    return {}


def check_program(argv: list[str], directory: Path | None = None) -> None:
    """Raises CannotRecord when no interpreter could run that, in the directory it starts in."""
    options, program = split_command(argv)
    if not program:
        behind = f" behind {' '.join(options)}" if options else ""
        raise CannotRecord(f"no program to record{behind}; give a script, -m MODULE or -c CODE")
    name = program[0]
    if name in ("-m", "-c"):
        if len(program) < 2:
            raise CannotRecord(f"{name} needs a {'module' if name == '-m' else 'program'}")
    elif name != "-" and not Path(directory or ".", name).exists():
        raise CannotRecord(f"{name}: no such script")


def _new_spool(output: Path, facts: dict[str, object], *, force: bool) -> Spool:
    """The spool beside the output, which can be written; what is in the way is told, first of all
    a spool that was left, as it may hold more than the recording beside it."""
    path = Path(f"{output}.spool")
    try:
        if not force:
            with check_free(path, force=False):
                pass
        new_database(output, force=force)
        return Spool.create(path, force=force, facts=facts)
    except Taken:
        raise CannotRecord(
            f"{output}: another gcreplay is recording into it; give another -o"
        ) from None
    except OSError as error:
        raise CannotRecord(f"{path}: cannot be written ({error.strerror})") from None


def _log(output: Path, *, force: bool, meta: dict[str, object]) -> EventLog:
    with no_threads():
        from gcreplay.store.log import EventLog

    return EventLog.create(output, force=force, meta=meta)


def _new_ingest(spool: Spool, log: EventLog) -> SpoolIngest:
    from .ingest import SpoolIngest

    return SpoolIngest(spool, log)


def _facts(options: RecordOptions, interpreter: Interpreter) -> dict[str, object]:
    """What is known of the recording before the program starts."""
    return {
        "python": interpreter.version,
        "executable": interpreter.executable,
        "argv": options.argv,
        "granularity": options.granularity,
        "full_probe": options.full_probe,
        "probe_budget": options.probe_budget,
        "labels": options.labels,
        **_FACTS,
    }


def _environment(options: RecordOptions) -> dict[str, str]:
    return {**os.environ, **options.environment}


def _start(
    options: RecordOptions, interpreter: Interpreter, spool: Spool
) -> subprocess.Popen[bytes]:
    environment = interpreter.environment(
        _environment(options),
        spool.path.absolute(),
        (
            options.granularity,
            options.full_probe,
            options.probe_budget,
            options.spool_limit or SPOOL_LIMIT,
        ),
        alone=alone(options.argv),
        labels=options.labels,
    )
    return start_program(
        [interpreter.executable, *options.argv],
        environment,
        stdin=options.stdin,
        stdout=options.stdout,
    )


def _follow(
    child: subprocess.Popen[bytes],
    spool: Spool,
    begun: SpoolIngest | Exception,
    asked: Requests,
    progress: Callable[[RecordProgress], None] | None,
) -> Exception | signal.Signals | None:
    """Ingest beside the running program, to its end. Returns what cut that short: what went wrong,
    or the signal that ended us.

    A failing ingest never stops the program, whatever failed: the spool then simply grows to its
    limit. It may not even have `begun`.
    """
    ingest: SpoolIngest | None = None
    broken: Exception | None = None
    if isinstance(begun, Exception):
        broken = begun
    else:
        ingest = begun
    while True:
        ended = child.poll() is not None  # asked before the step: nothing comes after it
        if ended:
            asked.program_ended()
        busy = False
        if ingest is not None:
            try:
                busy = ingest.step()
                if ended and not busy:
                    ingest.finish()
            except Exception as error:
                broken, ingest, busy = error, None, False
        if ended and not busy:
            return broken
        if ended and asked.ended_by is not None:
            return asked.ended_by
        if progress is not None and ingest is not None:
            try:
                progress(RecordProgress(ingest.events, ingest.objects, spool.waiting, ended))
            except Exception:
                progress = None  # whoever watched is gone
        asked.stop_with_program()
        if not busy:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_POLL_SECONDS)


def _in_words(cut: Exception | signal.Signals, spool: Spool) -> str:
    """What cut a recording short, and what to do."""
    room = ""
    if isinstance(cut, signal.Signals):
        told = f"{cut.name} ended the recorder before everything was taken"
    elif isinstance(cut, StorageError | OSError):
        told, room = str(cut), "make room and "
    elif isinstance(cut, GcreplayError):
        return f"{cut}; the spool is kept: {spool.path}"
    else:
        told = f"what the program left could not be read ({type(cut).__name__}: {cut})"
        return f"{told}; please report it, with the spool that is kept: {spool.path}"
    if spool.released:
        return told
    recovering = f"gcreplay recover {shlex.quote(str(spool.path))}"
    return f"{told}; all is in the spool, so {room}say: {recovering}"


def _summary(
    options: RecordOptions,
    returncode: int,
    spool: Spool,
    log: EventLog | None,
    cut: Exception | signal.Signals | None,
    before: int,
) -> tuple[RecordSummary, bool]:
    """How it ended, and whether the spool has served: it is kept when the recording fell short
    of it, as on a full disk, and it can be recovered."""
    ended_by = cut if isinstance(cut, signal.Signals) else None
    events = objects = collections = children = 0
    status, message, not_begun = Status.FAILED, "", ""
    try:
        status, children = spool.status, spool.children
        message = _told(status, spool, returncode) if cut is None else _in_words(cut, spool)
        if log is not None:
            events, objects, collections = log.event_count, log.object_count, len(log.observed)
            if cut is None:
                log.set_meta(spool=None)
                from .begun import why_not_begun

                not_begun = why_not_begun(log) if returncode == 1 else ""
            complete = status is Status.ENDED and cut is None
            told = {"exit_code": returncode, "message": message, "children": children}
            exit_ns = _exit_cpu(spool, complete, before)
            told |= {"own_cpu_ns": spool.own_cpu_ns, "exit_cpu_ns": exit_ns}
            log.close(complete=complete, **told)
    except Exception as error:  # the program's exit code is still to be told
        cut = cut or error
        message = _in_words(cut, spool)
    message = not_begun or message
    if log is not None and (status in (Status.CREATED, Status.REFUSED) or not_begun):
        options.output.resolve().unlink(missing_ok=True)
    summary = RecordSummary(
        options.output,
        128 + ended_by if ended_by else 128 - returncode if returncode < 0 else returncode,
        -returncode if returncode < 0 else None,
        events,
        objects,
        collections,
        status is Status.ENDED and cut is None and not not_begun,
        message,
        children,
    )
    return summary, cut is None or spool.released > 0


def _children_cpu_ns() -> int:
    """CPU time of all our children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round((used.ru_utime + used.ru_stime) * 1e9)


def _exit_cpu(spool: Spool, complete: bool, before: int) -> int | None:
    """What the program took from the end of its recording on: the interpreter collects all that is
    alive, and takes its modules apart. None where that cannot be told from what it started."""
    if not complete or spool.children:
        return None
    return max(0, _children_cpu_ns() - before - spool.cpu_ns)


def _told(status: Status, spool: Spool, returncode: int) -> str:
    """Why the stream ends where it ends; nothing when that is the program's end."""
    return {
        Status.CREATED: "the program ran, but the recorder never started in it: it ended in a "
        "start-up file, or a wrapper runs it with option -I, -E or -S or another environment",
        Status.RUNNING: f"{without_shutdown(returncode)}; everything before is recorded",
        Status.ENDED: "",
    }.get(status, f"the recording ended early: {spool.message}")
