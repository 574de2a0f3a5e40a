"""`gcreplay policies`: which collectors can be replayed."""

import re
from collections.abc import Iterator
from typing import Final

import click

from gcreplay.help import Sectioned
from gcreplay.replay import known_policies, make_policy
from gcreplay.screen.output import Report, chosen_table, format_option, show
from gcreplay.screen.tables.table import Table

Known = tuple[str, str, str]

GROUPS: Final = {
    "like 3.11": re.compile(r"generational|cpython-3\.11|manual"),
    "other CPythons": re.compile(r"cpython-.*|pep848"),
    "other languages": re.compile(r"mark-sweep|php|nim-orc"),
    "bounds": re.compile(r"refcount|never|clairvoyant"),
}
"""Which collectors belong together."""

MORE: Final = "What one does: gcreplay policies NAME; all: gcreplay policies --table policies"


@click.command(cls=Sectioned)
@click.argument("name", required=False)
@format_option("policies")
def command(name: str | None, output_format: str) -> None:
    """List the policies that `replay` and `diff` accept, installed ones included; or say what the
    one of that NAME does.

    \b
    Example:
      gcreplay policies
      gcreplay policies cpython-3.14.2
    """
    known = known_policies()
    if name is not None:
        known = [one for one in known if _called(one, name)] or [_made(name)]
    table = Table(("policy", "what it does", "from"), tuple(known), key="policies")
    keys = ("policy", "summary", "source")
    payload = {"policies": [dict(zip(keys, policy, strict=True)) for policy in known]}
    if name is None and output_format == "table" and chosen_table() is None:
        short = Table(("", "policies"), tuple(_by_group(known)), key="groups", bare=True)
        show(Report((short,), payload, notes=(MORE,)), output_format)
    else:
        show(Report((table,), payload), output_format)


def _names(one: Known) -> list[str]:
    """What it may be asked for, without arguments: freeze@MARK, every:MARK[,N] -> freeze, every."""
    return [re.split(r"[:@\[]", form)[0] for form in one[0].split(", ")]


def _called(one: Known, name: str) -> bool:
    return one[0] == name or re.split("[:@]", name)[0] in _names(one)


def _made(name: str) -> Known:
    """One of a file, or of arguments; raises UsageError where there is none."""
    return (name, str(make_policy(name).summary), name)


def _by_group(known: list[Known]) -> Iterator[tuple[str, str]]:
    """Each group and its policies, as they are written."""
    grouped: dict[str, list[str]] = {group: [] for group in GROUPS}
    for form, summary, source in known:
        if summary.startswith("combined with +"):
            group = "combined with +"
        elif source != "gcreplay":
            group = "installed"
        else:
            name = _names((form, summary, source))[0]
            group = next((one for one, of in GROUPS.items() if of.fullmatch(name)), "others")
        grouped.setdefault(group, []).append(form)
    yield from ((group, ", ".join(forms)) for group, forms in grouped.items() if forms)
