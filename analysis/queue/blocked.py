"""What keeps a pending task from being claimed: for its writer, and for operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from django.conf import settings
from django.db.models import Q

from analysis.models import EndpointState, PendingAnalysis, QueueControl, QueuePause, Status
from analysis.queue import in_order
from analysis.queue.endpoints import Endpoint
from arboris.db import db_now
from arboris.llm.errors import OverBudget

Code = Literal[
    "paused",
    "project_paused",
    "writer_paused",
    "endpoint_paused",
    "over_budget",
    "chapter_before",
    "backoff",
    "project_limit",
    "total_limit",
    "endpoint_limit",
]
CODES: tuple[Code, ...] = get_args(Code)
# What lasts until somebody, or a probe, ends it: nobody can say how long.
PAUSES: tuple[Code, ...] = (
    *("paused", "project_paused", "writer_paused", "endpoint_paused"),
    "over_budget",
)


@dataclass(frozen=True, slots=True)
class BlockedReason:
    code: Code
    until: datetime | None = None  # where it ends by itself, and when is known


def blocked_reason(task: PendingAnalysis, endpoint: Endpoint) -> BlockedReason | None:
    """What a pending task waits for beside its turn; None: for that alone, or it is not pending."""
    if task.status != Status.PENDING:
        return None
    return _pause(task, endpoint) or _before(task) or _back_off(task) or _limit(task, endpoint)


def _pause(task: PendingAnalysis, endpoint: Endpoint) -> BlockedReason | None:
    if QueueControl.objects.filter(pk=1, paused_at__isnull=False).exists():
        return BlockedReason("paused")
    of_task = QueuePause.objects.filter(Q(project=task.project_id) | Q(user=task.user_id))
    pauses = set(of_task.values_list("project_id", flat=True))
    if pauses:
        return BlockedReason("project_paused" if task.project_id in pauses else "writer_paused")
    state = EndpointState.objects.filter(
        pk=endpoint.name, credentials=endpoint.credentials, paused_at__isnull=False
    ).first()
    return None if state is None else BlockedReason("endpoint_paused", state.probe_at)


def _before(task: PendingAnalysis) -> BlockedReason | None:
    return BlockedReason("chapter_before") if in_order.waits(task, db_now()) else None


def _back_off(task: PendingAnalysis) -> BlockedReason | None:
    if task.due_at <= db_now():
        return None
    parked = task.error_type == OverBudget.code
    return BlockedReason("over_budget" if parked else "backoff", task.due_at)


def _limit(task: PendingAnalysis, endpoint: Endpoint) -> BlockedReason | None:
    running = PendingAnalysis.objects.filter(status=Status.PROCESSING)
    most = settings.ARBORIS_MAX_PER_PROJECT
    if most and running.filter(project=task.project_id).count() >= most:
        return BlockedReason("project_limit")
    most = settings.ARBORIS_MAX_CONCURRENT_TOTAL
    if most and running.count() >= most:
        return BlockedReason("total_limit")
    most = settings.ARBORIS_MAX_PER_ENDPOINT
    if most and running.filter(endpoint=endpoint.name).count() >= most:
        return BlockedReason("endpoint_limit")
    return None
