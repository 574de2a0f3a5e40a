"""A closure that calls itself. `cut`: its name is cleared when it has done its work."""

import sys

CUT = "cut" in sys.argv[1:]


def flattened(tree):
    found = []

    def visit(node):
        for child in node:
            if isinstance(child, list):
                visit(child)
            else:
                found.append([child])

    visit(tree)
    if CUT:
        visit = None
    return len(found)


lengths = [
    [number, flattened([number, [number, [number, number]], [number]])] for number in range(5_000)
]
