"""Numbers in words: sizes, counts, times and shares, with so many digits as count."""

from collections.abc import Iterable
from typing import Final

UNITS: Final = ("KiB", "MiB", "GiB", "TiB")


def size_words(size: int) -> str:
    """A number of bytes in words: 1536 -> 1.5 KiB."""
    if size < 1024:
        return f"{size:d} B"
    exponent = min((size.bit_length() - 1) // 10, len(UNITS))
    return f"{size / 1024**exponent:.1f} {UNITS[exponent - 1]}"


def counted(number: int, noun: str) -> str:
    """1 event, 1,200 events."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def by_generation(counts: Iterable[int]) -> str:
    """Counts per generation as one cell: [90, 8, 1] -> 90/8/1."""
    return "/".join(f"{count:,}" for count in counts)


def rounded(value: float, sign: str = "") -> str:
    """An estimate with the three digits that count: 1.23, 12.3, 123; sign "+" shows it always."""
    return f"{value:{sign},.{2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0}f}"


def in_ms(ns: int) -> str:
    """Nanoseconds in milliseconds, without the unit."""
    return rounded(ns / 1e6)


def in_percent(share: float) -> str:
    return f"{rounded(100 * share)} %"
