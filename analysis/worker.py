"""What a django-q2 task calls: run what is due, by priority, for one short slice."""

from __future__ import annotations

import logging
import time

from analysis import queue, services, steward
from analysis.queue import wakeup
from arboris.db import in_transaction

log = logging.getLogger(__name__)

# A slice ends after this many seconds, so that django-q2 sees its worker move.
SLICE_SECONDS = 5.0


def run_due() -> int:
    """Claim and run tasks until none is due or the slice is over; returns how many were run."""
    keeper = steward.current()
    keeper.moved()
    ends, done = time.monotonic() + SLICE_SECONDS, 0
    while not keeper.stopping.is_set() and (claim := queue.claim(keeper.worker)) is not None:
        keeper.hold(claim)
        try:
            services.run(claim, keeper)
        finally:
            keeper.hold(None)
        if keeper.stopping.is_set():
            queue.give_back(claim)  # changes nothing where it ended just before
        done += 1
        if time.monotonic() >= ends:
            # The queue may not be empty yet: see to it that somebody goes on.
            in_transaction(wakeup.issue)
            break
    return done
