"""One change of many analyses: foreseen, confirmed, made a batch at a time, stopped and resumed.

``prepare`` notes which analyses it is about and what will become of them; ``start`` hands it to
the workers (``analysis.worker.bulk_runner``), ``begin`` makes a small one at once. Each batch is
one transaction, with how far it has come: whoever is killed in between has lost nothing, and the
next one goes on from there.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import DateTimeField, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from analysis import audit
from analysis.errors import CONFLICTS
from analysis.models import BulkChange, BulkOperation, BulkPart, OperatorAction, PendingAnalysis
from analysis.queue import batch
from analysis.queue.batch import Looked
from arboris.db import db_now, in_transaction, locked
from notifications import outbox

Kind = BulkOperation.Kind
State = BulkOperation.State
Tasks = QuerySet[PendingAnalysis]

# Analyses in one transaction: whoever saves one of their novels waits for it.
BATCH = 500
# Each batch begins it anew; the fence holds also where one takes longer.
LEASE = timedelta(seconds=30)
# So many are looked at before it is confirmed, while who asked waits: a million takes a minute.
FORESEEN = 50_000
NOT_FOUND = "not_found"
CAN_START = (State.PREVIEWED, State.STOPPED, State.FAILED)


class Lost(Exception):
    """It is not (any more) this runner's: stopped, taken over, or through."""


@dataclass(frozen=True, slots=True)
class _Change:
    look: Callable[..., Looked]
    make: batch.Change
    note: Callable[[BulkOperation], str]


