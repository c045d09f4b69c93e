"""Stopping claims, of everything, of one novel or of one writer, and letting them go on."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from analysis.djangoq import wakeups
from analysis.models import PendingAnalysis, QueueControl, QueuePause, Status
from arboris.db import db_now, in_transaction, locked


@dataclass(frozen=True, slots=True)
class PauseTarget:
    """What is paused: one novel, one writer, or (neither) everything."""

    project_id: uuid.UUID | None = None
    user_id: int | None = None

    @property
    def everything(self) -> bool:
        return self.project_id is None and self.user_id is None

    def row(self) -> dict[str, Any]:
        """The columns that name it, in tasks and pauses alike."""
        if self.project_id is not None:
            return {"project_id": self.project_id}
        return {} if self.user_id is None else {"user_id": self.user_id}


def pause(reason: str, target: PauseTarget = PauseTarget(), *, by: str = "") -> None:
    """Stop the claims of the target; what runs goes on to its end. ``by``: who asked for it.

    Under the queue's lock, so that none begins once this has returned.
    """

    def work() -> None:
        locked(QueueControl.objects.filter(pk=1)).get()
        if target.everything:
            QueueControl.objects.filter(pk=1).update(
                paused_at=db_now(), paused_reason=reason[:500], paused_by=by[:200]
            )
        else:
            told = {"reason": reason[:500], "paused_by": by[:200], "paused_at": db_now()}
            QueuePause.objects.update_or_create(**target.row(), defaults=told)

    in_transaction(work)


def resume(target: PauseTarget = PauseTarget()) -> bool:
    """Allow claims again and wake the workers for what has piled up; False if it was not paused."""

    def work() -> bool:
        control = QueueControl.objects.filter(pk=1)
        locked(control).get()  # first, as a pause does
        if target.everything:
            paused = control.filter(paused_at__isnull=False)
            resumed = paused.update(
                paused_at=None, paused_reason="", paused_by="", resumed_at=db_now()
            )
        else:
            resumed, _ = QueuePause.objects.filter(**target.row()).delete()
            if resumed:
                control.update(resumed_at=db_now())
        if resumed:
            wakeups.issue(settings.ARBORIS_MAX_CONCURRENT)
        return bool(resumed)

    return in_transaction(work)


def running(target: PauseTarget = PauseTarget()) -> int:
    """How many of the target's analyses are being worked on."""
    return PendingAnalysis.objects.filter(status=Status.PROCESSING, **target.row()).count()
