"""Stopping claims, of everything, of one novel or of one writer, and letting them go on."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from analysis.models import PendingAnalysis, QueueControl, QueuePause, Status
from analysis.queue import wakeup
from arboris.db import db_now, in_transaction


@dataclass(frozen=True, slots=True)
class Scope:
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


def pause(reason: str, scope: Scope = Scope()) -> None:
    """Stop the claims of the scope; what runs goes on to its end.

    Under the queue's lock, so that none begins once this has returned.
    """

    def work() -> None:
        control = QueueControl.objects.select_for_update().filter(pk=1)
        if scope.everything:
            control.update(paused_at=db_now(), paused_reason=reason[:500])
            return
        QueuePause.objects.update_or_create(
            **scope.row(), defaults={"reason": reason[:500], "paused_at": db_now()}
        )
        # After the row, which locks the novel or writer that it names: so do ends, which claim next.
        control.get()

    in_transaction(work)


def resume(scope: Scope = Scope()) -> bool:
    """Allow claims again and wake the workers for what has piled up; False if it was not paused."""

    def work() -> bool:
        control = QueueControl.objects.filter(pk=1)
        if scope.everything:
            paused = control.filter(paused_at__isnull=False)
            resumed = paused.update(paused_at=None, paused_reason="", resumed_at=db_now())
        else:
            resumed, _ = QueuePause.objects.filter(**scope.row()).delete()
            if resumed:
                control.update(resumed_at=db_now())
        if resumed:
            wakeup.issue(settings.ARBORIS_MAX_CONCURRENT)
        return bool(resumed)

    return in_transaction(work)


def running(scope: Scope = Scope()) -> int:
    """How many of the scope's analyses are being worked on."""
    return PendingAnalysis.objects.filter(status=Status.PROCESSING, **scope.row()).count()
