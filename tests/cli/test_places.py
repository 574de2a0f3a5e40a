"""File names of sites: short where people read them, whole where programs do."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from command_line import Gcreplay

from gcreplay.report.words.places import made_at, place, short
from gcreplay.screen.here import here
from gcreplay.store.builder import TraceBuilder


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("{here}/app.py", "app.py"),
        ("{here}/pack/app.py", "pack/app.py"),
        ("{here}.py", "{here}.py"),
        ("{here}er/app.py", "{here}er/app.py"),
        ("{here}/.venv/lib/python3.11/site-packages/flask/app.py", "site-packages/flask/app.py"),
        ("/usr/lib/python3/dist-packages/apt/cache.py", "dist-packages/apt/cache.py"),
        ("/usr/lib/python3.11/json/decoder.py", "python3.11/json/decoder.py"),
        ("/opt/lib64/python3.11/ast.py", "python3.11/ast.py"),
        ("/elsewhere/app.py", "/elsewhere/app.py"),
        ("app.py", "app.py"),
        ("<frozen runpy>", "<frozen runpy>"),
        ("<string>", "<string>"),
        ("", ""),
    ],
)
def test_a_file_is_named_from_where_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, shown: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert short(file.format(here=tmp_path), *here()) == shown.format(here=tmp_path)


def test_nothing_is_taken_from_the_name_in_the_root_folder_or_in_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    assert short("/etc/app.py", *here()) == "/etc/app.py"
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert short(f"{gone}/app.py", *here()) == f"{gone}/app.py"


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (("/a/shop/app.py", 3, "serve"), "/a/shop/app.py:3 serve"),
        (("/a/shop/app.py", 3, "serve", False, ["/a/"]), "shop/app.py:3 serve"),
        (("/a/shop/app.py", 3, "serve", True, ["/a/"]), "near shop/app.py:3 serve"),
        (("app.py", 3, ""), "app.py:3"),
        (("", 0, "", True), "an unknown place"),
    ],
)
def test_a_place_has_a_line_and_a_function(made: tuple[Any, ...], shown: str) -> None:
    assert made_at(*made) == shown


@pytest.mark.parametrize(
    ("site", "shown"),
    [
        ("{here}/app.py:3", "app.py:3"),
        ("near {here}/app.py:3", "near app.py:3"),
        ("near me/app.py:3", "near me/app.py:3"),
        ("", ""),
    ],
)
def test_a_site_says_that_it_is_near(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: str, shown: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert place(site.format(here=tmp_path), *here()) == shown


def test_commands_show_short_names_and_json_has_whole_ones(
    gcreplay: Gcreplay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = f"{tmp_path}/app.py"
    trace = TraceBuilder(python="3.11.7", executable=f"{tmp_path}/venv/bin/python")
    trace.start()
    for _ in range(900):
        node = trace.alloc("Node", module="app", site=(file, 3, "loop"))
        trace.link(node, node)
        trace.decref(node)
    trace.build(Path("run.gcreplay")).close()
    compared = ["diff", "run.gcreplay", "-p", "cpython-3.11:700,10,10", "-p", "never"]
    for command in (compared, ["events", "run.gcreplay"]):
        shown = gcreplay(*command).stdout
        assert " app.py:3" in shown
        assert file not in shown
    info = gcreplay("info", "run.gcreplay").stdout
    assert "(venv/bin/python)" in info
    whole = json.loads(gcreplay(*compared, "--format", "json").stdout)
    assert {row["site"] for row in whole["kept_longer"]} == {f"{file}:3"}
    assert os.fspath(tmp_path) in gcreplay("info", "run.gcreplay", "--format", "json").stdout
    assert file in gcreplay("export", "run.gcreplay").stdout
