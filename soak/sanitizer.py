"""The capture under AddressSanitizer and UBSan: whatever it reads of a block that is not there is
told, and whatever it computes that C does not define.

The module alone is instrumented; the interpreter runs on malloc, so that every block has its
red zones and a freed one is poisoned. AddressSanitizer writes a report, UBSan a line on standard
error; both end the program.
"""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from outcome import Outcome, failed, passed
from places import PROGRAMS, PYTHON, ROOT

from gcreplay.tracer import (
    CollectAt,
    FreezeAt,
    Plan,
    RealOptions,
    RecordOptions,
    interpreter,
    record,
    run_real,
)

OPTIONS = "detect_leaks=0:halt_on_error=1:exitcode=99:log_path="
CLOSENESS = ((0, 0), (1, 0), (50, 700))
PLANS = {
    "as it is": Plan(),
    "every verb": Plan(
        (100, 5, 5), (FreezeAt("churned"), CollectAt("thread", 2)), apply_from="begin"
    ),
}
PROGRAM = [str(PROGRAMS / "everything.py")]
Environment = dict[str, str]
Run = Callable[[Environment], tuple[bool, str]]
"""Says whether it reached its end, and what there is to say of it."""


def sanitized(folder: Path) -> list[Outcome]:
    """A program of all kinds of objects: recorded three times, with more probes each, measured
    under two plans, with and without sizes."""
    runs: dict[str, Run] = {
        **{f"recording {g}/{f}": partial(_recorded, folder, g, f) for g, f in CLOSENESS},
        **{f"measuring {name}": partial(_measured, plan, False) for name, plan in PLANS.items()},
        **{f"sizes {name}": partial(_measured, plan, True) for name, plan in PLANS.items()},
    }
    built = _built(folder / "sanitized")
    plain = interpreter.INJECT
    interpreter.INJECT = built
    try:
        return [_one(folder, f"sanitizer {name}", run) for name, run in runs.items()]
    finally:
        interpreter.INJECT = plain


def _one(folder: Path, name: str, run: Run) -> Outcome:
    with tempfile.TemporaryDirectory(dir=folder) as reports:
        complete, told = run(
            {
                "LD_PRELOAD": _library(),
                "PYTHONMALLOC": "malloc",
                "ASAN_OPTIONS": f"{OPTIONS}{reports}/report",
            }
        )
        found = [report.read_text() for report in Path(reports).iterdir()]
    if found:
        (folder / "sanitizer.report").write_text("\n".join(found))
        return failed(name, f"see {folder / 'sanitizer.report'}")
    return passed(name, f"{told}, no report") if complete else failed(name, told)


def _recorded(
    folder: Path, granularity: int, full_probe: int, environment: Environment
) -> tuple[bool, str]:
    summary = record(
        RecordOptions(
            folder / "sanitized.gcreplay",
            PROGRAM,
            python=str(PYTHON),
            granularity=granularity,
            full_probe=full_probe,
            force=True,
            environment=environment,
            stdout=subprocess.DEVNULL,
        )
    )
    if summary.exit_code != 0 or not summary.complete:
        return False, f"exit code {summary.exit_code}: {summary.message}"
    return True, f"{summary.events:,} events, {summary.collections} collections"


def _measured(plan: Plan, sizes: bool, environment: Environment) -> tuple[bool, str]:
    ran = run_real(
        RealOptions(
            PROGRAM,
            plan,
            python=str(PYTHON),
            sizes=sizes,
            environment=environment,
            stdout=subprocess.DEVNULL,
        )
    )
    if ran.exit_code != 0 or not ran.complete:
        return False, f"exit code {ran.exit_code}: {ran.message}"
    return True, f"{len(ran.marks)} marks, {len(ran.collections)} collections"


def _library() -> str:
    asked = ["gcc", "-print-file-name=libasan.so"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def _built(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    sources = sorted((ROOT / "tracer" / "capture").glob("*.c"))
    flags = ["-shared", "-fPIC", "-O1", "-g", "-std=gnu11", "-fsanitize=address,undefined"]
    flags.append("-fno-sanitize-recover=all")
    command = ["gcc", *flags, f"-I{sysconfig.get_path('include')}", *sources]
    subprocess.run([*command, "-o", folder / f"capture{suffix}"], check=True)
    shutil.copy(interpreter.INJECT / f"preload{suffix}", folder)
    return folder
