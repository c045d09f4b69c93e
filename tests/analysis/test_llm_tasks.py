"""Tasks whose analyzer asks a model: how they end, what they cost, what they go on with."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_django import Settings

from analysis import queue, run_analysis
from analysis.errors import QueueConflict
from analysis.features import FEATURES
from analysis.models import AnalysisAttempt, EndpointState, PendingAnalysis
from analysis.worker.steward import Steward
from arboris.bible.models import Character
from arboris.db import db_now
from arboris.novels.models import NovelProject
from notifications.models import AnalysisNotification
from tests.analysis.llm_answers import TEXT, data_of, feature_of, says, someone
from tests.factories import JsonClient, claim_next, queue_chapter
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


def test_a_feature_without_an_answer_costs_no_other_its_findings(
    api: JsonClient, project: NovelProject, settings: Settings, endpoint: Endpoint
) -> None:
    def shown() -> list[list[str]]:
        """What each view of the chapter says that is missing."""
        row = api.get(f"/api/projects/{project.pk}/chapters").json()[0]
        chapter = api.get(f"/api/chapters/{row['id']}").json()
        return [row["analysis"]["missing"], chapter["analysis"]["missing"]]

    found = {"characters": [someone("沈砚秋", "沈砚秋推开听雨楼的门")]}
    plain = says(character_tracking=found)

    def answer(body: dict[str, Any]) -> Reply:
        return Reply("garbage") if feature_of(body) == "world_expansion" else plain(body)

    endpoint.answer, settings.ARBORIS_MAX_RETRIES = answer, 0
    task = run_task(project, settings)
    assert task.status == "completed" and Character.objects.get().name == "沈砚秋"
    assert task.result is not None and task.result["missing"] == ["world_expansion"]
    assert shown() == [["world_expansion"]] * 2
    told = AnalysisNotification.objects.get()
    assert "缺少世界观" in told.as_dict()["message"] and "人物及其状态" in told.as_dict()["message"]
    # A retry asks for what is missing, and for nothing else.
    endpoint.answer = plain
    endpoint.requests.clear()
    queue.retry(task.pk)
    assert shown() == [[]] * 2
    run_analysis.run(claim_next(), Steward())
    task.refresh_from_db()
    assert [feature_of(body) for body in endpoint.requests] == ["world_expansion"]
    assert task.status == "completed" and "missing" not in task.result and shown() == [[]] * 2
    assert Character.objects.get().name == "沈砚秋"
    with pytest.raises(QueueConflict):
        queue.retry(task.pk)


def test_entries_that_cannot_be_used_are_no_success(
    project: NovelProject, settings: Settings, endpoint: Endpoint
) -> None:
    nobody = {"characters": [someone("白无衣", "他不在文中"), someone("赵铁山", "")]}
    endpoint.answer = says(character_tracking=nobody)
    task = run_task(project, settings)
    assert task.status == "completed" and task.result is not None
    assert (task.result["unusable"], task.result["left_out"]) == (["character_tracking"], 2)
    assert "缺少人物及其状态" in AnalysisNotification.objects.get().as_dict()["message"]


@pytest.mark.parametrize("refusal", ["too long", "cut off", "cut off in the middle"])
def test_what_is_too_long_is_asked_in_halves(
    project: NovelProject, settings: Settings, endpoint: Endpoint, refusal: str
) -> None:
    """Nothing is asked twice, and nothing of the chapter is left out."""
    settings.ARBORIS_ANALYZER = "llm"
    text = "\n".join(f"第{n}日，沈砚秋在听雨楼写信，等着顾长风的回音。" for n in range(90))
    asked: list[tuple[str, Any]] = []

    def answer(body: dict[str, Any]) -> Reply:
        piece = data_of(body, "CHAPTER")
        if feature_of(body) != "new_character_detection":
            return Reply("{}", status=500)
        asked.append((piece, body.get("reasoning_effort")))
        people = [someone("沈砚秋", piece.strip().split("\n")[-1])]
        right = json.dumps({"characters": people}, ensure_ascii=False)
        if len(piece) < 1_000:
            return Reply(right)
        if refusal == "too long":
            return Reply(status=400, error={"message": "上下文长度超过限制"})
        half = f'{right[:-2]}, {{"name": "顾'
        return Reply(half if "middle" in refusal else "", finish="length")

    endpoint.answer = answer
    only = dict.fromkeys(FEATURES, False) | {"new_character_detection": True}
    task = queue_chapter(project, text, enhanced_features=only)
    run_analysis.run(claim_next(), Steward())
    task.refresh_from_db()
    assert task.status == "completed", task.error_message
    assert len(set(asked)) == len(asked)
    small = [piece for piece, _ in asked if len(piece) < 1_000]
    assert all(any(line in piece for piece in small) for line in text.split("\n"))
    assert Character.objects.get().name == "沈砚秋"
    assert task.result is not None and task.result["notes"] == []
