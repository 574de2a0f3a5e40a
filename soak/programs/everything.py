"""Every kind of object the capture treats in a way of its own, born, changed and dropped."""

import asyncio
import contextvars
import gc
import threading
import types
import weakref

try:
    from gcreplay_capture import mark
except ImportError:

    def mark(label):
        """Without a recording there is nothing to mark."""


class Node:
    pass


class Slots:
    __slots__ = ("__weakref__", "a", "b")


class Told:
    def __del__(self):
        told.append([len(told)])
        if len(told) > 20:
            told.clear()


class Back:
    def __del__(self):
        back.append(self)
        if len(back) > 10:
            back.clear()


told, back, called = [], [], []
variable = contextvars.ContextVar("variable")


def numbers(n):
    held = [n]
    while True:
        yield held
        held = [held, n] if len(held) < 2 else [n]


def deep(n):
    here = [n]
    if n == 0:
        raise ValueError(here)
    try:
        deep(n - 1)
    except ValueError as error:
        raise KeyError(n) from error


async def agen(n):
    for i in range(n):
        yield [i]


async def client(i):
    async for x in agen(5):
        if i % 3 == 0 and x[0] == 2:
            break
        await asyncio.sleep(0)


async def clients():
    await asyncio.gather(*(client(i) for i in range(30)))


def churn(n):
    for i in range(n):
        a, b, s = Node(), Told(), Slots()
        a.me, b.other, s.a = a, a, [s]
        a.ref = weakref.ref(b, called.append)
        if i % 7 == 0:
            Back().me = [a]
        g = numbers(i)
        next(g)
        next(g)
        bytes(i % 600), "x" * (i % 50), [i] * (i % 30), tuple([[]] * (i % 25)), slice(i, [i])
        variable.set([i])
        contextvars.copy_context().run(len, [])
        if i % 20 == 0:
            try:
                deep(4)
            except KeyError as error:
                a.error = error
            exec(f"def f{i}(x): return lambda: (x, [{i}])\nf{i}(1)()", {})
            type(f"T{i}", (Node,), {"x": property(lambda self: self)})().y = types.MethodType(
                len, a
            )
        if i % 50 == 0:
            called.clear()


def thread():
    mark("thread")
    churn(200)


mark("begin")
churn(1200)
asyncio.run(clients())
mark("churned")
gc.freeze()
threads = [threading.Thread(target=thread) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
gc.unfreeze()
gc.collect()
kept = [[i, {i: (i, [i])}] for i in range(3000)]
del kept[::2]
churn(300)
print(len(kept))
