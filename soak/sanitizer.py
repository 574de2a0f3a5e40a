"""The capture under AddressSanitizer: whatever it reads of a block that is not there is told.

The module alone is instrumented; the interpreter runs on malloc, so that every block has its
red zones and a freed one is poisoned.
"""

from __future__ import annotations

import subprocess
import sysconfig
import tempfile
from pathlib import Path

from outcome import Outcome, failed, passed
from places import PROGRAMS, PYTHON, ROOT

from gcreplay.tracer import RecordOptions, interpreter, record

OPTIONS = "detect_leaks=0:halt_on_error=1:exitcode=99:log_path="
CLOSENESS = ((0, 0), (1, 0), (50, 700))


def sanitized(folder: Path) -> list[Outcome]:
    """A program of all kinds of objects, at three closenesses."""
    built = _built(folder / "sanitized")
    plain = interpreter.INJECT
    interpreter.INJECT = built
    try:
        return [_one(folder, *looks) for looks in CLOSENESS]
    finally:
        interpreter.INJECT = plain


def _one(folder: Path, granularity: int, full_probe: int) -> Outcome:
    name = f"sanitizer {granularity}/{full_probe}"
    with tempfile.TemporaryDirectory(dir=folder) as reports:
        environment = {
            "LD_PRELOAD": _library(),
            "PYTHONMALLOC": "malloc",
            "ASAN_OPTIONS": f"{OPTIONS}{reports}/report",
        }
        summary = record(
            RecordOptions(
                folder / "sanitized.gcreplay",
                [str(PROGRAMS / "everything.py")],
                python=str(PYTHON),
                granularity=granularity,
                full_probe=full_probe,
                force=True,
                environment=environment,
            )
        )
        found = [report.read_text() for report in Path(reports).iterdir()]
    if found or summary.exit_code != 0 or not summary.complete:
        (folder / "sanitizer.report").write_text("\n".join(found))
        told = found[0].splitlines()[1] if found else summary.message
        return failed(name, f"exit code {summary.exit_code}: {told}")
    return passed(name, f"{summary.events:,} events, {summary.collections} collections, no report")


def _library() -> str:
    asked = ["gcc", "-print-file-name=libasan.so"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def _built(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    sources = sorted((ROOT / "tracer" / "capture").glob("*.c"))
    flags = ["-shared", "-fPIC", "-O1", "-g", "-std=gnu11", "-fsanitize=address"]
    command = ["gcc", *flags, f"-I{sysconfig.get_path('include')}", *sources]
    subprocess.run([*command, "-o", folder / f"sitecustomize{suffix}"], check=True)
    return folder