CHANGES: dict[str, _Change] = {
    Kind.RETRY: _Change(batch.retryable, batch.retry_all, lambda operation: _("Retried.")),
    Kind.CANCEL: _Change(batch.cancellable, batch.cancel_all, lambda operation: _("Cancelled.")),
    Kind.SET_PRIORITY: _Change(
        batch.reorderable,
        batch.set_priority_all,
        lambda operation: _("Priority set to %(priority)d.") % {"priority": operation.priority},
    ),
}


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one batch: ids that were changed, codes of why others were left."""

    changed: list[int]
    left: dict[int, str]


# --- before ---------------------------------------------------------------------------------------
def prepare(
    kind: Kind,
    tasks: Tasks | Sequence[int],
    *,
    actor: str,
    user_id: int | None = None,
    action: str = "",
    reason: str = "",
    criteria: Mapping[str, Any] | None = None,
    priority: int | None = None,
    foreground: bool = False,
    foresee: bool = True,
) -> BulkOperation:
    """An operation that waits for ``start``, about these analyses and none that come later.

    ``actor``, ``action``, ``reason`` and ``criteria`` (what they were found by, as JSON) go into
    the record; with ``user_id`` the admin's log names each of them. ``foresee``: count how many
    of the first FORESEEN will change, and how many are left and why (``planned``,
    ``planned_left``).
    """
    operation = BulkOperation.objects.create(
        kind=kind,
        priority=priority,
        actor=actor[:200],
        user_id=user_id,
        action=(action or kind.value)[:50],
        reason=reason[:500],
        criteria=dict(criteria or {}),
        foreground=foreground,
        created_at=db_now(),
    )
    planned, left, taken = 0, Counter[str](), set[int]()
    for number, ids in enumerate(_batches(tasks)):
        in_transaction(lambda n=number, i=ids: _add_part(operation, n, i))  # type: ignore[misc]
        if foresee and number * BATCH < FORESEEN:
            found = CHANGES[kind].look(batch.read(ids), taken=taken)
            planned += len(found.tasks)
            left.update(conflict.code for conflict in found.left.values())
    operation.planned, operation.planned_left = planned, dict(left)
    operation.save(update_fields=["planned", "planned_left", "size", "selected"])
    return operation


def _batches(tasks: Tasks | Sequence[int]) -> Iterator[list[int]]:
    if isinstance(tasks, QuerySet):
        tasks = list(tasks.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(tasks), BATCH):
        yield list(tasks[start : start + BATCH])


def _add_part(operation: BulkOperation, number: int, ids: list[int]) -> None:
    BulkPart.objects.create(operation=operation, number=number, ids=ids)
    operation.size, operation.selected = number + 1, number * BATCH + len(ids)


def sentences(left: Mapping[str, int]) -> list[tuple[str, int]]:
    """Why analyses are left, in the active language, and how many; the most first."""
    return [(_(CONFLICTS[code]), count) for code, count in Counter(left).most_common()]


# --- who runs it ----------------------------------------------------------------------------------
def start(operation_id: int, **changes: Any) -> bool:
    """Let the workers begin, or go on where it was stopped; False where it runs or is done.

    ``changes``: columns that are known only now (reason, priority).
    """
    return _start(operation_id, "", None, {**changes, "foreground": False})


def start_here(operation_id: int, runner: str, **changes: Any) -> str:
    """As ``start``, and it is run by whoever calls: the token for that. Raises Lost."""
    token = uuid.uuid4().hex
    held = {"runner": runner[:100], "foreground": True, **changes}
    if not _start(operation_id, token, db_now() + LEASE, held):
        raise Lost(operation_id)
    return token


def begin(
    operation_id: int, *, each: Callable[[Step], None] = lambda step: None, **changes: Any
) -> bool:
    """A small one at once, here; a larger one as ``start`` does it. ``each``: told of each batch
    that is done when this returns."""
    if BulkOperation.objects.filter(pk=operation_id, size__gt=1).exists():
        return start(operation_id, **changes)
    try:
        run(operation_id, start_here(operation_id, "web", **changes), each)
    except Lost:  # or somebody has stopped it in that very moment
        return False
    return True


def _start(
    operation_id: int, token: str, expires: datetime | None, changes: Mapping[str, Any]
) -> bool:
    now = db_now()
    waits = Q(state__in=CAN_START)
    if token:  # whoever had it has died, or no worker has taken it up
        waits |= Q(state=State.RUNNING, lease_expires_at__lt=now)
        waits |= Q(state=State.RUNNING, lease_expires_at=None)
    # Without a size it is empty, or not all that was found is noted yet.
    waiting = BulkOperation.objects.filter(waits, pk=operation_id, size__gt=0)
    lease = {"runner": "", "lease_token": token, "lease_expires_at": expires}
    started = {"state": State.RUNNING, "ended_at": None, "error_message": "", **lease, **changes}
    first = Coalesce("started_at", Value(now, DateTimeField()))
    return bool(in_transaction(lambda: waiting.update(**started, started_at=first)))


def look_for_one() -> int | None:
    """One that a worker may take: nobody runs it, or whoever did has died.

    What somebody ran by hand and died with them is stopped, and can be resumed.
    """
    now = db_now()
    unheld = Q(lease_expires_at=None) | Q(lease_expires_at__lt=now)
    running = BulkOperation.objects.filter(unheld, state=State.RUNNING)
    free = None
    for pk, foreground in running.order_by("created_at").values_list("pk", "foreground"):
        if foreground:
            dead = Q(lease_expires_at__lt=now)
            in_transaction(lambda pk=pk, dead=dead: _end(pk, State.STOPPED, dead))  # type: ignore[misc]
        elif free is None:
            free = pk
    return free


def take(operation_id: int, runner: str) -> str:
    """The right to run it, as a token; raises Lost where somebody else has it."""
    now, token = db_now(), uuid.uuid4().hex
    unheld = Q(lease_expires_at=None) | Q(lease_expires_at__lt=now)
    row = BulkOperation.objects.filter(unheld, pk=operation_id, state=State.RUNNING)
    held = {"runner": runner[:100], "lease_token": token, "lease_expires_at": now + LEASE}
    if not in_transaction(lambda: row.update(**held)):
        raise Lost(operation_id)
    return token


def let_go(operation_id: int, token: str) -> None:
    """Somebody else may go on at once."""
    row = BulkOperation.objects.filter(pk=operation_id, lease_token=token)
    in_transaction(lambda: row.update(lease_token="", lease_expires_at=None))


def stop(operation_id: int, token: str = "") -> bool:
    """Nothing more is changed once this has returned; False where it was not running.

    ``token``: only where its holder is still the one who runs it.
    """
    held = Q(lease_token=token) if token else None
    return in_transaction(lambda: _end(operation_id, State.STOPPED, held))


# --- running --------------------------------------------------------------------------------------
def run(operation_id: int, token: str, each: Callable[[Step], None] = lambda step: None) -> None:
    """Make all that is left of it, and end it; ``each``: told of each batch.

    Raises Lost where it was stopped or taken over meanwhile.
    """
    while (done := step(operation_id, token)) is not None:
        each(done)


def note(operation: BulkOperation) -> str:
    """What was done to each, in the active language."""
    return CHANGES[operation.kind].note(operation)


def step(operation_id: int, token: str) -> Step | None:
    """One batch, in a transaction of its own; None: there was none left, and it is done."""
    return in_transaction(lambda: _step(operation_id, token))


def fail(operation_id: int, token: str, error: Exception) -> None:
    """It cannot go on; what is done stays done, and it may be resumed."""
    mine = Q(lease_token=token)
    message = f"{type(error).__name__}: {error}"[:2000]
    in_transaction(lambda: _end(operation_id, State.FAILED, mine, error_message=message))


def _step(operation_id: int, token: str) -> Step | None:
    mine = BulkOperation.objects.filter(pk=operation_id, state=State.RUNNING, lease_token=token)
    operation = locked(mine).first()
    if operation is None:
        raise Lost(operation_id)
    part = operation.parts.filter(number=operation.position).first()
    if part is None:
        _end(operation_id, State.DONE)
        return None
    change = CHANGES[operation.kind]
    found = change.make(part.ids, operation.priority)
    changed = [task.pk for task in found.tasks]
    left = {pk: conflict.code for pk, conflict in found.left.items()}
    left |= dict.fromkeys(set(part.ids).difference(changed, left), NOT_FOUND)
    if operation.kind == Kind.CANCEL:
        part.writers = _by_writer(found.tasks)
        part.save(update_fields=["writers"])
    operation.changed += len(changed)
    operation.left = dict(Counter(operation.left) + Counter(left.values()))
    operation.position += 1
    operation.lease_expires_at = db_now() + LEASE
    _record(operation, changed)
    operation.save(update_fields=["changed", "left", "position", "lease_expires_at", "record"])
    return Step(changed, left)


def _record(operation: BulkOperation, changed: Sequence[int]) -> None:
    """One row for all of it, and in the admin's log one for each analysis."""
    if not changed:
        return
    if operation.record_id is None:
        details = operation.criteria | {"ids": list(changed[: audit.NAMED]), "state": audit.RUNNING}
        operation.record = audit.record(
            operation.actor,
            operation.action,
            reason=operation.reason,
            count=len(changed),
            details=details,
        )
    else:
        row = OperatorAction.objects.get(pk=operation.record_id)
        row.count = operation.changed
        row.details["ids"] = [*row.details["ids"], *changed][: audit.NAMED]
        row.save(update_fields=["count", "details"])
    BulkChange.objects.bulk_create(BulkChange(operation=operation, task_id=pk) for pk in changed)
    if operation.user_id is not None:
        _log(operation, operation.user_id, changed)


