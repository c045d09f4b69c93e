"""What a django-q2 task calls: run what is due, by priority, for one short slice."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from analysis import queue, steward
from analysis.queue import Claim, wakeup
from analysis.steward import Steward
from arboris.db import in_transaction, outlasting

# A slice ends after this many seconds, so that django-q2 sees its worker move.
SLICE_SECONDS = 5.0

GoOn = Callable[[], bool]
# Works on a claim until it has ended or gone back to wait. Where ``go_on`` says so it may claim
# the next task in the transaction that ends this one, and returns that claim.
Body = Callable[[Claim, Steward, GoOn], Claim | None]


@cache
def _body(path: str) -> Body:
    body: Body = import_string(path)
    return body


def run_due() -> int:
    """Claim and run tasks until none is due or the slice is over; returns how many were run."""
    keeper = steward.current()
    keeper.moved()
    body = _body(settings.ARBORIS_TASK_BODY)
    ends, done = time.monotonic() + SLICE_SECONDS, 0

    def go_on() -> bool:
        return not keeper.stopping.is_set() and time.monotonic() < ends

    claim = None if keeper.stopping.is_set() else _next(keeper)
    while claim is not None:
        keeper.hold(claim)
        try:
            claim = body(claim, keeper, go_on)
        finally:
            keeper.hold(None)
        done += 1
        if claim is None and go_on():
            claim = _next(keeper)
            if claim is None:
                return done
    if done or keeper.stopping.is_set():
        # The queue may not be empty: the wake-up that was used up for this slice is needed still.
        outlasting(lambda: in_transaction(wakeup.hand_on), give_up=keeper.stopping.is_set)
    return done


def _next(keeper: Steward) -> Claim | None:
    """A claim, as soon as the database lets us make one."""
    lost = False

    def work() -> Claim | None:
        nonlocal lost
        if lost:  # it may have been made, and its answer lost with the connection
            queue.give_back_strays(keeper.worker)
        lost = True
        return queue.claim(keeper.worker, queue.configured())

    return outlasting(work, give_up=keeper.stopping.is_set)
