"""What this installation can do: only one with CPython 3.11 makes recordings."""

import sys
from typing import Final

import click

RECORDS: Final = sys.implementation.name == "cpython" and sys.version_info[:2] == (3, 11)


def replays_only() -> str:
    """What an installation with another Python says of itself; nothing where it records."""
    if RECORDS:
        return ""
    from gcreplay.tracer.interpreter import not_built  # slow to import

    told = not_built()
    return f"{told[0].upper()}{told[1:]}."


def write_limits(formatter: click.HelpFormatter) -> None:
    """The same in a help."""
    if told := replays_only():
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(told)


if __name__ == "__main__" and not RECORDS:  # for `make`
    print(replays_only())
