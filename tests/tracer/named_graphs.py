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
import contextlib
import functools
import gc
import json
import operator
import sys
import types
import weakref

GC, HEAP = 1 << 14, 1 << 9


class Root(list):
    __slots__ = ()


class Plain:
    pass


class Slotted:
    __slots__ = ("left", "right")


class MoreSlots(Slotted):
    __slots__ = ("__weakref__", "third")


class SlotsAndDict(Slotted):
    pass


class ListChild(list):
    pass


class DictChild(dict):
    __slots__ = ("note",)


class TupleChild(tuple):
    pass


class SetChild(set):
    pass


class Trouble(Exception):
    pass


attributes = {}
"""By id: the names of attributes that an instance was given."""
locals_of = {}
"""By id: the locals of a generator or coroutine that nobody has looked into."""
materialized = set()
loop = asyncio.new_event_loop()


def with_attributes(x, **given):
    for name, value in given.items():
        setattr(x, name, value)
    attributes[id(x)] = list(given)
    return x


def plain(a, b, c):
    return with_attributes(Plain(), first=a, second=b)


def plain_with_dict(a, b, c):
    x = plain(a, b, c)
    x.__dict__["third"] = c
    attributes[id(x)].append("third")
    materialized.add(id(x))
    return x


def own_class(a, b, c):
    names = {"method": lambda self: a, "value": b}
    if type(a) is Slotted:
        names["__slots__"] = ("own",)
        x = type("Own", (Slotted,), names)()
        return with_attributes(x, own=a, left=b)
    return with_attributes(type("Own", (Plain,), names)(), only=c)


def slotted(a, b, c):
    return with_attributes(Slotted(), left=a, right=b)


def more_slots(a, b, c):
    return with_attributes(MoreSlots(), left=a, right=a, third=c)


def slots_and_dict(a, b, c):
    return with_attributes(SlotsAndDict(), right=a, other=b)


def some_list(a, b, c):
    return [a, None, b, a, "text"]


def some_tuple(a, b, c):
    return a, 7, b


def list_child(a, b, c):
    return with_attributes(ListChild([a, b]), name=c)


def tuple_child(a, b, c):
    return with_attributes(TupleChild([a, b, 1]), name=c)


def text_dict(a, b, c):
    return {"a": a, "b" * 80: b, "c" * 81: c, "gone": 1}


def mixed_dict(a, b, c):
    x = {"\u00e9\u4e2d": a, 7: b, (1, 2): c, "gone": a}
    del x["gone"]
    return x


def dict_child(a, b, c):
    x = DictChild(a=a, b=b)
    x.note = c
    attributes[id(x)] = ["note"]
    return x


def default_dict(a, b, c):
    x = collections.defaultdict(lambda: a, one=b)
    x["two"]
    return x


def ordered_dict(a, b, c):
    return collections.OrderedDict(first=a, second=b)


def some_set(a, b, c):
    return {Key(a)}


def some_frozenset(a, b, c):
    return frozenset([Key(a)])


def set_child(a, b, c):
    return with_attributes(SetChild([Key(a)]), name=b)


class Key:
    __slots__ = ("held",)

    def __init__(self, held):
        self.held = held
        attributes[id(self)] = ["held"]


def closure(a, b, c):
    def inner(x=a, *, y=b):
        return c, a

    return inner


def annotated(a, b, c):
    def inner():
        return inner

    inner.tag = a
    inner.__annotations__ = {"return": list}
    return inner


def cell(a, b, c):
    return types.CellType(a)


def bound_method(a, b, c):
    return types.MethodType(closure(a, b, c), b)


def builtin_method(a, b, c):
    return [a].append


def partial(a, b, c):
    return functools.partial(closure(a, b, c), a, word=b)


def cached(a, b, c):
    @functools.lru_cache(maxsize=None if type(a) is list else 4)
    def compute(x):
        return a

    compute(Key(b))
    return compute


def cached_property(a, b, c):
    x = with_attributes(functools.cached_property(closure(a, b, c)), name=c)
    attributes[id(x)] += ["func", "lock"]
    return x


def some_property(a, b, c):
    return property(closure(a, b, c), closure(b, c, a))


def class_method(a, b, c):
    return classmethod(closure(a, b, c))


def static_method(a, b, c):
    return staticmethod(closure(a, b, c))


def deque(a, b, c):
    return collections.deque([a, b, None, c] * 30)


def generating(a, b):
    x, unset = [a], None
    del unset
    yield from [b, x]
    return a


