"""`check`: a recording beside a log of production, on logs whose figures are worked out by hand.

The recording has 33 collections under 700,10,10: 30 young ones that take 100 us and find 70 objects
each, then 3 middle ones of 300 us that find none. That is 2,100 objects in 33 collections, 63.6 a
collection, and 3.9 ms; its own CPU time is 96.1 ms, so that all of it is 100 ms: 330 collections a
second and 3.9 %.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Gcreplay
from json_keys import unknown_keys

from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.events import ObservedCollection

DEFAULT = [700, 10, 10]
MADE = [(0, 70, 100_000)] * 30 + [(1, 0, 300_000)] * 3


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return record(tmp_path / "app.gcreplay", MADE, own_cpu_ns=96_100_000)


def record(path: Path, made: list[tuple[int, int, int]], **meta: Any) -> Path:
    """A recording whose interpreter made these: generation, collected, nanoseconds."""
    b = TraceBuilder(counts="probed", python="3.11.7", **meta)
    b.start()
    for _ in range(1000):
        b.alloc("Node", module="app")
    b.build(path).close()
    with EventLog.open(path, writable=True) as log:
        log.add_observed(
            ObservedCollection(i + 2, i, "threshold", generation, 700, found, 0, 1000, 0, ns)
            for i, (generation, found, ns) in enumerate(made)
        )
    return path


def head(pid: int = 1, **other: Any) -> dict[str, Any]:
    begins = {"gc_log": 1, "pid": pid, "time": 0.0, "cpu_ns": 0, "python": "3.11.9"}
    return {**begins, "threshold": DEFAULT, **other}


def collection(generation: int, cpu_ns: int, **other: Any) -> dict[str, Any]:
    """A line of a young or middle one as in MADE."""
    like = {0: (70, 100_000, [701, 3, 0]), 1: (0, 300_000, [701, 11, 1])}
    found, ns, count = like.get(generation, (0, 5_000_000, [5, 3, 2]))
    line = {"pid": 1, "time": 0.0, "cpu_ns": cpu_ns, "generation": generation, "collected": found}
    told = {"uncollectable": 0, "duration_ns": ns, "threshold": DEFAULT, "count": count}
    return {**line, **told, **other}


def log_of(times: int, cpu_ns: int, **other: Any) -> Iterator[dict[str, Any]]:
    """So many times the collections of MADE in that CPU time, of any of them `other` instead."""
    yield head(**({"threshold": other["threshold"]} if "threshold" in other else {}))
    made = [generation for generation, *_ in MADE] * times
    for i, generation in enumerate(made, 1):
        yield collection(generation, cpu_ns * i // len(made), **other)


def write(path: Path, lines: Any) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def checked(gcreplay: Gcreplay, app: Path, lines: Any) -> tuple[Any, dict[str, Any]]:
    """The JSON, and its figures by name; the exit code is that of the verdict."""
    log = write(app.with_suffix(".jsonl"), lines)
    done = gcreplay("check", app, "--against", log, "--format", "json")
    told = json.loads(done.stdout)
    assert done.exit_code == (0 if told["trusted"] else 1), done.stderr
    assert unknown_keys("check", told) == set()
    return told, {each["figure"]: each for each in told["figures"]}


def unlike(figures: dict[str, Any]) -> list[str]:
    return [name for name, each in figures.items() if each["alike"] is False]


def test_what_differs_in_nothing_but_its_length_is_trusted(gcreplay: Gcreplay, app: Path) -> None:
    told, figures = checked(gcreplay, app, log_of(10, 1_000_000_000))
    assert told["trusted"] is True
    assert unlike(figures) == []
    assert told["production"]["collections_by_generation"] == [300, 30, 0]
    rate = figures["collections a second of CPU"]
    assert (rate["recorded"], rate["production"]) == (330, 330)
    assert figures["GC % of CPU"]["production"] == pytest.approx(3.9)
    assert figures["collected a collection"]["recorded"] == pytest.approx(2100 / 33)


def test_other_thresholds_are_not_trusted(gcreplay: Gcreplay, app: Path) -> None:
    told, figures = checked(gcreplay, app, log_of(10, 1_000_000_000, threshold=[5000, 10, 10]))
    assert told["trusted"] is False
    assert "thresholds" in unlike(figures)


def test_the_first_words_say_whether_why_and_what_to_do(gcreplay: Gcreplay, app: Path) -> None:
    log = write(app.with_suffix(".jsonl"), log_of(1, 100_000_000, threshold=[50, 10, 10]))
    told = gcreplay("check", app, "--against", log)
    assert told.exit_code == 1
    assert " ".join(told.stdout.split()).startswith(
        "No, tune may not be trusted there: production collects under 50,10,10, the recording "
        "under 700,10,10. Record the program under production's thresholds, then check again. "
    )
    assert max(map(len, told.stdout.splitlines())) <= 80


def test_another_python_is_said_and_not_trusted(gcreplay: Gcreplay, app: Path) -> None:
    lines = [head(python="3.12.4"), *list(log_of(10, 1_000_000_000))[1:]]
    told, figures = checked(gcreplay, app, lines)
    assert (told["trusted"], unlike(figures)) == (False, ["Python"])
    shown = gcreplay("check", app, "--against", app.with_suffix(".jsonl")).stdout
    assert "production is Python 3.12.4, the recording of 3.11.7" in " ".join(shown.split())


@pytest.mark.parametrize("found, alike", [(83, True), (84, False), (44, True), (43, False)])
def test_a_collection_may_find_a_fifth_more_or_less_and_chance(
    gcreplay: Gcreplay, app: Path, found: int, alike: bool
) -> None:
    """63.64 are found on the average, with a deviation of 20.44 in 33 collections: 3.56 is the
    standard error, 12.73 a fifth, so up to 19.84 more or less are alike. Production's own chance is
    none, as all of its collections find the same: 83.48 are the most, 43.80 the least."""
    lines = log_of(10, 1_000_000_000, collected=found)
    _, figures = checked(gcreplay, app, lines)
    figure = figures["collected a collection"]
    assert figure["bound"] == pytest.approx([43.80, 83.48], abs=0.01)
    assert figure["alike"] is alike


@pytest.mark.parametrize("rate, alike", [(1320, True), (1330, False), (198, True), (196, False)])
def test_a_recorded_run_takes_up_to_twice_the_time_and_a_machine_too(
    gcreplay: Gcreplay, app: Path, rate: int, alike: bool
) -> None:
    """330 a second recorded: 1.2 / 2 to 2 * 2 times that."""
    _, figures = checked(gcreplay, app, log_of(10, 330 * 10**9 // rate))
    assert figures["collections a second of CPU"]["alike"] is alike


def test_cpu_time_of_unrecorded_runs_leaves_the_machine_alone(
    gcreplay: Gcreplay, tmp_path: Path
) -> None:
    path = record(tmp_path / "app.gcreplay", MADE, own_cpu_measured_ns=96_100_000)
    _, figures = checked(gcreplay, path, log_of(10, 1_000_000_000))
    assert figures["collections a second of CPU"]["bound"] == [165, 660]


@pytest.mark.parametrize("share, alike", [(2.3, False), (2.4, True), (9.4, True), (9.5, False)])
def test_the_share_of_the_collector_does_not_ask_how_fast_the_machine_is(
    gcreplay: Gcreplay, app: Path, share: float, alike: bool
) -> None:
    """3.9 % recorded: 1.2 / 1.6 / 1.25 = 0.6 times it is 2.34, 2 / 1.03 * 1.25 times it 9.47."""
    _, figures = checked(gcreplay, app, log_of(10, round(39_000_000 / share * 100)))
    assert figures["GC % of CPU"]["alike"] is alike


@pytest.mark.parametrize("us, alike", [(31, False), (32, True), (194, True), (195, False)])
def test_median_pauses_may_be_those_of_another_machine(
    gcreplay: Gcreplay, app: Path, us: int, alike: bool
) -> None:
    """100 us recorded: 1 / 1.6 / 2 to 2 / 1.03 times that, 31.25 to 194.2."""
    _, figures = checked(gcreplay, app, log_of(10, 10**9, duration_ns=us * 1000))
    assert figures["median pause, young, us"]["alike"] is alike
    assert figures["median pause, middle, us"]["alike"] is None  # three recorded


@pytest.mark.parametrize("asked, alike", [(95, True), (97, False)])
def test_more_explicit_collections_than_chance_makes_are_not_alike(
    gcreplay: Gcreplay, app: Path, asked: int, alike: bool
) -> None:
    """None of the 33 recorded was asked for, and 9.5 would be if 95 of 330 are in production. That
    is within 1 + 9.5 / 4 + 2 * sqrt(9.5) = 9.54; 9.7 is not within 1 + 9.7 / 4 + 2 * sqrt(9.7)."""
    lines = list(log_of(10, 1_000_000_000))
    lines[1 : asked + 1] = [{**line, "count": [10, 3, 0]} for line in lines[1 : asked + 1]]
    told, figures = checked(gcreplay, app, lines)
    assert told["production"]["explicit"] == asked
    assert figures["by gc.collect(), of 1,000"]["alike"] is alike


def test_full_collections_that_the_recording_lacks_are_seen(gcreplay: Gcreplay, app: Path) -> None:
    """100 of 330 would be 10 in the 33 recorded, where none is."""
    lines = list(log_of(10, 1_000_000_000))
    lines[1:101] = [{**line, "generation": 2} for line in lines[1:101]]
    _, figures = checked(gcreplay, app, lines)
    assert figures["full, of 1,000"]["alike"] is False


def test_the_heap_at_exit_may_differ_by_a_quarter(gcreplay: Gcreplay, app: Path) -> None:
    """1,000 are tracked at the end of the recording."""
    for heap, alike in ((1250, True), (1251, False), (750, True), (749, False)):
        ended = {"pid": 1, "time": 1.0, "cpu_ns": 1_000_000_000, "heap": heap}
        told, figures = checked(gcreplay, app, [*log_of(10, 1_000_000_000), ended])
        assert figures["tracked at exit"]["alike"] is alike
        assert told["trusted"] is alike


def test_nineteen_collections_are_too_few(gcreplay: Gcreplay, app: Path) -> None:
    told, figures = checked(gcreplay, app, list(log_of(1, 100_000_000))[:20])
    assert told["trusted"] is None
    assert figures["collected a collection"]["because"] == (
        "the log has 19 collections, and it takes 20"
    )
    shown = gcreplay("check", app, "--against", app.with_suffix(".jsonl")).stdout
    assert shown.startswith("Whether tune may be trusted there cannot be told. collected a coll")


def test_which_of_both_does_not_say_it_is_said(gcreplay: Gcreplay, app: Path) -> None:
    """Samples of gc.get_stats() alone have neither version nor thresholds; a log by hand has no
    CPU time of its own."""
    one = [{"collections": n, "collected": 70 * n, "uncollectable": 0} for n in (30, 3, 0)]
    none = [{"collections": 0, "collected": 0, "uncollectable": 0}] * 3
    _, figures = checked(gcreplay, app, [none, one])
    assert figures["Python"]["because"] == "the log does not say its Python"
    assert figures["thresholds"]["because"] == "the log does not say its thresholds"
    assert figures["GC % of CPU"]["because"] == "the log does not say its CPU time"
    _, figures = checked(gcreplay, app, log_of(10, 1_000_000_000))
    assert figures["median pause, middle, us"]["because"] == (
        "the recording has fewer than 5 middle collections"
    )
    silent = record(app.with_name("silent.gcreplay"), MADE)
    _, figures = checked(gcreplay, silent, log_of(10, 1_000_000_000))
    assert figures["GC % of CPU"]["because"] == "the recording does not say its CPU time"


def test_processes_are_told_apart_and_their_times_added(gcreplay: Gcreplay, app: Path) -> None:
    """Their lines stand mixed, as they write into one file."""
    one = list(log_of(5, 500_000_000))
    two = [{**line, "pid": 2, "cpu_ns": line["cpu_ns"] + 7_000_000_000} for line in one]
    mixed = [line for pair in zip(one, two, strict=True) for line in pair]
    told, _ = checked(gcreplay, app, mixed)
    assert told["trusted"] is True
    assert (told["production"]["processes"], told["production"]["cpu_ns"]) == (2, 1_000_000_000)


def test_of_a_window_only_what_is_between_its_marks_counts(
    gcreplay: Gcreplay, tmp_path: Path
) -> None:
    """Two collections at the start-up, 33 between the marks, two behind them; the program takes
    5 ms itself, then 96.1, then 3."""
    path = tmp_path / "app.gcreplay"
    b = TraceBuilder(counts="probed", python="3.11.7", own_cpu_ns=104_100_000)
    b.start()
    at = []
    for label, number, ns in (
        ("up", 2, 5_000_000),
        ("down", 33, 101_100_000),
        ("", 2, 104_100_000),
    ):
        for _ in range(number):
            at.append(len(b))
            b.alloc("Node", module="app")
        b.tick(ns)
        if label:
            b.mark(label)
    b.build(path).close()
    made = [(0, 0, 1)] * 2 + MADE + [(2, 0, 1)] * 2
    with EventLog.open(path, writable=True) as log:
        log.add_observed(
            ObservedCollection(sequence, i, "threshold", *(generation, 700, found), 0, 1000, 0, ns)
            for i, (sequence, (generation, found, ns)) in enumerate(zip(at, made, strict=True))
        )
    log_path = write(path.with_suffix(".jsonl"), log_of(10, 1_000_000_000))
    args = ("check", path, "--against", log_path, "--format", "json")
    told = json.loads(gcreplay(*args, "--window", "up..down").stdout)
    assert told["window"] == ["up", "down"]
    assert told["recorded"]["collections_by_generation"] == [30, 3, 0]
    assert told["recorded"]["cpu_ns"] == 100_000_000
    assert told["trusted"] is True
    assert json.loads(gcreplay(*args).stdout)["recorded"]["collections_by_generation"] == [32, 3, 2]
    wrong = gcreplay(*args, "--window", "up..gone")
    assert (wrong.exit_code, wrong.stdout) == (2, "")


# Samples of gc.get_stats()


def stats(young: int, middle: int, full: int, collected: int = 0) -> list[dict[str, int]]:
    return [
        {"collections": n, "collected": found, "uncollectable": 0}
        for n, found in ((young, collected), (middle, 0), (full, 0))
    ]


def sample(at: int, **other: Any) -> dict[str, Any]:
    """After `at` tenths of a second of CPU time, with the collections of MADE in each of them."""
    made = stats(50 + 30 * at, 4 + 3 * at, 1, 9 + 2100 * at)
    told = {"cpu_ns": 20_000_000 + 100_000_000 * at, "threshold": DEFAULT, "python": "3.11.2"}
    return {"pid": 1, **told, "stats": made, **other}


def test_samples_count_what_grew_between_them(gcreplay: Gcreplay, app: Path) -> None:
    told, figures = checked(gcreplay, app, [sample(at) for at in (0, 3, 10)])
    assert told["production"]["kind"] == "samples"
    assert told["production"]["collections_by_generation"] == [300, 30, 0]
    assert figures["collections a second of CPU"]["production"] == 330
    assert told["trusted"] is True


def test_a_process_started_anew_counts_from_its_first_sample(gcreplay: Gcreplay, app: Path) -> None:
    """5 tenths of the one and 5 of the other, which has less behind it than the first had."""
    anew = [
        sample(at, stats=stats(30 * at, 3 * at, 0, 2100 * at), cpu_ns=100_000_000 * at)
        for at in (1, 6)
    ]
    told, _ = checked(gcreplay, app, [*(sample(at) for at in (2, 7)), *anew])
    assert told["production"]["collections_by_generation"] == [300, 30, 0]
    assert told["production"]["cpu_ns"] == 1_000_000_000
    assert told["production"]["processes"] == 2


def test_bare_samples_do_not_suffice(gcreplay: Gcreplay, app: Path) -> None:
    """They say neither thresholds nor time."""
    told, figures = checked(gcreplay, app, [sample(at)["stats"] for at in (0, 10)])
    assert told["trusted"] is None
    assert figures["collected a collection"]["alike"] is True
    assert figures["thresholds"]["alike"] is None


def test_thresholds_without_any_time_do_not_suffice_either(gcreplay: Gcreplay, app: Path) -> None:
    lines = [{"threshold": DEFAULT, "stats": sample(at)["stats"]} for at in (0, 10)]
    told, _ = checked(gcreplay, app, lines)
    assert told["trusted"] is None


# gcmon


def gcmon(generation: int, number: int, **other: Any) -> dict[str, Any]:
    """A record as its docs/formats.md has them; the counters are sums."""
    took, found = ((100_000, 70), (300_000, 0), (0, 0))[generation]
    began = 10**15 + number * 10**7 + generation * 10**6
    sums = {"collections": number, "collected": number * found, "uncollectable": 0}
    told = {"pid": 5, "gen": generation, "iid": 0, "ts_start": began, "ts_stop": began + took}
    rest = {"heap_size": 1000, "candidates": number * 700, "duration": number * took / 1e9}
    return {**told, **sums, **rest, **other}


def test_gcmon_is_read_though_it_is_of_another_python(gcreplay: Gcreplay, app: Path) -> None:
    """301 young and 31 middle records: what the first of each has behind it is not known."""
    lines = [gcmon(0, n) for n in range(9, 310)] + [gcmon(1, n) for n in range(2, 33)]
    told, figures = checked(gcreplay, app, reversed(lines))
    assert told["production"]["kind"] == "gcmon"
    assert told["production"]["collections_by_generation"] == [300, 30, 0]
    assert told["production"]["collected"] == 21_000
    assert figures["candidates a collection"]["production"] == 700
    assert figures["median pause, young, us"]["production"] == 100
    assert (told["trusted"], unlike(figures)) == (False, ["Python"])


def test_collections_that_gcmon_missed_are_counted_and_said(gcreplay: Gcreplay, app: Path) -> None:
    lost = {"pid": 5, "iid": 0, "ts_start": 1, "ts_stop": 2, "gens": []}
    mark = {"pid": 5, "type": "i", "name": "begin", "ts": 3}
    lines = [mark, *(gcmon(0, n) for n in range(1, 302) if n % 3 == 1), lost]
    log = write(app.with_suffix(".jsonl"), lines)
    done = gcreplay("check", app, "--against", log)
    assert "Production: 300/0/0 collections" in done.stdout
    assert "gcmon missed 200 collections." in done.stderr


# Lines that are cut or odd


def test_a_last_line_that_is_cut_is_left_out_and_said(gcreplay: Gcreplay, app: Path) -> None:
    log = write(app.with_suffix(".jsonl"), log_of(10, 1_000_000_000))
    with log.open("a") as file:
        file.write('{"pid":1,"time":17')
    done = gcreplay("check", app, "--against", log)
    assert done.exit_code == 0
    assert done.stderr == f"Line 332 of {log}, the last, is cut: left out.\n"


@pytest.mark.parametrize(
    "line, why",
    [
        ('{"pid":1,"cpu_ns":5', "not JSON"),
        ("[]", "the line must be an object"),
        ('"a text"', 'it is "a text"'),
        ('{"pid":1}', "it has no cpu_ns"),
        (json.dumps(collection(3, 5)), "generation must be a whole number from 0 to 2, not 3"),
        (json.dumps(collection(0, 5, collected=-1)), "collected must be a whole number"),
        (json.dumps(collection(0, 5, count=[1])), "count must be a list of 3 whole numbers"),
        (json.dumps(head(gc_log=2)), "written by a newer module"),
        (json.dumps(sample(0)), "it has no generation"),
    ],
)
def test_any_other_odd_line_is_named(gcreplay: Gcreplay, app: Path, line: str, why: str) -> None:
    log = app.with_suffix(".jsonl")
    log.write_text(f"{json.dumps(head())}\n\n{line}\n{json.dumps(collection(0, 9))}\n")
    done = gcreplay("check", app, "--against", log)
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"line 3 of {log} is none of a log of collections: " in done.stderr
    assert why in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "text, why",
    [
        ("", "holds no line"),
        ("GC: 70 objects\n", "line 1"),
        ("{}\n", "of no kind that is known"),
        ("[[],[],[]]\n", "of no kind that is known"),
        ("[" * 100_000 + "\n", "line 1"),
        (json.dumps([{"collections": 1}, {}, {}]), "it has no collected"),
        ('{"stats": []}\n', "stats must be a list of three objects"),
    ],
)
def test_what_is_no_such_log_is_said(gcreplay: Gcreplay, app: Path, text: str, why: str) -> None:
    log = app.with_suffix(".jsonl")
    log.write_text(text)
    done = gcreplay("check", app, "--against", log)
    assert (done.exit_code, done.stdout) == (1, "")
    assert why in done.stderr


def test_a_log_that_is_not_there_is_wrong_usage(gcreplay: Gcreplay, app: Path) -> None:
    done = gcreplay("check", app, "--against", app.with_name("none.jsonl"))
    assert done.exit_code == 2
    assert "does not exist" in done.stderr
