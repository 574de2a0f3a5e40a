"""How far the recording can be trusted, in words, and how to make all of the report again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gcreplay.replay.results.result import RunResult
from gcreplay.replay.results.verify import VerifyResult
from gcreplay.report.view import Cell, Column, Finding, Section, Table, Words
from gcreplay.report.words.numbers import counted


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the recording itself.

    estimates: how far times may be off, a sentence. depends: why figures of some policies are no
    prediction. too_wide: of policies that collect more often than the recording was probed for.
    moved: what of finalizers and of objects freed too early does not fit under some policies.
    threads: whether the program made threads. notes: what policies could not do. granularity: net
    allocations between two probes; 0: at collections only; None: not said.
    """

    verified: VerifyResult
    recorded: bool
    complete: bool
    children: int
    granularity: int | None
    estimates: str
    depends: Sequence[str]
    too_wide: Sequence[str]
    notes: Sequence[str]
    moved: Sequence[str] = ()
    threads: bool = False


def trust(facts: Facts, verify: str) -> tuple[Section, list[Finding]]:
    """verify: the command line that shows the comparison with the recorded run."""
    found = [*_equality(facts, verify), *_extent(facts)]
    found += [Finding("depends", "serious", one) for one in facts.depends]
    found += [Finding("moved", "warning", one) for one in facts.moved]
    found += _threads(facts)
    found += [Finding("too-wide", "warning", one) for one in facts.too_wide]
    found += [Finding("policy-note", "notice", one) for one in facts.notes]
    if facts.recorded:
        found.append(_probes(facts.granularity))
    found.append(Finding("estimates", "info", facts.estimates))
    words = tuple(Words(one.text, one.level) for one in found)
    meaning = "Where the figures come from, how sure they are, and what was not recorded."
    return Section("trust", "How far to trust this", meaning, verify, words), found


def moved(name: str, run: RunResult, *, own: bool) -> list[str]:
    """What of this run is a guess, in sentences. name: the policy, as people read it; own: it is
    the recorded one, which collects where finalizers were recorded."""
    displaced = 0 if own else run.displaced
    told = (
        (run.revived, "uses of objects that this policy had freed already are left out"),
        (displaced, "events of finalizers and callbacks stand where they were recorded, although "
                    "this policy collects at other moments"),
        (run.unmoved, "uses of what a finalizer or callback made come before it has run"),
        (run.lapsed, "events of finalizers and callbacks made no sense when this policy ran them"),
    )  # fmt: skip
    return [f"{name}: {count:,} {what}." for count, what in told if count]


def _threads(facts: Facts) -> list[Finding]:
    """Threads are known by name alone: what they moved is known where something did not fit."""
    if not facts.threads:
        return []
    unfit = bool(facts.moved) or (facts.recorded and not facts.verified.equal)
    text = (
        "The program has threads. They take turns here as they did when it was recorded; under "
        "another collector they may do so at other moments."
    )
    return [Finding("threads", "warning" if unfit else "notice", text)]


def _equality(facts: Facts, verify: str) -> list[Finding]:
    """Whether the replay did what the interpreter did."""
    result = facts.verified
    if not facts.recorded:
        return [Finding("not-recorded", "notice", "No interpreter ran this log: nothing real "
                        "stands beside the figures.")]  # fmt: skip
    if result.equal:
        text = (
            f"The replay under the recorded settings does what the interpreter did: "
            f"{counted(result.recorded, 'collection')} in the same places, and each found as much."
            if result.recorded
            else "The interpreter made no collection, and the replay makes none."
        )
        return [Finding("equal", "info", text, 0.0, verify)]
    first = result.first_difference
    why = f" Likely cause: {'; '.join(first.causes)}." if first and first.causes else ""
    differ = max(result.recorded, result.replayed) - min(
        result.position_equal, result.generation_equal, result.collected_equal
    )
    text = (
        f"The replay differs from what the interpreter did: {result.verdict}.{why} Figures may be "
        f"wrong by as much."
    )
    return [Finding("unequal", "serious", text, float(differ), verify)]


def _extent(facts: Facts) -> list[Finding]:
    """What of the run the recording does not have."""
    found = []
    if not facts.complete:
        text = "The recording is cut short: all figures are of what is there."
        found.append(Finding("cut-short", "warning", text))
    if facts.children:
        started = "another process" if facts.children == 1 else f"{facts.children:,} processes"
        text = f"The program started {started}; what ran there is not in the recording."
        found.append(Finding("children", "notice", text, float(facts.children)))
    return found


def _probes(granularity: int | None) -> Finding:
    if granularity:
        text = (
            f"References were read every {granularity:,} net allocations (a probe), so that other "
            f"settings are predicted closely."
        )
        return Finding("probes", "info", text, float(granularity))
    text = (
        "References were read when the interpreter collected, not in between. That tells exactly "
        "what its own setting did; of other settings it tells a little less. For closer "
        "predictions record with --for what-if."
    )
    return Finding("probes", "info", text, 0.0)


def again(
    commands: Sequence[tuple[str, str]], facts: Mapping[str, str]
) -> tuple[Section, list[Finding]]:
    """commands: what each does, and its line; facts: versions, settings and hashes, by name."""
    lines = [f"{line}  # {what}" if what else line for what, line in commands]
    columns = (Column("fact", "text"), Column("value", "text"))
    rows = tuple((Cell(name, name), Cell(value, value)) for name, value in facts.items())
    meaning = (
        "These commands make every figure of the report again. Results are the same to the byte "
        "on each run; times are estimates and depend on the machine that recorded."
    )
    blocks = (
        Words("\n".join(lines), code=True),
        Table("again-facts", "What was recorded and with what", columns, rows, shown=40),
    )
    return Section("again", "How to make this again", meaning, "", blocks), []
