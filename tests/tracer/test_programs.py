"""Kinds of programs and shapes of heaps: each recording replays to the real collections."""

from pathlib import Path
from textwrap import dedent

import pytest
from recording import checked, collections, recorded_code, run_plain, run_recorded

PROGRAMS = {
    "four threads": """
        import threading, gc
        class Node: pass
        def work():
            for i in range(4000):
                a = Node(); b = [a, {"i": (i, a)}]; a.b = b
        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads: t.start()
        for t in threads: t.join()
        """,
    "thread locals": """
        import threading, queue
        local, q = threading.local(), queue.Queue()
        def work():
            local.x = [local]
            for i in range(500): q.put((i, [i]))
        ts = [threading.Thread(target=work) for _ in range(8)]
        [t.start() for t in ts]; [t.join() for t in ts]
        while not q.empty(): q.get()
        """,
    "asyncio": """
        import asyncio
        class Session: pass
        async def numbers(n):
            try:
                for i in range(n):
                    yield [i]
                    await asyncio.sleep(0)
            finally:
                await asyncio.sleep(0)
        async def client(i):
            s = Session(); s.task = asyncio.current_task(); s.me = s
            total = 0
            async for x in numbers(20):
                total += x[0]
                if i % 3 == 0 and total > 50: break
            try:
                async with asyncio.timeout(0.0001 if i % 7 == 0 else 60):
                    await asyncio.sleep(0 if i % 7 else 0.01)
            except TimeoutError as e:
                s.error = e
            return s
        async def main():
            for _ in range(5):
                await asyncio.gather(*(client(i) for i in range(40)))
        asyncio.run(main())
        """,
    "context variables": """
        import contextvars
        var = contextvars.ContextVar("var")
        def f(i): var.set([i]); return contextvars.copy_context()
        kept = [contextvars.copy_context().run(f, i) for i in range(600)]
        del kept[::2]
        for i in range(2000): contextvars.copy_context()
        """,
    "slices": "x = list(range(50))\nfor i in range(3000):\n    x[i % 40:][slice(1, [i], None).start:]\n",
    "weak reference callbacks": """
        import weakref, gc
        class Node: pass
        seen = []
        def gone(ref): seen.append([ref])
        refs = []
        for i in range(3000):
            a, b = Node(), Node(); a.b, b.a = b, a
            refs.append(weakref.ref(a, gone)); refs.append(weakref.ref(b))
            if i % 5 == 0: a.ref = weakref.ref(b, gone)
            if len(refs) > 500: del refs[:400]
            if len(seen) > 100: seen.clear()
        """,
    "weak dictionaries": """
        import weakref
        class Node: pass
        values, keys, kept = weakref.WeakValueDictionary(), weakref.WeakKeyDictionary(), []
        for i in range(3000):
            n = Node(); n.me = n; values[i] = n; keys[n] = [i]
            if i % 10 == 0: kept.append(n)
        """,
    "finalizers that allocate": """
        class Node:
            def __del__(self): self.more = [{"x": [1]} for _ in range(3)]
        for i in range(4000):
            n = Node(); n.me = n
            if i % 2: n.me = None
        """,
    "weakref.finalize": """
        import weakref
        class Node: pass
        done = []
        for i in range(2000):
            n = Node(); n.me = n
            weakref.finalize(n, done.append, [i])
        """,
    "generators": """
        def numbers(n):
            held = [n]
            while True: yield held; held = [held, n] if len(held) < 2 else [n]
        def chain(n): yield from numbers(n)
        live = []
        for i in range(3000):
            g = chain(i); next(g); next(g)
            if i % 4 == 0: g.send(None)
            if i % 8 == 0: live.append(g)
            if len(live) > 100: live.clear()
        """,
    "exceptions with tracebacks": """
        def deep(n):
            here = [n]
            if n == 0: raise ValueError(here)
            try: deep(n - 1)
            except ValueError as error: raise KeyError(n) from error
        kept = []
        for i in range(400):
            try: deep(5)
            except KeyError as error:
                if i % 3 == 0: kept.append(error)
                if i % 3 == 1: error.me = error
            if len(kept) > 30: kept.clear()
        """,
    "closures and partials": """
        import functools
        def make(n):
            def inner(x): return outer(x) if x else n
            outer = functools.partial(inner)
            return inner
        for i in range(4000): make([i])
        @functools.lru_cache(maxsize=100)
        def cached(i): return [cached, i]
        for i in range(3000): cached(i % 300)
        """,
    "classes": """
        class Meta(type):
            registry = []
            def __new__(m, name, bases, d): c = super().__new__(m, name, bases, d); c.me = [c]; return c
        for i in range(300):
            C = Meta(f"C{i}", (), {"x": property(lambda self: self), "__slots__": ("a", "b")})
            D = type("D", (C,), {}); d = D(); d.a = d; d.z = {}
        from dataclasses import make_dataclass
        for i in range(15): make_dataclass(f"R{i}", ["a", "b"])
        from enum import Enum
        for i in range(15): Enum(f"E{i}", ["A", "B"])
        """,
    "containers of all kinds": """
        import collections, types, array, itertools, decimal, fractions, re, datetime
        class L(list): pass
        class D(dict): pass
        class T(tuple): pass
        held = []
        for i in range(1200):
            x = L([i]); x.append(x); y = D(x=x); z = T((x, y)); y["z"] = z
            d = collections.deque([z]); d.append(d); o = collections.OrderedDict(a=d); o["o"] = o
            c = collections.ChainMap({"x": o}); dd = collections.defaultdict(list); dd[1].append(dd)
            s = {frozenset([i]), (i,)}; n = types.SimpleNamespace(s=s); n.n = n
            it = itertools.chain([1], iter([n])); m = types.MappingProxyType({"it": it})
            e = memoryview(bytearray(10)); b = [].append; p = map(b, [m]); next(p)
            g = list[int]; r = reversed([p]); z = zip([r], enumerate([z]))
            held.append((it, z))
            if len(held) > 200: held.clear()
        """,
    "resized containers": """
        for i in range(60):
            x = tuple(j for j in range(i)); y = (); d = {}
            for j in range(i): y += (j, [y]); d[j] = d
            z = [*y]; z *= 3; d.pop(0, None); d.clear()
        class Tup(tuple): pass
        for i in range(500): tuple(iter([[j] for j in range(i % 30)])); Tup(range(i % 30))
        """,
    "free lists": """
        for n in (1, 79, 80, 81, 200, 2100):
            for size in (0, 1, 2, 19, 20, 21):
                x = [tuple(range(i, i + size)) for i in range(n)]; del x
            x = [[] for _ in range(n)]; y = [{} for _ in range(n)]; del x, y
            x = [list(()) for _ in range(n)]; y = [dict() for _ in range(n)]; del x, y
            import gc; gc.collect()
        """,
    "copies, pickles, json": """
        import copy, pickle, json
        x = {"a": [{"b": (i, [i])} for i in range(50)]}; x["me"] = x
        for i in range(20): y = copy.deepcopy(x); z = pickle.loads(pickle.dumps(y)); del x["me"]; json.loads(json.dumps(x)); x["me"] = x
        """,
    "compiles and evaluates": """
        import ast
        text = "def f(a, *b, c=1, **d):\\n    return [lambda x: (x, a) for y in b if (z := y)]\\n" * 20
        for i in range(15):
            tree = ast.parse(text); ast.walk(tree); code = compile(tree, "x", "exec"); names = {}
            exec(code, names); names["f"](1, 2)
        """,
    "a heap that grows and shrinks": """
        held = []
        for i in range(30000):
            held.append([held, (i, {i: [i]})])
            if len(held) == 9000: del held[:8000]
        """,
    "unhashable corner": """
        class Evil:
            def __hash__(self): return len([0] * 5)
            def __eq__(self, o): return {} is o or [o] == 1
        d = {}
        for i in range(2000): d[Evil()] = d; len(d) > 50 and d.popitem()
        """,
}


