"""Policies by name: those of this package, installed ones, and classes in files."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType

from gcreplay.store.errors import UsageError
from gcreplay.store.marks import QUOTED, meant
from gcreplay.store.values import text

from .actions import WRITTEN, action_from, is_action, operand_of, parts_of
from .asking import PolicyError, asking, check_class, check_policy, in_words
from .clairvoyant import Clairvoyant
from .cpython311 import CPython311
from .cpython312 import CPython312
from .cpython313 import CPython313
from .cpython314t import CPython314t
from .cpython315 import CPython315
from .cpython3140 import CPython3140
from .cpython3142 import CPython3142
from .cpython3145 import CPython3145
from .generational import Generational
from .manual import Manual
from .marked import AtMarks
from .marksweep import MarkSweep
from .nimorc import NimORC
from .pep848 import Pep848
from .php import PHP
from .policy import Policy
from .refcount import Refcount

BUILT_IN: Mapping[str, type[Policy]] = MappingProxyType(
    {
        "refcount": Refcount,
        "never": Refcount,
        "generational": Generational,
        "cpython-3.11": CPython311,
        "cpython-3.12": CPython312,
        "cpython-3.13": CPython313,
        "cpython-3.14.0": CPython3140,
        "cpython-3.14.2": CPython3142,
        "cpython-3.14.5": CPython3145,
        "cpython-3.14t": CPython314t,
        "cpython-3.15": CPython315,
        "manual": Manual,
        "pep848": Pep848,
        "mark-sweep": MarkSweep,
        "php": PHP,
        "nim-orc": NimORC,
        "clairvoyant": Clairvoyant,
    }
)
_SPELLED = {"generational": "generational:T0,T1,T2", "mark-sweep": "mark-sweep[:PERCENT]"} | {
    name: f"{name}[:T0,T1,T2]" for name in BUILT_IN if name.startswith(("cpython-", "pep"))
}
_AT_MARKS = {
    "freeze": "freeze@MARK",
    "freeze-at": "freeze-at:FILE:LINE",
    "every": "every:MARK",
    "at": "at:MARK=T0,T1,T2",
    "disabled-until": "disabled-until:MARK",
    "min-interval": "min-interval:SECONDS",
    "without": "without:CALL",
}
_QUOTES = '; a mark with a + stands in quotes, as in every:"A+B"'
GROUP = "gcreplay.policies"
_FILE = re.compile(r"(?P<file>.+\.py):(?P<name>[^:]+)(:(?P<arguments>.*))?")


def known_policies() -> list[tuple[str, str, str]]:
    """(how to name it, what it does in one line, where it comes from) of every known policy."""
    listed = [(_SPELLED.get(name, name), cls.summary, "gcreplay") for name, cls in BUILT_IN.items()]
    listed += [(form, f"combined with +: {what}", "gcreplay") for form, what in WRITTEN.items()]
    for point in _installed():
        source = point.dist.name if point.dist else point.value
        listed.append((point.name, str(getattr(_loaded(point), "summary", "")), source))
    return listed


def runs_a_file(spec: str) -> bool:
    """Whether `make_policy(spec)` would run a Python file: only who typed the name may ask so.

    A line to freeze at and a mark may hold `.py:` as well, and run nothing.
    """
    return _FILE.fullmatch(_but_actions(parts_of(spec))) is not None


def make_policy(spec: str) -> Policy:
    """A fresh policy from `name`, `name:arguments` or `file.py:Class[:arguments]`; and such a one,
    or by default `cpython-3.11`, combined by `+` with what actions.py reads.

    Raises UsageError when there is none of that name or its arguments are malformed.
    """
    try:
        text("a policy", spec)
    except ValueError as error:
        raise UsageError(str(error)) from None
    parts = parts_of(spec)
    if any(map(is_action, parts)):
        return _combined(spec, parts)
    return _collector(spec)


def _collector(spec: str, hint: str = "") -> Policy:
    """A policy that is no combination; `hint` is said where there is none of that name."""
    in_file = _FILE.fullmatch(spec)
    if in_file:
        cls = _class_in(Path(in_file["file"]), in_file["name"])
        return _made(cls, in_file["arguments"], f"{in_file['file']}:{in_file['name']}")
    name, colon, arguments = spec.partition(":")
    found = BUILT_IN.get(name) or next(
        (_loaded(point) for point in _installed() if point.name == name), None
    )
    if found is None:
        known = {one: one for one in [*BUILT_IN, *(point.name for point in _installed())]}
        near = meant(name.partition("@")[0], known | _AT_MARKS)
        raise UsageError(
            f"there is no policy '{name}'{near}; known are {', '.join(known)}, and FILE.py:Class "
            f"names one of yours{hint}"
        )
    return _made(found, arguments if colon else None, name)


def _made(cls: type[Policy], arguments: str | None, where: str) -> Policy:
    """`arguments`: what stands behind the colon; None where there is none."""
    if arguments == "":
        raise UsageError(f"'{where}:' has nothing behind its colon: leave it out, or say more")
    with asking(cls, where):
        return check_policy(cls.from_arguments(arguments or ""), where)


def _combined(spec: str, parts: list[str]) -> Policy:
    actions = [action_from(part) for part in parts if is_action(part)]
    name = _but_actions(parts) or "cpython-3.11"
    collector = _collector(name, next(filter(None, map(_unclosed, parts)), _QUOTES))
    if collector.counts_only:
        raise UsageError(f"'{spec}': {name} obeys no gc.freeze or gc.collect; combine with another")
    return AtMarks(collector, actions)


def _but_actions(parts: list[str]) -> str:
    """The collector. Only an action ends at a `+`: the path of a file may hold one."""
    return "+".join(part for part in parts if not is_action(part))


def _unclosed(part: str) -> str:
    """What to say of an action whose mark begins with a quote, and does not end with one."""
    mark = operand_of(part)
    if is_action(part) and mark.startswith('"') and not re.match(QUOTED, mark, re.DOTALL):
        return f"; the quote in {part} is not closed"
    return ""


def _installed() -> Iterator[EntryPoint]:
    return iter(sorted(entry_points(group=GROUP), key=lambda point: point.name))


def _loaded(point: EntryPoint) -> type[Policy]:
    try:
        found = point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        said = in_words(error)
        raise PolicyError(f"the installed policy '{point.name}' fails to load: {said}") from error
    return check_class(found, f"the entry point {point.value}")


def _class_in(path: Path, name: str) -> type[Policy]:
    if not path.is_file():
        raise UsageError(f"there is no file {path} to take the policy {name} from")
    spec = importlib.util.spec_from_file_location(f"gcreplay_policy_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        found = getattr(module, name, None)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PolicyError(f"{path} fails to run: {in_words(error)}") from error
    if found is None:
        there = [one for one, value in vars(module).items() if isinstance(value, type)]
        raise UsageError(f"{path} has no class {name}{meant(name, there)}")
    return check_class(found, f"{path}:{name}")
