"""Hypothesis profiles: no deadlines, as no test asserts seconds; `ci` repeats the same ones."""

import os

from hypothesis import settings

settings.register_profile("default", deadline=None, max_examples=60)
settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "default")
