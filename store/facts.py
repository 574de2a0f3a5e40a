"""What a recording's meta says, fact by fact: which values they may have."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import values

_Check = Callable[[str, object], object]


def checked(meta: Mapping[str, object]) -> dict[str, object]:
    """The facts, which JSON can say; others than the known ones are the writer's own.

    Raises ValueError for one that is not what such a fact is.
    """
    for key, value in meta.items():
        values.text("a key of meta", key)
        known = _KNOWN.get(key, values.plain)
        if value is not None:
            known(f"meta {key}", value)
    return dict(meta)


def _line(name: str, value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text, not {values.shown(value)}")
    return value


def _arguments(name: str, value: object) -> object:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{name} must be a list of texts, not {values.shown(value)}")
    return [_line(f"each of {name}", each) for each in value]


def _count(name: str, value: object) -> object:
    return values.whole(name, value, 0, values.I64_MOST)


def _counts(name: str, value: object) -> object:
    return [_count(f"{name} {key}", n) for key, n in values.mapping(name, value).items()]


def _kinds_of_types(name: str, value: object) -> object:
    kinds = values.mapping(name, value).items()
    return [_counts(f"{name} {kind}", types) for kind, types in kinds]


def _exit_code(name: str, value: object) -> object:
    return values.whole(name, value, values.I32_LEAST, values.I32_MOST)


def _model(name: str, value: object) -> object:
    return values.plain(name, values.mapping(name, value))


def _reserved(name: str, value: object) -> object:
    raise ValueError(f"{name} is written by gcreplay itself: leave it out")


_KNOWN: dict[str, _Check] = {
    "schema": _count,
    "checksums": _reserved,
    "complete": values.switch,
    "recovered": values.switch,
    "python": _line,
    "executable": _line,
    "message": _line,
    "spool": _line,
    "counts": _line,
    "checkpoints": _line,
    "argv": _arguments,
    "cuts": _arguments,
    "granularity": _count,
    "full_probe": _count,
    "probe_budget": _count,
    "exit_code": _exit_code,
    "children": _count,
    "own_cpu_ns": _count,
    "own_cpu_measured_ns": _count,
    "exit_cpu_ns": _count,
    "repairs": _counts,
    "unusual_types": _kinds_of_types,
    "pauses": _model,
}
