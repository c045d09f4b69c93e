"""The queue: the only writer of a task's status. PendingAnalysis is the truth, a wake-up a hint."""

from analysis.queue.claim import Claim, claim, owns, renew, report_progress
from analysis.queue.end import fail, finish
from analysis.queue.enqueue import enqueue
from analysis.queue.operate import (
    cancel,
    check_cancel,
    check_retry,
    pause,
    prunable,
    prune,
    resume,
    retry,
    set_priority,
    supersede,
)
from analysis.queue.release import give_back
from analysis.queue.sweep import overdue, rescue, sweep

__all__ = [
    "Claim",
    "cancel",
    "check_cancel",
    "check_retry",
    "claim",
    "enqueue",
    "fail",
    "finish",
    "give_back",
    "overdue",
    "owns",
    "pause",
    "prunable",
    "prune",
    "renew",
    "report_progress",
    "rescue",
    "resume",
    "retry",
    "set_priority",
    "supersede",
    "sweep",
]
