"""Trees whose nodes know their parents: the classic cycle. `cut`: they know them weakly."""

import sys
import weakref

CUT = "cut" in sys.argv[1:]


class Node:
    def __init__(self, parent=None):
        self.parent = weakref.ref(parent) if CUT and parent is not None else parent
        self.children = []
        self.payload = bytes(400)


def grown(depth, parent=None):
    node = Node(parent)
    if depth:
        node.children = [grown(depth - 1, node) for _ in range(2)]
    return node


for _ in range(300):
    tree = grown(5)
