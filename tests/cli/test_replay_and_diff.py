"""`replay`, `diff`, `verify` and `policies` on recordings written by hand, figures worked out.

`cycles.gcreplay` keeps one node and drops 1,500 nodes that hold themselves. Under T0 = 700 the
701st birth collects: the nodes 0 to 699 are tracked by then, node 0 is kept, 699 are garbage.
The triggering node is not tracked yet and the counter starts again from 0, so the next collection
comes 701 births later, at the 1,402nd: it finds the nodes 700 to 1,400, all garbage. 1,400 in all.
"""

import json
import os
import re
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from command_line import Gcreplay, write_cycles

from gcreplay.replay.run import Replay

DEFAULT = "generational:700,10,10"


def replayed(gcreplay: Gcreplay, *args: object) -> list[dict[str, Any]]:
    told = gcreplay("replay", *args, "--format", "json")
    assert told.exit_code == 0, told.stderr
    runs = json.loads(told.stdout)["runs"]
    assert isinstance(runs, list)
    return runs


def test_replay_counts_what_the_collector_would_do(gcreplay: Gcreplay, cycles: Path) -> None:
    run = replayed(gcreplay, cycles, "-p", DEFAULT)[0]
    assert run["policy"] == DEFAULT
    assert run["collections_by_generation"] == [2, 0, 0]
    assert run["collected"] == 699 + 701
    assert run["collected_by_generation"] == [1400, 0, 0]
    assert run["freed_by_refcount"] == 0
    assert run["work"]["visited"] == 700 + 701
    assert [c["collected"] for c in run["collections"]] == [699, 701]
    assert [c["allocation"] for c in run["collections"]] == [700, 1401]
    assert [c["survivors"] for c in run["collections"]] == [1, 0]


def test_what_a_policy_cannot_do_stands_below_the_table_and_in_json(
    gcreplay: Gcreplay, cycles: Path
) -> None:
    note = "the recording has no safepoints: a collection that is due runs at the next allocation"
    table = gcreplay("replay", cycles, "-p", "cpython-3.13").stderr
    assert f"cpython-3.13: {note}." in " ".join(table.split())
    both = gcreplay("diff", cycles, "-p", DEFAULT, "-p", "cpython-3.13").stderr
    assert f"cpython-3.13: {note}." in " ".join(both.split())
    assert replayed(gcreplay, cycles, "-p", "cpython-3.13")[0]["notes"][1:] == [note]


def test_both_bounds_stand_in_every_comparison(gcreplay: Gcreplay, cycles: Path) -> None:
    runs = {run["policy"]: run for run in replayed(gcreplay, cycles)}
    assert list(runs) == ["never", "clairvoyant"]
    assert runs["never"]["collected"] == 0
    assert runs["never"]["peak_floating_objects"] == 1500
    assert runs["clairvoyant"]["collected"] == 1500


def test_the_documented_keys(gcreplay: Gcreplay, cycles: Path) -> None:
    told = json.loads(gcreplay("replay", cycles, "-p", DEFAULT, "--format", "json").stdout)
    assert told["trace"] == str(cycles)
    assert set(told["runs"][0]) >= {
        "policy",
        "collections_by_generation",
        "collected_by_generation",
        "collected",
        "freed_by_refcount",
        "uncollectable",
        "revived",
        "displaced",
        "unmoved",
        "peak_objects",
        "peak_bytes",
        "peak_floating_objects",
        "peak_floating_bytes",
        "work",
        "collections",
        "result_hash",
    }
    assert set(told["runs"][0]["work"]) == {"visited", "links"}
    assert set(told["runs"][0]["collections"][0]) >= {
        "sequence",
        "allocation",
        "cause",
        "generation",
        "candidates",
        "links",
        "collected",
        "bytes",
        "survivors",
    }


