"""What a program finds of the interpreter's free lists and counters, and when it first collects."""

import sys


class Node:
    def __del__(self):
        log.append(self.number)


def first_finalizer():
    for i in range(3000):
        node = Node()
        node.me = node
        node.number = i
        if log:
            return i


def main(imports):
    import gc
    import json
    import socket

    print(gc.get_count(), gc.get_stats(), json.__name__, socket.__name__)
    print(first_finalizer(), gc.get_count())
    if imports:
        import django
        import numpy

        print(django.get_version(), numpy.zeros(3), gc.get_count(), gc.get_stats())


sys._debugmallocstats()
log = []
main(sys.argv[1:])
