"""A stop that is asked for by a signal handler, at any step of the thread that it interrupts."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from arboris.stop_request import StopRequest
from tests.waiting import PATIENCE_SECONDS


def interrupted(stop: StopRequest, step: int) -> bool:
    """Wait, and set ``stop`` in the same thread before that step; returns whether there is one."""
    seen = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        frame.f_trace_opcodes = True
        if event == "opcode":
            if seen == step:
                stop.set()
            seen += 1
        return trace

    sys.settrace(trace)
    try:
        stop.wait(0)
    finally:
        sys.settrace(None)
    return seen > step


def test_it_neither_blocks_nor_is_lost() -> None:
    step = 0
    while interrupted(stop := StopRequest(), step):
        assert stop.is_set()
        assert stop.wait(PATIENCE_SECONDS)
        step += 1
    assert step > 10
    assert not stop.wait(0)
