"""The live site's settings, under libfaketime.

That one makes clock_nanosleep, which is what Python sleeps with, fail now and then.
"""

from __future__ import annotations

import select
import time
from typing import SupportsIndex

from tests.slow_settings import *  # noqa: F403


def sleep(seconds: float | SupportsIndex, /) -> None:
    select.select([], [], [], float(seconds))


time.sleep = sleep
