"""A least-recently-used cache as a doubly linked list, one per session.

Neighbours refer to each other, so a dropped cache is a cycle: reference counting frees none of
it, the collector has to find it.
"""


class Node:
    """A cached value between its neighbours."""

    def __init__(self, key, value):
        self.key = key
        self.value = value
        self.newer = None
        self.older = None


class Cache:
    """Keeps the `capacity` values used last."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.nodes = {}
        self.ends = Node(None, None)  # its `older` is the newest node, its `newer` the oldest
        self.ends.newer = self.ends.older = self.ends

    def get(self, key):
        node = self.nodes.get(key)
        if node is None:
            return None
        self._take_out(node)
        self._put_first(node)
        return node.value

    def set(self, key, value):
        node = self.nodes[key] = Node(key, value)
        self._put_first(node)
        if len(self.nodes) > self.capacity:
            oldest = self.ends.newer
            self._take_out(oldest)
            del self.nodes[oldest.key]

    def _put_first(self, node):
        newest = self.ends.older
        node.older, node.newer = newest, self.ends
        newest.newer = self.ends.older = node

    def _take_out(self, node):
        node.older.newer, node.newer.older = node.newer, node.older


def session(number):
    """Use a cache for a while and drop it; the value is the number of hits."""
    cache = Cache(capacity=40)
    hits = 0
    for step in range(120):
        key = (number * 7 + step * step) % 61
        if cache.get(key) is not None:
            hits += 1
        else:
            cache.set(key, [key, {"step": step}])
    return hits


def main():
    hits = sum(session(number) for number in range(400))
    print(f"400 sessions, {hits} hits of {400 * 120} look-ups")


if __name__ == "__main__":
    main()
