"""Random programs as Python source: everything that makes, links, drops and collects objects.

A program has six variables that always hold something. Every statement is valid whatever they
hold, so that shrinking a failing program leaves a program.
"""

from hypothesis import strategies as st

PREAMBLE = '''
import asyncio, contextvars, functools, gc, sys, threading, types, weakref
class Node: pass
class Slots: __slots__ = ("a", "b", "__weakref__")
class List(list): pass
class Dict(dict): pass
class Told:
    def __del__(self): told.append([len(told)]); len(told) > 20 and told.clear()
told, called = [], []
variable = contextvars.ContextVar("variable")
def callback(ref): called.append([ref]); len(called) > 20 and called.clear()
def put(x, y):
    """x refers to y, in whatever way it can."""
    if isinstance(x, (list, List)): x.append(y)
    elif isinstance(x, (dict, Dict)): x[len(x)] = y
    elif isinstance(x, set): x.add(id(y))
    elif isinstance(x, Slots): x.a = y
    elif isinstance(x, (Node, Told, types.FunctionType, types.SimpleNamespace)): x.link = y
    elif isinstance(x, BaseException): x.args = (y,)
def cut(x):
    """x refers to less."""
    if isinstance(x, (list, List)): del x[len(x) // 2:]
    elif isinstance(x, (dict, Dict)): x.clear()
    elif isinstance(x, Slots): x.a = None
    elif hasattr(x, "__dict__") and not isinstance(x, type): x.__dict__.clear()
def counter(x):
    while True: yield x
def started(x):
    g = counter(x); next(g); return g
def closure(x):
    def inner(): return x
    return inner
def failed(x, depth=3):
    try:
        if depth: failed(x, depth - 1)
        raise ValueError(x)
    except ValueError as error:
        return error
watched = []
def watch(x, *rest):
    try: watched.append(weakref.ref(x, *rest))
    except TypeError: return [x]
    del watched[:-99]
    return watched[-1]
def ask(n): return [one() for one in watched[-n:]]
def deep(x, n):
    for i in range(n): x = [x] if i % 3 else (x, {i: x})
    return x
def suspended(x):
    async def waits(): await later(x); return x
    @types.coroutine
    def later(x): yield x
    c = waits(); c.send(None); return c
def numbered(x):
    async def numbers():
        for i in range(9): yield [i, x]
    async def some():
        async for y in numbers():
            if y[0] == 4: return numbers()
    return asyncio.run(some())
def context(x): variable.set(x); return contextvars.copy_context()
def threads(x):
    ts = [threading.Thread(target=deep, args=(x, 30)) for _ in range(3)]
    for t in ts: t.start()
    for t in ts: t.join()
    return ts
a = b = c = d = e = f = None
'''

NAMES = st.sampled_from("abcdef")
MAKERS = st.sampled_from(
    [
        "Node()", "Slots()", "Told()", "List()", "Dict()", "[]", "{}", "()", "set()",
        "[{x}, {y}]", "({x}, {y})", "{0: {x}}", "{1: 2}", "Dict(k={x})", "List([{x}])",
        "[[i] for i in range(90)]", "[(i, {x}) for i in range(30)]", "{i: [i] for i in range(40)}",
        "tuple([[] for i in range(21)])", "list(({x},) * 25)", "dict.fromkeys(range(9), {y})",
        "started({x})", "closure({x})", "failed({x})", "deep({x}, 40)", "lambda y={x}: y",
        "functools.partial(put, {x})", "types.SimpleNamespace(x={x})", "[].append", "{x}.__class__",
        "watch({x})", "watch({x}, callback)", "ask(1)", "[*ask(9)][::2]", "len(ask(50))", "weakref.WeakValueDictionary()", "iter([{x}])",
        "map(id, [{x}])", "slice({x}, None)", "type('T', (), {'x': {x}})", "frozenset([1])",
        "[*range(3)] * 20", "None", "suspended({x})", "numbered({x})", "threads({x})",
        "contextvars.Context().run(context, {x})", "slice([{x}], {y})", "[*range(9)][1:][::2]",
        "[[i, {x}] for i in range(5000)]", "dict.fromkeys(range(3000), {x})", "set(range(2000))",
        "tuple([{x}] for _ in range(1000))", "(lambda: (yield {x}))()", "memoryview(bytearray(8))",
        "{**{1: {x}}, 2: {y}}", "types.MethodType(put, {x} or 0)", "types.MappingProxyType({1: {x}})",
    ]
)  # fmt: skip
COLLECTOR = st.sampled_from(
    [
        "gc.collect()", "gc.collect(0)", "gc.collect(1)", "gc.disable()", "gc.enable()",
        "gc.set_threshold(700, 10, 10)", "gc.set_threshold(30, 3, 2)", "gc.set_threshold(5, 2)",
        "gc.set_threshold(0)", "gc.set_threshold(1, 0, 0)", "gc.freeze()", "gc.unfreeze()",
        "gc.get_objects()", "gc.get_referrers({x})", "gc.get_referents({x})", "gc.get_stats()",
        "gc.freeze(); gc.collect(); gc.unfreeze()", "gc.set_threshold(3, 1, 1)",
    ]
)  # fmt: skip


