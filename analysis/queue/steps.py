"""One step of the sweep: what goes wrong in it holds up no other, and it is tried again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from analysis.djangoq import watchdog
from arboris.db import is_away

log = logging.getLogger(__name__)
T = TypeVar("T")

# A step that takes longer holds up the lease of the analysis beside it; the log tells of it.
SLOW_SECONDS = 5.0


def take(name: str, work: Callable[[], T]) -> T | None:
    """What ``work`` returns; None where it failed, which is logged: the next sweep tries again.

    Raises what is no fault of its own: the database is away.
    """
    watchdog.beat()
    began = time.monotonic()
    result: T | None = None
    try:
        result = work()
    except Exception as error:
        if is_away(error):
            raise
        log.exception("sweep: %s failed, the other steps go on", name)
    if (seconds := time.monotonic() - began) > SLOW_SECONDS:
        log.warning("sweep: %s took %.1f s", name, seconds)
    return result
