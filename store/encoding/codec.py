"""A segment's payload: the native streams, each a zstd frame, behind a table of lengths.

Payload layout: for each of the seven streams two little-endian uint32 (length
before and after compression), then the frames. The checksum is the CRC-32 of the segment's
header columns followed by the payload. Version 1 is read too: there only links have a label.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
import zstandard

from ..events import SEGMENT_EVENTS, U8, U32, Events, Segment
from . import _codec

CODEC_VERSION = 2
STREAMS = 7
_LENGTHS = struct.Struct(f"<{2 * STREAMS}I")


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded run of events: payload and number of events of each op."""

    payload: bytes
    counts: tuple[int, ...]


def encode(op: U8, a: U32, b: U32, c: U32, first_object: int) -> Encoded:
    """Encode contiguous columns (uint8, 3 x uint32) of one length.

    Raises ValueError(index) for an event that cannot be stored, see `_codec.encode`.
    """
    streams, counts = _codec.encode(op, a, b, c, first_object)
    compressor = zstandard.ZstdCompressor(level=1)
    frames = [compressor.compress(stream) for stream in streams]
    lengths = [n for pair in zip(streams, frames, strict=True) for n in map(len, pair)]
    return Encoded(_LENGTHS.pack(*lengths) + b"".join(frames), tuple(counts))


def checked(
    payload: object, segment: Segment, version: object, expected_checksum: object
) -> Events:
    """As `decode`, of what a row of a file holds. Raises ValueError with the reason."""
    if not isinstance(payload, bytes):
        raise ValueError("the file is cut short or damaged there")
    if not (isinstance(version, int) and 1 <= version <= CODEC_VERSION):
        raise ValueError(f"its encoding {version} is unknown")
    if expected_checksum != checksum(payload, segment):
        raise ValueError("its checksum does not match")
    return decode(payload, segment, version)


def decode(payload: bytes, segment: Segment, version: int = CODEC_VERSION) -> Events:
    """Decode a payload of that codec version into fresh arrays.

    Raises ValueError when it is not what was encoded.
    """
    if segment.events > SEGMENT_EVENTS or len(payload) < _LENGTHS.size:
        raise ValueError("impossible header")
    lengths = _LENGTHS.unpack_from(payload)
    decompressor = zstandard.ZstdDecompressor()
    streams = []
    position = _LENGTHS.size
    view = memoryview(payload)
    for raw, packed in zip(lengths[::2], lengths[1::2], strict=True):
        frame = view[position : position + packed]
        position += packed
        try:
            if raw > 13 * segment.events + 16 or zstandard.frame_content_size(frame) != raw:
                raise ValueError("stream of wrong length")
            streams.append(decompressor.decompress(frame))
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from None
    op = np.empty(segment.events, np.uint8)
    a, b, c = (np.empty(segment.events, np.uint32) for _ in range(3))
    counts = _codec.decode(streams, segment.first_object, op, a, b, c, version > 1)
    if tuple(counts) != segment.counts:
        raise ValueError("event counts differ from the header")
    return Events(op, a, b, c, segment.first_sequence, segment.first_object)


def checksum(payload: bytes, segment: Segment) -> int:
    """CRC-32 over the header columns, as little-endian uint64, and the payload."""
    values = (segment.first_sequence, segment.events, segment.first_object, *segment.counts)
    return zlib.crc32(payload, zlib.crc32(struct.pack(f"<{len(values)}Q", *values)))
