"""The help of a command: its options under headings, those that only some ask for at the end."""

from collections.abc import Mapping
from typing import Final

import click

SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "How closely to probe the heap": ("granularity", "full_probe", "probe_budget", "labels"),
    "Of several recordings": ("each", "jobs", "dask"),
    "The program": ("python", "module", "code", "given", "exit_code"),
    "What is printed": ("show_work", "show_pauses", "show_all", "table", "output_format"),
}
"""The names of parameters under each heading; all others stand under `Options`."""


class Sectioned(click.Command):
    """Lists its options under SECTIONS; a heading is for two of them or more."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        here = {param.name for param in options if param.get_help_record(ctx)}
        heading = {
            name: title
            for title, names in SECTIONS.items()
            for name in names
            if len(here.intersection(names)) > 1
        }
        told: dict[str, list[tuple[str, str]]] = {"Options": []}
        for param in options:
            record = param.get_help_record(ctx)
            if record is not None:
                told.setdefault(heading.get(param.name or "", "Options"), []).append(record)
        for title in ("Options", *SECTIONS):
            if rows := told.get(title):
                with formatter.section(title):
                    formatter.write_dl(rows)
