"""The spool file as its reader sees it: header, committed records, released space.

The layout stands in capture/format.h; the capture in the recorded program is the writer.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import mmap
import os
import shlex
import stat
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from gcreplay.store.errors import FileExists, GcreplayError, NotFound, StorageError
from gcreplay.store.holders import holders
from gcreplay.store.place import other_kind

from .errors import NotASpool

MAGIC = b"gcrspool"
FORMAT = 3
HEADER = 4096
_FIELDS = struct.Struct("<8sIIQQII256s")
_CPU = struct.Struct("<QQ")
_PEAK = struct.Struct("<Q")
_MOST_NS = 1 << 62
_FACTS_AT = 512
_FACTS_LENGTH = struct.Struct("<I")
_PAGE = mmap.ALLOCATIONGRANULARITY
_KEEP_SIZE_AND_PUNCH = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE


class Taken(Exception):
    """Another process is reading this spool, or about to."""


class Status(IntEnum):
    """Why the stream ends where it ends; the numbers of enum spool_status."""

    CREATED = 0
    RUNNING = 1
    ENDED = 2
    NO_SPACE = 3
    LIMIT = 4
    REFUSED = 5
    FAILED = 6


_MOST_TEXT = 16 << 20
"""Of facts: a command line is shorter."""

KEEP_BYTES = 2 << 30
"""A spool up to this size stays whole until its recording is closed, so that `recover` can read
it from the start; of a longer one, what was taken is released."""


class Spool:
    """An open spool. `consumed` counts the bytes of the stream that were taken, `released` those
    whose disk space was given back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if (kind := other_kind(path)) is not None:
                raise NotASpool(f"{path} is a {kind}, no spool of gcreplay")
            self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotFound(f"{path} does not exist: check the name") from None
        except OSError as error:
            raise StorageError(f"{path}: cannot be opened ({error.strerror})") from None
        self._libc = ctypes.CDLL(None, use_errno=True)
        head = os.pread(self._fd, _FIELDS.size, 0)
        if len(head) < _FIELDS.size or not head.startswith(MAGIC):
            os.close(self._fd)
            raise NotASpool(
                f"{path} is no spool of gcreplay: give the .spool file beside a recording"
            )
        version = self._head()[1]
        if version != FORMAT:
            os.close(self._fd)
            raise NotASpool(
                f"{path} is a spool of version {version}, this gcreplay reads {FORMAT}: recover it "
                f"with the gcreplay that wrote it"
            )
        self.consumed = self.released = self._head()[4]

    @classmethod
    def create(
        cls, path: Path, *, force: bool = False, facts: Mapping[str, object] | None = None
    ) -> Spool:
        """A new spool for a capture to write into, which we read; replaces one of that name that
        nobody reads. `facts` are those of the recording's meta that are known before the program
        starts. Raises as `check_free`."""
        with check_free(path, force=force):
            path.unlink(missing_ok=True)
        try:
            made = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            raise Taken from None
        try:
            head = _FIELDS.pack(MAGIC, FORMAT, Status.CREATED, 0, 0, 0, 0, b"")
            head = head.ljust(_FACTS_AT, b"\0") + _packed(facts or {})
            if os.write(made, head.ljust(HEADER, b"\0")) < HEADER:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            spool = cls(path)
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(made)
        try:
            spool.take()
        except Taken:  # by somebody who thought it was left over: it is theirs to replace
            spool.close()
            raise
        return spool

    def take(self) -> None:
        """Be its one reader, until it is closed. Raises Taken."""
        _lock(self._fd)

    def _head(self) -> tuple[bytes, int, int, int, int, int, int, bytes]:
        head = os.pread(self._fd, _FIELDS.size, 0)
        if len(head) < _FIELDS.size or not head.startswith(MAGIC):
            return MAGIC, FORMAT, Status.FAILED, 0, 0, 0, 0, b"the spool's file was cut short"
        fields: tuple[bytes, int, int, int, int, int, int, bytes] = _FIELDS.unpack(head)
        return fields

    @property
    def status(self) -> Status:
        number = self._head()[2]
        return Status(number) if number in set(Status) else Status.FAILED

    @property
    def pid(self) -> int:
        return self._head()[5]

    @property
    def children(self) -> int:
        """The processes that the program has made, as far as the capture can see."""
        return self._head()[6]

    @property
    def own_cpu_ns(self) -> int | None:
        """CPU time that the program took for itself, as far as was told; None where nothing was."""
        return self._cpu()[0] or None

    @property
    def cpu_ns(self) -> int:
        """CPU time of the process at the end of the recording, or when it was told last."""
        return self._cpu()[1]

    @property
    def peak_bytes(self) -> int | None:
        """The most memory that the process of a measured run had; None where nobody knows."""
        told = os.pread(self._fd, _PEAK.size, _FIELDS.size + _CPU.size)
        (kib,) = _PEAK.unpack(told.ljust(_PEAK.size, b"\0"))
        return min(kib, _MOST_NS) * 1024 or None

    def _cpu(self) -> tuple[int, int]:
        told = os.pread(self._fd, _CPU.size, _FIELDS.size)
        own, whole = _CPU.unpack(told.ljust(_CPU.size, b"\0"))
        return min(own, _MOST_NS), min(whole, _MOST_NS)

    @property
    def facts(self) -> dict[str, object]:
        """What was given to `create`, as far as there was room."""
        try:
            packed = os.pread(self._fd, HEADER - _FACTS_AT, _FACTS_AT)
            (length,) = _FACTS_LENGTH.unpack_from(packed)
            text = zlib.decompressobj().decompress(
                packed[_FACTS_LENGTH.size :][:length], _MOST_TEXT
            )
            facts = json.loads(text)
        except (ValueError, struct.error, zlib.error, RecursionError):
            return {}
        return facts if isinstance(facts, dict) else {}

    @property
    def message(self) -> str:
        return self._head()[7].split(b"\0")[0].decode("utf-8", "replace")

    @property
    def cut_short(self) -> bool:
        """Whether the file does not hold all that was committed."""
        return self._head()[3] > os.fstat(self._fd).st_size - HEADER

    @property
    def waiting(self) -> int:
        """Bytes of complete records not consumed; fewer than committed when the file was cut."""
        committed = min(self._head()[3], os.fstat(self._fd).st_size - HEADER)
        return max(0, committed - self.consumed)

    def view(self) -> tuple[mmap.mmap, int, int]:
        """A read-only mapping that holds the waiting bytes, and where they begin and end in it."""
        start = HEADER + self.consumed
        base = start - start % _PAGE
        end = start + self.waiting
        mapped = mmap.mmap(self._fd, end - base, mmap.MAP_SHARED, mmap.PROT_READ, offset=base)
        return mapped, start - base, end - base

    def consume(self, n: int) -> None:
        """The next n bytes were taken."""
        self.consumed += n
        if self.consumed > KEEP_BYTES:
            self._release()

    def _release(self) -> None:
        """Give the disk space of whole pages that were taken back."""
        start = (HEADER + self.released + _PAGE - 1) // _PAGE * _PAGE
        length = (HEADER + self.consumed) // _PAGE * _PAGE - start
        if length <= 0:
            return
        self.released = start + length - HEADER
        os.pwrite(self._fd, struct.pack("<Q", self.released), 24)
        self._libc.fallocate(
            self._fd, _KEEP_SIZE_AND_PUNCH, ctypes.c_int64(start), ctypes.c_int64(length)
        )

    @property
    def written_by(self) -> int | None:
        """The process that still writes it, or None."""
        try:
            return next(
                self.pid
                for file in Path(f"/proc/{self.pid}/fd").iterdir()
                if self.status is Status.RUNNING and file.resolve() == self.path.resolve()
            )
        except (OSError, StopIteration):
            return None

    def close(self, *, remove: bool = False) -> None:
        os.close(self._fd)
        if remove:
            self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def check_free(path: Path, *, force: bool) -> Iterator[None]:
    """In this block nobody reads what stands where a new spool is to be.

    A spool that a killed recording left may be all there is of it: it is to be replaced only with
    `force`, or when nothing is in it, and another file never. Raises Taken, FileExists, OSError.
    """
    try:
        left = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    try:
        if not stat.S_ISREG(os.fstat(left).st_mode):
            raise OSError(errno.EEXIST, "is no regular file")
        _lock(left)
        head = os.pread(left, _FIELDS.size, 0)
        if head and not head.startswith(MAGIC):
            raise FileExists(
                f"{path} exists and is no spool of gcreplay: move it away, or choose another -o"
            )
        if not force and _holds_records(head):
            raise FileExists(
                f"{path} is left of a recording that was killed: gcreplay recover "
                f"{shlex.quote(str(path))} makes a recording of it; remove it, or replace it with "
                f"--force"
            )
        yield
    finally:
        os.close(left)


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A recording that a living gcreplay makes: its process, where that can be known, and the
    program's, until that has ended."""

    recorder: int | None
    program: int | None


