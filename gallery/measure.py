"""Records a program of the gallery, predicts, really runs it, and gathers the figures.

All of it goes through the command line, as a reader would do it; hash seeds are fixed, so that
counts are the same each time where the program itself does not vary.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from gallery.entry import Change, Entry
from gallery.figures import NO_TIMES, Changed, Counts, Cycle, Figures, Holder, Setting, Times

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "gallery"
PYTHON = BUILD / "venv" / "bin" / "python"
PRESENT = "cpython-3.11"


class Measuring:
    """One program: its recording and what the commands say of it."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.trace = str(BUILD.relative_to(ROOT) / f"{entry.name}.gcreplay")
        self.output = ""

    def figures(self, commit: str) -> Figures:
        self.record()
        verified = self.json("verify", self.trace)
        proofs = self.prove(self.trace, self.entry.program, self.entry.settings)
        replayed = self.json("replay", self.trace, *policies(self.entry.settings))
        info = self.json("info", self.trace)
        leaks = self.json("leaks", self.trace) if self.entry.shows == "leaks" else None
        return Figures(
            python=info["python"],
            packages=tuple((bare(name), version(name)) for name in self.entry.packages),
            commit=commit,
            events=info["events"],
            objects=info["objects"],
            verdict=verified["verdict"],
            exact=verified["first_difference"] is None,
            output=self.output,
            own_ms=replayed["own_ns"] / 1e6,
            alive=leaks["bytes"] if leaks else None,
            settings=tuple(settings(proofs, replayed)),
            changed=self.changed(self.entry.change, leaks) if self.entry.change else None,
            cycle=self.cycle(),
            holder=holder(leaks) if leaks else None,
        )

    def cycle(self) -> Cycle | None:
        if not self.entry.shows.startswith("cycles"):
            return None
        return cycle(self.json("cycles", self.trace, "--suggest"))

    def record(self) -> None:
        said = gcreplay(*record_command(self.entry))
        self.output = said.stdout.strip()

    def prove(self, trace: str, program: str, settings: tuple[str, ...]) -> dict[str, Any]:
        command = ["prove", "--trace", trace, "--pauses", *policies(settings or (PRESENT,))]
        command += ["--python", str(PYTHON), program, *self.entry.arguments]
        return self.json(*command)

    def changed(self, change: Change, leaks: dict[str, Any] | None) -> Changed:
        """The changed program stands beside its recording, and is recorded for its memory."""
        text = (ROOT / self.entry.program).read_text()
        if text.count(change.before) != 1:
            raise SystemExit(f"gallery: {self.entry.program} does not have `{change.before}` once")
        folder = BUILD.relative_to(ROOT) / "changed"
        (ROOT / folder).mkdir(exist_ok=True)
        program = str(folder / Path(self.entry.program).name)
        (ROOT / program).write_text(text.replace(change.before, change.after))
        trace = self.trace.replace(".gcreplay", "-changed.gcreplay")
        said = gcreplay(*record_options(trace), program, *self.entry.arguments)
        proved = self.prove(trace, program, ())
        run = self.json("replay", trace)["runs"][0]
        predicted, peak, alive, expected = None, None, None, NO_TIMES
        if change.predicted_by:
            would = self.json("replay", self.trace, *change.predicted_by)["runs"][1]
            predicted, peak, expected = (
                counts(would),
                would["peak_bytes"],
                times(would.get("pauses")),
            )
        if leaks:
            alive = leaks["bytes"] - leaks["holder"]["retained_bytes"]
        return Changed(
            before=change.before,
            after=change.after,
            predicted=predicted,
            predicted_peak=peak,
            predicted_alive=alive,
            real=tuple(map(counts, proved["proofs"][0]["measured"])),
            predicted_times=expected,
            real_times=times(proved["pauses"][PRESENT]["measured"]),
            peak=run["peak_bytes"],
            alive=self.json("leaks", trace)["bytes"] if leaks else None,
            output=said.stdout.strip(),
        )

    def json(self, *command: str) -> dict[str, Any]:
        name, *rest = command
        answer: dict[str, Any] = json.loads(gcreplay(name, "--format", "json", *rest).stdout)
        return answer


