"""Python's cyclic collector: it runs less often, and not while much is built in memory at once.

It is started by the number of new objects and looks at all that live: a process that loads its
modules spends a seventh of its time there, a novel of a thousand chapters that is folded in memory
half of it, and nothing of that is garbage yet.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 50_000  # Python's own: 700

_lock = threading.Lock()
_holding = 0  # how many blocks of this process are inside


def collect_less_often() -> None:
    """For the whole of a process, from its start on."""
    gc.set_threshold(NEW_OBJECTS)


def keep_what_is_loaded() -> None:
    """What there is by now lives as long as the process: it is not looked at again.

    Processes that are forked from this one share the pages it lies in: to be looked at is written
    into each object.
    """
    gc.collect()
    gc.freeze()


@contextmanager
def paused_collection() -> Iterator[None]:
    """No cycle is collected while any thread is inside; for work of seconds, not of minutes."""
    global _holding
    with _lock:
        if _holding == 0:
            gc.disable()
        _holding += 1
    try:
        yield
    finally:
        with _lock:
            _holding -= 1
            if _holding == 0:
                gc.enable()
