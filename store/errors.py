"""The one exception tree of gcreplay.

A message says what is wrong, where, and what to do next, in one sentence that the command
line prints as it is. `exit_code` is what the command then ends with: 1 for a broken input or
a failed check, 2 for wrong usage.
"""

from __future__ import annotations


class GcreplayError(Exception):
    """Base of everything gcreplay raises on purpose."""

    exit_code = 1


class UsageError(GcreplayError):
    """The request itself is wrong: an unknown name, malformed thresholds, a missing file."""

    exit_code = 2


class FileExists(UsageError):
    """The output file exists and nobody allowed to overwrite it."""


class NotFound(UsageError):
    """The named file, run, mark or event is not there."""


class NotARecording(GcreplayError):
    """The file is no recording of gcreplay."""


class NewerSchema(GcreplayError):
    """The recording was written by a newer gcreplay."""


class StorageError(GcreplayError):
    """The file system or SQLite refused: disk full, no permission, locked."""


class DamagedFile(GcreplayError):
    """The recording's file is cut short or overwritten."""


class DamagedSegment(DamagedFile):
    """One segment does not read back as it was written; the others still do."""

    def __init__(self, message: str, *, segment: int, first_sequence: int) -> None:
        super().__init__(message)
        self.segment = segment
        self.first_sequence = first_sequence


class Unmarked(GcreplayError):
    """The recording has repairs, and does not say which of its events they are."""


class InvalidLog(GcreplayError):
    """The log breaks a rule of the event log (see docs/reference/event-log.md).

    `sequence` is the number of the event, `event` the event in words, `rule` what it breaks.
    """

    def __init__(self, sequence: int, event: str, rule: str) -> None:
        super().__init__(f"event {sequence}, {event}: {rule}")
        self.sequence = sequence
        self.event = event
        self.rule = rule


class MalformedLine(GcreplayError):
    """A line of a JSON Lines file is not an event."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
