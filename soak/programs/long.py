"""Two million tracked objects live while garbage flows: `long.py SECONDS`."""

import sys
import time

OBJECTS = 2_000_000


class Node:
    __slots__ = ("me", "rest")


ends = time.monotonic() + float(sys.argv[1])
heap = [[i] for i in range(OBJECTS)]
made = 0
while time.monotonic() < ends:
    for _ in range(1000):
        node = Node()
        node.me = node  # a cycle: garbage for the collector
        node.rest = [{"made": (made, [node])}]
        made += 1
        if made % 10 == 0:  # the old objects change too
            heap[made * 7919 % OBJECTS] = [made]
print(len(heap))
