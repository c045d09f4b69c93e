"""One analysis end to end: findings, bible, status and notification together, or none of them."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

from analysis import queue, run_analysis, worker
from analysis.analyzers.base import analyzer_named
from analysis.models import PendingAnalysis
from analysis.worker.steward import Steward
from arboris.bible.models import Character, Finding, ForeshadowingThread
from arboris.db import db_now
from arboris.novels.models import NovelProject
from notifications.models import AnalysisNotification
from tests.analyzers import REGISTERED, Endless, Failing, Scripted
from tests.factories import claim_next, queue_chapter
from tests.queue.threads import side_by_side
from tests.waiting import PATIENCE_SECONDS

TALK = "「沈砚秋」说：雨停了再走。「顾长风」说：等不得。" * 12
FEATURES = ["character_tracking", "new_character_detection", "world_expansion", "foreshadowing"]

pytestmark = pytest.mark.usefixtures("scripted")


def of(column: Any) -> dict[str, Any]:
    """A JSON column that has to be filled."""
    assert isinstance(column, dict)
    return column


def run_next() -> None:
    run_analysis.run(claim_next(), Steward())


def test_completed_means_every_feature_delivered(project: NovelProject) -> None:
    task = queue_chapter(project, TALK)
    run_next()
    task.refresh_from_db()
    assert task.status == "completed"
    assert of(task.result)["features"] == FEATURES
    assert task.token_usage == {"prompt": 40, "completion": 8}
    assert task.checkpoint is None
    assert set(Character.objects.values_list("name", flat=True)) == {"沈砚秋", "顾长风"}
    assert AnalysisNotification.objects.get().notification_type == "completed"


def test_a_quote_that_is_not_in_the_text_is_not_applied(project: NovelProject) -> None:
    task = queue_chapter(project, TALK)
    run_next()
    task.refresh_from_db()
    assert of(task.result)["unverified"] == 1
    assert Finding.objects.get(type="foreshadowing").verified is False
    assert not ForeshadowingThread.objects.exists()


def test_features_that_are_off_are_not_asked(project: NovelProject) -> None:
    off = {"foreshadowing": False, "world_expansion": False}
    queue_chapter(project, TALK, enhanced_features=off)
    run_next()
    assert Scripted.runs == FEATURES[:2]


def test_what_is_less_sure_than_the_threshold_waits_for_the_writer(project: NovelProject) -> None:
    task = queue_chapter(project, TALK, dynamic_threshold={"confidence_threshold": 0.95})
    run_next()
    task.refresh_from_db()
    assert of(task.result)["findings"] == 0
    assert of(task.result)["below_threshold"] == Finding.objects.count() > 0
    assert set(Finding.objects.values_list("tier", flat=True)) == {"waiting"}
    assert not Character.objects.exists()


def test_an_unforeseen_error_is_retried_from_the_feature_that_failed(
    project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_ANALYZER = "failing"
    task = queue_chapter(project, TALK)
    Failing.error = KeyError("surprise")
    run_next()
    task.refresh_from_db()
    assert (task.status, task.retry_count, task.error_type) == ("pending", 1, "analyzer_error")
    assert list(of(task.checkpoint)) == FEATURES[:1]
    assert not Finding.objects.exists()
    Failing.error = None
    PendingAnalysis.objects.update(due_at=db_now())
    run_next()
    assert Scripted.runs == FEATURES  # the first was not asked again
    task.refresh_from_db()
    assert (task.status, task.checkpoint) == ("completed", None)
    assert Character.objects.count() == 2


def test_a_retry_by_hand_resumes_too(project: NovelProject, settings: Settings) -> None:
    settings.ARBORIS_ANALYZER = "failing"
    settings.ARBORIS_MAX_RETRIES = 0
    task = queue_chapter(project, TALK)
    Failing.error = ValueError("surprise")
    run_next()
    Failing.error = None
    queue.retry(task.pk)
    run_next()
    assert Scripted.runs == FEATURES


def test_an_analyzer_that_is_not_there_fails_at_once(
    project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_ANALYZER = "absent"
    task = queue_chapter(project, TALK)
    run_next()
    task.refresh_from_db()
    assert (task.status, task.error_type) == ("failed", "analyzer_unavailable")


def test_the_deadline_ends_it_cleanly(project: NovelProject, settings: Settings) -> None:
    settings.ARBORIS_ANALYZER = "endless"
    settings.ARBORIS_PROCESSING_TIMEOUT = 0.2
    task = queue_chapter(project, TALK)
    run_next()
    task.refresh_from_db()
    assert (task.status, task.error_type) == ("failed", "timeout")
    assert AnalysisNotification.objects.get().data["error_type"] == "timeout"


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_run_stops_within_five_seconds(
    project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_ANALYZER = "endless"
    task = queue_chapter(project, TALK)
    steward, stopped = Steward(), Event()
    claim = claim_next()
    steward.start()

    def work() -> None:
        with steward.looking_after(claim):
            run_analysis.run(claim, steward)
        stopped.set()

    def cancel() -> None:
        assert Endless.started.wait(PATIENCE_SECONDS)
        queue.cancel(task.pk)
        assert stopped.wait(PATIENCE_SECONDS)

    try:
        side_by_side(work, cancel)
    finally:
        steward.stop()
        connections.close_all()
    task.refresh_from_db()
    assert task.status == "cancelled"
    assert not Finding.objects.exists()


def test_running_twice_changes_nothing(project: NovelProject) -> None:
    task = queue_chapter(project, TALK)
    run_next()
    before = list(Character.objects.order_by("pk").values())
    PendingAnalysis.objects.update(status="failed", completed_at=db_now())
    queue.retry(task.pk)
    run_next()
    assert list(Character.objects.order_by("pk").values()) == before
    assert Finding.objects.filter(current=True).count() == len(Finding.objects.all()) / 2


def test_a_slice_runs_everything_that_is_due(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        queue_chapter(project, TALK)
    monkeypatch.setattr("analysis.worker.loop.current_steward", lambda: Steward())
    assert worker.run_due() == 3
    assert set(PendingAnalysis.objects.values_list("status", flat=True)) == {"completed"}


def test_a_slice_that_is_over_leaves_a_wakeup_behind(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_q.models import OrmQ

    for _ in range(3):
        queue_chapter(project, TALK)
    OrmQ.objects.all().delete()
    monkeypatch.setattr("analysis.worker.loop.current_steward", lambda: Steward())
    monkeypatch.setattr("analysis.worker.loop.SLICE_SECONDS", 0.0)
    assert worker.run_due() == 1
    assert OrmQ.objects.count() == 1


def test_the_registered_analyzers_are_all_there() -> None:
    assert all(analyzer_named(name).name == name for name in REGISTERED if name != "steerable")
