"""An asyncio program, always the same: short tasks by the thousand, exceptions that futures keep,
cancelled tasks, gathers, queues, timers that never fire, and what careless programs leave behind:
exceptions that nobody asks for, tasks and generators that never end. No clock and no chance
decides anything.
"""

import asyncio
from collections import deque

OLD = 3000
ROUNDS = 3000


class Session:
    """Requests that hold their session, which holds them: cycles, once it is forgotten."""

    def __init__(self, number):
        self.number = number
        self.requests = []
        self.left = []


class Request:
    def __init__(self, session, n):
        self.session = session
        self.n = n
        self.error = None
        session.requests.append(self)


class Refused(Exception):
    def __init__(self, request):
        super().__init__(request.n)
        self.request = request


async def answer(request):
    await asyncio.sleep(0)
    if request.n % 5 == 0:
        raise Refused(request)
    return {"n": request.n, "session": request.session}


async def steps(request):
    try:
        for step in range(3):
            await asyncio.sleep(0)
            yield step, request
    finally:
        request.session = None


async def streamed(request):
    return [step async for step, _ in steps(request)]


async def caught(request):
    try:
        return await answer(request)
    except Refused as error:
        request.error = error  # its traceback holds this frame, which holds the request
        return None


async def waits(request, reply):
    try:
        return await reply, request
    finally:
        request.error = [request.n, "never answered"]


async def leave(session):
    """What only the session knows of, and it is known to them: the collector must find it."""
    session.left = [asyncio.ensure_future(answer(Request(session, n))) for n in range(0, 20, 5)]
    reply = asyncio.get_running_loop().create_future()
    session.left.append(asyncio.ensure_future(waits(Request(session, 1), reply)))
    stream = steps(Request(session, 2))
    await anext(stream)
    session.left += [reply, stream]


async def produce(queue, session):
    for n in range(6):
        await queue.put(Request(session, n))
    await queue.put(None)


async def consume(queue):
    taken = 0
    while (await queue.get()) is not None:
        taken += 1
    return taken


async def one_round(number, kept):
    session = Session(number)
    told = await asyncio.gather(
        *(answer(Request(session, n)) for n in range(12)), return_exceptions=True
    )
    refused = sum(isinstance(one, Refused) for one in told)

    futures = [asyncio.ensure_future(answer(Request(session, n))) for n in range(5)]
    await asyncio.wait(futures)
    refused += sum(future.exception() is not None for future in futures)

    never = asyncio.get_running_loop().create_future()
    waiting = [asyncio.ensure_future(asyncio.wait_for(never, 3600)) for _ in range(3)]
    waiting.append(asyncio.ensure_future(asyncio.shield(never)))
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    cancelled = await asyncio.gather(*waiting, return_exceptions=True)

    await asyncio.gather(*(caught(Request(session, n)) for n in range(6)))
    await asyncio.gather(*(streamed(Request(session, n)) for n in range(2)))
    queue = asyncio.Queue(2)
    _, taken = await asyncio.gather(produce(queue, session), consume(queue))

    if number % 3 == 0:
        await leave(session)
    if number % 7 == 0:
        kept[number % 40] = (session, futures, told)  # and what stood there is garbage, now old
    return refused + len(cancelled) + taken


async def main():
    complaints = deque(maxlen=50)
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: complaints.append((context["message"], context.get("exception")))
    )
    old = [Session(-n) for n in range(OLD)]
    for session in old:
        Request(session, 0)
    kept = {}
    total = 0
    for number in range(ROUNDS):
        total += await one_round(number, kept)
    print(total, len(kept), len(old))


asyncio.run(main())
