"""How far analyses and bibles are, from their rows: what sockets are told once a second."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from django.db.models import Count, Q
from django.db.models.functions import Now

from analysis.models import PendingAnalysis, Status
from arboris.bible.models import FoldState
from notifications.ports import Bible, Progress


def running(user_ids: Collection[int]) -> list[Progress]:
    """The running analyses of these writers."""
    rows = PendingAnalysis.objects.filter(
        status=Status.PROCESSING, user_id__in=user_ids, started_at__isnull=False
    ).values_list("pk", "user_id", "progress_percent", "progress_feature", "started_at")
    now = datetime.now(UTC)
    found = []
    for pk, user_id, percent, feature, started_at in rows:
        assert started_at is not None
        ran = (now - started_at).total_seconds()
        eta = round(ran * (100 - percent) / percent, 1) if percent else None
        found.append(Progress(user_id, pk, percent, feature or None, eta))
    return found


def live(user_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """How many analyses run or are due, by writer and novel; who has none is left out.

    What is parked or backs off is not counted.
    """
    under_way = Q(status=Status.PROCESSING) | Q(status=Status.PENDING, due_at__lte=Now())
    rows = PendingAnalysis.objects.filter(under_way, user_id__in=user_ids).order_by()
    found: dict[int, dict[str, int]] = {}
    for user_id, project_id, number in rows.values_list("user_id", "project_id").annotate(
        number=Count("pk")
    ):
        found.setdefault(user_id, {})[str(project_id)] = number
    return found


def bibles(user_ids: Collection[int]) -> dict[int, dict[str, Bible]]:
    """The bibles of these writers' novels, by writer and novel."""
    rows = FoldState.objects.filter(project__owner_id__in=user_ids).values_list(
        "project__owner_id", "project_id", "revision", "outdated", "behind"
    )
    found: dict[int, dict[str, Bible]] = {}
    for user_id, project_id, revision, outdated, behind in rows:
        found.setdefault(user_id, {})[str(project_id)] = Bible(revision, outdated and behind)
    return found