def record_options(trace: str) -> list[str]:
    command = ["record", "--force", "--for", "what-if", "--python", str(PYTHON)]
    return [*command, "-o", trace]


def record_command(entry: Entry) -> list[str]:
    trace = str(BUILD.relative_to(ROOT) / f"{entry.name}.gcreplay")
    return [*record_options(trace), entry.program, *entry.arguments]


def gcreplay(*command: str) -> subprocess.CompletedProcess[str]:
    return run(str(Path(sys.executable).with_name("gcreplay")), *command)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """In the checkout; raises SystemExit with what the command said where it failed."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        shown = " ".join(Path(word).name if word.startswith("/") else word for word in command)
        raise SystemExit(f"gallery: `{shown}` failed:\n{done.stderr[-2000:]}")
    return done


def environment(entries: tuple[Entry, ...]) -> None:
    """A virtual environment with what all of them need."""
    if not PYTHON.exists():
        run(sys.executable, "-m", "venv", str(BUILD / "venv"))
    packages = sorted({package for entry in entries for package in entry.packages})
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if packages:
        run(*pip, *packages)
    run(str(PYTHON), "-m", "compileall", "-q", str(BUILD / "venv" / "lib"))


def bare(package: str) -> str:
    """A package's name without the version."""
    return package.partition("==")[0]


def version(package: str) -> str:
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    return run(str(PYTHON), "-c", code, bare(package)).stdout.strip()


def policies(settings: tuple[str, ...]) -> list[str]:
    return [word for setting in settings for word in ("-p", setting)]


def counts(of: dict[str, Any]) -> Counts:
    first, second, third = of["collections_by_generation"]
    return Counts((first, second, third), of["collected"], of["peak_tracked"])


def times(of: dict[str, Any] | None) -> Times:
    if of is None:
        return NO_TIMES
    return Times(of["total_ns"] / 1e6, of["longest_ns"] / 1e6)


def settings(proofs: dict[str, Any], replayed: dict[str, Any]) -> list[Setting]:
    """The present one first, then as in the entry."""
    runs = {run["policy"]: run for run in replayed["runs"]}
    pauses = proofs.get("pauses") or {}
    return [
        Setting(
            policy=proof["policy"],
            predicted=counts(proof["predicted"]),
            real=tuple(map(counts, proof["measured"])),
            predicted_times=times(pauses.get(proof["policy"], {}).get("predicted")),
            real_times=times(pauses.get(proof["policy"], {}).get("measured")),
            peak=runs[proof["policy"]]["peak_bytes"],
            floating=runs[proof["policy"]]["peak_floating_bytes"],
            visited=runs[proof["policy"]]["work"]["visited"],
            asked=proof["depends_on_collector"]["count"],
        )
        for proof in proofs["proofs"]
    ]


def cycle(of: dict[str, Any]) -> Cycle | None:
    """The first kind, and the first reference that is proposed to be cut."""
    if not of["groups"]:
        return None
    group, suggested = of["groups"][0], of["suggestions"]
    example = group["example"]
    called = {each["id"]: each["type"].removeprefix("__main__.") for each in example["objects"]}
    path = ""
    for edge in example["edges"][:6]:
        path = path or called[edge["from"]]
        path += f"{edge['label']} -> {called[edge['to']]}"
    return Cycle(
        count=group["count"],
        objects=group["objects"],
        bytes=group["bytes"] + group["hanging_bytes"],
        share=100 * group["visited"] / max(1, of["total"]["gc_visited"]),
        place=place(group["sites"][0]) if group["sites"] else "",
        path=path,
        cut=suggested[0]["cut"] if suggested else "",
    )


def holder(of: dict[str, Any]) -> Holder | None:
    found = of["holder"]
    if not of["growing"] or found is None:
        return None
    return Holder(found["name"], found["retained_bytes"], found["share"])


def place(site: dict[str, Any]) -> str:
    """Relative to the checkout, or to the folder that packages are installed in."""
    path = Path(site["file"])
    if path.is_relative_to(BUILD):
        short = str(path).partition("site-packages/")[2]
    else:
        short = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
    return f"{short}:{site['line']}"
