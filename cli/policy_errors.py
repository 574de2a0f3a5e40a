"""Errors inside a user's policy, told in one sentence that names the line."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gcreplay.store.errors import GcreplayError, UsageError


@contextmanager
def policy_errors(policy: str) -> Iterator[None]:
    """For a policy in a file (`FILE.py:Class`): its exceptions become a UsageError.

    Exceptions that do not come through the policy's own file are ours and stay what they are.
    """
    try:
        yield
    except GcreplayError:
        raise
    except Exception as error:
        name, in_file, _ = policy.partition(".py:")
        path = Path(f"{name}.py").resolve()
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if Path(frame.filename).resolve() == path]
        if not (in_file and own):
            raise
        raise UsageError(
            f"{own[-1].filename}:{own[-1].lineno}, in {own[-1].name}: "
            f"{type(error).__name__}: {error}"
        ) from error
