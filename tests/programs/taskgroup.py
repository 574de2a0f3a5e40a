"""Errors of task groups. `cut`: the frames in their tracebacks are cleared."""

import asyncio
import sys
import traceback

CUT = "cut" in sys.argv[1:]


async def fails(number):
    rows = [[number, i, bytes(200)] for i in range(10)]
    await asyncio.sleep(0)
    raise ValueError(len(rows))


async def batch(number):
    try:
        async with asyncio.TaskGroup() as group:
            for i in range(3):
                group.create_task(fails(number + i))
    except BaseExceptionGroup as group_error:
        if CUT:
            traceback.clear_frames(group_error.__traceback__)
        return len(group_error.exceptions)


async def main():
    return sum([await batch(number) for number in range(400)])


asyncio.run(main())
