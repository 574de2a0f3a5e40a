"""A program drawn at random, always the same one: requests over a graph of records with parents,
caches with a bound, closures, generators, exceptions, weak references, and old structures that
change."""

import random
import weakref
from collections import OrderedDict, deque

dice = random.Random(848)


class Record:
    def __init__(self, key, parent=None):
        self.key = key
        self.parent = parent
        self.children = []
        self.attributes = {"key": key, "pair": (key, key + 1)}
        if parent is not None:
            parent.children.append(self)


class Slotted:
    __slots__ = ("back", "next", "value")

    def __init__(self, value):
        self.value = value
        self.next = self.back = None


def tree(depth, width, key):
    root = Record(key)
    level = [root]
    for _ in range(depth):
        level = [Record(key + i, one) for one in level for i in range(width)]
    return root


def ring(n):
    nodes = [Slotted(i) for i in range(n)]
    for one, other in zip(nodes, nodes[1:] + nodes[:1], strict=True):
        one.next, other.back = other, one
    return nodes[0]


def numbers(record):
    for child in record.children:
        yield child.key
        yield from numbers(child)


def failing(record):
    try:
        raise LookupError(record.key)
    except LookupError as error:
        record.error = error
    return lambda: record


old = {key: tree(2, 3, key) for key in range(400)}
cache = OrderedDict()
names = weakref.WeakValueDictionary()
recent = deque(maxlen=60)
total = 0
for request in range(9000):
    key = dice.randrange(400)
    what = dice.randrange(8)
    if what == 0:
        old[key] = tree(2, dice.randrange(1, 5), key)
    elif what == 1:
        cache[request] = ring(dice.randrange(2, 12))
        if len(cache) > 150:
            cache.popitem(last=False)
    elif what == 2:
        total += sum(numbers(old[key]))
    elif what == 3:
        recent.append(failing(Record(key)))
    elif what == 4:
        names[key] = names.get(key) or tree(1, 2, key)
        recent.append(names[key])
    elif what == 5:
        old[key].attributes = dict(old[key].attributes, visited=[request])
    elif what == 6:
        old[key].children[0].parent = old[dice.randrange(400)]
    else:
        total += len([(a, b) for a in range(6) for b in ({}, [a])])
print(total, len(cache), len(recent))
