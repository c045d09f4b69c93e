"""The writer's decisions about a novel's bible: made, taken back, and as the fold's rules."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet

from arboris.bible.decisions.kinds import rules_from
from arboris.bible.decisions.rules import Rules
from arboris.bible.models import Decision
from arboris.db import db_now


def active_decisions(project_id: uuid.UUID) -> QuerySet[Decision]:
    """Those that have not been undone, in the order in which they were made."""
    return Decision.objects.filter(project_id=project_id, undone_at=None).order_by("pk")


def any_of(project_id: uuid.UUID) -> bool:
    return active_decisions(project_id).exists()


def rules(project_id: uuid.UUID) -> Rules:
    rows = active_decisions(project_id).values_list("action", "params")
    return rules_from({**params, "action": action} for action, params in rows)


def follow_order(project_id: uuid.UUID, moved: dict[int, int]) -> bool:
    """Seeds that the writer planted in a chapter follow it to its number, new by old.

    Returns whether there are any that count.
    """
    counts = False
    for row in Decision.objects.filter(project_id=project_id, action="add"):
        fields = row.params["fields"]
        if (number := fields.get("chapter_number")) in moved:
            fields["chapter_number"] = moved[number]
            row.save(update_fields=["params"])
            counts = counts or row.undone_at is None
    return counts


def make(project_id: uuid.UUID, user_id: int, action: str, params: dict[str, Any]) -> Decision:
    """Only the record; the caller holds the project's lock and folds the bible anew."""
    return Decision.objects.create(
        project_id=project_id, user_id=user_id, action=action, params=params
    )


def undo(decision: Decision) -> None:
    """As ``make``."""
    decision.undone_at = db_now()
    decision.save(update_fields=["undone_at"])
