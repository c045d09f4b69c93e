"""What is held back at the moment: all, a novel, a writer, an endpoint, a used-up budget."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Case, CharField, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce

from analysis.models import EndpointState, QueueControl, QueuePause
from arboris.llm.accounting import budget
from arboris.llm.models import BudgetStop
from arboris.novels.models import NovelProject

MOST = 100


class Hold(NamedTuple):
    """``kind``: all, project, writer, endpoint or budget; ``key``: the primary key of its row."""

    kind: str
    key: str
    name: str
    reason: str
    by: str
    since: datetime


def holds() -> list[Hold]:
    """What is held back, in one query; at most MOST and one more, what holds back most first."""
    control = QueueControl.objects.filter(paused_at__isnull=False).values_list(
        _text("all"), _key(), _text(""), "paused_reason", "paused_by", "paused_at"
    )
    endpoints = EndpointState.objects.filter(paused_at__isnull=False).values_list(
        _text("endpoint"), _key(), F("name"), "error_type", _text(""), "paused_at"
    )
    kind = Case(When(project__isnull=True, then=_text("writer")), default=_text("project"))
    name = Coalesce("project__title", "user__username")
    pauses = QueuePause.objects.values_list(kind, _key(), name, "reason", "paused_by", "paused_at")
    month = budget.month_of(datetime.now(UTC)).date()
    stops = BudgetStop.objects.filter(month=month, lifted_at__isnull=True).values_list(
        _text("budget"), _key(), Coalesce(_title(), _username()), _text(""), _text(""), "stopped_at"
    )
    if connection.features.supports_slicing_ordering_in_compound:  # a server gathers them all first
        pauses, stops = pauses[: MOST + 1], stops[: MOST + 1]
    rows = control.union(endpoints, pauses, stops, all=True)[: MOST + 1]
    return sorted((Hold(*row) for row in rows), key=lambda hold: (ORDER[hold.kind], hold.since))


ORDER = {kind: place for place, kind in enumerate(("all", "endpoint", "project", "writer"))}
ORDER["budget"] = len(ORDER)


def _title() -> Subquery:
    novels = NovelProject.objects.filter(pk=OuterRef("project_id"))
    return Subquery(novels.values("title")[:1])


def _username() -> Subquery:
    users = get_user_model()._default_manager.filter(pk=OuterRef("user_id"))
    return Subquery(users.values("username")[:1])


def _text(value: str) -> Value:
    return Value(value, output_field=CharField())


def _key() -> Cast:
    return Cast("pk", output_field=CharField(max_length=100))
