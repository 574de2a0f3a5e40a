"""Where one's own code takes a reference, and last needs it: the lines that assign the attribute or
the variable, and the last one that uses the variable.

They are read from the source as it is now, which counts only while it has every line that the
recording has kept of it, each at its place. Elsewhere, or when it has changed, none are told.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gcreplay.replay.cuts import Cut
from gcreplay.replay.modules import Origin, origin
from gcreplay.tracer.source import file_lines, kept

_COMPREHENSIONS: Mapping[type[ast.expr], str] = {
    ast.ListComp: "<listcomp>",
    ast.SetComp: "<setcomp>",
    ast.DictComp: "<dictcomp>",
    ast.GeneratorExp: "<genexpr>",
}
_NO_METHOD = ("staticmethod", "classmethod")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of source."""

    file: str
    number: int
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.number, "text": self.text}


@dataclass(frozen=True, slots=True)
class Taken:
    """Where a reference is taken, and the last line of the function that uses the variable."""

    set_at: tuple[Line, ...] = ()
    last_used_at: Line | None = None

    def to_json(self) -> dict[str, Any]:
        last = self.last_used_at
        return {
            "set_at": [line.to_json() for line in self.set_at],
            "last_used_at": last.to_json() if last else None,
        }


class Sources:
    """One's own files as the recording knows them, read once and when they are asked for."""

    def __init__(self, lines: Mapping[tuple[str, int], str]) -> None:
        self._known: dict[str, dict[int, str]] = {}
        for (file, number), text in lines.items():
            if origin(file) is Origin.OWN and Path(file).is_absolute():
                self._known.setdefault(file, {})[number] = text
        self._read: dict[str, list[str]] = {}

    def taken(self, cut: Cut, function: str) -> Taken:
        """Where `self.attribute` of the holder's class is assigned in its methods, or the variable
        in the holder; of a cell the variable in this function, in which it was made."""
        name = cut.label[1:]
        if cut.label == ".cell_contents":
            name, wanted = cut.holder, f"{function}:{cut.holder}"
        elif cut.label[0] == ".":
            wanted = f"{cut.holder.rpartition('.')[2]}.{name}"
        elif cut.label[0] == ":":
            wanted = f"{cut.holder}:{name}"
        else:
            return Taken()
        assigned: list[Line] = []
        used: list[Line] = []
        for file in sorted(self._known):
            text = self._lines(file)
            if any(name in line for line in text):
                names = _names(text)
                for numbers, lines in ((names.assigned, assigned), (names.used, used)):
                    lines += (
                        Line(file, number, text[number - 1].strip())
                        for number in sorted(numbers.get(wanted, ()))
                    )
        one_file = len({line.file for line in assigned}) == 1
        return Taken(tuple(assigned), used[-1] if used and one_file else None)

    def _lines(self, file: str) -> list[str]:
        if file not in self._read:
            text = file_lines(Path(file))
            same = all(
                number <= len(text) and kept(text[number - 1]) == line
                for number, line in self._known[file].items()
            )
            self._read[file] = text if same else []
        return self._read[file]


def _names(lines: Iterable[str]) -> _Names:
    """What a module assigns and uses; nothing of what is no Python."""
    found = _Names()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the program's own escapes
        try:
            found.visit(ast.parse("".join(lines)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return _Names()
    return found


class _Names(ast.NodeVisitor):
    """Numbers of lines by `Class.attribute` and `function:variable`. Where a constant is assigned
    is left out: that closes no cycle."""

    def __init__(self) -> None:
        self.assigned: dict[str, set[int]] = {}
        self.used: dict[str, set[int]] = {}
        self._prefix, self._function = "", "<module>"
        self._class, self._self = "", ""

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._add(f"{self._function}:{node.name}", node)
        name = f"{self._prefix}{node.name}"
        self._within(node, name, f"{name}.", node.name, "")

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._add(f"{self._function}:{node.name}", node)
        name = f"{self._prefix}{node.name}"
        itself = self._self  # a function within a method knows that of the method
        if self._class and self._prefix.endswith(f"{self._class}."):
            first = [*node.args.posonlyargs, *node.args.args][:1]
            bound = not any(ast.unparse(one) in _NO_METHOD for one in node.decorator_list)
            itself = first[0].arg if first and bound else ""
        self._within(node, name, f"{name}.<locals>.", self._class, itself)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._inner(node, "<lambda>")

    def _comprehension(self, node: ast.expr) -> None:
        self._inner(node, _COMPREHENSIONS[type(node)])

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_Assign(self, node: ast.Assign) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None and not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        key = f"{self._function}:{node.id}"
        if isinstance(node.ctx, ast.Store):
            self._add(key, node)
        elif isinstance(node.ctx, ast.Load):
            self.used.setdefault(key, set()).add(node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        of = node.value
        if isinstance(node.ctx, ast.Store) and isinstance(of, ast.Name) and of.id == self._self:
            self._add(f"{self._class}.{node.attr}", node)
        self.generic_visit(node)

    def _inner(self, node: ast.expr, kind: str) -> None:
        name = f"{self._prefix}{kind}"
        self._within(node, name, f"{name}.<locals>.", self._class, self._self)

    def _within(self, node: ast.AST, function: str, prefix: str, of: str, itself: str) -> None:
        before = self._function, self._prefix, self._class, self._self
        self._function, self._prefix, self._class, self._self = function, prefix, of, itself
        self.generic_visit(node)
        self._function, self._prefix, self._class, self._self = before

    def _add(self, key: str, node: ast.expr | ast.stmt) -> None:
        self.assigned.setdefault(key, set()).add(node.lineno)
