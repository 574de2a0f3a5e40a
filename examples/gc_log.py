"""Log the garbage collections of a program: copy this file, and call `gc_log.start("gc.jsonl")`.

It writes one line of JSON a collection, for `gcreplay check RECORDING --against gc.jsonl`, and
needs the standard library alone. What cannot be written is lost in silence; the program goes on.
"""

import atexit
import gc
import os
import sys
import time

HEAD = '{"gc_log":1,"pid":%d,"time":%.3f,"cpu_ns":%d,"python":"%s","threshold":[%d,%d,%d]}\n'
LINE = (
    '{"pid":%d,"time":%.3f,"cpu_ns":%d,"generation":%d,"collected":%d,"uncollectable":%d,'
    '"duration_ns":%d,"threshold":[%d,%d,%d],"count":[%d,%d,%d]}\n'
)
EXIT = '{"pid":%d,"time":%.3f,"cpu_ns":%d,"heap":%d}\n'


def start(path):
    """Write to that file from now on; what other processes write into it stays, a line each."""
    path = os.path.abspath(path)  # noqa: PTH100 - pathlib imports more than all of this
    began, count = 0, (0, 0, 0)

    def write(form, *values):
        line = form % (os.getpid(), time.time(), time.process_time_ns(), *values)
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:  # not kept open: a program may close it, and then its number is another file's
            os.write(log, line.encode())
        finally:
            os.close(log)

    def collection(phase, info):
        nonlocal began, count
        try:
            if phase == "start":
                count, began = gc.get_count(), time.thread_time_ns()
            elif began:
                took = time.thread_time_ns() - began
                found = info["generation"], info["collected"], info["uncollectable"]
                write(LINE, *found, took, *gc.get_threshold(), *count)
        except Exception:
            pass  # the program does not care for its log

    def ending():
        try:
            gc.callbacks.remove(collection)  # what is collected at the exit is not production
            write(EXIT, len(gc.get_objects()))
        except Exception:
            pass

    write(HEAD, sys.version.split()[0], *gc.get_threshold())
    gc.callbacks.append(collection)
    atexit.register(ending)
