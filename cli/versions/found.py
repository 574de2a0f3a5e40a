"""Kinds of garbage and leaks of two versions of a program, each under the name that it keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gcreplay.replay import make_policy
from gcreplay.replay.garbage import Group, cycles
from gcreplay.replay.leaks import Kind, Leaks, leaks
from gcreplay.replay.results.diff import Change
from gcreplay.replay.results.findings import Finding, Findings
from gcreplay.replay.results.matching import same_files
from gcreplay.replay.results.versions import found_figures
from gcreplay.report.words.leaks import path_words
from gcreplay.screen.garbage import drawn
from gcreplay.store import EventLog

Logs = tuple[EventLog, EventLog]


def found_in(logs: Logs, policies: tuple[str, str]) -> tuple[Change, ...]:
    """The figures of both."""
    files = same_files(*logs)
    return found_figures(garbage(logs, policies, files), growing(logs, files))


def garbage(logs: Logs, policies: tuple[str, str], files: Mapping[str, str]) -> Findings:
    """Kinds of cycles that only a collector frees, with what hangs from them; `files` as for
    `growing`."""
    first, second = logs
    return Findings.of(_cycles(first, policies[0], files), _cycles(second, policies[1], {}))


def _cycles(log: EventLog, policy: str, files: Mapping[str, str]) -> list[Finding]:
    """What a bound frees without collections is found under the recorded setting. Cycles in which
    nobody has named the references count as those of the same types and function that have names:
    what the program leaves at its end is not always probed."""
    found = cycles(log, None if make_policy(policy).foresees else policy).groups
    known: dict[tuple[frozenset[str], str], int] = {}
    told: list[Finding] = []
    for group in sorted(found, key=lambda one: not _named(one)):
        alike = (frozenset(group.types), group.function)
        one = _group(group, files)
        if not _named(group) and (at := known.get(alike)) is not None:
            told[at] += one
            continue
        known.setdefault(alike, len(told))
        told.append(one)
    return told


def _named(group: Group) -> bool:
    return any(edge.label for edge in group.shape)


def _signature(group: Group, files: Mapping[str, str]) -> str:
    """As it is where the file that makes it has the name that it has in the second log."""
    made = group.sites[0].file if group.sites else ""
    old, new = (file.rpartition("/")[2] for file in (made, files.get(made, made)))
    return group.signature.replace(f" in {old}:", f" in {new}:") if old != new else group.signature


def _group(group: Group, files: Mapping[str, str]) -> Finding:
    made = group.sites[0] if group.sites else None
    return Finding(
        _signature(group, files),
        ", ".join(kind.removeprefix("builtins.") for kind in group.types),
        made.file if made else "",
        made.line if made else 0,
        made.function if made else "",
        group.count,
        group.objects + group.hanging_objects,
        group.bytes + group.hanging_bytes,
        drawn(group) if group.example.edges else "",
    )


def growing(logs: Logs, files: Mapping[str, str]) -> Findings:
    """Kinds of objects that become more and more; `files` gives those of the first log the names
    that they have in the second."""
    first, second = (leaks(log) for log in logs)
    return Findings.of(_leaks(first, files), _leaks(second, {}))


def _leaks(found: Leaks, files: Mapping[str, str]) -> Iterator[Finding]:
    told: dict[str, Finding] = {}
    for leak in found.growing:
        for kind in (leak.kind, *leak.similar):
            key = _key(kind, files)
            path = path_words(leak.path) if kind is leak.kind else ""
            where = (kind.file, kind.line, kind.function)
            held = f"held by {path}" if path else ""
            one = Finding(key, kind.type, *where, 1, kind.objects, kind.bytes, held)
            told[key] = told[key] + one if key in told else one
    yield from told.values()


def _key(kind: Kind, files: Mapping[str, str]) -> str:
    return f"{kind.type} of {kind.function} in {files.get(kind.file, kind.file)}"
