"""Retrying a group: one of it first, as a canary, and the rest when that went well."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext as _

from analysis import audit, bulk, queue
from analysis.api.waiting import blocked_reason_of, sentence
from analysis.errors import QueueConflict
from analysis.groups import look
from analysis.models import LIVE, BulkOperation, ErrorGroup, PendingAnalysis, Status
from arboris.db import db_now, in_transaction, locked

TRIES = 20  # tasks that are tried as a canary: each may have changed in that very moment
FIRST = 10  # the canary's priority: it is to be known soon

State = Literal["none", "waits", "runs", "ok", "partly", "failed", "cancelled", "gone"]


@dataclass(frozen=True, slots=True)
class Canary:
    """How the one that was retried first does.

    partly: completed without some feature. gone: it was deleted. ``why``: what it waits for, or
    how it ended, which ``error_type`` is the code of.
    """

    state: State
    task_id: int | None = None
    why: str = ""
    error_type: str = ""

    @property
    def went_well(self) -> bool:
        return self.state == "ok"

    @property
    def is_under_way(self) -> bool:
        return self.state in ("waits", "runs")


def retry_canary(fingerprint: str, actor: str, reason: str = "") -> int:
    """Put one failed task of the group back into the queue, before others; its number.

    Raises QueueConflict where a canary is under way, or no task can be retried.
    """
    busy = PendingAnalysis.objects.filter(active_chapter=OuterRef("chapter"))
    tasks = look.retryable(fingerprint).filter(~Exists(busy)).order_by("-pk")
    for task_id in list(tasks.values_list("pk", flat=True)[:TRIES]):
        try:
            in_transaction(lambda pk=task_id: _retry_one(fingerprint, pk, actor, reason))  # type: ignore[misc]
        except PendingAnalysis.DoesNotExist:
            continue
        except QueueConflict as conflict:
            if conflict.code == "canary_under_way":
                raise
            continue
        return task_id
    raise QueueConflict("nothing_to_retry", _("No failed analysis of this group can be retried."))


def _retry_one(fingerprint: str, task_id: int, actor: str, reason: str) -> None:
    task = PendingAnalysis.objects.only("error_type", "error_message").get(pk=task_id)
    said = {"error_type": task.error_type, "error_message": task.error_message}
    ErrorGroup.objects.get_or_create(pk=fingerprint, defaults=said)
    row = locked(ErrorGroup.objects.filter(pk=fingerprint)).get()
    before = canary(row)
    if before.is_under_way:
        raise QueueConflict("canary_under_way", _("A canary of this group is under way."))
    queue.retry(task_id, priority=FIRST)
    ErrorGroup.objects.filter(pk=fingerprint).update(
        **said, canary=task_id, canary_at=db_now(), canary_by=actor[:200]
    )
    details = {"group": fingerprint, "ids": [task_id], "priority": FIRST}
    audit.record(actor, "retry_canary", reason=reason, count=1, details=details)


def canary(group: ErrorGroup | None) -> Canary:
    """How the group's canary does by now."""
    if group is None or group.canary is None:
        return Canary("none")
    task = PendingAnalysis.objects.filter(pk=group.canary).defer("checkpoint").first()
    if task is None:
        return Canary("gone", group.canary)
    if task.status in LIVE:
        reason = blocked_reason_of(task)
        state: State = "runs" if task.status == Status.PROCESSING else "waits"
        return Canary(state, task.pk, sentence(reason) if reason else "")
    if task.status == Status.COMPLETED:
        if look.failed(group.fingerprint).filter(completed_at__gt=task.completed_at).exists():
            return Canary("none")  # of an earlier outbreak, or the rest fails all the same
        missing = (task.result or {}).get("missing", [])
        return Canary("partly" if missing else "ok", task.pk, ", ".join(missing))
    ended: State = "failed" if task.status == Status.FAILED else "cancelled"
    return Canary(ended, task.pk, task.error_message, task.error_type)


def retry_rest(
    fingerprint: str, actor: str, user_id: int | None = None, reason: str = ""
) -> BulkOperation:
    """Put all that has failed in the group by now back into the queue: one bulk operation, begun.

    Raises QueueConflict where nothing has.
    """
    row = ErrorGroup.objects.filter(pk=fingerprint).first()
    sample = look.failed(fingerprint).only("error_type", "error_message").order_by("-pk").first()
    if sample is None:
        raise QueueConflict(
            "nothing_to_retry", _("No failed analysis of this group can be retried.")
        )
    operation = bulk.prepare(
        BulkOperation.Kind.RETRY,
        look.failed(fingerprint),
        actor=actor,
        user_id=user_id,
        action="retry_group",
        reason=reason,
        criteria={"error_fingerprint": fingerprint, "canary": canary(row).state},
        foresee=False,
    )
    said = {"error_type": sample.error_type, "error_message": sample.error_message}
    rest = {"rest_at": db_now(), "rest_by": actor[:200], "operation": operation.pk}
    ErrorGroup.objects.update_or_create(pk=fingerprint, defaults=said | rest)
    bulk.begin(operation.pk)
    return operation


@dataclass(frozen=True, slots=True)
class Drain:
    """How far the rest is: of ``selected`` so many were put back, and of these so many are …

    ``kept``: left as they were, for their text is another by now or is being analysed anyway.
    """

    operation: int
    running: bool  # whether more are being put back
    selected: int
    put_back: int
    kept: int
    left: int
    done: int
    failed: int
    cancelled: int

    @property
    def is_over(self) -> bool:
        return not self.running and not self.left


def drain(group: ErrorGroup | None) -> Drain | None:
    """None where the rest was not retried (or so long ago that it is known no more)."""
    number = group.operation if group else None
    found = BulkOperation.objects.filter(pk=number or 0).first()
    if found is None:
        return None
    changed = found.changes.values("task_id")
    counted = PendingAnalysis.objects.filter(pk__in=changed).order_by().values_list("status")
    by_status = Counter(dict(counted.annotate(number=Count("pk"))))
    return Drain(
        operation=found.pk,
        running=found.state == BulkOperation.State.RUNNING,
        selected=found.selected,
        put_back=found.changed,
        kept=found.refused,
        left=sum(by_status[status] for status in LIVE),
        done=by_status[Status.COMPLETED],
        failed=by_status[Status.FAILED],
        cancelled=by_status[Status.CANCELLED],
    )
