# cython: embedsignature=True
"""Events to byte streams and back: the part of the segment codec that runs once per event.

Seven streams, so that like stands beside like and compresses:

    ops      4 bits an event, even events in the low half of a byte
    ages     next object id - id, modulo 2**32, for the object or source of an event
    targets  the same for the target of LINK, UNLINK, WEAKREF
    shapes   one per ALLOC
    sites    one per ALLOC
    labels   one per INCREF, DECREF, LINK and UNLINK; version 1 had none of the first two
    values   all other operands, in event order

Object ids of ALLOC are dense and cost nothing. All but `ops` hold 32-bit numbers as group
varints (Lemire, Kurz, Rupp, "Stream VByte", 2017): first two bits a number for its length - 1,
four numbers a byte, then the bytes, little-endian, and PAD zero bytes so that every number can
be loaded as a whole word. Reading is safe on any bytes: lengths are checked before use.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

cdef extern from "<malloc.h>" nogil:
    int mallopt(int parameter, int value)
    int M_MMAP_THRESHOLD, M_TRIM_THRESHOLD

# A segment's columns are made and dropped all the time: given back to the system each time, their
# pages would have to be cleared anew.
mallopt(M_MMAP_THRESHOLD, 16 << 20)
mallopt(M_TRIM_THRESHOLD, 32 << 20)

cdef enum:
    START = 0
    ALLOC = 1
    INCREF = 2
    DECREF = 3
    LINK = 4
    UNLINK = 5
    KEPT = 6
    RESIZE = 7
    TRACK = 8
    UNTRACK = 9
    GC_CALL = 10
    INSIDE = 11
    SAFEPOINT = 12
    MARK = 13
    TICK = 14
    WEAKREF = 15
    OPS = 16

cdef enum:
    AGES = 0
    TARGETS = 1
    SHAPES = 2
    SITES = 3
    LABELS = 4
    VALUES = 5
    WORD_STREAMS = 6
    PAD = 3
    MOST_VALUES = 3

# Which operands an op has. 0 or 1, so that the hot loops add them instead of branching.
cdef uint32_t[OPS] HAS_AGE = [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1]
cdef uint32_t[OPS] HAS_TARGET = [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
cdef uint32_t[OPS] HAS_LABEL = [0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
cdef uint32_t[OPS] HAS_COUNT = [0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
# The others put this many operands into `values`; rare, so a branch serves them.
cdef uint32_t[OPS] RARE = [1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 3, 2, 0, 1, 2, 1]
# Operands that must be 0 because no stream holds them.
cdef uint32_t[OPS] UNUSED_A = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ~0, 0, 0, 0]
cdef uint32_t[OPS] UNUSED_B = [~0, 0, 0, 0, 0, 0, ~0, 0, 0, ~0, 0, 0, ~0, ~0, 0, 0]
cdef uint32_t[OPS] UNUSED_C = [~0, 0, 0, 0, 0, 0, ~0, 0, ~0, ~0, 0, ~0, ~0, ~0, ~0, 0]


cdef inline uint32_t load(const uint8_t *where) noexcept nogil:
    cdef uint32_t word
    memcpy(&word, where, 4)
    return word


cdef uint8_t *pack(const uint32_t *values, size_t n, uint8_t *out) noexcept nogil:
    """Write `n` group varints and the padding at `out`; returns the end."""
    cdef size_t i, k, groups = (n + 3) // 4
    cdef uint8_t *data = out + groups
    cdef uint32_t value, extra, control
    for i in range(n // 4):
        control = 0
        for k in range(4):
            value = values[4 * i + k]
            extra = (value > 0xFF) + (value > 0xFFFF) + (value > 0xFFFFFF)
            memcpy(data, &value, 4)
            data += extra + 1
            control |= extra << (2 * k)
        out[i] = <uint8_t>control
    control = 0
    for k in range(n % 4):
        value = values[n - n % 4 + k]
        extra = (value > 0xFF) + (value > 0xFFFF) + (value > 0xFFFFFF)
        memcpy(data, &value, 4)
        data += extra + 1
        control |= extra << (2 * k)
    if n % 4:
        out[groups - 1] = <uint8_t>control
    memset(data, 0, PAD)
    return data + PAD


cdef bint unpack(const uint8_t *raw, size_t length, uint32_t *values, size_t n) noexcept nogil:
    """Read `n` group varints; False when `length` bytes are not exactly that."""
    cdef size_t i, k, groups = (n + 3) // 4
    cdef size_t total = groups + n + PAD
    cdef uint32_t control, extra
    cdef const uint8_t *data = raw + groups
    cdef uint32_t[4] mask = [0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF]
    if length < total:
        return False
    for i in range(groups):
        control = raw[i]
        total += (control & 3) + (control >> 2 & 3) + (control >> 4 & 3) + (control >> 6)
    if length != total:
        return False
    for i in range(n // 4):
        control = raw[i]
        if control == 0:  # four single bytes: by far the most common group
            values[4 * i] = data[0]
            values[4 * i + 1] = data[1]
            values[4 * i + 2] = data[2]
            values[4 * i + 3] = data[3]
            data += 4
            continue
        for k in range(4):
            extra = control >> (2 * k) & 3
            values[4 * i + k] = load(data) & mask[extra]
            data += extra + 1
    if n % 4:
        control = raw[groups - 1]
        if control >> (2 * (n % 4)):
            return False
        for k in range(n % 4):
            extra = control >> (2 * k) & 3
            values[n - n % 4 + k] = load(data) & mask[extra]
            data += extra + 1
    return True


cdef void histogram(const uint8_t *op, size_t n, uint64_t *counts) noexcept nogil:
    """Add how often each op occurs to `counts`; four tables, since equal neighbours stall one."""
    cdef uint32_t[4][OPS] part
    cdef size_t i
    memset(part, 0, sizeof(part))
    for i in range(n // 4):
        part[0][op[4 * i] & 15] += 1
        part[1][op[4 * i + 1] & 15] += 1
        part[2][op[4 * i + 2] & 15] += 1
        part[3][op[4 * i + 3] & 15] += 1
    for i in range(n - n % 4, n):
        part[0][op[i] & 15] += 1
    for i in range(OPS):
        counts[i] += part[0][i] + part[1][i] + part[2][i] + part[3][i]


cdef void stream_lengths(
    const uint64_t *counts, size_t *lengths, const uint32_t *labelled
) noexcept nogil:
    """How many numbers each word stream holds, from the events of each op."""
    cdef size_t op
    for op in range(WORD_STREAMS):
        lengths[op] = 0
    for op in range(OPS):
        lengths[AGES] += counts[op] * HAS_AGE[op]
        lengths[TARGETS] += counts[op] * HAS_TARGET[op]
        lengths[LABELS] += counts[op] * labelled[op]
        lengths[VALUES] += counts[op] * (HAS_COUNT[op] + RARE[op])
    lengths[SHAPES] = lengths[SITES] = counts[ALLOC]


cdef size_t split(
    const uint8_t *op, const uint32_t *a, const uint32_t *b, const uint32_t *c, size_t n,
    uint32_t following, uint32_t **out,
) noexcept nogil:
    """Distribute the operands over the streams; returns the first event that cannot be stored."""
    cdef uint32_t *ages = out[AGES]
    cdef uint32_t *targets = out[TARGETS]
    cdef uint32_t *shapes = out[SHAPES]
    cdef uint32_t *sites = out[SITES]
    cdef uint32_t *labels = out[LABELS]
    cdef uint32_t *values = out[VALUES]
    cdef size_t i
    cdef uint32_t o, alloc, wrong
    for i in range(n):
        o = op[i]
        if o >= OPS:
            return i
        alloc = o == ALLOC
        wrong = a[i] & UNUSED_A[o] | b[i] & UNUSED_B[o] | c[i] & UNUSED_C[o]
        wrong |= (a[i] ^ following) & (0 - alloc)
        if wrong:
            return i
        ages[0] = following - a[i]
        ages += HAS_AGE[o]
        targets[0] = following - b[i]
        targets += HAS_TARGET[o]
        shapes[0] = b[i]
        shapes += alloc
        sites[0] = c[i]
        sites += alloc
        labels[0] = c[i]
        labels += HAS_LABEL[o]
        values[0] = b[i]
        values += HAS_COUNT[o]
        following += alloc
        if RARE[o]:
            if o == WEAKREF:
                values[0] = c[i]
            elif o == RESIZE:
                values[0] = b[i]
                values[1] = c[i]
            else:
                values[0] = following - a[i] if o == INSIDE else a[i]
                if RARE[o] > 1:
                    values[1] = b[i]
                if RARE[o] > 2:
                    values[2] = c[i]
            values += RARE[o]
    return n


cdef void join(
    uint8_t *op, uint32_t *a, uint32_t *b, uint32_t *c, size_t n, uint32_t following,
    uint32_t **streams, const uint32_t *labelled,
) noexcept nogil:
    """The inverse of `split`: fill the operand columns; every read stays within the streams.

    `labelled` says which ops have a label, in the version that is read.
    """
    cdef const uint32_t *ages = streams[AGES]
    cdef const uint32_t *targets = streams[TARGETS]
    cdef const uint32_t *shapes = streams[SHAPES]
    cdef const uint32_t *sites = streams[SITES]
    cdef const uint32_t *labels = streams[LABELS]
    cdef const uint32_t *values = streams[VALUES]
    cdef size_t i
    cdef uint32_t o, alloc, has_age, has_target, has_label, has_count
    for i in range(n):
        o = op[i]
        alloc = o == ALLOC
        has_age = HAS_AGE[o]
        has_target = HAS_TARGET[o]
        has_label = labelled[o]
        has_count = HAS_COUNT[o]
        a[i] = (following - (ages[0] & (0 - has_age))) & (0 - (has_age | alloc))
        b[i] = (
            (following - targets[0]) & (0 - has_target)
            | shapes[0] & (0 - alloc)
            | values[0] & (0 - has_count)
        )
        c[i] = labels[0] & (0 - has_label) | sites[0] & (0 - alloc)
        ages += has_age
        targets += has_target
        shapes += alloc
        sites += alloc
        labels += has_label
        values += has_count
        following += alloc
        if RARE[o]:
            if o == WEAKREF:
                c[i] = values[0]
            elif o == RESIZE:
                b[i] = values[0]
                c[i] = values[1]
            else:
                a[i] = following - values[0] if o == INSIDE else values[0]
                if RARE[o] > 1:
                    b[i] = values[1]
                if RARE[o] > 2:
                    c[i] = values[2]
            values += RARE[o]


def encode(
    const uint8_t[::1] op not None, const uint32_t[::1] a not None,
    const uint32_t[::1] b not None, const uint32_t[::1] c not None, uint32_t first_object,
):
    """Encode a run of events.

    `op` is uint8, `a`, `b`, `c` are uint32, all contiguous and of one length; `first_object` is
    the id that the run's first ALLOC must have. Returns (streams, counts): seven bytes objects
    and 16 event counts. Raises ValueError(index) for an event that cannot be stored: an unknown
    op, an ALLOC out of order, or an operand that its op does not have.
    """
    cdef size_t n = op.shape[0], room = n + MOST_VALUES, i, k, good
    cdef size_t[WORD_STREAMS] lengths
    cdef uint64_t[OPS] counts
    cdef uint32_t *words
    cdef uint32_t *start[WORD_STREAMS]
    cdef uint8_t *packed
    cdef uint8_t *half
    if not n == <size_t>a.shape[0] == <size_t>b.shape[0] == <size_t>c.shape[0]:
        raise IndexError("columns of different length")
    if n == 0:
        return [b""] + [bytes(PAD)] * WORD_STREAMS, [0] * OPS
    # `values` can hold three numbers an event, the others one.
    words = <uint32_t *>malloc((room * (WORD_STREAMS - 1 + MOST_VALUES)) * sizeof(uint32_t))
    packed = <uint8_t *>malloc(room * MOST_VALUES * 5 + PAD)
    try:
        if words == NULL or packed == NULL:
            raise MemoryError
        for k in range(WORD_STREAMS):
            start[k] = words + k * room
        with nogil:
            good = split(&op[0], &a[0], &b[0], &c[0], n, first_object, start)
        if good < n:
            raise ValueError(good)
        memset(counts, 0, sizeof(counts))
        histogram(&op[0], n, counts)
        stream_lengths(counts, lengths, HAS_LABEL)
        ops = PyBytes_FromStringAndSize(NULL, (n + 1) // 2)
        half = <uint8_t *>PyBytes_AS_STRING(ops)
        for i in range(n // 2):
            half[i] = op[2 * i] | op[2 * i + 1] << 4
        if n % 2:
            half[n // 2] = op[n - 1]
        streams = [ops]
        for k in range(WORD_STREAMS):
            with nogil:
                i = pack(start[k], lengths[k], packed) - packed
            streams.append(PyBytes_FromStringAndSize(<char *>packed, i))
        return streams, [counts[k] for k in range(OPS)]
    finally:
        free(words)
        free(packed)


def decode(
    list streams not None, uint32_t first_object, uint8_t[::1] op not None,
    uint32_t[::1] a not None, uint32_t[::1] b not None, uint32_t[::1] c not None,
    bint labelled_counts=True,
):
    """Decode `encode`'s streams into the given columns, whose length is the number of events.

    Without `labelled_counts` the streams are those of version 1, where INCREF and DECREF have no
    label. Returns the 16 event counts. Raises ValueError when the streams are not those of so many
    events.
    """
    cdef size_t n = op.shape[0], i, k, total = 0
    cdef size_t[WORD_STREAMS] lengths
    cdef uint64_t[OPS] counts
    cdef uint32_t[OPS] labelled
    cdef uint32_t *words
    cdef uint32_t *start[WORD_STREAMS]
    cdef const uint8_t *raw
    cdef bytes stream
    cdef bint good = True
    if not n == <size_t>a.shape[0] == <size_t>b.shape[0] == <size_t>c.shape[0]:
        raise IndexError("columns of different length")
    if len(streams) != WORD_STREAMS + 1 or len(<bytes>streams[0]) != (n + 1) // 2:
        raise ValueError("ops stream of wrong length")
    if n == 0:
        return [0] * OPS
    raw = <const uint8_t *>PyBytes_AS_STRING(<bytes>streams[0])
    memset(counts, 0, sizeof(counts))
    with nogil:
        for i in range(n // 2):
            op[2 * i] = raw[i] & 15
            op[2 * i + 1] = raw[i] >> 4
        if n % 2:
            op[n - 1] = raw[n // 2] & 15
        histogram(&op[0], n, counts)
    memcpy(labelled, HAS_LABEL, sizeof(labelled))
    labelled[INCREF] = labelled[DECREF] = labelled_counts
    stream_lengths(counts, lengths, labelled)
    for k in range(WORD_STREAMS):
        total += lengths[k] + MOST_VALUES
    words = <uint32_t *>malloc(total * sizeof(uint32_t))
    if words == NULL:
        raise MemoryError
    try:
        total = 0
        for k in range(WORD_STREAMS):
            start[k] = words + total
            total += lengths[k] + MOST_VALUES
            start[k][lengths[k]] = 0  # `join` looks one number past the end, and ignores it
            stream = streams[k + 1]
            raw = <const uint8_t *>PyBytes_AS_STRING(stream)
            i = len(stream)
            with nogil:
                good = unpack(raw, i, start[k], lengths[k])
            if not good:
                raise ValueError("stream of wrong length")
        with nogil:
            join(&op[0], &a[0], &b[0], &c[0], n, first_object, start, labelled)
        return [counts[k] for k in range(OPS)]
    finally:
        free(words)
