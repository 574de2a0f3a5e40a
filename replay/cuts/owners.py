"""Whose code takes a reference: one's own, or that of a package, which one does not change."""

from __future__ import annotations

import sys

from gcreplay.store.events import Site
from gcreplay.store.log import EventLog

from ..modules import Origin, installed_name, origin
from ..references.births import births_of


class Owners:
    """Of a log: whose code frames, cells and types are."""

    def __init__(self, log: EventLog) -> None:
        self._site = births_of(log).site
        self._sites = log.sites
        self._by_function: dict[str, set[str]] = {}
        self._installed: set[str] = set()
        for site in self._sites:
            owner = _owner(site)
            self._by_function.setdefault(site.function, set()).add(owner)
            self._installed |= {owner} if owner else set()

    def of(self, object: int, called: str, type: str, label: str) -> str:
        """The package whose code takes the reference from an object that is so called, of this
        qualified type; "" for one's own code, and where it is not known."""
        if label.startswith(":"):
            owners = self._by_function.get(called.removeprefix("frame of "), {""})
            return next(iter(owners)) if len(owners) == 1 else ""
        if label == ".cell_contents":
            return _owner(self._sites[int(self._site[object])]) if self._sites else ""
        package = type.partition(".")[0]
        if package.lstrip("_") in self._installed:
            return package.lstrip("_")
        return package if package in sys.stdlib_module_names and package != "__main__" else ""


def _owner(site: Site) -> str:
    """The package that a site is in; "" for one's own code."""
    if origin(site.file) not in (Origin.INSTALLED, Origin.STANDARD):
        return ""
    name = installed_name(site.file)
    return name.split("/")[1].removesuffix(".py") if name else "the standard library"
