"""Twelve processes claim at once, while others reorder, cancel, pause and resume."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest
from pytest_django import Settings

from analysis.models import AnalysisAttempt, PendingAnalysis, QueueControl
from tests.factories import make_project, make_user
from tests.queue.bulk import queue_many
from tests.queue.crowd import CLAIMERS, ENDPOINTS, ROUNDS, SCOPES, TAKEN_AMID_PAUSES, gather
from tests.queue.replay import Replay

pytestmark = pytest.mark.process

PER_PROJECT, PER_ENDPOINT = 3, 5
# Of the novels that are paused: some wait through all pauses, whatever is claimed or cancelled.
MANY, FEW = TAKEN_AMID_PAUSES + 1, 60


@pytest.mark.django_db(transaction=True)
def test_claims_are_exclusive_ordered_and_within_all_limits_and_pauses(settings: Settings) -> None:
    draw = random.Random(3)
    writers = [make_user(), make_user(), make_user()]
    projects = [make_project(writer) for writer in (writers[0], *writers)]
    for project, number in zip(projects, (MANY, FEW, MANY, FEW), strict=True):
        queue_many(project, number, [draw.randint(1, 10) for _ in range(number)])
    tasks = list(PendingAnalysis.objects.all())
    diary = gather(
        tasks=[task.pk for task in tasks],
        scopes=[{"project_id": str(projects[0].pk)}, {"user_id": writers[1].pk}, {}],
        settings={
            "ARBORIS_FAIRNESS": "age",  # the order that the replay knows
            "ARBORIS_MAX_PER_PROJECT": PER_PROJECT,
            "ARBORIS_MAX_PER_ENDPOINT": PER_ENDPOINT,
        },
    )
    replay = Replay(tasks, PER_PROJECT, PER_ENDPOINT)
    replay.read(diary)

    assert not list(replay.faults())
    check_attempts(replay)
    check_that_nothing_is_left(replay)
    check_that_it_was_hard(replay)


def check_attempts(replay: Replay) -> None:
    """Each task once, in the order of the claims, and never too many at the same time."""
    attempts = list(AnalysisAttempt.objects.order_by("started_at").select_related("task"))
    assert [attempt.task_id for attempt in attempts] == [claim["task"] for claim in replay.claims]
    assert len({attempt.task_id for attempt in attempts}) == len(attempts)
    assert [claim["clock"] for claim in replay.claims] == list(range(1, len(attempts) + 1))
    assert QueueControl.objects.get().claimed == len(attempts)
    at_a_time: dict[object, list[tuple[object, int]]] = defaultdict(list)
    for attempt in attempts:
        scopes: tuple[object, ...] = (attempt.task.project_id, attempt.task.endpoint)
        for scope in scopes:
            # What ends goes before what begins at the same moment.
            at_a_time[scope] += [(attempt.started_at, 1), (attempt.ended_at, -1)]
    for scope, changes in at_a_time.items():
        limit = PER_ENDPOINT if scope in ENDPOINTS else PER_PROJECT
        running = 0
        for _, change in sorted(changes):
            running += change
            assert running <= limit, scope


def check_that_nothing_is_left(replay: Replay) -> None:
    status = Counter(PendingAnalysis.objects.values_list("status", flat=True))
    cancelled = sum(row.cancel is not None for row in replay.rows.values())
    assert status == {"completed": len(replay.rows) - cancelled, "cancelled": cancelled}
    assert set(PendingAnalysis.objects.values_list("attempt_count", flat=True)) <= {0, 1}


def check_that_it_was_hard(replay: Replay) -> None:
    """Everybody claimed; edits, cancellations and pauses hit tasks that would have been next."""
    assert len({claim["worker"] for claim in replay.claims}) == CLAIMERS
    rows = replay.rows.values()
    assert any(edit["hi"] < row.claimed for row in rows for edit in row.edits)
    assert any(row.cancel and row.claimed <= row.cancel["lo"] for row in rows)
    assert len(replay.pauses) == SCOPES * ROUNDS
    assert all(replay.held_back(pause) for pause in replay.pauses)
    assert any(replay.refusals)
