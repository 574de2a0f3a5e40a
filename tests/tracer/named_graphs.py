"""A program that makes a random graph of objects of all kinds and says by which names Python itself
reaches what each of them holds; then all of it becomes garbage, which one collection finds, or is
kept to the end.

Its first argument is a list of [kind, number, number, number]: what to make, and what of that made
before it holds; the second is "kept" or "garbage". It prints a list of what it has told of: of each object its type, its title, how many
references to others it has, and [name, number, type of the target, whether it is certain] for each;
null for an object that others hold, too. Number 0 is the one root, whose items are what was made.
"""

import asyncio
import collections
import functools
import gc
import json
import sys
import types
import weakref

import named_kinds
from named_kinds import (
    KINDS,
    DictChild,
    Plain,
    attributes,
    generating,
    locals_of,
    loop,
    materialized,
    with_attributes,
)

GC, HEAP = 1 << 14, 1 << 9


class Root(list):
    __slots__ = ()


def attribute(x, *names):
    return [(f".{name}", getattr(x, name)) for name in names]


def key_name(key):
    if type(key) is not str:
        return f"[{type(key).__name__}]"
    return f"['{key}']" if len(key) <= 80 else f"['{key[:77]}...']"


def local_names(frame, found):
    return [(f":{name}", found[name]) for name in frame.f_code.co_varnames if name in found]


def names_of(x):
    """What Python says that it holds, by name."""
    kind, names = type(x), []
    if isinstance(x, (list, tuple, collections.deque)):
        names += [(f"[{i}]", each) for i, each in enumerate(x)]
    if isinstance(x, dict):
        names += [(key_name(key), value) for key, value in x.items()]
        names += [("(key)", key) for key in x]
    if isinstance(x, (set, frozenset)):
        names += [("(element)", each) for each in x]
    if isinstance(x, BaseException):
        names += attribute(x, "args", "__traceback__", "__cause__", "__context__")
        names += attribute(x, *(n for n in ("value", "obj", "exceptions", "__notes__") if hasattr(x, n)))
        if dict in map(type, gc.get_referents(x)):
            names += attribute(x, "__dict__")
    if id(x) in attributes:
        slots = {name for base in kind.__mro__ for name in base.__dict__.get("__slots__", ())}
        inline = [name for name in attributes[id(x)] if id(x) not in materialized or name in slots]
        names += attribute(x, *inline)
        if id(x) in materialized:
            names += attribute(x, "__dict__")
    if id(x) in locals_of:
        names += [(".(function)", getattr(named_kinds, x.__name__))]
        names += [(f":{name}", value) for name, value in locals_of[id(x)]]
    match kind:
        case types.FunctionType:
            names += attribute(x, "__globals__", "__closure__", "__defaults__", "__kwdefaults__", "__builtins__")
            if x.__name__ == "inner":
                names += attribute(x, *(n for n in ("__dict__", "__annotations__") if hasattr(x, "tag")))
        case types.CellType:
            names += attribute(x, "cell_contents")
        case types.MethodType:
            names += attribute(x, "__func__", "__self__")
        case types.BuiltinMethodType:
            names += attribute(x, "__self__")
        case functools._lru_cache_wrapper:
            names += attribute(x, "__dict__")
        case functools.partial:
            names += attribute(x, "func", "args", "keywords")
        case collections.defaultdict:
            names += attribute(x, "default_factory")
        case builtins_kind if builtins_kind is property:
            names += attribute(x, "fget", "fset", "fdel")
        case builtins_kind if builtins_kind in (classmethod, staticmethod):
            names += attribute(x, "__func__", "__dict__")
        case types.TracebackType:
            names += attribute(x, "tb_next", "tb_frame")
        case types.FrameType:
            names += attribute(x, "f_back", "f_locals")
            names += local_names(x, x.f_locals)
        case types.ModuleType | types.SimpleNamespace:
            names += attribute(x, "__dict__")
        case types.GeneratorType if x.gi_code is generating.__code__ and id(x) not in locals_of and x.gi_frame:
            names += attribute(x, "gi_frame")
            found = x.gi_frame.f_locals
            names += [*local_names(x.gi_frame, found), (".f_locals", found)]
        case weakref.ReferenceType:
            names += attribute(x, "__callback__")
        case weakref.KeyedRef:
            names += attribute(x, "__callback__", "key")
        case asyncio.Future | asyncio.Task:
            names += [("._loop", loop), ("._callbacks", (x._callbacks or [(None,)])[0][0])]
            if kind is asyncio.Task:
                names += [("._coro", x.get_coro())]
            elif x.done():
                names += [("._result", x.result())]
        case types.GenericAlias:
            names += attribute(x, "__origin__", "__args__")
    if kind is type:
        names += [(".__dict__", gc.get_referents(vars(x))[0])]
        names += attribute(x, "__mro__", "__bases__", "__base__")
    if kind.__flags__ & HEAP:
        names += attribute(x, "__class__")
    return names


def title_of(x):
    match type(x):
        case types.FunctionType | types.GeneratorType | types.CoroutineType | types.AsyncGeneratorType:
            return x.__qualname__
        case types.FrameType:
            return x.f_code.co_qualname
        case types.MethodType:
            return x.__func__.__qualname__
        case types.ModuleType:
            return x.__name__
    return x.__qualname__ if isinstance(x, type) else None


def counted(x):
    """Whether it has a header of the collector."""
    kind = type(x)
    return bool(x.__flags__ & HEAP) if isinstance(x, type) else bool(kind.__flags__ & GC)


def known_kind(x):
    """What is told of, with what it holds: nothing that others hold too."""
    running = type(x) is types.FrameType and x.f_code.co_name == "<module>"
    return id(x) not in before and gc.is_tracked(x) and not running


def tell(root):
    numbers, queue, out = {id(root): 0}, [root], []
    for x in queue:  # which grows
        if x is not root and not known_kind(x):
            out.append(None)
            continue
        names = names_of(x)
        referents = [t for t in gc.get_referents(x) if counted(t)]
        visits = collections.Counter(map(id, referents))
        named = collections.Counter(id(t) for _, t in names)
        links = []
        for name, target in names:
            if id(target) not in visits:
                continue
            if id(target) not in numbers:
                numbers[id(target)] = len(queue)
                queue.append(target)
            certain = named[id(target)] <= visits[id(target)]
            links.append([name, numbers[id(target)], type(target).__name__, certain])
        out.append([type(x).__name__, title_of(x), len(referents), links])
    return out


def main():
    root = Root()
    root.append(root)
    for kind, *picks in json.loads(sys.argv[1]):
        root.append(KINDS[kind % len(KINDS)](*(root[pick % len(root)] for pick in picks)))
    for i, x in enumerate(root):  # what is made first holds what is made last, too
        if type(x) is Plain and id(x) in attributes and id(x) not in materialized:
            with_attributes(x, later=root[-1 - i])
            attributes[id(x)] = [n for n in ("first", "second", "table", "key", "target", "later") if hasattr(x, n)]
        if type(x) in (list, DictChild) and x:
            x.append(root[-1 - i]) if type(x) is list else x.update(later=root[-1 - i])
    return root


gc.disable()
before = set(map(id, gc.get_objects()))
kept = [main()]
told = tell(kept[0])
for names in (attributes, locals_of, materialized):
    names.clear()
loop._ready.clear()
print(json.dumps(told))
if sys.argv[2] == "garbage":
    kept.clear()
    gc.collect()
