"""The queue: the only writer of a task's status. PendingAnalysis is the truth, a wake-up a hint."""

from analysis.queue.attempts import Failure
from analysis.queue.blocked import BlockedReason, blocked_reason
from analysis.queue.budget import lift
from analysis.queue.cancel import cancel, check_cancel, supersede, supersede_all
from analysis.queue.claim import Claim, claim, owns, renew, report_progress
from analysis.queue.clock import Watch
from analysis.queue.endpoints import Endpoint, configured
from analysis.queue.enqueue import NewTask, adopt, enqueue, enqueue_all
from analysis.queue.fairness import room
from analysis.queue.finish import fail, finish, notify_writer
from analysis.queue.give_back import give_back, release_leases_of
from analysis.queue.pause import PauseTarget, pause, resume, running
from analysis.queue.priority import set_priority
from analysis.queue.prune import prunable, prune
from analysis.queue.read_again import look_behind, read_again
from analysis.queue.retry import check_retry, gives_up, retry
from analysis.queue.sweep import rescue, sweep

__all__ = [
    "BlockedReason",
    "Claim",
    "Endpoint",
    "Failure",
    "NewTask",
    "PauseTarget",
    "Watch",
    "adopt",
    "blocked_reason",
    "cancel",
    "check_cancel",
    "check_retry",
    "claim",
    "configured",
    "enqueue",
    "enqueue_all",
    "fail",
    "finish",
    "give_back",
    "gives_up",
    "lift",
    "look_behind",
    "notify_writer",
    "owns",
    "pause",
    "prunable",
    "prune",
    "read_again",
    "release_leases_of",
    "renew",
    "report_progress",
    "rescue",
    "resume",
    "retry",
    "room",
    "running",
    "set_priority",
    "supersede",
    "supersede_all",
    "sweep",
]
