"""Objects that stay while garbage flows: `steady.py OBJECTS ROUNDS`, 17 events a round."""

import sys


class Node:
    __slots__ = ("me", "rest")


objects, rounds = map(int, sys.argv[1:])
heap = [[i] for i in range(objects)]
for made in range(rounds):
    node = Node()
    node.me = node  # a cycle: garbage for the collector
    node.rest = [{"made": (made, [node])}]
    if made % 10 == 0:  # the old objects change too
        heap[made * 7919 % objects] = [made]
