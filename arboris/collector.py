"""Python's cyclic collector, held back while much is built in memory at once.

It is started by the number of new objects and looks at all that live: a novel of a thousand
chapters that is folded in memory spends half of its time there, and nothing of it is garbage yet.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_holding = 0  # how many blocks of this process are inside


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
