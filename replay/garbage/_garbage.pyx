"""The native part: strongly connected components of what collections freed, and their shapes.

The engine writes down what each collection frees (engine/freed.h). A component is the objects that
reach each other: Tarjan, "Depth-first search and linear graph algorithms", SIAM Journal on
Computing 1(2), 1972, without recursion. Its shape is the set of its links as (type, name, type).
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

import numpy as np

cdef extern from "../engine/death.h" nogil:
    ctypedef struct Link:
        uint32_t target, label
    ctypedef struct Freed:
        uint64_t sequence, bytes
        uint32_t id, shape, first, degree, visits, collection
        uint8_t found, floats
    ctypedef struct Noted:
        Freed *freed
        Link *link
        uint32_t length, links
    ctypedef struct Heap:
        Noted *noted
    int begin_noting(Heap *h)
    int c_note_floating "note_floating"(Heap *h)
    int UNKNOWN, OPAQUE

cdef extern from *:
    """
    #define NONE UINT32_MAX
    #define INDEX_LABEL 0x80000000u     /* as in store/readings.py */
    #define POSITION_LABEL 0xC0000000u
    """
    uint32_t NONE, INDEX_LABEL, POSITION_LABEL

COMPONENT_DTYPE = np.dtype(
    [("bytes", "u8"), ("hanging_bytes", "u8"), ("visited", "u8"), ("floating_object_events", "u8"),
     ("due", "u8"), ("objects", "u4"), ("hanging_objects", "u4"), ("closing", "u4"),
     ("number", "u4"), ("unsure", "u1")])
"""Of a component: `closing` is an id, `due` the event after which it is unreachable. `unsure`: one
that is as young or younger might tell better where the cycle was made, were its place known."""
OBJECT_DTYPE = np.dtype(
    [("bytes", "u8"), ("id", "u4"), ("visits", "u4"), ("found", "u1")], align=True)
"""Of an object: how often collections looked at it when it was garbage, and whether the last one
found it (1), or it died with what that found (0)."""


cdef class Gathering:
    """What the collections of a replay free. The engine has applied nothing yet.

    due: uint64 by object id, the event after which it is unreachable. since: no garbage floats
    before that event. site: uint32 by object id. rank: uint8 by site, the larger the better it
    tells where a cycle was made; odd where the line is only near, 0 where nothing is known. type_of: uint32 by shape. is_dict: uint8 by shape. folded,
    attribute: uint32 by label, what it counts as in a shape, and where it is a key of a `__dict__`.
    own_dict: the label `.__dict__`. indexed: that of all indices. reading: uint32 by object id, its
    last reading, +1; first, target, label: links of the readings.
    """

    cdef Heap *h
    cdef object engine
    cdef uint64_t[::1] due
    cdef uint32_t[::1] site, type_of, folded, attribute, reading, first, target, label
    cdef uint8_t[::1] rank, is_dict
    cdef uint32_t own_dict, indexed
    cdef uint64_t since
    # of what is written down, by object or by link
    cdef uint32_t[::1] local, to, name, component, order, begin, holder, chain

    def __cinit__(self, engine, due, uint64_t since, site, rank, type_of, is_dict, folded, attribute,
                  uint32_t own_dict, uint32_t indexed, reading, first, target, label):
        self.engine = engine
        self.h = <Heap *><size_t>engine.address
        self.due, self.since, self.site, self.rank = due, since, site, rank
        self.type_of, self.is_dict = type_of, is_dict
        self.folded, self.attribute = folded, attribute
        self.own_dict, self.indexed = own_dict, indexed
        self.reading, self.first, self.target, self.label = reading, first, target, label
        self.local = np.zeros(len(due) + 1, np.uint32)
        self.chain = np.zeros(max(1, np.diff(first).max(initial=0)), np.uint32)
        if begin_noting(self.h):
            raise MemoryError

    @property
    def noted(self):
        """Objects that are written down and not taken yet."""
        return self.h.noted.length

    def note_floating(self):
        """Write down what floats, as if one collection more freed it."""
        if c_note_floating(self.h):
            raise MemoryError

    def forget(self):
        """What is written down is done with."""
        cdef uint32_t i
        for i in range(self.h.noted.length):
            self.local[self.h.noted.freed[i].id] = 0
        self.h.noted.length = self.h.noted.links = 0

    # -- what there is --

    def objects(self):
        """OBJECT_DTYPE of what is written down, in the order in which it was freed."""
        cdef Noted *noted = self.h.noted
        cdef uint32_t n = noted.length, i
        every = np.empty(n, OBJECT_DTYPE)
        cdef uint64_t[:] size = every["bytes"]
        cdef uint32_t[:] id = every["id"], visits = every["visits"]
        cdef uint8_t[:] found = every["found"]
        for i in range(n):
            size[i], id[i] = noted.freed[i].bytes, noted.freed[i].id
            visits[i], found[i] = noted.freed[i].visits, noted.freed[i].found
        return every

    def take(self):
        """(components, ids of members, place of the component of each, links) of what is written
        down. Behind the components stands one for what hangs from no cycle.
        """
        cdef Noted *noted = self.h.noted
        cdef uint32_t n = noted.length, links = noted.links, i, found
        self.to = np.empty(links + 1, np.uint32)
        self.name = np.zeros(links + 1, np.uint32)
        self.component = np.empty(n + 1, np.uint32)
        self.order = np.empty(n + 1, np.uint32)
        self.begin = np.empty(n + 2, np.uint32)
        self.holder = np.zeros(n + 1, np.uint32)
        scratch = np.zeros((4, n + 1), np.uint32)
        cdef uint32_t[:, ::1] room = scratch
        for i in range(n):
            self.local[noted.freed[i].id] = i + 1
        with nogil:
            self.resolve()
            found = self.search(room)
        flags = np.zeros(found + 1, np.uint8)
        owners = np.full(found + 1, NONE, np.uint32)
        eldest = np.full(found + 1, NONE, np.uint32)
        cdef uint8_t[::1] cyclic = flags
        cdef uint32_t[::1] owner = owners, oldest = eldest
        scratch[:2] = 0
        with nogil:
            self.find_cycles(cyclic, oldest)
            self.attribute_hanging(found, cyclic, owner, oldest)
            self.name_links(cyclic, &room[0, 0])
            self.find_holders(cyclic, &room[1, 0])
        return *self.summed(found, cyclic, owner), self.links(found, cyclic)

    def summed(self, uint32_t found, uint8_t[::1] cyclic, uint32_t[::1] owner):
        """Components, members and the rest, as take() says."""
        cdef Noted *noted = self.h.noted
        cdef const Freed *freed
        numbers = np.flatnonzero(np.asarray(cyclic[:found])).astype(np.uint32)
        place = np.zeros(found + 1, np.uint32)
        place[numbers] = np.arange(len(numbers))
        components = np.zeros(len(numbers) + 1, COMPONENT_DTYPE)    # behind them the rest
        components["number"][:len(numbers)] = numbers
        cdef uint32_t[::1] at = place, objects = components["objects"].copy()
        cdef uint32_t[::1] hanging = objects.copy(), closing = objects.copy()
        cdef uint64_t[::1] bytes_ = components["bytes"].copy()
        cdef uint64_t[::1] hanging_bytes = bytes_.copy(), visited = bytes_.copy()
        cdef uint64_t[::1] floated = bytes_.copy(), due = bytes_.copy()
        cdef uint32_t[::1] vague = objects.copy()       # the youngest of no exact place, id + 1
        cdef uint8_t rank
        cdef uint32_t n = noted.length, i, c, last = <uint32_t>len(numbers), members = 0
        cdef uint64_t begin
        ids = np.empty(n, np.uint32)
        of = np.empty(n, np.uint32)
        cdef uint32_t[::1] id_view = ids, of_view = of
        for i in range(n):
            freed = &noted.freed[i]
            c = self.component[i]
            begin = self.due[freed.id]
            if cyclic[c]:
                c = at[c]
                if not objects[c]:
                    closing[c] = freed.id
                    due[c] = min(begin, freed.sequence)
                elif self.closes(freed.id, closing[c]):
                    closing[c] = freed.id
                rank = self.rank[self.site[freed.id]]
                if (rank == 0 or rank & 1) and freed.id >= vague[c]:
                    vague[c] = freed.id + 1
                objects[c] += 1
                bytes_[c] += freed.bytes
                id_view[members] = freed.id
                of_view[members] = c
                members += 1
            else:
                c = at[owner[c]] if owner[c] != NONE else last
                hanging[c] += 1
                hanging_bytes[c] += freed.bytes
            visited[c] += freed.visits
            if begin < self.since:
                begin = self.since
            if freed.floats and begin < freed.sequence:
                floated[c] += freed.sequence - begin
        components["objects"], components["bytes"] = objects, bytes_
        components["hanging_objects"], components["hanging_bytes"] = hanging, hanging_bytes
        components["visited"], components["floating_object_events"] = visited, floated
        components["closing"], components["due"] = closing, due
        components["unsure"] = np.asarray(vague) > np.asarray(closing)
        return components, ids[:members], of[:members]

    cdef bint closes(self, uint32_t one, uint32_t other):
        """Whether its place tells better where the cycle was made: the youngest of the best."""
        cdef uint8_t mine = self.rank[self.site[one]], best = self.rank[self.site[other]]
        return mine > best or (mine == best and one > other)

    def links(self, uint32_t found, uint8_t[::1] cyclic):
        """uint32[4, n] of the links within components: place of the component, type, what the label
        counts as, and type."""
        cdef Noted *noted = self.h.noted
        cdef uint32_t i, k, t, c, m = 0, source, label
        counted = np.cumsum(cyclic[:found], dtype=np.uint32) if found else np.zeros(0, np.uint32)
        out = np.empty((4, noted.links), np.uint32)
        cdef uint32_t[:, ::1] view = out
        cdef uint32_t[::1] place = counted
        for i in range(noted.length):
            c = self.component[i]
            if not cyclic[c]:
                continue
            source = self.holder[i] - 1 if self.holder[i] else i
            for k in range(noted.freed[i].first, self.end_of(i)):
                t = self.to[k]
                if t == NONE or self.component[t] != c or self.holder[t] == i + 1:
                    continue
                label = self.name[k]
                if label >= POSITION_LABEL:
                    label = 0
                elif label >= INDEX_LABEL:
                    label = self.indexed
                else:
                    label = self.attribute[label] if self.holder[i] else self.folded[label]
                view[0, m] = place[c] - 1
                view[1, m] = self.type_of[noted.freed[source].shape]
                view[2, m] = label
                view[3, m] = self.type_of[noted.freed[t].shape]
                m += 1
        return out[:, :m]

    def example(self, uint32_t number, uint32_t at, uint32_t most):
        """(ids, [(from, label, to, whether it is a key of a `__dict__`)]) of the component with that
        number, by places in the ids: up to `most` objects, breadth-first from the one whose id is
        `at`; labels as in readings. A `__dict__` that is no object of its own is left out."""
        cdef Noted *noted = self.h.noted
        cdef uint32_t i, k, t, source, done = 0
        ids, place, queue, links = [], {}, [], []
        place[self.local[at] - 1] = None
        queue.append(self.local[at] - 1)
        while done < len(queue):
            i = queue[done]
            done += 1
            if not self.holder[i]:
                place[i] = len(ids)
                ids.append(noted.freed[i].id)
            for k in range(noted.freed[i].first, self.end_of(i)):
                t = self.to[k]
                if t == NONE or self.component[t] != number:
                    continue
                if t not in place and len(queue) < most:
                    place[t] = None
                    queue.append(t)
                source = self.holder[i] - 1 if self.holder[i] else i
                if not self.holder[t]:
                    links.append((source, self.name[k], t, self.holder[i] != 0))
        return ids, [(place[one], label, place[other], key) for one, label, other, key in links
                     if place.get(one) is not None and place.get(other) is not None]

    # -- components --

    cdef uint32_t end_of(self, uint32_t i) noexcept nogil:
        """Where the links of an object end."""
        return self.h.noted.freed[i].first + self.h.noted.freed[i].degree

    cdef void resolve(self) noexcept nogil:
        """Where each link leads among what the same collection freed."""
        cdef Noted *noted = self.h.noted
        cdef uint32_t i, k, t
        for i in range(noted.length):
            for k in range(noted.freed[i].first, self.end_of(i)):
                t = self.local[noted.link[k].target]
                if t and noted.freed[t - 1].collection == noted.freed[i].collection:
                    self.to[k] = t - 1
                else:
                    self.to[k] = NONE

    cdef uint32_t search(self, uint32_t[:, ::1] room) noexcept nogil:
        """Number components in reverse topological order; how many there are."""
        cdef Noted *noted = self.h.noted
        cdef uint32_t n = noted.length, root, i, k, t, next_ = 1, depth = 0, open_ = 0
        cdef uint32_t found = 0, member
        cdef uint32_t *index = &room[0, 0]
        cdef uint32_t *low = &room[1, 0]
        cdef uint32_t *stack = &room[2, 0]
        cdef uint32_t *path = &room[3, 0]
        cdef uint32_t *at = &self.order[0]      # the next link of an object, until all is found
        for i in range(n):
            self.component[i] = NONE
            at[i] = noted.freed[i].first
        for root in range(n):
            if index[root]:
                continue
            index[root] = low[root] = next_
            next_ += 1
            stack[open_] = root
            open_ += 1
            path[depth] = root
            depth += 1
            while depth:
                i = path[depth - 1]
                if at[i] < self.end_of(i):
                    t = self.to[at[i]]
                    at[i] += 1
                    if t == NONE:
                        continue
                    if not index[t]:
                        index[t] = low[t] = next_
                        next_ += 1
                        stack[open_] = t
                        open_ += 1
                        path[depth] = t
                        depth += 1
                    elif self.component[t] == NONE and index[t] < low[i]:
                        low[i] = index[t]
                    continue
                depth -= 1
                if depth and low[i] < low[path[depth - 1]]:
                    low[path[depth - 1]] = low[i]
                if low[i] == index[i]:
                    while True:
                        open_ -= 1
                        member = stack[open_]
                        self.component[member] = found
                        if member == i:
                            break
                    found += 1
        # Members in the order in which they were freed, component by component.
        for k in range(found + 1):
            self.begin[k] = 0
        for i in range(n):
            self.begin[self.component[i] + 1] += 1
        for k in range(found):
            self.begin[k + 1] += self.begin[k]
            low[k] = self.begin[k]
        for i in range(n):
            k = self.component[i]
            self.order[low[k]] = i
            low[k] += 1
        return found

    cdef void find_cycles(self, uint8_t[::1] cyclic, uint32_t[::1] eldest) noexcept nogil:
        """Which components are cycles, and the id of the oldest object of each."""
        cdef Noted *noted = self.h.noted
        cdef uint32_t c, i, k
        for i in range(noted.length):
            c = self.component[i]
            if noted.freed[i].id < eldest[c]:
                eldest[c] = noted.freed[i].id
            if self.begin[c + 1] - self.begin[c] > 1:
                cyclic[c] = 1
                continue
            for k in range(noted.freed[i].first, self.end_of(i)):
                if self.to[k] == i:
                    cyclic[c] = 1

    cdef void attribute_hanging(self, uint32_t found, uint8_t[::1] cyclic, uint32_t[::1] owner,
                                uint32_t[::1] eldest) noexcept nogil:
        """What hangs from cycles counts to that of those that hold it, or hold what it hangs from,
        which has the oldest object."""
        cdef Noted *noted = self.h.noted
        cdef uint32_t c, d, m, k, mine, turn
        for turn in range(found):
            c = found - 1 - turn                # holders first
            if cyclic[c]:
                owner[c] = c
            mine = owner[c]
            if mine == NONE:
                continue
            for m in range(self.begin[c], self.begin[c + 1]):
                for k in range(noted.freed[self.order[m]].first, self.end_of(self.order[m])):
                    if self.to[k] == NONE:
                        continue
                    d = self.component[self.to[k]]
                    if d != c and not cyclic[d] and (
                            owner[d] == NONE or eldest[mine] < eldest[owner[d]]):
                        owner[d] = mine

    # -- names --

    cdef void name_links(self, uint8_t[::1] cyclic, uint32_t *head) noexcept nogil:
        """Of the links inside of components: as the last reading of the holder names them, those to
        one target in their order, else as the log does. `head`: 0 by object."""
        cdef Noted *noted = self.h.noted
        cdef uint32_t c, i, k, t, r, begin, end, row, label
        for i in range(noted.length):
            c = self.component[i]
            if not cyclic[c]:
                continue
            row = self.reading[noted.freed[i].id]
            begin = self.first[row - 1] if row else 0
            end = self.first[row] if row else 0
            for r in range(end - begin):
                r = end - 1 - r
                t = self.local[self.target[r]]
                if t:
                    self.chain[r - begin] = head[t - 1]
                    head[t - 1] = r - begin + 1
            for k in range(noted.freed[i].first, self.end_of(i)):
                t = self.to[k]
                if t == NONE or self.component[t] != c:
                    continue
                label = noted.link[k].label
                if head[t]:
                    label = self.label[begin + head[t] - 1]
                    head[t] = self.chain[head[t] - 1]
                self.name[k] = label if label != <uint32_t>OPAQUE else 0
            for r in range(begin, end):
                t = self.local[self.target[r]]
                if t:
                    head[t - 1] = 0

    cdef void find_holders(self, uint8_t[::1] cyclic, uint32_t *held) noexcept nogil:
        """A `__dict__` that its instance alone holds is no object of its own in a shape.
        `held`: 0 by object."""
        cdef Noted *noted = self.h.noted
        cdef uint32_t i, k, t
        for i in range(noted.length):
            for k in range(noted.freed[i].first, self.end_of(i)):
                if self.to[k] != NONE:
                    held[self.to[k]] += 1
        for i in range(noted.length):
            if not cyclic[self.component[i]]:
                continue
            for k in range(noted.freed[i].first, self.end_of(i)):
                t = self.to[k]
                if (t != NONE and t != i and held[t] == 1 and self.name[k] == self.own_dict
                        and self.own_dict and self.is_dict[noted.freed[t].shape]
                        and self.component[t] == self.component[i]):
                    self.holder[t] = i + 1

