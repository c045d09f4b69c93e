"""How tests wait: for a condition, and never for so many seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# What is awaited comes in a fraction of this, also on a machine of a third of the speed with other
# work beside it. It only bounds how long a test that fails takes; how long something takes in
# truth is measured by tests/bench.
PATIENCE_SECONDS = 240
# Between two looks: a look often asks a process that has the work to do which is waited for.
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25


def wait_for(condition: Callable[[], T], what: str) -> T:
    """The first true value of a condition, asked again and again."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = FIRST_PAUSE
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.2, LONGEST_PAUSE)
    return value