def test_the_table_holds_a_row_a_run(gcreplay: Gcreplay, cycles: Path) -> None:
    told = gcreplay("replay", cycles, "-p", DEFAULT, "--format", "csv").stdout.splitlines()
    assert told[0] == "policy,full,peak memory (bytes),peak garbage (bytes)"
    assert re.fullmatch(f'"{DEFAULT}",0,[0-9]+,[0-9]+', told[1])
    assert [line.split(",")[0] for line in told[2:]] == ["never", "clairvoyant"]
    work = gcreplay("replay", cycles, "-p", DEFAULT, "--format", "csv", "--table", "work").stdout
    head, first, *_ = work.splitlines()
    assert head.startswith(
        "policy,collections young,collections middle,collections old,collected,objects visited,"
    )
    assert first.startswith(f'"{DEFAULT}",2,0,0,1400,')


def test_runs_are_stored_once(gcreplay: Gcreplay, cycles: Path) -> None:
    hashes = [run["result_hash"] for run in replayed(gcreplay, cycles, "-p", DEFAULT)]
    assert [run["result_hash"] for run in replayed(gcreplay, cycles, "-p", DEFAULT)] == hashes
    stored = json.loads(gcreplay("info", cycles, "--format", "json").stdout)["runs"]
    assert [run["result_hash"] for run in stored] == hashes
    assert [run["run"] for run in stored] == [1, 2, 3]
    assert f"{cycles}#3" in gcreplay("info", cycles).stdout


