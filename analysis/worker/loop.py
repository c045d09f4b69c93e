"""What a django-q2 task calls: run what is due, by priority, for one short slice."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from analysis import queue
from analysis.djangoq import wakeups
from analysis.queue import Claim
from analysis.worker.steward import Steward, current_steward
from arboris.bible import behind
from arboris.db import in_transaction, is_away
from arboris.outage import outlasting

log = logging.getLogger(__name__)
# A slice ends after this many seconds, so that django-q2 sees its worker move.
SLICE_SECONDS = 5.0

# Works on a claim until it has ended or gone back to wait.
Body = Callable[[Claim, Steward], None]


@cache
def _body(path: str) -> Body:
    body: Body = import_string(path)
    return body


@cache
def _imported(path: str) -> Callable[[], bool]:
    work: Callable[[], bool] = import_string(path)
    return work


def run_due() -> int:
    """Claim and run tasks until none is due or the slice is over; returns how many were run."""
    steward = current_steward()
    while _did_behind(steward, behind.fold_behind):
        pass
    for path in settings.ARBORIS_BEHIND:
        _did_behind(steward, _imported(path))
    body = _body(settings.ARBORIS_TASK_BODY)
    ends, done = time.monotonic() + SLICE_SECONDS, 0
    while not steward.stopping.is_set():
        claim = _claim(steward)
        if claim is None:
            if _did_behind(steward, lambda: queue.look_behind(steward.stopping.is_set)):
                continue  # chapters may have been queued
            return done
        with steward.looking_after(claim):
            body(claim, steward)
        done += 1
        if time.monotonic() >= ends:
            break
    # The queue may not be empty: the wake-up that was used up for this slice is needed still.
    outlasting(lambda: in_transaction(wakeups.hand_on), give_up=steward.stopping.is_set)
    return done


def _did_behind(steward: Steward, work: Callable[[], bool]) -> bool:
    """Whether there was something to do for a bible. What goes wrong there is no analysis's."""
    if steward.stopping.is_set():
        return False
    try:
        return outlasting(work, give_up=steward.stopping.is_set)
    except Exception as error:
        if is_away(error):  # the worker was stopped while it waited for the database
            raise
        log.exception("a bible could not be brought up to date")
        return False


def _claim(steward: Steward) -> Claim | None:
    """A claim, as soon as the database lets us make one."""
    tries = 0

    def work() -> Claim | None:
        nonlocal tries
        tries += 1
        if tries > 1:  # it may have been made, and its answer lost with the connection
            queue.release_leases_of(steward.worker)
        return queue.claim(steward.worker, queue.configured())

    return outlasting(work, give_up=steward.stopping.is_set)
