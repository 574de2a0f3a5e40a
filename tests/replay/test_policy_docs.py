"""The worked example of docs/reference/policies.md does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from cycles import self_cycle

from gcreplay.replay import known_policies, replay
from gcreplay.store import TraceBuilder

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "policies.md"


def test_the_worked_example_runs(tmp_path: Path) -> None:
    """A nursery of 100 bytes and self-cycles of 48: the third birth exceeds it.

    Births 1 and 2 are garbage then, so the nursery stays at 100 bytes. Bytes count anew after
    each collection: births 6 and, after the mark's collection of number 6, 9 collect again.
    """
    (code,) = re.findall(r"```python\n# nursery.py\n(.*?)```", PAGE.read_text(), re.DOTALL)
    path = tmp_path / "nursery.py"
    path.write_text(code)
    b = TraceBuilder()
    for i in range(9):
        if i == 6:
            b.mark("request")
        self_cycle(b, size=48)
    made = replay(b.build(), f"{path}:Nursery:100").collections
    assert [(c.allocation, c.generation, c.collected) for c in made] == [
        (2, 0, 2),
        (5, 0, 3),
        (6, 2, 1),
        (8, 0, 2),
    ]


def test_every_policy_is_on_the_page() -> None:
    text = PAGE.read_text()
    for name, _, source in known_policies():
        assert source != "gcreplay" or f"`{name}`" in text
