"""Rows of the table `readings`: cut, encode and commit; verify and decode.

A row has some readings without their links, and some links: both run on from row to row, so that
an object with millions of links needs no row of its own. Its payload is the length of a zstd frame
(uint32), and the frame: of every column the lowest bytes, then the next ones, and so on. Columns of
readings: differences of sequence (8 bytes), differences of object (4, zigzag), reason (1), title
(4), number of links (4). Of links: target less the object that was read (4, zigzag), label (4).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import zstandard
from sqlalchemy import Connection, func, insert, select

from ..errors import DamagedFile
from ..events import U32
from ..readings import Readings, empty, firsts, joined, misfit
from ..tables import schema

MOST = 1 << 17
"""A row has no more readings, and no more links."""
_DENSEST = 256
"""A payload is filled up to this part of what it holds: what reading may take then depends on the
size of the file."""
_LENGTH = struct.Struct("<I")
_READING: tuple[np.dtype[Any], ...] = (
    np.dtype("<u8"),
    np.dtype("<u4"),
    np.dtype("u1"),
    np.dtype("<u4"),
    np.dtype("<u4"),
)
_LINK: tuple[np.dtype[Any], ...] = (np.dtype("<u4"), np.dtype("<u4"))
_ROWS = select(*schema.readings.columns).order_by(schema.readings.c.id)


class ReadingsWriter:
    """Keeps readings until the events before them are stored."""

    def __init__(self) -> None:
        self._waiting: list[Readings] = []
        self._left: list[Readings] = []
        self._last = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, readings: Readings, objects: int, labels: int) -> None:
        """Raises ValueError for what no readings of a log of so many are."""
        wrong = misfit(readings, objects, labels)
        if wrong is None and len(readings) and readings.sequence[0] < self._last:
            wrong = "they are in no order"
        if wrong is not None:
            raise ValueError(f"these readings cannot be stored: {wrong}")
        if len(readings):
            self._last = int(readings.sequence[-1])
            self._waiting.append(readings)

    def store(self, connection: Connection, stop: int | None = None) -> None:
        """Write those before event `stop` (None: all)."""
        self._left = []
        if not self._waiting:
            return
        waiting = joined(self._waiting)
        n = len(waiting) if stop is None else int(np.searchsorted(waiting.sequence, stop, "right"))
        if n < len(waiting):
            self._left = [waiting.part(n, len(waiting))]
        last = connection.execute(select(func.max(schema.readings.c.id))).scalar()
        rows = list(_rows(waiting.part(0, n), 0 if last is None else last + 1))
        if rows:
            connection.execute(insert(schema.readings), rows)

    def stored(self) -> None:
        """The transaction of `store` was committed."""
        self._waiting = self._left


def stored(
    connection: Connection, before: int | None, objects: int, labels: int, log: str
) -> Readings:
    """Those in the file, of a log of so many objects and labels: those with at most `before` events
    before them (None: all). Raises DamagedFile."""
    try:
        readings = _joined_rows(connection.execute(_ROWS))
        if before is not None:
            known = int(np.searchsorted(readings.sequence, before, "right"))
            readings = readings.part(0, known)
        wrong = misfit(readings, objects, labels)
    except ValueError as error:
        wrong = str(error)
    if wrong is not None:
        raise DamagedFile(
            f"{log} is damaged: its readings are malformed ({wrong}); `gcreplay info` says what is "
            f"intact"
        )
    return readings


def _rows(readings: Readings, first: int) -> Iterator[dict[str, object]]:
    counts = np.diff(readings.first)
    target = _folded(readings.target - np.repeat(readings.object, counts))
    for row in range(-(-max(len(counts), len(target)) // MOST)):
        low = row * MOST
        part = slice(low, low + MOST)
        columns: tuple[np.ndarray, ...] = (
            _differences(readings.sequence[part]),
            _folded(_differences(readings.object[part])),
            readings.reason[part],
            readings.title[part],
            counts[part],
            target[part],
            readings.label[part],
        )
        raw = b"".join(map(_planes, columns, (*_READING, *_LINK)))
        frame = zstandard.ZstdCompressor(level=3).compress(raw)
        payload = _LENGTH.pack(len(frame)) + frame.ljust(len(raw) // _DENSEST, b"\0")
        numbers = len(columns[0]), len(columns[-1])
        yield {
            "id": first + row,
            "readings": numbers[0],
            "links": numbers[1],
            "checksum": _checksum(payload, *numbers),
            "payload": payload,
        }


def _joined_rows(rows: Iterable[tuple[object, ...]]) -> Readings:
    columns: list[list[np.ndarray]] = [[] for _ in (*_READING, *_LINK)]
    for expected, row in enumerate(rows):
        if not schema.fits(schema.readings.columns, row) or row[0] != expected:
            raise ValueError(f"row {expected} is missing or damaged")
        for column, values in zip(columns, _decoded(*row[1:]), strict=True):  # type: ignore[arg-type]
            column.append(values)
    if not columns[0]:
        return empty()
    sequence, object, reason, title, counts, target, label = map(np.concatenate, columns)
    first = firsts(counts)
    if first[-1] != len(target):
        raise ValueError("links that belong to no reading")
    target += np.repeat(object, counts)
    return Readings(sequence, object, reason, title, first, target, label)


def _decoded(readings: int, links: int, checksum: int, payload: bytes) -> Iterator[np.ndarray]:
    if checksum != _checksum(payload, readings, links):
        raise ValueError("a checksum does not match")
    sizes = [dtype.itemsize * readings for dtype in _READING]
    sizes += [dtype.itemsize * links for dtype in _LINK]
    raw = _unpacked(payload, sum(sizes)) if max(readings, links) <= MOST else None
    if raw is None:
        raise ValueError("a row is not what was encoded")
    planes = np.frombuffer(raw, np.uint8)
    ends = np.cumsum(sizes)[:-1]
    values = [
        np.ascontiguousarray(part.reshape(dtype.itemsize, -1).T).reshape(-1).view(dtype)
        for part, dtype in zip(np.split(planes, ends), (*_READING, *_LINK), strict=True)
    ]
    yield np.cumsum(values[0], dtype=np.uint64)
    yield np.cumsum(_unfolded(values[1]), dtype=np.uint32)
    yield from values[2:5]
    yield _unfolded(values[5])
    yield values[6]


def _unpacked(payload: bytes, size: int) -> bytes | None:
    """What the frame holds; None where it is not of that size."""
    if len(payload) < _LENGTH.size or size > _DENSEST * len(payload):
        return None
    frame = payload[_LENGTH.size :][: _LENGTH.unpack_from(payload)[0]]
    try:
        if zstandard.frame_content_size(frame) != size:
            return None
        return zstandard.ZstdDecompressor().decompress(frame)
    except zstandard.ZstdError:
        return None


def _checksum(payload: bytes, readings: int, links: int) -> int:
    return zlib.crc32(payload, zlib.crc32(struct.pack("<QQ", readings, links)))


def _planes(column: np.ndarray, dtype: np.dtype[Any]) -> bytes:
    bytes_of = np.ascontiguousarray(column, dtype).view(np.uint8).reshape(-1, dtype.itemsize)
    return np.ascontiguousarray(bytes_of.T).tobytes()


def _differences(column: np.ndarray) -> np.ndarray:
    return np.diff(column, prepend=column.dtype.type(0))


def _folded(difference: U32) -> U32:
    """Zigzag: small numbers for small differences of either sign, modulo 2**32."""
    signed = difference.astype(np.uint32).view(np.int32)
    return (signed << np.int32(1) ^ signed >> np.int32(31)).view(np.uint32)


def _unfolded(folded: U32) -> U32:
    return folded >> np.uint32(1) ^ (np.uint32(0) - (folded & np.uint32(1)))
