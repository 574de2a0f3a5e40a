"""Trees whose children know their parent: by a plain reference, or with `--weak` by a weak one.

gcreplay record -o strong.gcreplay examples/tree.py
gcreplay record -o weak.gcreplay examples/tree.py --weak
gcreplay diff strong.gcreplay weak.gcreplay -p cpython-3.11
"""

import sys
import weakref


class Branch:
    """A node; `parent` is what `refer` makes of the parent: itself, or a weak reference."""

    def __init__(self, parent, refer):
        self.parent = None if parent is None else refer(parent)
        self.children = []


def itself(branch):
    return branch


def grow(depth, parent, refer):
    """A binary tree of the given depth; the value is its root."""
    branch = Branch(parent, refer)
    if depth:
        branch.children = [grow(depth - 1, branch, refer) for _ in range(2)]
    return branch


def size(branch):
    return 1 + sum(size(child) for child in branch.children)


def main():
    refer = weakref.ref if "--weak" in sys.argv[1:] else itself
    branches = sum(size(grow(6, None, refer)) for _ in range(200))
    print(f"200 trees, {branches} branches")


if __name__ == "__main__":
    main()
