"""Opening a recording that a command line names."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gcreplay.store import EventLog
from gcreplay.store.errors import GcreplayError, UsageError

SO_FAR = "{} was not whole when it was opened, for its recorder had not closed it"
"""Why nothing that was found of it is stored in it, `format`ted with its name."""


def opened(path: Path) -> EventLog:
    """The recording, for reading; where there is none the sentence says what would make it one."""
    return opened_with_recorder(path)[0]


def opened_with_recorder(path: Path) -> tuple[EventLog, dict[str, Any] | None]:
    """As `opened`, with who was at it when it was first read: the JSON of `UnderWay`."""
    made = being_made(path)  # before and after reading: they may begin, or end, in between
    try:
        try:
            log = EventLog.open(path)
        except GcreplayError:
            if not made or being_made(path):
                raise
            log = EventLog.open(path)  # they have ended
    except GcreplayError as error:
        if being_made(path):
            raise GcreplayError(f"{path} is about to be recorded: nothing is in it yet") from error
        if not (advice := recoverable(path)):
            raise
        kind = UsageError if isinstance(error, UsageError) else GcreplayError
        raise kind(f"{error}; {advice}") from error
    try:
        return log, (made or being_made(path)) if log.unfinished else None
    except BaseException:
        log.close()
        raise


def being_made(path: Path) -> dict[str, Any] | None:
    """Who records it at this moment: the JSON of `UnderWay`."""
    if not Path(f"{path}.spool").is_file():
        return None
    from gcreplay.tracer.spool import under_way  # only now: it has no part in reading

    made = under_way(path)
    return None if made is None else asdict(made)


def recoverable(path: Path) -> str | None:
    """What to do with the spool that a killed recorder left beside the recording, if one did."""
    if not Path(f"{path}.spool").is_file():
        return None
    from gcreplay.tracer.spool import left_beside  # only now: it has no part in reading

    left = left_beside(path)
    if left is None:
        return None
    return f"all that was recorded is in its spool: gcreplay recover {shlex.quote(str(left))}"
