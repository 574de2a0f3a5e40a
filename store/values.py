"""Values from outside: one rule for each kind, at every border.

A whole number is an int within bounds, as text ASCII digits after at most one sign; `true`, 1.0,
"1", 1_000 and other scripts' digits are none. A text can be written as UTF-8. JSON says each key
once, has no NaN, and nests no deeper than anything of ours. Every function returns the value, or
raises ValueError with a sentence that names it and shows what came instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Final, TypeVar

Choice = TypeVar("Choice", bound=str)

U32_MOST: Final = 2**32 - 1
I32_LEAST: Final = -(2**31)
I32_MOST: Final = 2**31 - 1
I64_MOST: Final = 2**63 - 1
MOST_BYTES: Final = 2**48 - 1
"""More than any object has: what processors of today can address."""
DEEPEST: Final = 100

_SHOWN = 40
_WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")


def whole(name: str, value: object, low: int = 0, high: int = U32_MOST) -> int:
    """A whole number within the bounds, which belong to it."""
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return int(value)
    raise ValueError(f"{name} must be a whole number from {low} to {high}, not {shown(value)}")


def whole_from(name: str, written: str, low: int = 0, high: int = U32_MOST) -> int:
    """As `whole`, of a number written in digits."""
    if _WHOLE.fullmatch(written) and low <= int(written) <= high:
        return int(written)
    raise ValueError(f"{name} must be a whole number from {low} to {high}, not {shown(written)}")


def decimal_from(name: str, written: str) -> Fraction:
    """A number of at most 18 digits, and as many behind a point, exactly."""
    if _DECIMAL.fullmatch(written):
        return Fraction(written)
    raise ValueError(f"{name} must be a number such as 10 or 0.5, not {shown(written)}")


def switch(name: str, value: object) -> bool:
    """True or False."""
    if isinstance(value, bool):
        return value
    raise ValueError(f"{name} must be true or false, not {shown(value)}")


def text(name: str, value: object) -> str:
    """A text that a file can hold."""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text, not {shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"{name} has half a surrogate pair, which is no text: {shown(value)}"
        ) from None
    return value


def one_of(name: str, value: object, choices: Collection[str]) -> str:
    """One of these texts."""
    if isinstance(value, str) and value in choices:
        return value
    raise ValueError(f"{name} must be one of {', '.join(choices)}, not {shown(value)}")


def wholes(
    name: str, value: object, count: int | None = None, low: int = 0, high: int = U32_MOST
) -> tuple[int, ...]:
    """A list of whole numbers, of so many when `count` says so."""
    if not isinstance(value, list | tuple) or (count is not None and len(value) != count):
        many = "" if count is None else f"{count} "
        raise ValueError(f"{name} must be a list of {many}whole numbers, not {shown(value)}")
    return tuple(whole(f"each of {name}", each, low, high) for each in value)


def mapping(name: str, value: object, keys: Collection[str] | None = None) -> dict[str, object]:
    """A JSON object, with none but these keys when `keys` says so."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be an object, not {shown(value)}")
    for key in value:
        if keys is not None and key not in keys:
            raise ValueError(f"{name} has a key {shown(key)}, known are {', '.join(keys)}")
    return dict(value)


def from_json(written: str) -> object:
    """The value of a JSON text, with texts that are such."""
    try:
        value: object = _DECODER.decode(written)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg})") from None
    except RecursionError:
        raise ValueError(f"nested more than {DEEPEST} deep") from None
    return value


def plain(name: str, value: object, depth: int = DEEPEST) -> object:
    """A value that JSON can say and give back, all the way down; it escapes any text."""
    match value:
        case None | bool() | str():
            pass
        case int():
            whole(name, value, -I64_MOST - 1, I64_MOST)
        case float():
            if not abs(value) < float("inf"):
                raise ValueError(f"{name} must be a number, not {shown(value)}")
        case _ if not depth:
            raise ValueError(f"{name} is nested more than {DEEPEST} deep")
        case list() | tuple():
            for each in value:
                plain(name, each, depth - 1)
        case Mapping():
            for key, each in value.items():
                if not isinstance(key, str):
                    raise ValueError(f"{name} must have texts as keys, not {shown(key)}")
                plain(f"{name} {shown(key)}", each, depth - 1)
        case _:
            raise ValueError(f"{name} must be a value of JSON, not {shown(value)}")
    return value


def shown(value: object) -> str:
    """The value as JSON, shortened where it is long; the characters of a text as they are, for who
    prints a sentence escapes all of it."""
    match value:
        case int() if not isinstance(value, bool) and abs(value) >= 10**_SHOWN:
            return f"a number of {value.bit_length()} bits"
        case None | bool() | int() | float():
            return json.dumps(value)
        case str():
            return f'"{value}"' if len(value) < _SHOWN else f'"{value[: _SHOWN - 1]}"...'
        case list() | tuple():
            return f"a list of {len(value)}"
        case Mapping():
            return "an object"
        case _:
            return f"a {type(value).__name__}"


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {shown(key)} stands there twice")
            seen.add(key)
    return values


def _whole_of_json(written: str) -> int:
    if len(written) > _SHOWN:
        raise ValueError(f"a number of {len(written)} digits")
    return int(written)


def _no_number(written: str) -> float:
    raise ValueError(f"{written} is no number of JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_int=_whole_of_json, parse_constant=_no_number
)
