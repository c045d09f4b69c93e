"""Ask a process to stop, from a signal handler."""

from __future__ import annotations

from queue import Empty, SimpleQueue


class StopRequest:
    """What ``threading.Event`` is, for a signal handler of the thread that waits.

    A handler runs between two steps of its thread: where that thread is in ``Event.wait`` and has
    its lock, ``Event.set`` waits for that lock for ever. ``SimpleQueue.put`` may interrupt ``get``.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._wake: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        self._is_set = True
        self._wake.put(None)

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, seconds: float) -> bool:
        """Wait that long at most, in one thread at a time; returns whether it is set."""
        if not self._is_set:
            try:
                self._wake.get(timeout=max(0.0, seconds))
            except Empty:
                return self._is_set
        return True
