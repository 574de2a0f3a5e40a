"""The spool readers under libFuzzer, with AddressSanitizer and UBSan: whatever bytes a spool holds,
they neither crash nor hang nor take memory without bound."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

from outcome import Outcome, failed, passed
from places import ROOT

sys.path.insert(0, str(ROOT / "tests" / "tracer"))
from spool_records import BEGINNING, MORE

FLAGS = ["-g", "-O1", "-std=gnu11", "-fsanitize=fuzzer,address,undefined"]
FLAGS.append("-fno-sanitize-recover=all")
LIMITS = ["-max_len=4096", "-rss_limit_mb=1500", "-timeout=10", "-print_final_stats=1"]


def fuzzed(folder: Path, minutes: float) -> Outcome:
    """So many minutes, beginning with whole spools."""
    if shutil.which("clang") is None:
        return failed(
            "fuzzing", "there is no clang here: install clang and its runtime (libclang-rt-dev)"
        )
    folder = folder / "fuzzing"
    seeds, found = folder / "seeds", folder / "found"
    for each in (seeds, found):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir(parents=True)
    chosen = random.Random(1)
    for i in range(200):
        rest = b"".join(chosen.choices(MORE, k=i % 20))
        (seeds / str(i)).write_bytes(BEGINNING + rest)
    _build(folder / "fuzz")
    done = subprocess.run(
        [folder / "fuzz", f"-max_total_time={60 * minutes:.0f}", *LIMITS, seeds],
        cwd=found,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        (folder / "report").write_text(done.stderr)
        return failed("fuzzing", f"see {folder / 'report'} and {found}")
    runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    return passed("fuzzing", f"{int(runs[1]) if runs else 0:,} spools, no report")


def _build(target: Path) -> None:
    include = [f"-I{ROOT / 'tracer' / name}" for name in ("capture", "ingest")]
    sources = sorted((ROOT / "tracer" / "ingest").glob("*.c"))
    own = ROOT / "soak" / "fuzz" / "spool.c"
    subprocess.run(["clang", *FLAGS, *include, own, *sources, "-o", target], check=True)
