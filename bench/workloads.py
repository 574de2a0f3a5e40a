"""The real programs that the benches run: plain, recorded, and under memray.

They and what the collector did in real runs of them (truth) are in a folder of their own beside
the checkout: `programs/wNN_*.py`, `truth/VERSION.json`, `requirements.txt`. Each program tells
about its window, from the import of its `_common` to its `finish()`, in a JSON file.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import re
import resource
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from gcreplay.tracer import Plan, RealOptions, RealRun, RealRunner

CHECKOUT = Path(__file__).resolve().parent.parent
BENCH = Path(__file__).resolve().parent
FOLDER = CHECKOUT.parent / "shared" / "workloads"
BUILD = CHECKOUT / "build" / "bench"
HOOK = {"GCW_PHASE_HOOK": "gcreplay_bench_hook:phase", "PYTHONPATH": str(BENCH / "hooks")}
EMPTY = ["-c", "pass"]
CODE_PTH = """import json, decimal, collections; collections.namedtuple("Point", "x y")
import sys; exec("for i in range(2000): a = [i]; a.append(a)")
"""
OTHERS = {"a bare venv": {}, "one whose .pth file runs code": {"code.pth": CODE_PTH}}
"""Environments that are as the programs' own but for what runs at start-up."""
VALGRIND = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
CLOSER = "--probe-budget 80"
"""With a granularity of 100: the options for predictions of other settings."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Collections and collected objects of a window, by generation."""

    collections: tuple[int, ...]
    collected: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Real:
    """What a measured run did in its window, by generation; the most objects in the three
    generations when a collection began; and what a gc.collect() at the window's end found."""

    collections: tuple[int, ...]
    collected: tuple[int, ...]
    peak_tracked: int
    left: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds: CPU (user and system) of the program alone, and of all processes of the command;
    wall time of the whole command."""

    cpu: float
    both: float
    wall: float


class Workloads:
    """The programs, an interpreter that has what they need, and a folder for what runs leave.

    `reuse` keeps recordings and plain figures of earlier runs: they depend on the programs and
    the interpreter, not on load. `probes` are granularity and full probe of recordings, `more`
    further options of `gcreplay record`.
    """

    def __init__(
        self,
        folder: Path = FOLDER,
        venv: Path | None = None,
        *,
        reuse: bool = False,
        probes: tuple[int, int] = (0, 0),
        more: Sequence[str] = (),
    ) -> None:
        if not (folder / "programs" / "_common.py").exists():
            raise SystemExit(
                f"{folder} has no programs; give --workloads DIR, a folder with programs/ in it"
            )
        self.folder = folder.resolve()
        self.cwd = self.folder / "programs"
        self.reuse = reuse
        self.probes = probes
        self.more = list(more)
        self.gcreplay = Path(sys.executable).parent / "gcreplay"
        self._warmed: set[str] = set()
        self._place_of = ""
        self._variables: dict[str, str] = {}
        (BUILD / "home").mkdir(parents=True, exist_ok=True)
        self.venv = venv or self._own_venv()
        self.python = str(self.venv.absolute() / "bin" / "python")

    def inside(self, name: str) -> Workloads:
        """The same in one of OTHERS; what the programs need is on PYTHONPATH."""
        other = copy.copy(self)
        other._place_of = f"-{list(OTHERS).index(name)}"
        other._warmed = set()
        other.venv = BUILD / f"venv{other._place_of}"
        other.python = str(other.venv / "bin" / "python")
        (packages,) = self.venv.glob("lib/python*/site-packages")
        other._variables = {"PYTHONPATH": str(packages.absolute())}
        command = [self.python, "-m", "venv", "--clear", "--without-pip", other.venv]
        subprocess.run(command, check=True)
        for file, text in OTHERS[name].items():
            (other.venv / packages.relative_to(self.venv) / file).write_text(text)
        return other

    def recorded_by(self, gcreplay: Path) -> Workloads:
        """The same, recorded by another gcreplay."""
        other = copy.copy(self)
        other.gcreplay = gcreplay
        return other

    def closer(self) -> Workloads:
        """The same, recorded as predictions of other settings want it."""
        return Workloads(
            self.folder, self.venv, reuse=self.reuse, probes=(100, 0), more=CLOSER.split()
        )

    def with_options(self, *more: str) -> Workloads:
        """The same, recorded with more options."""
        other = copy.copy(self)
        other.more = [*self.more, *more]
        return other

    @cached_property
    def names(self) -> list[str]:
        return sorted(path.stem for path in self.cwd.glob("w*.py"))

    @cached_property
    def version(self) -> str:
        code = "import platform; print(platform.python_version())"
        done = subprocess.run([self.python, "-c", code], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    @cached_property
    def _truth(self) -> Mapping[str, Mapping[str, Mapping[str, Mapping[str, list[int]]]]]:
        file = self.folder / "truth" / f"{self.version}.json"
        return json.loads(file.read_text())["workloads"] if file.exists() else {}

    def settings(self, name: str) -> list[str]:
        return list(self._truth[name]["settings"])

    def truth(self, name: str, setting: str = "default") -> Figures | None:
        """What a real run did on the machine where the truth was made."""
        known = self._truth.get(name, {}).get("settings", {}).get(setting)
        return known and Figures(tuple(known["collections"]), tuple(known["collected"]))

    def plain(self, name: str, setting: str = "default") -> Figures:
        """What a plain run does on this machine."""
        out = self._place("plain", name, setting, ".json")
        if not (self.reuse and out.exists()):
            self._warm(name)
            self._run([self.python, f"{name}.py"], variables(setting), out)
        return told(out)

    def recording(
        self, name: str, setting: str = "default", *, marks: bool = False
    ) -> tuple[Path, Figures]:
        """A recording of a run, and what the program told about its window meanwhile.

        With `marks`, "start", "imports_done", "end" and each N-th "tick" stand in the recording;
        the import that this takes stands before the window."""
        chosen = [*map(str, self.probes), *self.more]
        stem = "-".join(["ticked" if marks else "recorded", *(one.strip("-") for one in chosen)])
        path = self._place(stem, name, setting, ".gcreplay")
        out = self._place(stem, name, setting, ".json")
        if not (self.reuse and out.exists() and path.exists()):
            self._warm(name)
            added = variables(setting) | (self.hook(name) if marks else {})
            self._run(self._record(self.python, path, [f"{name}.py"]), added, out)
        return path, told(out)

    def recorded_with(self, name: str, path: Path, added: Mapping[str, str]) -> None:
        """Record a run under more variables."""
        self._warm(name)
        self._run(self._record(self.python, path, [f"{name}.py"]), {**HOOK, **added})

    def real(self, name: str, setting: str, plan: Plan) -> Real:
        """What a real run under a plan does; `setting` names the plan."""
        out = self._place("real", name, setting, ".json")
        if not (self.reuse and out.exists()):
            self._warm(name)
            options = RealOptions(
                [f"{name}.py"],
                plan,
                environment=self.hook(name),
                directory=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            run = self._runner.run(options)
            if run.exit_code or not run.complete or run.missed:
                raise SystemExit(f"{name} under {setting}: {run.message or run.exit_code}")
            out.write_text(json.dumps(asdict(_in_window(run))))
        said = json.loads(out.read_text())
        by_generation = (tuple(said[key]) for key in ("collections", "collected"))
        return Real(*by_generation, said["peak_tracked"], said["left"])

    @cached_property
    def _runner(self) -> RealRunner:
        return RealRunner(self.python, base=self.environment({}))

    def hook(self, name: str) -> dict[str, str]:
        """Variables under which the program passes its phases and ticks as marks."""
        every = json.loads((self.cwd / "manifest.json").read_text())[name]["manual_every"]
        return {**HOOK, "GCREPLAY_BENCH_EVERY": str(every)}

    @property
    def how(self) -> str:
        """How recordings are made, in words."""
        granularity, full = self.probes
        given = [f"--granularity {granularity}"] * bool(granularity)
        given += [f"--full-probe {full}"] * bool(full)
        return (
            f"with `{' '.join([*given, *self.more])}`" if given or self.more else "at the defaults"
        )

    def cost_plain(self, program: Sequence[str]) -> Cost:
        return self._cost([str(self._timed), *program])

    def cost_recorded(self, program: Sequence[str]) -> Cost:
        """The program's CPU time; the wall time is that of the whole command, with the ingest."""
        return self._cost(self._record(str(self._timed), BUILD / "cost.gcreplay", program))

    def cost_memray(self, program: Sequence[str]) -> Cost:
        """With Python's allocators traced, and without compressing the result."""
        out = BUILD / "cost.memray"
        options = ["--trace-python-allocators", "--no-compress", "--quiet", "--force"]
        command = ["-m", "memray", "run", *options, "--output", str(out), *program]
        cost = self._cost([str(self._timed), *command], {"PYTHONPATH": str(self._memray)})
        out.unlink()
        return cost

    def instructions_plain(self, program: Sequence[str]) -> int:
        """What valgrind counts in the program's process."""
        return self._counted([str(self._counting), *program])

    def instructions_recorded(self, path: Path, program: Sequence[str]) -> int:
        """The same while it is recorded: the recorder is another process."""
        return self._counted(self._record(str(self._counting), path, program))

    def environment(self, added: Mapping[str, str]) -> dict[str, str]:
        """In which the truth was made; nothing of the caller's leaks in."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(BUILD / "home"),
            "LANG": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            "PYTHONNOUSERSITE": "1",
            "PYTHONPYCACHEPREFIX": str(BUILD / "pyc"),
            **self._variables,
            **added,
        }

    def _warm(self, name: str) -> None:
        """Compiled modules and the programs' own caches change what is allocated."""
        if name not in self._warmed:
            self._run([self.python, f"{name}.py"])
            self._warmed.add(name)

    def recording_of(self, path: Path, program: Sequence[str]) -> list[str]:
        """The command that records a program."""
        return self._record(self.python, path, program)

    def _record(self, python: str, path: Path, program: Sequence[str]) -> list[str]:
        command = [str(self.gcreplay), "record", "--force", "--python", python, "-o", str(path)]
        granularity, full = map(str, self.probes)
        return [*command, "--granularity", granularity, "--full-probe", full, *self.more, *program]

    def _cost(self, command: Sequence[str], added: Mapping[str, str] | None = None) -> Cost:
        before, started = _used_by_children(), time.perf_counter()
        self._run(command, added)
        wall = time.perf_counter() - started
        return Cost(float((BUILD / "usage").read_text()), _used_by_children() - before, wall)

    @cached_property
    def _timed(self) -> Path:
        """An interpreter that leaves its CPU time in the file `usage`."""
        script = BUILD / "timed-python"
        timed = f"'{self.python}' -IS '{BENCH / 'timed.py'}' '{BUILD / 'usage'}' '{self.python}'"
        script.write_text(f'#!/bin/sh\nexec {timed} "$@"\n')
        script.chmod(0o755)
        return script

    def _counted(self, command: Sequence[str]) -> int:
        self._run(command)
        return counted((BUILD / "counted").read_text())

    @cached_property
    def _counting(self) -> Path:
        """An interpreter that leaves the number of its instructions in the file `counted`. Those
        that are only asked who they are come before the program."""
        script = BUILD / "counting-python"
        words = [*VALGRIND, f"--log-file={BUILD / 'counted'}", self.python]
        script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        script.chmod(0o755)
        return script

    def _run(
        self,
        command: Sequence[str],
        added: Mapping[str, str] | None = None,
        out: Path | None = None,
    ) -> None:
        environment = self.environment(added or {})
        if out is not None:
            out.unlink(missing_ok=True)
            environment |= {"GCW_LOG": "control", "GCW_OUT": str(out)}
        done = subprocess.run(
            command, cwd=self.cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr.decode()[-2000:]}")

    def _place(self, kind: str, name: str, setting: str = "default", suffix: str = "") -> Path:
        folder = BUILD / f"{kind}{self._place_of}"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}-{setting}{suffix}"

    def _own_venv(self) -> Path:
        venv = BUILD / "venv"
        if not (venv / "ready").exists():
            print("making the programs' environment in build/bench/venv ...", file=sys.stderr)
            subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
            needed = ["-r", str(self.folder / "requirements.txt")]
            _install(venv / "bin" / "python", needed)
            (venv / "ready").touch()
        return venv

    @cached_property
    def _memray(self) -> Path:
        """Apart from the venv: it brings Pygments, with which docutils does more."""
        folder = BUILD / "memray"
        if not folder.exists():
            _install(Path(self.python), ["--target", str(folder), "memray"])
        return folder


