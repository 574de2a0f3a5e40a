"""What can go wrong with recording, on top of gcreplay's exception tree."""

from gcreplay.store.errors import GcreplayError, UsageError


class CannotRecord(UsageError):
    """The program or the interpreter cannot be recorded."""


class NotASpool(GcreplayError):
    """The file is no spool of an interrupted recording."""


class BrokenSpool(GcreplayError):
    """The spool holds something the ingest cannot read."""
