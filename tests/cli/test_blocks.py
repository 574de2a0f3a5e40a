"""Blocks of lines about a kind: where it is made has lines of its own, each on the screen."""

from types import SimpleNamespace
from typing import Any

from gcreplay.screen.garbage import Code, headed

FILE = "/srv/deep/in/a/project/orders/models.py"


def made_in(function: str) -> Any:
    site = SimpleNamespace(file=FILE, line=41, function=function, near=False)
    return SimpleNamespace(sites=[site])


def test_a_place_stands_at_the_right_where_there_is_room() -> None:
    told = headed("1  9 %", made_in("Order.add"), Code("", {}), 80, "     ")
    assert told == [f"1  9 %{' ' * 22}{FILE}:41 Order.add"]  # 6 + 22 + 52 = 80


def test_else_it_stands_below_without_the_folders_that_there_is_no_room_for() -> None:
    told = headed("1  9 %", made_in("Order.add"), Code("", {}), 36, "     ")
    assert told == ["1  9 %", "     .../models.py:41 Order.add"]


def test_what_tells_a_file_from_others_of_its_name_stays() -> None:
    code = Code("", {(FILE, 41): "x", ("/srv/other/users/models.py", 1): "y"})
    told = headed("1  9 %", made_in("Order.add"), code, 36, "     ")
    assert told == ["1  9 %", "     orders/models.py:41 Order.add"]
