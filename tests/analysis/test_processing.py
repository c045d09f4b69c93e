"""``process_analysis`` with selectors: only those, in the queue's order, under its pauses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from analysis import queue
from analysis.models import PendingAnalysis, Status
from arboris.db import db_now
from arboris.novels.models import NovelProject
from tests.analysis.operators import age, call, failed_task, novel_of, statuses
from tests.factories import claim_next, queue_chapter

pytestmark = [
    pytest.mark.databases,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("scripted"),
]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


def test_only_what_is_selected_runs_in_the_order_of_the_queue(project: NovelProject) -> None:
    lin = novel_of("lin")
    low, high = queue_chapter(lin, priority=2), queue_chapter(lin, priority=8)
    ours = queue_chapter(project, priority=10)
    for arguments in (["--user", "lin"], ["--project", lin.pk], [low.pk, high.pk]):
        assert call("process_analysis", *arguments, "--dry-run", "--json").ids == [high.pk, low.pk]
    once = call("process_analysis", "--user", "lin", "--limit", 1, "--json")
    assert (once.code, once.ids) == (0, [high.pk])
    assert call("process_analysis", low.pk, "--json").ids == [low.pk]
    assert statuses()[ours.pk] == Status.PENDING
    assert call("process_analysis", "--user", "lin", "--json").ids == []
    assert call("process_analysis", "--all", "--json").ids == [ours.pk]


def test_age_and_error_narrow_too(project: NovelProject) -> None:
    old, tried, _new = (queue_chapter(project) for _ in range(3))
    age(old, hours=3)
    PendingAnalysis.objects.filter(pk=tried.pk).update(error_type="worker_lost")
    assert call("process_analysis", "--older-than", "2h", "--json").ids == [old.pk]
    assert call("process_analysis", "--error-type", "worker_lost", "--json").ids == [tried.pk]


def test_ids_that_cannot_run_say_why(project: NovelProject) -> None:
    lin = novel_of("lin")
    failed, paused, later = failed_task(project), queue_chapter(lin), queue_chapter(project)
    queue.pause("", queue.PauseTarget(project_id=lin.pk))
    PendingAnalysis.objects.filter(pk=later.pk).update(due_at=db_now() + timedelta(hours=1))
    due = queue_chapter(project)
    ids = [failed.pk, paused.pk, later.pk, due.pk, 999_999]
    rehearsed = call("process_analysis", *ids, "--dry-run", "--json")
    done = call("process_analysis", *ids, "--json")
    expected = {
        failed.pk: "not_pending",
        paused.pk: "project_paused",
        later.pk: "backoff",
        999_999: "not_found",
    }
    assert {row["id"]: row["outcome"] for row in done.rows} == expected | {due.pk: "completed"}
    assert {row["id"]: row["outcome"] for row in rehearsed.rows} == expected | {due.pk: "due"}
    assert rehearsed.code == done.code == 3
    assert all(row["reason"] for row in done.rows if row["id"] != due.pk)
    assert call("process_analysis", failed.pk).code == 1


def test_pauses_and_limits_hold(project: NovelProject, settings: Settings) -> None:
    queue_chapter(project)
    claim_next()
    waiting = queue_chapter(project)
    settings.ARBORIS_MAX_PER_PROJECT = 1
    assert call("process_analysis", "--json").ids == []
    refused = call("process_analysis", waiting.pk, "--json")
    assert (refused.code, refused.rows[0]["outcome"]) == (1, "project_limit")
    settings.ARBORIS_MAX_PER_PROJECT = 0
    queue.pause("moving")
    assert call("process_analysis", waiting.pk, "--json").rows[0]["outcome"] == "paused"
    queue.resume()
    assert call("process_analysis", waiting.pk, "--json").rows[0]["outcome"] == "completed"


def test_wrong_selectors_are_named(project: NovelProject) -> None:
    for arguments, named in (
        (["--status", "failed"], "--status"),
        (["--user", "nobody"], "--user"),
        (["one"], "ID"),
        (["--limit", "0"], "--limit"),
    ):
        called = call("process_analysis", *arguments)
        assert (called.code, called.err.startswith(f"{named}: ")) == (2, True)
