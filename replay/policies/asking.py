"""Asking a policy that is not ours: what goes wrong in it is told in a sentence with its line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import isabstract, iscoroutinefunction, isgeneratorfunction
from traceback import walk_tb
from types import FrameType

from gcreplay.store.errors import GcreplayError, UsageError
from gcreplay.store.values import I32_MOST, shown, whole

from .policy import MOST_SPACES, OWN_SPACE, Policy

_FLAGS = ("counts_only", "foresees", "counts_links", "counts_tracking")
_SETS = ("needs", "marks")
_COUNTERS = ("counts_tracking", "counts_in")
_WITH_LINKS = (*_COUNTERS, "suspects")
_METHODS = (
    "begin",
    "on_allocations",
    "on_bytes",
    "on_safepoint",
    "on_suspects",
    "on_tick",
    "on_mark",
    "on_place",
    "on_call",
    "notes",
)


class PolicyError(UsageError):
    """A policy raised something, or is not what a policy is."""


@contextmanager
def asking(policy: Policy | type[Policy], where: str) -> Iterator[None]:
    """In this block methods of the policy run: whatever they raise becomes a PolicyError, also
    SystemExit. Not KeyboardInterrupt, and not what is ours or what our own signal handlers raise.
    """
    try:
        yield
    except (GcreplayError, KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        frames = [(frame, line) for frame, line in walk_tb(error.__traceback__)]
        theirs = [each for each in frames if not _ours(each[0])]
        if not isinstance(error, Exception) and _ours(frames[-1][0]):
            raise
        if not _foreign(policy) or not (theirs or isinstance(error, TypeError)):
            raise
        modules = {cls.__module__ for cls in _class(policy).__mro__}
        own = [each for each in theirs if each[0].f_globals.get("__name__") in modules]
        if own or theirs:
            frame, line = (own or theirs)[-1]
            where = f"{frame.f_code.co_filename}:{line}, in {frame.f_code.co_name}"
        raise PolicyError(f"{where}: {in_words(error)}") from error


def in_words(error: BaseException) -> str:
    """Kind and message of any exception, in one line."""
    try:
        message = " ".join(str(error).split())
    except KeyboardInterrupt:
        raise
    except BaseException:  # its own words are a policy's too
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def check_class(found: object, where: str) -> type[Policy]:
    """The policy class that this is; raises PolicyError."""
    if not (isinstance(found, type) and issubclass(found, Policy)):
        raise PolicyError(f"{where} is no policy: it must subclass gcreplay.replay.Policy")
    if isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise PolicyError(f"{where} is no whole policy: it must define {missing}")
    return found


def check_policy(policy: object, where: str) -> Policy:
    """The policy that this is, with attributes of the right types; raises PolicyError."""
    if not isinstance(policy, Policy):
        raise PolicyError(f"{where} makes no policy: its from_arguments returns {shown(policy)}")
    for name in _FLAGS:
        if not isinstance(value := getattr(policy, name), bool):
            raise PolicyError(f"{where}: {name} must be True or False, not {shown(value)}")
    for name in _SETS:
        value = getattr(policy, name)
        if not isinstance(value, set | frozenset) or not all(isinstance(one, str) for one in value):
            raise PolicyError(f"{where}: {name} must be a set of texts, not {shown(value)}")
    if not _are_places(policy.places):
        raise PolicyError(f"{where}: places must be a set of files and lines")
    try:
        whole("counts_in", policy.counts_in, 0, I32_MOST)
        last = OWN_SPACE + whole("spaces", policy.spaces, 0, MOST_SPACES) - 1
        if whole("suspects", policy.suspects) and not OWN_SPACE <= policy.suspects <= last:
            raise ValueError(f"suspects must be one of its own spaces, not {policy.suspects}")
    except ValueError as error:
        raise PolicyError(f"{where}: {error}") from None
    for name in _WITH_LINKS:
        if getattr(policy, name) and not policy.counts_links:
            raise PolicyError(f"{where}: {name} is only for policies with counts_links")
    if policy.counts_tracking and policy.counts_in:
        both = " or that of ".join(_COUNTERS)
        raise PolicyError(f"{where}: the young counter is that of {both}, not both")
    for name in _METHODS:
        method = getattr(policy, name)
        if iscoroutinefunction(method) or isgeneratorfunction(method):
            raise PolicyError(f"{where}: {name} is a coroutine or generator and would never run")
    return policy


def _are_places(value: object) -> bool:
    return isinstance(value, set | frozenset) and all(
        isinstance(one, tuple) and tuple(map(type, one)) == (str, int) for one in value
    )


def _class(policy: Policy | type[Policy]) -> type[Policy]:
    policy = getattr(policy, "collector", policy)
    return policy if isinstance(policy, type) else type(policy)


def _foreign(policy: Policy | type[Policy]) -> bool:
    return not _class(policy).__module__.startswith("gcreplay.")


def _ours(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name.startswith(("gcreplay.", "importlib.", "contextlib"))
