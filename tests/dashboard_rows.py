"""Run as a module beside a live web process: work for the queue in two parts, and what SQL says.

Some events of each kind first, so that each series is there; then, on a line from stdin, more of
them in other numbers. What the tables say of the second part, and of now, goes to stdout as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import django

WORKER, IDLE = "host:1", "host:2"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
    django.setup()
    from django.contrib.auth.models import User

    from tests.factories import make_project

    project = make_project(User.objects.get(username="writer"))
    # At least half as many as later: rates take it that a counter began at 0, and not before.
    work(project, completed=2, timeouts=2, refused=1, cancelled=1, answered=2, errors=1)
    first = told()
    print("ready", flush=True)
    sys.stdin.readline()
    work(project, completed=4, timeouts=3, refused=2, cancelled=1, answered=3, errors=2)
    leave(project)
    document = {"before": first, "now": told(), "done": time.time()}
    print(json.dumps(document, default=str), flush=True)


def work(
    project: Any, *, completed: int, timeouts: int, refused: int, cancelled: int, **calls: int
) -> None:
    """So many analyses that end so, and calls to two models."""
    from analysis import queue
    from analysis.errors import ProcessingTimeout
    from arboris.db import in_transaction
    from arboris.llm.errors import Filtered
    from tests.factories import claim_next, queue_chapter

    for _ in range(completed):
        queue_chapter(project)
        claim = claim_next(WORKER)
        in_transaction(lambda claim=claim: queue.finish(claim, {}, {}))  # type: ignore[misc]
    for error in [ProcessingTimeout("too long")] * timeouts + [Filtered("no")] * refused:
        queue_chapter(project)
        queue.fail(claim_next(WORKER), error)
    for _ in range(cancelled):
        queue.cancel(queue_chapter(project).pk)
    for model, outcome, number, seconds in (
        ("small", "ok", calls["answered"], 0.7),
        ("large", "ok", 2 * calls["answered"], 14.0),
        ("large", "llm_timeout", calls["errors"], 120.0),
    ):
        for _ in range(number):
            call(model, outcome, seconds)


def call(model: str, outcome: str, seconds: float) -> None:
    from arboris.llm.accounting import call_log
    from arboris.llm.models import ModelCall

    tokens = 100 if outcome == "ok" else 0
    call_log.write(
        ModelCall(
            call_id=uuid.uuid4(),
            created_at=datetime.now(UTC),
            endpoint="api.example.com",
            model=model,
            purpose="generation",
            prompt_tokens=tokens,
            completion_tokens=3 * tokens,
            cost=Decimal(tokens) / 1000,
            outcome=outcome,
            seconds=seconds,
        )
    )


def leave(project: Any) -> None:
    """What is pending, runs, and is held back when all is done."""
    from django.contrib.auth.models import User

    from analysis import queue
    from analysis.models import EndpointState, PendingAnalysis, WorkerHeartbeat
    from arboris.db import db_now
    from arboris.llm.accounting import budget
    from arboris.llm.models import BudgetStop
    from tests.factories import claim_next, queue_chapter

    now = db_now()
    queue_chapter(project)
    claim_next(WORKER)
    for _ in range(3):
        queue_chapter(project)
    later = queue_chapter(project)
    PendingAnalysis.objects.filter(pk=later.pk).update(
        due_at=now + timedelta(hours=1), error_type="over_budget"
    )
    for name in (WORKER, IDLE):
        WorkerHeartbeat.objects.create(worker=name, started_at=now, seen_at=now)
    EndpointState.objects.create(name="api.example.com", paused_at=now, error_type="llm_no_credit")
    month = budget.month_of(now).date()
    BudgetStop.objects.create(
        month=month, user_id=project.owner_id, subject="writer:1", budget=1, stopped_at=now
    )
    stranger = User.objects.get(username="stranger")
    queue.pause("", queue.PauseTarget(user_id=stranger.pk))


STATEMENTS = {
    "status": "SELECT status, COUNT(*) FROM pending_analysis GROUP BY status",
    # The one that is not due comes in an hour.
    "due": "SELECT 'due', COUNT(*) FROM pending_analysis"
    " WHERE status = 'pending' AND due_at <= datetime('now', '+1 minute')",
    "oldest": "SELECT 'oldest', (julianday(MIN(created_at)) - 2440587.5) * 86400"
    " FROM pending_analysis WHERE status = 'pending'",
    "parked": "SELECT 'parked', COUNT(*) FROM pending_analysis"
    " WHERE status = 'pending' AND error_type = 'over_budget'",
    "errors": "SELECT error_type, COUNT(*) FROM pending_analysis WHERE status = 'failed'"
    " GROUP BY error_type",
    "attempts": "SELECT 'claims', SUM(attempt_count) FROM pending_analysis",
    "runs": "SELECT id, duration_seconds FROM pending_analysis WHERE status = 'completed'",
    "calls": "SELECT endpoint || '/' || model || '/' || outcome, COUNT(*) FROM llm_call"
    " GROUP BY endpoint, model, outcome",
    "prompt": "SELECT model, SUM(prompt_tokens) FROM llm_call GROUP BY model",
    "completion": "SELECT model, SUM(completion_tokens) FROM llm_call GROUP BY model",
    "cost": "SELECT model, SUM(cost) FROM llm_call GROUP BY model",
    "workers": "SELECT worker, 1 FROM analysis_workerheartbeat",
    "busy": "SELECT 'busy', COUNT(DISTINCT worker) FROM pending_analysis"
    " WHERE status = 'processing'",
    "endpoints": "SELECT name || '/' || error_type, 1 FROM analysis_endpointstate"
    " WHERE paused_at IS NOT NULL",
    "budgets": "SELECT 'writer', COUNT(*) FROM llm_budget_stop WHERE project_id IS NULL"
    " AND lifted_at IS NULL",
    "pauses": "SELECT 'writer', COUNT(*) FROM analysis_queuepause",
}


def told() -> dict[str, dict[str, float]]:
    """What each statement says, by the first of its columns."""
    from django.db import connection

    answers = {}
    with connection.cursor() as cursor:
        for name, statement in STATEMENTS.items():
            cursor.execute(statement)
            answers[name] = {str(key): float(value or 0) for key, value in cursor.fetchall()}
    return answers


if __name__ == "__main__":
    main()
