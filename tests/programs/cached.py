"""A cache of its own for each instance's method. `cut`: the cache knows its instance weakly."""

import functools
import sys
import weakref

CUT = "cut" in sys.argv[1:]


class Report:
    def __init__(self, number):
        self.rows = [[number, i, bytes(300)] for i in range(12)]
        self.total = functools.lru_cache(maxsize=None)(weakly(self._total) if CUT else self._total)

    def _total(self, column):
        return sum(row[column] for row in self.rows)


def weakly(method):
    of = weakref.WeakMethod(method)
    return lambda column: of()(column)


totals = []
for number in range(3_000):
    report = Report(number)
    totals.append([report.total(0), report.total(1), report.total(0)])
