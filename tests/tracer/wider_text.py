"""Random programs that reach further than most: gc.DEBUG_SAVEALL, ctypes, threads that meet in
finalizers, greenlets. See program_text.py."""

from hypothesis import strategies as st
from program_text import ENDING, NAMES, PREAMBLE, RISING, filled, statements
from reaching_text import REACHES, REACHING

TELLS = "\nprint(gc.get_stats(), gc.get_count())"


def made_of(
    extra: st.SearchStrategy[str], text: str = "", after: str = ""
) -> st.SearchStrategy[str]:
    """Programs of the usual statements and of `extra`, which the preamble `text` is for; they print
    what the collector has done."""
    lines = st.lists(st.one_of(statements(), extra), min_size=5, max_size=25)
    return lines.map(lambda lines: PREAMBLE + text + "\n".join(lines) + after + ENDING + TELLS)


def acts(*texts: str) -> st.SearchStrategy[str]:
    """One of these, with names for {x} and {y}."""
    return st.builds(filled, st.sampled_from(texts), NAMES, NAMES)


saving_programs = made_of(
    acts(
        "gc.set_debug(gc.DEBUG_SAVEALL)", "gc.set_debug(gc.DEBUG_UNCOLLECTABLE)", "gc.set_debug(0)",
        "gc.garbage.clear()", "del gc.garbage[::2]", "{x} = gc.garbage[-3:]", "gc.collect()",
        "lose({x}, Back)", "lose({x}, Linked)", "for _ in range(40): lose({x}, Back)", "back.clear()",
        "for _ in range(30): {x} = Node(); {x}.me = {x}",
    ),
    RISING,
    "\ngc.set_debug(0); gc.garbage.clear()",
)  # fmt: skip

CTYPES = """
import ctypes
class Point(ctypes.Structure): _fields_ = [("x", ctypes.c_int), ("object", ctypes.py_object)]
class Node2(ctypes.Structure): pass
Node2._fields_ = [("next", ctypes.POINTER(Node2)), ("object", ctypes.py_object)]
CALLED = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
SORTED = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
libc = ctypes.CDLL(None)
def points(x):
    p = Point(1, [x]); p.me = p; return p
def chain(x):
    n = Node2(object=[x]); n.next = ctypes.pointer(n); return n
def calls(x):
    f = CALLED(lambda n: len([[x] for i in range(n)])); f(9); return f
def sorts(x):
    numbers = (ctypes.c_int * 9)(*range(9, 0, -1))
    libc.qsort(numbers, 9, 4, SORTED(lambda a, b: [a[0]][0] - len([[x]] * b[0])))
    return numbers
def collects(x):
    return CALLED(lambda n: gc.collect(n % 3))(len(str(x)) % 3)
def casts(x): return ctypes.cast(ctypes.pointer(Point(2, [x])), ctypes.POINTER(Point))
"""
ctypes_programs = made_of(
    acts(
        "{x} = points({y})", "{x} = chain({y})", "{x} = calls({y})", "{x} = sorts({y})",
        "{x} = collects({y})", "{x} = casts({y})", "ctypes.pythonapi.PyGC_Collect()",
        "{x} = ctypes.py_object([{y}])", "{x} = ctypes.create_string_buffer(90)",
        "{x} = (Point * 5)()", "{x} = ctypes.POINTER(type('P', (ctypes.Structure,), {}))",
        "for _ in range(40): points([{x}])", "for _ in range(40): calls([{x}])",
        "ctypes.pythonapi.PyGC_Disable(); ctypes.pythonapi.PyGC_Enable()",
    ),
    CTYPES,
)  # fmt: skip

