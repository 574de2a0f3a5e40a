"""A recording whose names tell nothing about the code that was recorded: for a report that is
handed to others.

Types keep their names, for these are what a report is about; so do names that come with Python.
Files, functions, attributes, variables, keys, modules and marks become numbers, the same one
wherever the same name stands, so that kinds and counts are as they were. Lines of source, the
command line and stored results are left out. What is never read cannot be written, in no format.
"""

from __future__ import annotations

import builtins
import re
import sys
import types
from typing import Final

from .events import REPAIR_LABELS, Op, Run
from .log import EventLog
from .marks import kind
from .tables.names import Names, NameTable, Row

_KEPT_META: Final = frozenset(
    (
        "schema",
        "complete",
        "recovered",
        "python",
        "counts",
        "granularity",
        "full_probe",
        "probe_budget",
        "exit_code",
        "children",
        "own_cpu_ns",
        "own_cpu_measured_ns",
        "exit_cpu_ns",
        "repairs",
        "pauses",
    )
)
_OF_PYTHON: Final = frozenset(
    name
    for space in (types, builtins)
    for one in vars(space).values()
    if isinstance(one, type)
    for name in dir(one)
)
"""Names of attributes of Python's own types, as `__traceback__` and `tb_frame`."""
_PART: Final = re.compile(r"<(?:module|locals|listcomp|setcomp|dictcomp|genexpr|lambda)>")
_FROZEN: Final = re.compile(r"<frozen (?:importlib\._bootstrap(?:_external)?|zipimport)>")
_INSTALLED: Final = re.compile(r".*/((?:site|dist)-packages)/(.+)", re.DOTALL)
_STANDARD: Final = re.compile(r".*/lib(?:64)?/(python3\.\d+)/(.+)", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"([.:])(.+)", re.DOTALL)
_KEY: Final = re.compile(r"\[(['\"]?)(.*?)\1\]", re.DOTALL)
_WORD: Final = re.compile(r"[^\W\d]\w*")
_CHILD: Final = re.compile(r"\(child \d+\)")
_STANDING: Final = frozenset(("", ":(stack)", ".__dict__", *REPAIR_LABELS.values()))
_OWN_MODULES: Final = ("", "builtins", "__main__")


class Confidential(EventLog):
    """A view for reading of an open log, which stays the one that is closed.

    beside: a view of another log, in which the same names have the same numbers.
    """

    def __init__(self, log: EventLog, beside: Confidential | None = None) -> None:
        self.__dict__.update(log.__dict__)
        self._real = log
        self._numbers: dict[str, dict[str, int]] = {} if beside is None else beside._numbers
        self._known_types = {str(row[1]) for row in log.names.types.rows}
        self._shown = Names()
        self._shown.types.replace([self._type(row) for row in log.names.types.rows])
        self._shown.sites.replace([self._site(row) for row in log.names.sites.rows])
        self._shown.labels.replace(self._labels())
        self._shown.shapes.replace(log.names.shapes.rows)
        self._shown.arguments.replace(log.names.arguments.rows)

    @property
    def names(self) -> Names:
        return self._shown

    def _rows(self, names: NameTable) -> list[Row]:
        return next(one.rows for one in self._shown.tables if one.name == names.name)

    @property
    def lines(self) -> dict[tuple[str, int], str]:
        return {}

    @property
    def meta(self) -> dict[str, object]:
        """The facts that are numbers, and what tells how a recording is to be read."""
        return {key: value for key, value in self._real.meta.items() if key in _KEPT_META}

    def runs(self) -> list[Run]:
        """None: their policies may name marks and lines."""
        return []

    # The same name has the same number, in the order of the tables.

    def _number(self, of: str, name: str) -> str:
        known = self._numbers.setdefault(of, {})
        return f"{of}_{known.setdefault(name, len(known) + 1)}"

    def _type(self, row: Row) -> Row:
        module, name, *rest = row
        return self._module(str(module)), self._function(str(name), kept=True), *rest

    def _module(self, module: str) -> str:
        of_python = module.partition(".")[0] in sys.stdlib_module_names
        return module if of_python or module in _OWN_MODULES else self._number("module", module)

    def _function(self, name: str, *, kept: bool = False) -> str:
        """Each part of a qualified name; of a type those behind the last function stay."""
        parts = name.split(".")
        last = max((i for i, one in enumerate(parts) if one == "<locals>"), default=-1)
        return ".".join(
            one if kept and i > last else self._name(one) for i, one in enumerate(parts)
        )

    def _name(self, name: str) -> str:
        if name in _OF_PYTHON or name in _OWN_MODULES or _PART.fullmatch(name):
            return name
        return name if name in self._known_types else self._number("name", name)

    def _site(self, row: Row) -> Row:
        file, line, function, near = row
        return self._file(str(file)), line, self._function(str(function)), near

    def _file(self, file: str) -> str:
        """Under a folder that tells whose code it is, as `origin` reads it."""
        if not file or _FROZEN.fullmatch(file):
            return file
        if file.startswith("<frozen "):
            return f"<frozen {self._number('file', file)}>"
        if found := _INSTALLED.fullmatch(file):
            return f"/{found[1]}/{self._number('file', found[2])}"
        if found := _STANDARD.fullmatch(file):
            return f"/lib/{found[1]}/{self._number('file', found[2])}"
        folder, slash, name = file.rpartition("/")
        above = f"/{self._number('folder', folder)}/" if slash else ""
        return above + self._number("file", name)

    def _labels(self) -> list[Row]:
        marks = self._marks()
        return [
            (marks.get(i) or self._label(str(row[0])),)
            for i, row in enumerate(self._real.names.labels.rows)
        ]

    def _marks(self) -> dict[int, str]:
        """By label: marks that differ in numbers alone do so again."""
        texts = self._real.labels
        seen: dict[str, int] = {}
        told: dict[int, str] = {}
        for _, label in self._real._operands(Op.MARK):
            if label not in told:
                of = self._number("mark", kind(texts[label]))
                seen[of] = seen.get(of, 0) + 1
                letters = of.translate(str.maketrans("0123456789_", "abcdefghij "))
                numbered = any(one.isdigit() for one in texts[label])
                told[label] = f"{letters}:{seen[of]}" if numbered else letters
        return told

    def _label(self, text: str) -> str:
        """A name of a reference, in its form; else what an object is called."""
        if text in _STANDING or _CHILD.fullmatch(text):
            return text
        if found := _ATTRIBUTE.fullmatch(text):
            return found[1] + self._name(found[2])
        if found := _KEY.fullmatch(text):
            return self._key(found[1], found[2])
        return self._function(text)

    def _key(self, quote: str, key: str) -> str:
        """What could be an attribute looks like one, and a number is one."""
        if quote and _WORD.fullmatch(key):
            return f"[{quote}{self._name(key)}{quote}]"
        number = self._number("key", key)
        if not quote and key.isdecimal():
            return f"[{number.rpartition('_')[2]}]"
        return f"[{quote}{number.replace('_', ' ')}{quote}]"
