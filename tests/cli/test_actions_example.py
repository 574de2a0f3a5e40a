"""examples/github-actions.yml: its step that compares, run by bash as GitHub runs it."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from command_line import write_cycles

EXAMPLE = (Path(__file__).parents[2] / "examples" / "github-actions.yml").read_text()


def script_of(step: str) -> str:
    """What stands behind `run: |` of a step."""
    found = re.search(
        rf"- name: {step}\n(?: {{8}}.*\n)*? {{8}}run: \|\n((?: {{10}}.*\n)+)", EXAMPLE
    )
    assert found is not None
    return textwrap.dedent(found[1])


def compared(folder: Path) -> tuple[int, str, str]:
    """Exit code of the step, what it tells GitHub, and what stands in the summary."""
    output, summary = folder / "output", folder / "summary"
    for file in (output, summary):
        file.write_text("")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    told = subprocess.run(
        ["bash", "-e", "-c", script_of("Compare")],
        cwd=folder,
        env={**os.environ, "PATH": path, "GITHUB_OUTPUT": output, "GITHUB_STEP_SUMMARY": summary},
        capture_output=True,
        check=False,
    )
    return told.returncode, output.read_text(), summary.read_text()


def test_it_posts_only_what_got_worse_and_fails_where_nothing_can_be_compared(
    tmp_path: Path,
) -> None:
    write_cycles(tmp_path / "base.gcreplay", 1500)
    assert compared(tmp_path) == (2, "", "")  # there is no head.gcreplay
    write_cycles(tmp_path / "head.gcreplay", 1500)
    assert compared(tmp_path) == (0, "", "")
    (tmp_path / "head.gcreplay").unlink()
    write_cycles(tmp_path / "head.gcreplay", 3000)
    code, output, summary = compared(tmp_path)
    assert (code, output) == (0, "worse=true\n")
    assert summary.startswith("**Worse**: garbage +1,500 objects")
