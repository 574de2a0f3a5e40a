"""A shop: it loads a catalogue, then answers requests, with a mark at each.

The catalogue stays, so each full collection looks at all of it: a pause that a customer waits for.
Each order is a cycle: it refers to its lines, and each line refers to its order.
"""

from collections import deque

try:
    from gcreplay_capture import mark
except ImportError:

    def mark(label):
        """Without a recording there is nothing to mark."""


class Article:
    def __init__(self, number):
        self.number = number
        self.cents = 100 + number % 900
        self.tags = [{"colour": number % 7}, {"size": number % 5}]


class Line:
    def __init__(self, order, article):
        self.order = order  # closes the cycle; weakref.ref(order) would not
        self.article = article


class Order:
    def __init__(self, articles):
        self.lines = [Line(self, article) for article in articles]

    def total(self):
        return sum(line.article.cents for line in self.lines)


def load_catalogue(size):
    return [Article(number) for number in range(size)]


def handle(catalogue, number, visits):
    """Answer one request: the price of thirty articles."""
    articles = [catalogue[(number * 31 + i) % len(catalogue)] for i in range(30)]
    visits.append([{"visitor": number, "article": article} for article in articles])
    return Order(articles).total()


def main():
    catalogue = load_catalogue(20_000)
    mark("ready")
    visits = deque(maxlen=400)
    total = 0
    for number in range(2_000):
        mark(f"request {number}")
        total += handle(catalogue, number, visits)
    print(f"2000 requests, {total / 100:.2f} sold")


if __name__ == "__main__":
    main()
