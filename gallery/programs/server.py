"""An asyncio server and its client, over a pair of sockets: each request makes a small tree.

The nodes of a tree know their parent, so the collector has to find them. A mark stands where the
server is ready, one at each request. The stub makes it run unrecorded.
"""

import asyncio
import json
import socket

try:
    from gcreplay_capture import mark
except ImportError:

    def mark(label):
        """Without a recording there is nothing to mark."""


class Node:
    def __init__(self, parent, value):
        self.parent = parent
        self.value = value
        self.children = []
        if parent is not None:
            parent.children.append(self)


PRODUCTS = {}


def stock():
    """What the service knows: it stays."""
    for number in range(12_000):
        PRODUCTS[number] = {"name": f"product {number}", "parts": [number, number + 1]}


def answer(request):
    root = Node(None, request["id"])
    for number in range(60):
        product = PRODUCTS[(request["id"] * 60 + number) % len(PRODUCTS)]
        Node(Node(root, product["name"]), product["parts"])
    return {"id": root.value, "rows": len(root.children)}


async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(json.dumps(answer(json.loads(line))).encode() + b"\n")
        await writer.drain()
    writer.close()


async def ask(reader, writer):
    rows = 0
    for number in range(1500):
        mark(f"request {number}")
        writer.write(json.dumps({"id": number}).encode() + b"\n")
        rows += json.loads(await reader.readline())["rows"]
    writer.close()
    return rows


async def main():
    stock()
    ours, theirs = socket.socketpair()
    server = asyncio.create_task(serve(*await asyncio.open_connection(sock=theirs)))
    mark("ready")
    rows = await ask(*await asyncio.open_connection(sock=ours))
    await server
    print(f"1500 requests, {rows} rows")


if __name__ == "__main__":
    asyncio.run(main())
