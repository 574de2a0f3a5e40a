"""`record --report`: the exit code is the program's, whatever becomes of the report."""

import subprocess
import sys
from pathlib import Path

import pytest

from gcreplay.commands import record as command
from gcreplay.commands import report


def record(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gcreplay", "record", *args],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_report_is_written_and_the_exit_code_is_the_programs(tmp_path: Path) -> None:
    done = record(tmp_path, "--report", "r.md", "-o", "a.gcreplay", "-c", "print('x'); exit(3)")
    assert (done.returncode, done.stdout) == (3, "x\n")
    text = (tmp_path / "r.md").read_text()
    assert text.startswith("## ") and "gcreplay report a.gcreplay -o r.md  # this report" in text


def test_a_report_that_cannot_be_written_leaves_recording_and_exit_code(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    program = ("-o", "a.gcreplay", "-c", "import os; os.rmdir('out'); exit(3)")
    done = record(tmp_path, "--report", "out/r.md", *program)
    assert done.returncode == 3 and "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if "report" in line] == [
        "gcreplay: no report is written: out/r.md: No such file or directory; it is not written. "
        "To try again: gcreplay report a.gcreplay -o out/r.md"
    ]
    assert (tmp_path / "a.gcreplay").exists()


@pytest.mark.parametrize("error", [RuntimeError("of ours\nin two lines"), KeyboardInterrupt()])
def test_any_error_of_a_report_is_one_sentence(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(report, "of_recorded", fails)
    command._report(Path("a.gcreplay"), Path("r.html"), force=False)
    said = capsys.readouterr().err
    assert said.startswith(f"gcreplay: no report is written: {type(error).__name__}")
    assert said.endswith("To try again: gcreplay report a.gcreplay -o r.html\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("there.html", "there.html exists"),
        ("missing/r.html", "there is no folder"),
        ("a.gcreplay", "is the recording itself"),
        ("./a.gcreplay-wal", "is the recording itself"),
        ("-", "the output is the program's"),
    ],
)
def test_a_report_that_cannot_be_is_refused_before_the_program_runs(
    tmp_path: Path, target: str, says: str
) -> None:
    (tmp_path / "there.html").write_text("mine")
    done = record(tmp_path, "--report", target, "-o", "a.gcreplay", "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr and "Traceback" not in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["there.html"]
    assert (tmp_path / "there.html").read_text() == "mine"
