"""The queue: the only writer of a task's status. PendingAnalysis is the truth, a wake-up a hint."""

from analysis.queue.claim import Claim, claim, owns, renew, report_progress
from analysis.queue.end import fail, finish, finish_and_claim, notify
from analysis.queue.endpoint import Endpoint, configured
from analysis.queue.enqueue import enqueue
from analysis.queue.hold import Hold, hold
from analysis.queue.operate import (
    cancel,
    check_cancel,
    check_retry,
    prunable,
    prune,
    retry,
    set_priority,
    supersede,
)
from analysis.queue.parking import lift
from analysis.queue.pausing import Scope, pause, resume, running
from analysis.queue.release import give_back, give_back_strays
from analysis.queue.sweep import nudge, overdue, rescue, sweep

__all__ = [
    "Claim",
    "Endpoint",
    "Hold",
    "Scope",
    "cancel",
    "check_cancel",
    "check_retry",
    "claim",
    "configured",
    "enqueue",
    "fail",
    "finish",
    "finish_and_claim",
    "give_back",
    "give_back_strays",
    "hold",
    "lift",
    "notify",
    "nudge",
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
    "running",
    "set_priority",
    "supersede",
    "sweep",
]
