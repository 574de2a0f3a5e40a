"""The native parts of gcreplay; everything else about the build stands in pyproject.toml."""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup

STRICT = ["-O3", "-std=gnu11", "-Wall", "-Wextra", "-Wno-unused-parameter"]
# A CPython method table leaves its last fields out and casts its functions.
STRICT += ["-Wno-missing-field-initializers", "-Wno-cast-function-type"]
# Cython's generated code compares signs and leaves helpers unused.
GENERATED = [*STRICT, "-Wno-sign-compare", "-Wno-unused-function", "-Wno-unused-variable"]
# Calls between the C files of a module need not go through the table of what it exports.
GENERATED += ["-fvisibility=hidden"]
if os.environ.get("GCREPLAY_WERROR") == "1":
    STRICT.append("-Werror")

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
}


def c_files(folder: str) -> list[str]:
    return sorted(path.as_posix() for path in Path(folder).glob("*.c"))


def headers(folder: str) -> list[str]:
    return sorted(path.as_posix() for path in Path(folder).glob("*.h"))


def cython_extensions() -> list[Extension]:
    """The Cython modules whose sources exist, with the C files beside them."""
    modules = [
        ("gcreplay.store.encoding._codec", "store/encoding/_codec.pyx", ""),
        ("gcreplay.store.rules._validate", "store/rules/_validate.pyx", ""),
        ("gcreplay.replay.engine._engine", "replay/engine/_engine.pyx", ""),
        ("gcreplay.replay.sweep._sweep", "replay/sweep/_sweep.pyx", ""),
        ("gcreplay.replay.leaks._graph", "replay/leaks/_graph.pyx", ""),
        ("gcreplay.replay.garbage._garbage", "replay/garbage/_garbage.pyx", ""),
        ("gcreplay.tracer._ingest", "tracer/_ingest.pyx", "tracer/ingest"),
        ("gcreplay.tracer._linetable", "tracer/_linetable.pyx", ""),
    ]
    extensions = [
        Extension(
            name,
            [source, *(c_files(folder) if folder else [])],
            include_dirs=["tracer/capture", folder] if folder else [],
            depends=[*headers("tracer/capture"), *headers(folder)]
            if folder
            else [*headers("replay/engine"), *headers(str(Path(source).parent))],
            extra_compile_args=GENERATED,
        )
        for name, source, folder in modules
        if Path(source).exists()
    ]
    if not extensions:
        return []
    from Cython.Build import cythonize

    built: list[Extension] = cythonize(extensions, compiler_directives=DIRECTIVES)
    return built


def capture_extensions() -> list[Extension]:
    """What runs inside a recorded program, CPython 3.11 only: the library that is preloaded and
    lets the other one in. Neither is a module that Python imports."""
    sources = c_files("tracer/capture")
    wanted = sys.implementation.name == "cpython" and sys.version_info[:2] == (3, 11)
    if not wanted:
        print(
            f"gcreplay on Python {sys.version.split()[0]} replays recordings and makes none: "
            f"install it with CPython 3.11 to record",
            file=sys.stderr,
        )
    if not (sources and wanted):
        return []
    return [
        Extension(
            "gcreplay.tracer.inject.preload",
            c_files("tracer/preload"),
            extra_compile_args=[*STRICT, "-fvisibility=hidden", "-Wno-address"],
        ),
        Extension(
            "gcreplay.tracer.inject.capture",
            sources,
            include_dirs=["tracer/capture"],
            depends=headers("tracer/capture"),
            # A vector load of counters that were just stored one by one waits for the stores.
            extra_compile_args=[*STRICT, "-fvisibility=hidden", "-fno-tree-vectorize"],
        ),
    ]


setup(
    ext_modules=[*cython_extensions(), *capture_extensions()],
    options={"build_ext": {"parallel": os.cpu_count()}},
)