def _log(operation: BulkOperation, user_id: int, changed: Sequence[int]) -> None:
    kind = ContentType.objects.get_for_model(PendingAnalysis)
    text = note(operation)
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=user_id,
            content_type=kind,
            object_id=str(pk),
            object_repr=str(pk),
            action_flag=CHANGE,
            change_message=text,
        )
        for pk in changed
    )


def _end(
    operation_id: int, state: BulkOperation.State, only: Q | None = None, **changes: Any
) -> bool:
    """It runs no longer: the writers are told, and the record says how it ended."""
    running = BulkOperation.objects.filter(only or Q(), pk=operation_id, state=State.RUNNING)
    operation = locked(running).first()
    if operation is None:
        return False
    if operation.position >= operation.size:
        state = State.DONE
    _tell(operation)
    ended = {"state": state, "lease_token": "", "lease_expires_at": None, "ended_at": db_now()}
    BulkOperation.objects.filter(pk=operation_id).update(**ended, **changes)
    if operation.record is not None:
        record = operation.record
        record.details["state"] = audit.DONE if state == State.DONE else audit.INTERRUPTED
        if operation.left:
            record.details["left"] = operation.left
        record.save(update_fields=["details"])
    return True


# --- the writers ----------------------------------------------------------------------------------
def _by_writer(tasks: Iterable[PendingAnalysis]) -> dict[str, list[int]]:
    told: dict[str, list[int]] = {}
    for task in tasks:
        told.setdefault(str(task.user_id), [0, task.pk])[0] += 1
    return told


def _tell(operation: BulkOperation) -> None:
    """Each writer once of all that was cancelled since they were told last."""
    untold = operation.parts.filter(told=False, number__lt=operation.position)
    counts: dict[str, list[int]] = {}
    for writers in untold.order_by("number").values_list("writers", flat=True):
        for user, (count, first) in writers.items():
            counts.setdefault(user, [0, first])[0] += count
    if not counts:
        return
    untold.update(told=True)
    tasks = PendingAnalysis.objects.select_related("chapter").only(
        "user_id", "project_id", "chapter_id", "chapter__chapter_number"
    )
    first_ones = tasks.in_bulk([first for _count, first in counts.values()])
    outbox.publish_all(
        "cancelled",
        [
            (_subject(first_ones[first]), {"count": count} if count > 1 else {})
            for count, first in counts.values()
            if first in first_ones  # else the novel is gone, with all that was told about it
        ],
    )


def _subject(task: PendingAnalysis) -> outbox.Subject:
    return {
        "user_id": task.user_id,
        "task_id": task.pk,
        "project_id": task.project_id,
        "chapter_id": task.chapter_id,
        "chapter_number": task.chapter.chapter_number,
    }