def test_a_read_only_recording_is_replayed_with_a_remark(
    gcreplay: Gcreplay, cycles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycles.chmod(stat.S_IRUSR)
    cycles.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if os.access(cycles, os.W_OK):  # root may write everything: let SQLite refuse it instead
        refuse_writing(monkeypatch)
    told = gcreplay("replay", cycles, "-p", DEFAULT)
    cycles.parent.chmod(stat.S_IRWXU)
    assert told.exit_code == 0
    assert "1,400" in told.stdout
    assert "not stored" in told.stderr


def refuse_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    from gcreplay.store import EventLog
    from gcreplay.store.errors import StorageError

    def refused(*args: object) -> int:
        raise StorageError("attempt to write a readonly database")

    monkeypatch.setattr(EventLog, "save_run", refused)


def test_a_window_counts_between_two_marks(gcreplay: Gcreplay, cycles: Path) -> None:
    run = replayed(gcreplay, cycles, "-p", DEFAULT, "--window", "begin..end")[0]
    assert run["collected"] == 1400


@pytest.mark.parametrize(
    "options",
    [
        ("--window", "begin"),
        ("--window", "begin..nowhere"),
        ("--window", "end..begin"),
        ("--apply-from", "nowhere"),
    ],
)
def test_an_unusable_mark_is_wrong_usage(
    gcreplay: Gcreplay, cycles: Path, options: tuple[str, ...]
) -> None:
    told = gcreplay("replay", cycles, "-p", DEFAULT, *options)
    assert told.exit_code == 2
    assert told.stdout == ""
    assert len(told.stderr.splitlines()) == 1


def test_a_policy_that_fails_is_told_with_its_line(
    gcreplay: Gcreplay, cycles: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "broken.py"
    policy.write_text(
        "from gcreplay.replay import Policy\n"
        "class Broken(Policy):\n"
        "    summary = 'fails'\n"
        "    def begin(self, heap, start):\n"
        "        heap.no_such_thing()\n"
    )
    told = gcreplay("replay", cycles, "-p", f"{policy}:Broken")
    assert told.exit_code == 2
    assert f"{policy}:5, in begin: AttributeError" in told.stderr
    assert len(told.stderr.splitlines()) == 1


# diff


def test_diff_of_two_policies(gcreplay: Gcreplay, cycles: Path) -> None:
    told = gcreplay("diff", cycles, "-p", "never", "-p", DEFAULT, "--format", "json")
    assert told.exit_code == 0, told.stderr
    result = json.loads(told.stdout)
    figures = {each["figure"]: each for each in result["figures"]}
    assert (figures["collected"]["first"], figures["collected"]["second"]) == (0, 1400)
    assert figures["collections"]["change"] == 2
    # The heaps part at the first collection, in the alloc event of node 700: start, mark, two
    # events of node 0 and three of each of the nodes 1 to 699 come before it.
    assert result["first_difference"]["sequence"] == 4 + 3 * 699
    assert result["kept_longer"][0]["site"] == "cycles.py:3"
    assert result["kept_longer"][0]["change"] < 0  # `never` keeps the cycles longer


def test_diff_of_two_recordings(gcreplay: Gcreplay, cycles: Path, tmp_path: Path) -> None:
    fewer = tmp_path / "fewer.gcreplay"
    write_cycles(fewer, 750)  # 751 births: one collection, of 699
    told = gcreplay("diff", cycles, fewer, "-p", DEFAULT, "--format", "json")
    figures = {each["figure"]: each for each in json.loads(told.stdout)["figures"]}
    assert (figures["collected"]["first"], figures["collected"]["second"]) == (1400, 699)


def test_diff_of_two_stored_runs_equals_diff_of_their_policies(
    gcreplay: Gcreplay, cycles: Path
) -> None:
    replayed(gcreplay, cycles, "-p", DEFAULT)
    stored = gcreplay("diff", f"{cycles}#1", f"{cycles}#2", "--format", "json")
    assert stored.exit_code == 0, stored.stderr
    assert stored.stderr == ""
    named = gcreplay("diff", cycles, "-p", DEFAULT, "-p", "never", "--format", "json")
    assert json.loads(stored.stdout) == json.loads(named.stdout)


def test_a_stored_run_runs_no_file(gcreplay: Gcreplay, cycles: Path, tmp_path: Path) -> None:
    """Who sends a recording with a run in it, and a file beside it, runs nothing here."""
    ran = tmp_path / "ran"
    policy = tmp_path / "mine.py"
    policy.write_text(
        f"open({str(ran)!r}, 'w').close()\n"
        "from gcreplay.replay import Policy\n"
        "class Mine(Policy):\n"
        "    def begin(self, heap, start): heap.arm()\n"
    )
    replayed(gcreplay, cycles, "-p", f"{policy}:Mine", "-p", f"{policy}:Mine+freeze@begin")
    ran.unlink()
    for run in (1, 2):
        told = gcreplay("diff", f"{cycles}#{run}", f"{cycles}#{run}")
        assert (told.exit_code, told.stdout, len(told.stderr.splitlines())) == (2, "", 1)
        assert f"{policy}:Mine" in told.stderr
    assert not ran.exists()


@pytest.mark.parametrize("form", ["table", "markdown", "csv"])
def test_diff_for_readers(gcreplay: Gcreplay, cycles: Path, form: str) -> None:
    told = gcreplay("diff", cycles, "-p", "never", "-p", DEFAULT, "--format", form)
    assert told.exit_code == 0
    assert "collected" in told.stdout


@pytest.mark.parametrize(
    ("limit", "exit_code"),
    [
        ("collected>+10%", 1),
        ("collected>+1399", 1),
        ("collected>+1400", 0),
        ("collections>2", 0),
        ("collections>=2", 1),
        ("peak_objects<-50%", 1),  # 1,501 without a collector, 701 at most with it
        ("peak_objects<-60%", 0),
    ],
)
def test_a_limit_makes_diff_a_check(
    gcreplay: Gcreplay, cycles: Path, limit: str, exit_code: int
) -> None:
    told = gcreplay("diff", cycles, "-p", "never", "-p", DEFAULT, "--fail-if", limit)
    assert told.exit_code == exit_code
    assert (limit in told.stderr) == bool(exit_code)


@pytest.mark.parametrize(
    "args",
    [
        ["{0}"],
        ["{0}", "-p", "never"],
        ["{0}", "{0}", "-p", "never", "-p", "manual"],
        ["{0}#1", "{0}", "-p", "never"],
        ["{0}#1", "{0}#99"],
        ["{0}", "-p", "never", "-p", "manual", "--fail-if", "garbage>1"],
    ],
)
def test_diff_of_anything_else_is_wrong_usage(
    gcreplay: Gcreplay, cycles: Path, args: list[str]
) -> None:
    replayed(gcreplay, cycles)
    told = gcreplay("diff", *(arg.format(cycles) for arg in args))
    assert told.exit_code == 2
    assert told.stdout == ""
    assert len(told.stderr.splitlines()) == 1


def test_runs_made_under_different_options_are_not_compared(
    gcreplay: Gcreplay, cycles: Path
) -> None:
    replayed(gcreplay, cycles)
    replayed(gcreplay, cycles, "--window", "begin..end")
    told = gcreplay("diff", f"{cycles}#1", f"{cycles}#3")
    assert told.exit_code == 2
    assert "--window" in told.stderr


# verify, policies


def test_verify_of_a_log_that_nobody_ran_fails(gcreplay: Gcreplay, cycles: Path) -> None:
    """The replay collects twice; no collection was observed."""
    told = gcreplay("verify", cycles, "--format", "json")
    assert told.exit_code == 1
    result = json.loads(told.stdout)
    assert (result["recorded"], result["replayed"], result["position_equal"]) == (0, 2, 0)
    assert result["first_difference"]["index"] == 0
    assert set(result) >= {"generation_equal", "collected_equal", "repairs"}
    assert gcreplay("verify", cycles).exit_code == 1


def test_policies_lists_each_with_a_line(gcreplay: Gcreplay) -> None:
    told = gcreplay("policies", "--format", "json")
    listed = {each["policy"]: each["summary"] for each in json.loads(told.stdout)["policies"]}
    assert {"never", "refcount", "manual", "clairvoyant"} <= set(listed)
    assert all("\n" not in summary and summary for summary in listed.values())


def test_policies_are_listed_on_one_screen_by_what_they_are_like(gcreplay: Gcreplay) -> None:
    told = gcreplay("policies").stdout
    assert "\nbounds           refcount, never, clairvoyant\n" in told
    assert len(told.splitlines()) < 24 and max(map(len, told.splitlines())) <= 80
    forms = [
        each["policy"]
        for each in json.loads(gcreplay("policies", "--format", "json").stdout)["policies"]
    ]
    assert all(form.split(", ")[0] in told for form in forms)


@pytest.mark.parametrize("name", ["freeze", "freeze@ready", "every:request,3"])
def test_of_a_policy_that_is_named_it_is_said_what_it_does(gcreplay: Gcreplay, name: str) -> None:
    told = json.loads(gcreplay("policies", name, "--format", "json").stdout)["policies"]
    assert [each["policy"] for each in told] == ["freeze@MARK, every:MARK[,N]"]


def test_a_policy_that_there_is_not_is_wrong_usage(gcreplay: Gcreplay) -> None:
    told = gcreplay("policies", "nver")
    assert told.exit_code == 2 and "there is no policy 'nver'" in told.stderr


def test_figures_are_shown_where_the_place_for_runs_is_damaged(
    gcreplay: Gcreplay, cycles: Path
) -> None:
    whole = gcreplay("replay", cycles, "-p", "manual").stdout
    with sqlite3.connect(cycles) as connection:
        connection.execute("DROP TABLE runs")
    told = gcreplay("replay", cycles, "-p", "manual")
    assert (told.exit_code, told.stdout) == (0, whole)
    assert told.stderr.startswith(f"The runs are not stored: {cycles} is damaged: its table runs")


@pytest.mark.parametrize("mistake", [("-p", "every:nowhere"), ("-p", "manul")])
def test_what_is_mistyped_is_said_before_the_first_replay(
    gcreplay: Gcreplay, cycles: Path, mistake: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Replay, "run", lambda self: pytest.fail(f"{self.name} is replayed"))
    told = gcreplay("replay", cycles, "-p", "manual", *mistake)
    assert told.exit_code == 2
    assert told.stderr.startswith("Error: ")


@pytest.mark.parametrize("asked", [("-p", "every:begin"), ("--apply-from", "begin")])
def test_a_mark_that_is_lost_with_its_segment_is_damage_and_no_wrong_name(
    gcreplay: Gcreplay, cycles: Path, asked: tuple[str, str]
) -> None:
    with sqlite3.connect(cycles) as database:
        database.execute("UPDATE segments SET first_sequence = -1")
    database.close()
    told = gcreplay("replay", cycles, "-p", "manual", *asked)
    assert (told.exit_code, told.stdout) == (1, "")
    assert "damaged" in told.stderr
    assert "has no mark" not in told.stderr and "needs marks" not in told.stderr
