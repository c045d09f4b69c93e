"""Ctrl-C and SIGTERM end a command between two of its steps, so that it can say what was done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def asking(first: Callable[[], None]) -> Iterator[None]:
    """The first signal calls ``first``; the second is a KeyboardInterrupt at once."""
    asked = False

    def handle(number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        first()

    in_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, handle) for number in SIGNALS} if in_main else {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def between_steps() -> Iterator[threading.Event]:
    """An event that is set once somebody wants the command to stop."""
    stop = threading.Event()
    with asking(stop.set):
        yield stop