CYCLES = """
class Last: pass
for i in range(3000):
    last = Last(); last.me = last
"""
"""At the end of every program: the young counter must still be right."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_replay_makes_the_real_collections(tmp_path: Path, name: str) -> None:
    done = recorded_code(tmp_path, dedent(PROGRAMS[name]) + CYCLES)
    assert done.summary.collections > 2


@pytest.mark.parametrize("name", ["asyncio", "weak reference callbacks", "generators"])
@pytest.mark.parametrize("probes", [{"granularity": 1}, {"granularity": 50, "full_probe": 700}])
def test_fine_probes_keep_the_replay_exact(
    tmp_path: Path, name: str, probes: dict[str, int]
) -> None:
    code = dedent(PROGRAMS[name]).replace("000", "00")
    recorded_code(tmp_path, code, **probes)


@pytest.mark.parametrize("kind", ["[x]", "(x,)", "{0: x}", "[(x,)]", "[{0: (x,)}]"])
def test_deep_nesting_is_freed_without_overflow(tmp_path: Path, kind: str) -> None:
    """200,000 levels: only CPython's trashcan, which the capture's deallocators must keep up,
    stands between this and the end of the C stack."""
    code = f"""
import gc
def build():
    x = []
    for _ in range(200_000): x = {kind}
    return x
