"""Requests that leave something behind: an audit that nobody empties, beside a cache that fills.

A mark stands at the start of every request. The stub makes the program run unrecorded.
"""

from collections import deque

try:
    from gcreplay_capture import mark
except ImportError:

    def mark(label):
        """Without a recording there is nothing to mark."""


HISTORY = deque()
PRICES = {}


class Entry:
    def __init__(self, number, items):
        self.number = number
        self.payload = [item.upper() for item in items]


def price(item):
    if item not in PRICES:
        PRICES[item] = {"item": item, "cents": 100 * len(item)}
    return PRICES[item]["cents"]


def handle(number):
    items = [f"item {number % 50 + i}" for i in range(3)]
    HISTORY.append(Entry(number, items))  # the last ten would do: deque(maxlen=10)
    return sum(map(price, items))


def main():
    total = 0
    for number in range(3000):
        mark(f"request {number}")
        total += handle(number)
    print(f"3000 requests, {total} cents, {len(HISTORY)} entries in the history")


if __name__ == "__main__":
    main()