def left_beside(output: Path) -> Path | None:
    """The spool, with something in it, that a recorder which lives no more left of a recording."""
    found = _beside(output)
    return found if isinstance(found, Path) else None


def under_way(output: Path) -> UnderWay | None:
    """Who makes the recording at that place at this moment; None where nobody does."""
    found = _beside(output)
    return found if isinstance(found, UnderWay) else None


def _beside(output: Path) -> Path | UnderWay | None:
    """The spool of that recording, where something is left in it, or who reads it."""
    path = Path(f"{output}.spool")
    try:
        spool = Spool(path)
    except GcreplayError:
        return None
    try:
        spool.take()
        return path if spool.waiting and not spool.released else None
    except Taken:
        return UnderWay(next(iter(holders(path)), None), spool.written_by)
    except OSError:
        return None
    finally:
        spool.close()


def _packed(facts: Mapping[str, object]) -> bytes:
    """The facts for the header; without the longest ones where there is no room for all."""
    kept = dict(facts)
    while True:
        packed = zlib.compress(json.dumps(kept).encode())
        if len(packed) <= HEADER - _FACTS_AT - _FACTS_LENGTH.size:
            return _FACTS_LENGTH.pack(len(packed)) + packed
        del kept[max(kept, key=lambda key: len(json.dumps(kept[key])))]


def _holds_records(head: bytes) -> bool:
    """Whether anything was committed to the spool that begins so."""
    if len(head) < _FIELDS.size:
        return False
    _, version, _, committed, *_ = _FIELDS.unpack(head)
    return bool(version != FORMAT or committed)


def _lock(fd: int) -> None:
    """A lock that ends with its process, however that ends. Raises Taken."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Taken from None
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            raise  # else the file system has no locks