@st.composite
def statements(draw: st.DrawFn, depth: int = 2) -> str:
    """One statement, perhaps with others inside."""
    x, y, z = draw(NAMES), draw(NAMES), draw(NAMES)
    kinds = ["make"] * 5 + ["put"] * 4 + ["cut", "drop", "swap", "collector", "collector"]
    kind = draw(st.sampled_from(kinds + ["loop", "function", "catch"] * (depth > 0)))
    if kind == "make":
        return f"{x} = " + filled(draw(MAKERS), y, z)
    if kind == "put":
        return f"put({x}, {y})"
    if kind == "collector":
        return filled(draw(COLLECTOR), x, y)
    if kind in ("cut", "drop", "swap"):
        return {"cut": f"cut({x})", "drop": f"{x} = None", "swap": f"{x}, {y} = {y}, {x}"}[kind]
    body = draw(st.lists(statements(depth - 1), min_size=1, max_size=5))
    text = "\n".join(body)
    if kind == "loop":
        return f"for _ in range({draw(st.sampled_from([2, 10, 60]))}):\n" + _indent(text)
    if kind == "function":
        local = "a, b, c, d, e, f"
        inner = f"def g({local}):\n" + _indent(text + f"\nreturn {x}") + f"\n{y} = g({local})"
        return inner
    return (
        "try:\n"
        + _indent(text + "\nraise KeyError")
        + f"\nexcept KeyError as error: put({x}, error)"
    )


def filled(text: str, x: str, y: str) -> str:
    return text.replace("{x}", x).replace("{y}", y)


def _indent(text: str) -> str:
    return "\n".join("    " + line for line in text.splitlines())


ENDING = """
gc.enable(); gc.set_threshold(50)
for _ in range(300): x = [[]]; x[0].append(x)
"""

programs = st.lists(statements(), min_size=5, max_size=25).map(
    lambda lines: PREAMBLE + "\n".join(lines) + ENDING
)
"""Whole programs; at the end the collector runs whatever was done to it."""

RISING = """
class Back:
    def __del__(self): back.append(self); len(back) > 10 and back.clear()
class Linked(Back): __slots__ = ("a",)
back = []
def lose(x, kind):
    saved = kind(); saved.a = [saved, x]
"""

rising_programs = st.lists(
    st.one_of(
        statements(),
        st.builds("lose({}, {})".format, NAMES, st.sampled_from(["Back", "Linked"])),
        st.sampled_from(["back.pop() if back else None", "back.clear()", "gc.collect(1)"]),
    ),
    min_size=5,
    max_size=25,
).map(lambda lines: PREAMBLE + RISING + "\n".join(lines) + ENDING)
"""The same with finalizers that save what was garbage."""

CALLED = """
def on(wanted, text):
    code = compile(text, "callback", "exec")
    gc.callbacks.append(lambda phase, info: exec(code, globals()) if phase == wanted else None)
    del gc.callbacks[:-3]
"""
ACTS = st.sampled_from(
    [
        "gc.disable()", "gc.enable()", "gc.collect()", "gc.collect(0)", "gc.set_threshold(30, 3, 2)",
        "gc.set_threshold(0)", "gc.unfreeze()", "gc.get_objects()", "gc.get_referrers({x})",
        "{x} = None", "{x} = [{y}]", "{x} = Node()", "put({x}, {y})", "cut({x})", "deep({x}, 9)",
    ]
)  # fmt: skip
CALLBACKS = st.builds(
    lambda phase, act, x, y: f"on({phase!r}, {filled(act, x, y)!r})",
    st.sampled_from(["start", "stop"]),
    ACTS,
    NAMES,
    NAMES,
)

called_programs = st.lists(st.one_of(statements(), CALLBACKS), min_size=5, max_size=25).map(
    lambda lines: (
        PREAMBLE + CALLED + "\n".join(lines) + "\ngc.callbacks.clear()" + ENDING
        + "print(gc.get_stats(), gc.get_count())"
    )
)  # fmt: skip
"""The same with up to three gc callbacks that act; they print what the collector has done."""
