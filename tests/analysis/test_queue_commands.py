"""Commands about the queue as a whole: pause, health, status, prune, process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from analysis import queue
from analysis.management.commands import prune_analysis
from analysis.models import PendingAnalysis, QueueControl, Status, WorkerHeartbeat
from analysis.queue import counters
from arboris.db import db_now, in_transaction
from arboris.novels.models import NovelProject
from notifications.models import AnalysisNotification
from tests.analysis.operators import (
    Called,
    age,
    call,
    ended,
    failed_task,
    novel_of,
    statuses,
)
from tests.factories import claim_next, queue_chapter
from tests.queue.bulk import queue_many

pytestmark = [pytest.mark.databases, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


def test_pause_and_resume(project: NovelProject) -> None:
    queue_chapter(project)
    assert call("pause_analysis").code == 2
    assert "would be paused" in call("pause_analysis", "--dry-run").out
    assert "is not paused" in call("resume_analysis", "--dry-run").out
    assert QueueControl.objects.get().paused_at is None
    paused = call("pause_analysis", "--reason", "database moves", "--noinput", "--json")
    assert paused.document["paused"] is True
    assert paused.document["reason"] == "database moves"
    assert queue.claim("host:1") is None
    resumed = call("resume_analysis", "--noinput", "--json")
    assert (resumed.code, resumed.document["paused"]) == (0, False)
    assert queue.claim("host:1") is not None


def test_health_says_what_readyz_says(client: Client) -> None:
    sick = call("analysis_health", "--json")
    assert sick.code == 1
    assert sick.document == client.get("/readyz").json()
    assert "workers" in sick.err
    now = db_now()
    WorkerHeartbeat.objects.create(worker="host:1", started_at=now, seen_at=now)
    well = call("analysis_health", "--json")
    assert (well.code, well.document["status"]) == (0, "ok")
    assert call("analysis_health").code == 0


# --- status ----------------------------------------------------------------------------------
def test_status_counts_and_groups_failures(project: NovelProject) -> None:
    failed_task(project)
    newest, waiting = failed_task(project), queue_chapter(project)
    age(waiting, minutes=10)
    seen = call("analysis_status", "--json").document
    assert (seen["total"], seen["failed"], seen["pending"]) == (3, 2, 1)
    assert seen["oldest_pending"]["id"] == waiting.pk
    assert 599 < seen["oldest_pending"]["age_seconds"] < 660
    (group,) = seen["failures"]
    assert (group["count"], group["error_type"]) == (2, "timeout")
    assert group["newest_task_id"] == newest.pk
    assert "tasks" not in seen


def test_status_counts_all_failures_of_a_day(project: NovelProject) -> None:
    for code, number in (("timeout", 1_200), ("bad_reply", 3)):
        many = PendingAnalysis.objects.filter(
            pk__in=[task.pk for task in queue_many(project, number)]
        )
        many.update(status="failed", active_chapter=None, completed_at=db_now(), error_type=code)
    seen = call("analysis_status", "--json").document["failures"]
    assert [(group["error_type"], group["count"]) for group in seen] == [
        ("timeout", 1_200),
        ("bad_reply", 3),
    ]


def test_status_narrows_to_a_writer_and_lists_on_demand(project: NovelProject) -> None:
    queue_chapter(project)
    foreign = queue_chapter(novel_of("lin"))
    seen = call("analysis_status", "--user", "lin", "--json").document
    assert (seen["total"], seen["oldest_pending"]["id"]) == (1, foreign.pk)
    assert call("analysis_status", "--status", "pending", "--limit", 1, "--json").ids != [
        foreign.pk
    ]
    assert call("analysis_status", foreign.pk, 999_999, "--json").ids == [999_999, foreign.pk]
    people = call("analysis_status", "--all")
    assert people.code == 0
    assert "Novel of lin" in people.out


@pytest.mark.parametrize("seconds", [[], ["5"], ["never"]])
def test_watching_needs_a_terminal(seconds: list[str]) -> None:
    called = call("analysis_status", "--watch", *seconds)
    assert called.code == 2
    assert called.err.startswith("--watch: ")


def test_looking_takes_the_same_queries_however_many_tasks_there_are(
    project: NovelProject, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for _ in range(12):
        failed_task(project)
    with django_assert_max_num_queries(18):  # type: ignore[attr-defined]
        call("analysis_status", "--json")


# --- prune -----------------------------------------------------------------------------------
def test_prune_keeps_failed_ones_longer(project: NovelProject) -> None:
    old = ended(project, Status.COMPLETED, 31)
    kept = [
        ended(project, Status.COMPLETED, 29),
        ended(project, Status.FAILED, 31),
        queue_chapter(project),
    ]
    older = [ended(project, Status.CANCELLED, 31), ended(project, Status.FAILED, 91)]
    rehearsed = call("prune_analysis", "--all", "--dry-run", "--json")
    assert rehearsed.document["deleted"] == 3
    assert len(statuses()) == 6
    assert "3 analyses would be deleted" in rehearsed.err
    done = call("prune_analysis", "--all", "--noinput", "--json")
    assert "3 analyses deleted" in done.err
    assert rehearsed.rows == done.rows
    assert rehearsed.ids == [old.pk, *(task.pk for task in older)]
    assert done.document["by_status"][0]["count"] == 1
    assert done.document["deleted"] == 3
    assert sorted(statuses()) == [task.pk for task in kept]
    assert {old.pk, *(task.pk for task in older)}.isdisjoint(statuses())


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--older-than", "5d"], {"failed", "fresh"}),
        (["--older-than", "5d", "--failed-older-than", "5d"], {"fresh"}),
        (["--status", "failed", "--older-than", "5d"], {"completed", "fresh"}),
        (["--failed-older-than", "5d"], {"completed", "fresh"}),
        (
            ["--all", "--failed-older-than", "0s", "--older-than", "0s", "--limit", "1"],
            {"failed", "fresh"},
        ),
    ],
)
def test_prune_ages(project: NovelProject, arguments: list[str], left: set[str]) -> None:
    names = {
        ended(project, Status.COMPLETED, 10).pk: "completed",
        ended(project, Status.FAILED, 10).pk: "failed",
        ended(project, Status.CANCELLED, 1).pk: "fresh",
    }
    assert call("prune_analysis", *arguments, "--noinput").code == 0
    assert {names[pk] for pk in statuses()} == left


def test_prune_prints_a_row_for_each_in_batches(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune_analysis, "BATCH", 2)
    ids = [ended(project, Status.COMPLETED, 31).pk for _ in range(5)]
    rehearsed = call("prune_analysis", "--all", "--limit", 3, "--dry-run").out.splitlines()
    done = call("prune_analysis", "--all", "--limit", 3, "--noinput")
    assert done.code == 0
    printed = done.out.splitlines()
    assert [line.split()[0] for line in printed[1:4]] == [str(pk) for pk in ids[:3]]
    assert printed[:-1] == rehearsed[:-1]
    assert sorted(statuses()) == ids[3:]


def test_prune_tells_what_changed_in_between(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, retried = (ended(project, Status.CANCELLED, 31) for _ in range(2))
    real = queue.prune

    def late(*arguments: Any, **options: Any) -> int:
        queue.retry(retried.pk)
        return real(*arguments, **options)

    monkeypatch.setattr(queue, "prune", late)
    called = call("prune_analysis", "--all", "--noinput", "--json")
    assert called.code == 3
    assert {row["id"]: row["outcome"] for row in called.rows} == {
        gone.pk: "ok",
        retried.pk: "changed",
    }
    assert called.document["deleted"] == 1
    assert list(statuses()) == [retried.pk]


def test_prune_leaves_counters_and_notifications(project: NovelProject) -> None:
    task = failed_task(project)
    before = counters.totals()
    assert call("prune_analysis", task.pk, "--failed-older-than", "0s", "--noinput").code == 0
    assert statuses() == {}
    assert counters.totals() == before
    assert AnalysisNotification.objects.get().pending_analysis_id is None


# --- process ---------------------------------------------------------------------------------
def test_a_task_given_back_keeps_its_retries_and_its_place(project: NovelProject) -> None:
    first, second = queue_chapter(project), queue_chapter(project)
    claim = claim_next()
    assert claim.task_id == first.pk
    queue.report_progress(claim, 25, "world_expansion", {"character_tracking": {}})
    assert queue.give_back(claim)
    assert not queue.give_back(claim)
    again = claim_next()
    assert (again.task_id, again.retry_count) == (first.pk, 0)
    assert again.checkpoint == {"character_tracking": {}}
    assert statuses()[second.pk] == Status.PENDING


def drained() -> Called:
    return call("process_analysis", "--json")


@pytest.mark.django_db(transaction=True)
def test_process_runs_what_is_due_by_priority(project: NovelProject, scripted: None) -> None:
    low, high = queue_chapter(project, priority=2), queue_chapter(project, priority=8)
    assert call("process_analysis", "--dry-run", "--json").ids == [high.pk, low.pk]
    once = call("process_analysis", "--once", "--json")
    assert (once.code, once.ids) == (0, [high.pk])
    assert drained().ids == [low.pk]
    assert set(statuses().values()) == {Status.COMPLETED}
    assert (drained().code, drained().rows) == (0, [])
    assert not WorkerHeartbeat.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_process_tells_that_some_failed(project: NovelProject, scripted: None) -> None:
    from django.test import override_settings

    from tests.analyzers import REGISTERED, Failing, permanent

    Failing.error = permanent()
    task = queue_chapter(project)
    with override_settings(ARBORIS_ANALYZERS=REGISTERED, ARBORIS_ANALYZER="failing"):
        called = drained()
    assert (called.code, called.rows[0]["outcome"]) == (3, "failed")
    assert statuses() == {task.pk: Status.FAILED}


@pytest.mark.django_db(transaction=True)
def test_process_runs_nothing_while_the_queue_is_paused(project: NovelProject) -> None:
    queue_chapter(project)
    in_transaction(lambda: queue.pause("moving"))
    called = drained()
    assert (called.code, called.rows, called.document["paused"]) == (0, [], True)
    assert "moving" in called.err