gc.disable()
x = build(); del x
gc.enable()
x = build(); x = None
print("freed")
"""
    done = recorded_code(tmp_path, code)
    assert done.out == "freed\n"


def test_deep_nesting_in_a_cycle_is_collected(tmp_path: Path) -> None:
    code = """
import gc
x = first = []
for _ in range(100_000): x = [x] if _ % 2 else (x,)
first.append(x)
del x, first
print(gc.collect() >= 50_000)
"""
    assert recorded_code(tmp_path, code).out == "True\n"


def test_a_reference_taken_as_a_holder_died_is_dropped_behind_that(tmp_path: Path) -> None:
    """Only the next probe finds `kept` in the ring, and in garbage since its holder died: what the
    log lets running code take there, lest `kept` dies too, is dropped behind it."""
    recorded_code(
        tmp_path,
        dedent("""
        import gc
        class Node: pass
        holder = Node()
        holder.kept = Node()
        gc.collect()
        ring = Node(); ring.me = ring
        ring.kept = holder.kept
        del holder
        del ring
        gc.collect()
        """),
    )


def test_a_generator_that_holds_itself_is_closed_and_not_collected(tmp_path: Path) -> None:
    """Closing it is its finalizer: the frame goes, the cycle with it, and the interpreter counts
    nothing as collected."""
    code = """
def selfish():
    me = yield
    while True: yield me
for i in range(3000):
    g = selfish(); next(g); g.send(g)
"""
    done = recorded_code(tmp_path, code)
    assert {collected for _, _, collected in collections(done.path)} == {0}


def test_what_a_finalizer_saves_is_not_freed_in_the_replay(tmp_path: Path) -> None:
    """All that is found is saved, so nothing is collected, and `kept`, which what was saved holds,
    lives on when its name goes. A replay that frees it has a lower counter from then on."""
    code = """
import gc
class Back:
    def __del__(self): back.append(self)
class Kept: pass
back = []
for i in range(20):
    kept = Kept()
    saved = Back()
    saved.ring = [saved, kept]
    del saved
    print(gc.collect(0))
    del kept
    x = [[i] for i in range(100)]
gc.set_threshold(50)
for _ in range(300): x = [[]]; x[0].append(x)
"""
    done = recorded_code(tmp_path, code)
    assert done.lines == ["0"] * 20


def test_garbage_that_a_finalizer_kills_is_freed_and_not_counted(tmp_path: Path) -> None:
    """Closing the generator drops its frame and with it `node`, all of which dies by reference
    counting; only `other`, which holds itself, is still unreachable then (gc_collect_main counts
    after finalize_garbage): the object, without a dictionary of its own."""
    code = """
import gc
class Node: pass

def held(node):
    kept = [[] for _ in range(20)]
    yield

gc.collect()
for i in range(30):
    node = Node()
    node.other = other = Node()
    other.me = other
    node.generator = held(node)
    next(node.generator)
    del node, other
    print(gc.collect())
"""
    done = recorded_code(tmp_path, code)
    assert done.lines == ["1"] * 30


def test_numpy(tmp_path: Path) -> None:
    code = """
import numpy as np
class Node: pass
for i in range(2000):
    n = Node(); n.a = np.arange(10); n.o = np.array([n, [n]], dtype=object)
    v = n.a[2:5].reshape(-1, 1); it = np.nditer(v)
print(np.add.reduce(np.ones(5)))
"""
    (tmp_path / "program.py").write_text(code)
    plain = run_plain(tmp_path, "program.py")
    done = run_recorded(tmp_path, "program.py")
    assert done.ran == plain
    assert checked(done.path).recorded > 5


def test_a_user_extension_of_the_allocator_hooks(tmp_path: Path) -> None:
    """tracemalloc puts its own hooks above the capture's, and takes them off again."""
    code = """
import tracemalloc
def work():
    for i in range(3000): a = [i]; b = {0: a}; a.append(b)
work(); tracemalloc.start(); work()
snapshot = tracemalloc.take_snapshot(); print(len(snapshot.statistics("lineno")) > 0)
tracemalloc.stop(); work()
"""
    assert recorded_code(tmp_path, code).out == "True\n"
