"""Greenlets that are switched to from gc callbacks and finalizers, collect there and come back."""

import gc

from greenlet import getcurrent, greenlet


class Node:
    pass


class Switches:
    def __del__(self):
        idle.switch()
        seen.append("finalizer")


def make(n):
    for i in range(n):
        node = Node()
        node.me, node.more = node, [{"i": (i,)}]


def work():
    while True:
        make(20)
        seen.append((gc.collect(), gc.get_count(), gc.get_freeze_count()))
        main.switch()


def wait():
    while True:
        seen.append(gc.collect())
        main.switch()


def told(phase, info):
    if getcurrent() is main:
        other.switch()
    seen.append((phase, info["generation"]))


main, seen = getcurrent(), []
other, idle = greenlet(work), greenlet(wait)
gc.callbacks.append(told)
gc.set_threshold(100, 3, 2)
for _ in range(40):
    make(60)
    last = Switches()
    last.me = last
gc.callbacks.clear()
make(3000)
print(seen, gc.get_stats())