MEETING = """
sys.setswitchinterval(1e-5)
lock = threading.RLock()
class Meets:
    def __init__(self, n): self.n, self.me = n, self
    def __del__(self):
        with lock: told.append([[i] for i in range(self.n)]); len(told) > 20 and told.clear()
        if self.n % 3 == 0: back.append(self); len(back) > 10 and back.clear()
        if self.n % 3 == 1: self.me = None
back = []
def meets(ref): called.append([ref]); [[] for i in range(30)]; len(called) > 20 and called.clear()
def runs(*works):
    ts = [threading.Thread(target=work) for work in works for _ in range(3)]
    for t in ts: t.start()
    for t in ts: t.join()
def meet():
    for i in range(60): Meets(i)
def watched_by_callbacks():
    for i in range(60):
        node = Node(); node.me = node; watched.append(weakref.ref(node, meets))
def loses():
    for i in range(40): lose(Acts("a = reach()"), Meets(i))
"""
meeting_programs = st.lists(
    st.one_of(
        statements(),
        REACHES,
        acts(
            "runs(meet)", "runs(meet, watched_by_callbacks)", "runs(loses)", "runs(meet, gc.collect)",
            "runs(lambda: [Meets(i) for i in range(99)], lambda: deep({x}, 90))",
            "runs(lambda: [put({x}, [{y}]) for i in range(50)], meet)",
            "runs(watched_by_callbacks, back.clear)",
        ),
    ),
    min_size=5,
    max_size=20,
).map(
    lambda lines: (
        PREAMBLE + REACHING + MEETING + "\n".join(lines) + "\ngc.callbacks.clear()" + ENDING
    )
)  # fmt: skip
"""No two runs do the same, so they print nothing."""

GREENLETS = """
import greenlet
class Switches:
    def __init__(self, x): self.x, self.me = x, self
    def __del__(self):
        told.append(greenlet.greenlet(lambda: [[i] for i in range(9)]).switch())
        len(told) > 20 and told.clear()
def unfinished(x):
    one = greenlet.greenlet(lambda: waits(x)); one.switch(); return one
def waits(x): greenlet.getcurrent().parent.switch(x); return x
def failing(x):
    def fails(): raise KeyError(x)
    try: greenlet.greenlet(fails).switch()
    except KeyError as error: return error
def locals_of(x):
    one = unfinished(x); one.me = one; return one
"""
GREEN = (
    "{x} = unfinished({y})", "{x} = failing({y})", "{x} = locals_of([{y}])", "Switches({x})",
    "for _ in range(40): Switches({x})", "for _ in range(40): locals_of([{x}])", "gc.collect(1)",
    "for _ in range(20): failing([{x}])", "{x} = greenlet.greenlet(lambda: {y})",
    "{x} = isinstance({y}, greenlet.greenlet) and not {y}.dead and {y}.gr_frame",
)  # fmt: skip
greenlet_programs = made_of(acts(*GREEN), GREENLETS)

GEVENT = """
import gevent, gevent.event, gevent.pool, gevent.queue
def spawned(x):
    jobs = [gevent.spawn(deep, x, 9) for _ in range(9)]; gevent.joinall(jobs); return jobs
def killed(x):
    job = gevent.spawn(gevent.sleep, 100); gevent.sleep(0); job.kill(); job.x = x; return job
def fails(x):
    job = gevent.spawn(put, x); job.join(); return job.exception
def queued(x):
    q = gevent.queue.Queue(); gevent.spawn(q.put, [x]); return q.get()
def pooled(x): return gevent.pool.Pool(3).map(lambda n: [x, n], range(9))
def event(x):
    e = gevent.event.AsyncResult(); gevent.spawn(e.set, x); return [e.get(), e]
def quiet(*told): pass
gevent.get_hub().handle_error = quiet
for first in (spawned, killed, fails, queued, pooled, event): first(0)
"""
"""What gevent imports when it is first used is imported: `marshal` shows the collector tuples that
it is still filling, and those the interpreter does not untrack."""
gevent_programs = made_of(
    acts(
        *GREEN, "{x} = spawned({y})", "{x} = killed({y})", "{x} = fails({y})", "{x} = queued({y})",
        "{x} = pooled({y})", "{x} = event({y})", "for _ in range(9): killed([{x}])",
        "for _ in range(20): fails([{x}])", "gevent.sleep(0)",
    ),
    GREENLETS + GEVENT,
)  # fmt: skip
