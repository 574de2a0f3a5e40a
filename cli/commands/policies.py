"""`gcreplay policies`: which collectors can be replayed."""

import click

from gcreplay.help import Sectioned
from gcreplay.replay import known_policies
from gcreplay.screen.output import Report, format_option, show
from gcreplay.screen.tables.table import Table


@click.command(cls=Sectioned)
@format_option("policies")
def command(output_format: str) -> None:
    """List the policies that `replay` and `diff` accept, installed ones included.

    \b
    Example:
      gcreplay policies
    """
    known = known_policies()
    table = Table(("policy", "what it does", "from"), tuple(known), key="policies")
    keys = ("policy", "summary", "source")
    payload = {"policies": [dict(zip(keys, policy, strict=True)) for policy in known]}
    show(Report((table,), payload), output_format)
