"""Random programs, recorded: the replay makes every collection that was really made.

A few by default; GCREPLAY_RANDOM_PROGRAMS=500 records that many. Those with greenlets need an
interpreter that has gevent: GCREPLAY_GEVENT_PYTHON.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from program_text import called_programs, programs, rising_programs
from reaching_text import reaching_programs
from recording import Recorded, checked, run_plain, run_recorded
from wider_text import (
    ctypes_programs,
    gevent_programs,
    greenlet_programs,
    meeting_programs,
    saving_programs,
)

from gcreplay.store.log import EventLog
from gcreplay.store.rules.validate import validate

Test = TypeVar("Test", bound=Callable[..., None])
GEVENT_PYTHON = os.environ.get("GCREPLAY_GEVENT_PYTHON")
PROBES = st.sampled_from([(0, 0), (1, 0), (50, 700), (20, 300), (7, 100)])
FEWER_PROBES = st.sampled_from([(0, 0), (50, 700), (20, 300), (7, 100)])


@contextmanager
def recorded(text: str, probes: tuple[int, int], python: str | None = None) -> Iterator[Recorded]:
    """The recording of a program that runs to its end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "program.py").write_text(text)
        done = run_recorded(
            folder, "program.py", granularity=probes[0], full_probe=probes[1], python=python
        )
        assert done.ran.exit_code == 0, done.ran.err
        assert done.summary.complete, done.summary.message
        yield done


@settings(
    max_examples=int(os.environ.get("GCREPLAY_RANDOM_PROGRAMS", "12")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(programs, st.sampled_from([(0, 0), (0, 0), (1, 0), (50, 0), (20, 300)]))
def test_every_collection_is_replayed(text: str, probes: tuple[int, int]) -> None:
    with recorded(text, probes) as done:
        assert checked(done.path).recorded > 3


@settings(
    max_examples=int(os.environ.get("GCREPLAY_RANDOM_PROGRAMS", "6")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(rising_programs, st.sampled_from([(0, 0), (1, 0), (50, 700)]))
def test_every_collection_is_replayed_where_objects_rise_again(
    text: str, probes: tuple[int, int]
) -> None:
    """What a finalizer saves is held from right before the collection that found it."""
    with recorded(text, probes) as done:
        assert checked(done.path).recorded > 3


@settings(
    max_examples=int(os.environ.get("GCREPLAY_RANDOM_PROGRAMS", "6")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(called_programs, st.sampled_from([(0, 0), (1, 0), (50, 0), (20, 300)]))
def test_every_collection_is_made_and_replayed_where_gc_callbacks_act(
    text: str, probes: tuple[int, int]
) -> None:
    with recorded(text, probes) as done:
        assert checked(done.path).recorded > 3
        plain = run_plain(done.path.parent, "program.py")
        assert done.ran == plain


@settings(
    max_examples=int(os.environ.get("GCREPLAY_RANDOM_PROGRAMS", "6")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(reaching_programs, st.sampled_from([(0, 0), (1, 0), (50, 700), (20, 300), (7, 100)]))
def test_a_log_is_valid_whatever_callbacks_and_finalizers_do_to_garbage(
    text: str, probes: tuple[int, int]
) -> None:
    """Not every number collected can be told of such programs beforehand."""
    with recorded(text, probes) as done, EventLog.open(done.path) as log:
        validate(log)
        assert done.out == run_plain(done.path.parent, "program.py").out


def few(examples: int) -> Callable[[Test], Test]:
    return settings(
        max_examples=int(os.environ.get("GCREPLAY_RANDOM_PROGRAMS", examples)),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@few(6)
@given(saving_programs, PROBES)
def test_every_collection_is_replayed_where_gc_garbage_keeps_what_is_found(
    text: str, probes: tuple[int, int]
) -> None:
    with recorded(text, probes) as done:
        assert checked(done.path).recorded > 3
        assert done.ran == run_plain(done.path.parent, "program.py")


@few(6)
@given(ctypes_programs, PROBES)
def test_every_collection_is_replayed_where_c_calls_python(
    text: str, probes: tuple[int, int]
) -> None:
    with recorded(text, probes) as done:
        assert checked(done.path).recorded > 3
        assert done.ran == run_plain(done.path.parent, "program.py")


@few(6)
@given(meeting_programs, PROBES)
def test_a_log_is_valid_where_threads_meet_in_finalizers(text: str, probes: tuple[int, int]) -> None:
    with recorded(text, probes) as done, EventLog.open(done.path) as log:
        validate(log)


@pytest.mark.skipif(GEVENT_PYTHON is None, reason="the soak makes an interpreter with gevent")
@few(6)
@given(st.one_of(greenlet_programs, gevent_programs), FEWER_PROBES)
def test_every_collection_is_replayed_where_greenlets_switch(
    text: str, probes: tuple[int, int]
) -> None:
    with recorded(text, probes, GEVENT_PYTHON) as done:
        assert checked(done.path).recorded > 3
        assert done.ran == run_plain(done.path.parent, "program.py", python=GEVENT_PYTHON)
