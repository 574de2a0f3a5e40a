"""The kinds of objects that `named_graphs.py` makes: each is made of three others, and what Python does
not tell of it is noted.
"""

import asyncio
import collections
import contextlib
import functools
import operator
import sys
import types
import weakref


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
