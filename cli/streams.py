"""Standard streams that are closed, full, or of people who have gone: what is said there is lost,
and the exit code stands. Only figures that do not reach standard output are a failure."""

import io
import os
import sys


class Unheard(io.FileIO):
    """A file of remarks: what nobody can read is dropped."""

    def write(self, data: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]
        try:
            return super().write(data) or len(data)
        except OSError:
            return len(data)


def prepare() -> None:
    """Make the streams such that neither what is printed nor where it goes can break a command."""
    _keep_closed()
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names need not be text at all
    encoding = "utf-8" if sys.stderr is None else sys.stderr.encoding
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(Unheard(2, "w", closefd=False)),
        encoding=encoding,
        errors="backslashreplace",
        write_through=True,
        line_buffering=True,
    )


def _keep_closed() -> None:
    """No file that we open gets the number of a standard stream that was closed, which others
    write to. What takes its place is not inherited: in a program that we start it stays closed."""
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(number)