def generator(a, b, c):
    x = generating(a, b)
    next(x)
    locals_of[id(x)] = ("a", a), ("b", b)
    return x


def unbegun(a, b, c):
    x = generating(a, b)
    locals_of[id(x)] = ("a", a), ("b", b)
    return x


def generator_looked_at(a, b, c):
    x = generating(a, b)
    next(x)
    x.gi_frame.f_locals  # noqa: B018 - makes them
    return x


def ended_generator(a, b, c):
    x = generating(a, b)
    list(x)
    return x


def with_cell_generator(a, b, c):
    def generate():
        held = b
        yield lambda: (a, held)
        yield held

    x = generate()
    next(x)
    return x


@types.coroutine
def pause():
    yield


async def awaiting(a, b):
    local = {"a": a}
    await pause()
    return local, b


def coroutine(a, b, c):
    x = awaiting(a, b)
    x.send(None)
    locals_of[id(x)] = ("a", a), ("b", b)
    return x


async def agenerating(a, b):
    yield a
    yield b


def async_generator(a, b, c):
    x = agenerating(a, b)
    with contextlib.suppress(StopIteration):
        x.__anext__().send(None)
    locals_of[id(x)] = ("a", a), ("b", b)
    return x


def fail(a, b):
    held = [a]
    raise Trouble(b, held)


def error(a, b, c):
    try:
        try:
            fail(a, b)
        except Trouble as inner:
            raise ValueError(c) from inner
    except ValueError as outer:
        outer.more = a
        return outer


def error_in_context(a, b, c):
    try:
        try:
            fail(a, b)
        except Trouble:
            {}["missing"]
    except KeyError as outer:
        outer.add_note("a note")
        return outer


def stop_iteration(a, b, c):
    return StopIteration([a])


def missing_attribute(a, b, c):
    try:
        a.no_such_attribute  # noqa: B018
    except AttributeError as error:
        return error.with_traceback(None)


def group(a, b, c):
    return ExceptionGroup("all", [Trouble(a), ValueError(b)])


def frame(a, b, c):
    held = {"c": c}, sys._getframe()
    return held[1]


def module(a, b, c):
    x = types.ModuleType("made.up")
    x.first, x.second = a, b
    return x


def namespace(a, b, c):
    return types.SimpleNamespace(one=a, two=b)


def weak_reference(a, b, c):
    target = plain(a, b, c)
    return with_attributes(Plain(), table=weakref.ref(target, closure(a, b, c)), target=target)


def weak_values(a, b, c):
    x = weakref.WeakValueDictionary()
    target = plain(a, b, c)
    x["key"] = target
    attributes[id(x)] = ["data", "_pending_removals", "_remove", "_iterating"]
    return with_attributes(Plain(), table=x, target=target)


def weak_keys(a, b, c):
    x = weakref.WeakKeyDictionary()
    key = plain(a, b, c)
    x[key] = [b]
    attributes[id(x)] = ["data", "_pending_removals", "_remove", "_iterating"]
    return with_attributes(Plain(), table=x, key=key)


def future(a, b, c):
    x = loop.create_future()
    x.add_done_callback(closure(a, b, c))
    return x


def done_future(a, b, c):
    x = loop.create_future()
    x.set_result([a])
    return x


def task(a, b, c):
    return loop.create_task(awaiting(a, b))


def alias(a, b, c):
    return list[Plain, 7]


def proxy(a, b, c):
    return types.MappingProxyType({"a": a, "b": b})


def iterator(a, b, c):
    return iter([a, b])


def mapped(a, b, c):
    return map(closure(a, b, c), [a])


def getter(a, b, c):
    return operator.methodcaller("find", [a], word=[b])


KINDS = [
    plain, plain_with_dict, own_class, slotted, more_slots, slots_and_dict, some_list, some_tuple, list_child,
    tuple_child, text_dict, mixed_dict, dict_child, default_dict, ordered_dict, some_set, some_frozenset, set_child,
    closure, annotated, cell, bound_method, builtin_method, partial, cached, cached_property, some_property,
    class_method, static_method, deque, generator, unbegun, generator_looked_at, ended_generator, with_cell_generator,
    coroutine, async_generator, error, error_in_context, stop_iteration, missing_attribute, group, frame, module,
    namespace, weak_reference, weak_values, weak_keys, future, done_future, task, alias, proxy, iterator, mapped, getter,
]  # fmt: skip


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
        names += [(".(function)", globals()[x.__name__])]
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
    if x is loop or x == () or x is globals() or x is vars(__builtins__):
        return False
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
