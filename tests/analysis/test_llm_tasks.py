"""Tasks whose analyzer asks a model: how they end, what they cost, what they go on with."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_django import Settings

from analysis import run_analysis
from analysis.models import AnalysisAttempt, EndpointState, PendingAnalysis
from analysis.worker.steward import Steward
from arboris.bible.models import Character
from arboris.db import db_now
from arboris.novels.models import NovelProject
from tests.analysis.llm_answers import TEXT, feature_of, says, someone
from tests.factories import claim_next, queue_chapter
from tests.llm.endpoint import KEY, Endpoint, Reply


def run_task(project: NovelProject, settings: Settings, **config: Any) -> PendingAnalysis:
    settings.ARBORIS_ANALYZER = "llm"
    task = queue_chapter(project, TEXT * 6, **config)
    run_analysis.run(claim_next(), Steward())
    task.refresh_from_db()
    return task


def test_an_analysis_end_to_end(
    project: NovelProject, settings: Settings, endpoint: Endpoint
) -> None:
    endpoint.answer = says(
        character_tracking={"characters": [someone("沈砚秋", "沈砚秋推开听雨楼的门")]}
    )
    task = run_task(project, settings, model_name="mine", temperature=0.4)
    assert task.status == "completed", task.error_message
    assert task.token_usage == {"prompt": 40, "completion": 20}
    assert Character.objects.get().name == "沈砚秋"
    assert {(body["model"], body["temperature"]) for body in endpoint.requests} == {("mine", 0.4)}


def test_a_failed_try_is_paid_for_and_resumed(
    project: NovelProject, settings: Settings, endpoint: Endpoint
) -> None:
    plain = says()

    def answer(body: dict[str, Any]) -> Reply:
        return Reply("garbage") if feature_of(body) == "world_expansion" else plain(body)

    endpoint.answer = answer
    task = run_task(project, settings)
    assert (task.status, task.error_type) == ("pending", "llm_bad_answer")
    # Three features delivered, the fourth was asked twice.
    assert task.token_usage == {"prompt": 50, "completion": 25}
    assert AnalysisAttempt.objects.get().token_usage == task.token_usage
    endpoint.answer = plain
    endpoint.requests.clear()
    PendingAnalysis.objects.update(due_at=db_now())
    run_analysis.run(claim_next(), Steward())
    task.refresh_from_db()
    assert task.status == "completed"
    assert [feature_of(body) for body in endpoint.requests] == ["world_expansion"]
    assert task.token_usage == {"prompt": 60, "completion": 30}


def test_a_rate_limit_delays_the_task(
    project: NovelProject, settings: Settings, endpoint: Endpoint
) -> None:
    endpoint.replies(Reply(status=429, headers={"Retry-After": "600"}))
    before = db_now()
    task = run_task(project, settings)
    assert (task.status, task.error_type) == ("pending", "llm_rate_limited")
    assert 590 < (task.due_at - before).total_seconds() < 620


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(401, "", "llm_key_refused"), (429, "insufficient_quota", "llm_no_credit")],
)
def test_a_refused_key_costs_the_task_nothing(
    project: NovelProject, settings: Settings, endpoint: Endpoint, status: int, code: str, kind: str
) -> None:
    endpoint.replies(Reply(status=status, error={"message": f"bad {KEY}", "code": code}))
    task = run_task(project, settings)
    assert (task.status, task.error_type, task.retry_count) == ("pending", kind, 0)
    assert KEY not in task.error_message
    state = EndpointState.objects.get(paused_at__isnull=False)
    assert (state.error_type, KEY in state.error_message) == (kind, False)


def test_the_deadline_stops_a_silent_endpoint(
    project: NovelProject, settings: Settings, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def monotonic() -> float:
        """The time is over as soon as the model is asked, and no sooner."""
        passed = settings.ARBORIS_PROCESSING_TIMEOUT if endpoint.requests else 0
        return time.monotonic() + float(passed)

    monkeypatch.setattr(run_analysis, "time", SimpleNamespace(monotonic=monotonic))
    endpoint.replies(Reply("{", hold=True))
    task = run_task(project, settings)
    assert (task.status, task.error_type) == ("failed", "timeout")
    assert task.token_usage and task.token_usage["estimated"] > 0
