"""A client a request, kept by its own callback. `cut`: it holds its method weakly."""

import sys
import weakref

CUT = "cut" in sys.argv[1:]


class Client:
    def __init__(self, number):
        self.number = number
        self.headers = [(f"x-{i}", [str(i)]) for i in range(8)]
        self.body = bytearray(2_000)
        self.on_reply = weakref.WeakMethod(self.handle) if CUT else self.handle

    def handle(self, text):
        return f"{self.number}: {text}"

    def request(self):
        on_reply = self.on_reply() if CUT else self.on_reply
        return on_reply("ok")


replies = []
for number in range(4_000):
    replies.append([number, Client(number).request()])