def counted(told: str) -> int:
    """The instructions in what valgrind says."""
    found = re.search(r"I\s+refs:\s+([\d,]+)", told)
    if found is None:
        raise SystemExit(f"valgrind told no count:\n{told[-2000:]}")
    return int(found[1].replace(",", ""))


def _used_by_children() -> float:
    """CPU seconds of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _install(python: Path, what: Sequence[str]) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *what], check=True)


def _in_window(run: RealRun) -> Real:
    window = run.window("start", "end")
    behind = run.collections[next(m.collections for m in run.marks if m.label == "end") :]
    return Real(
        tuple(sum(c.generation == g for c in window) for g in range(3)),
        tuple(sum(c.collected for c in window if c.generation == g) for g in range(3)),
        max((c.tracked or 0 for c in window), default=0),
        behind[0].collected,
    )


def variables(setting: str) -> dict[str, str]:
    """How a program is told to apply a setting at the start of its window."""
    if setting == "default":
        return {}
    if setting == "disabled":
        return {"GCW_DISABLE": "1"}
    if setting == "freeze":
        return {"GCW_FREEZE": "1"}
    return {"GCW_THRESHOLD": setting}


def told(file: Path) -> Figures:
    """What a program said about its window."""
    said = json.loads(file.read_text())
    ends = list(zip(said["start_stats"], said["end_stats"], strict=True))
    collections, collected = (
        tuple(end[key] - start[key] for start, end in ends) for key in ("collections", "collected")
    )
    return Figures(collections, collected)


def options(purpose: str | None) -> argparse.ArgumentParser:
    """The options that all benches on real programs have."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("programs", nargs="*", help="as w03 or w03_docutils (default: all)")
    parser.add_argument("--workloads", type=Path, default=FOLDER, metavar="DIR")
    parser.add_argument("--venv", type=Path, help="an environment that has their requirements")
    parser.add_argument("--reuse", action="store_true", help="keep recordings of earlier runs")
    parser.add_argument("--granularity", type=int, default=0, metavar="G", help="of recordings")
    parser.add_argument("--full-probe", type=int, default=0, metavar="F", help="of recordings")
    parser.add_argument("--record", default="", metavar="OPTIONS", help="more of gcreplay record's")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the tables there too")
    return parser


def chosen(given: argparse.Namespace) -> tuple[Workloads, list[str]]:
    probes = (given.granularity, given.full_probe)
    more = given.record.split()
    workloads = Workloads(given.workloads, given.venv, reuse=given.reuse, probes=probes, more=more)
    wanted = given.programs
    names = [
        name
        for name in workloads.names
        if not wanted or any(name == one or name.startswith(f"{one}_") for one in wanted)
    ]
    if not names:
        raise SystemExit(f"no such program; there are {', '.join(workloads.names)}")
    return workloads, names
