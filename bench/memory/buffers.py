"""Bytearrays in cyclic structures: connections whose sides know each other, each with a buffer."""

import random

dice = random.Random(7)


class Side:
    def __init__(self, room):
        self.other = None
        self.buffer = bytearray(room)
        self.pending = []

    def send(self, data):
        self.other.buffer += data
        self.other.pending.append(bytes(data[:64]))


def connection(n):
    one, other = Side(16_000), Side(dice.randint(500, 30_000))
    one.other, other.other = other, one
    for _ in range(6):
        one.send(bytearray(b"request ") * n)
        other.send(bytearray(b"answer ") * (2 * n))
    return len(one.buffer) + len(other.buffer)


print(sum(connection(dice.randint(10, 200)) for _ in range(3000)))
