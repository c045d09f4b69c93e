"""Pausing and resuming from the command line: of what, how long it takes, what is told."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connections
from django.test import Client

from analysis import queue
from analysis.models import OperatorAction, QueueControl, QueuePause, WorkerHeartbeat
from analysis.queue import endpoints
from arboris.db import db_now, in_transaction
from arboris.llm.errors import KeyRefused
from arboris.novels.models import NovelProject
from tests.analysis.operators import call, novel_of
from tests.factories import claim_next, queue_chapter
from tests.waiting import wait_for

pytestmark = [pytest.mark.databases, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


def refused(name: str = "api.example.com") -> None:
    error = KeyRefused("401: sk-… is not ours")
    state = queue.Endpoint(name)
    in_transaction(lambda: endpoints.pause(state, error, db_now()))


def test_one_novel_is_paused_and_resumed(project: NovelProject) -> None:
    queue_chapter(project, priority=9)
    other = queue_chapter(novel_of("lin"))
    paused = call(
        "pause_analysis", "--project", project.pk, "--reason", "too fast", "--noinput", "--json"
    )
    assert paused.code == 0
    pause = QueuePause.objects.get()
    assert paused.document == {
        "dry_run": False,
        "scope": {"project": str(project.pk)},
        "paused": True,
        "paused_at": paused.document["paused_at"],
        "reason": "too fast",
        "running": 0,
        "drained": None,
    }
    assert (pause.project_id, pause.reason) == (project.pk, "too fast")
    assert "The novel “听雨楼” is paused." in paused.err
    assert claim_next().task_id == other.pk
    assert queue.claim("host:1") is None
    resumed = call("resume_analysis", "--project", project.pk, "--noinput", "--json")
    assert (resumed.code, resumed.document["resumed"], resumed.document["paused"]) == (
        0,
        True,
        False,
    )
    assert queue.claim("host:1") is not None


def test_one_writer_is_paused_and_resumed(project: NovelProject) -> None:
    other, theirs = queue_chapter(project), queue_chapter(novel_of("lin"), priority=9)
    assert call("pause_analysis", "--user", "lin", "--noinput").out == "The writer lin is paused.\n"
    assert claim_next().task_id == other.pk
    assert call("resume_analysis", "--user", "lin", "--noinput").out == (
        "The writer lin runs again.\n"
    )
    assert claim_next().task_id == theirs.pk


def test_an_endpoint_is_resumed(project: NovelProject) -> None:
    refused()
    wrong = call("resume_analysis", "--endpoint", "api.example.org", "--noinput")
    assert wrong.code == 2
    assert wrong.err.startswith("--endpoint: ") and "api.example.com" in wrong.err
    resumed = call("resume_analysis", "--endpoint", "api.example.com", "--noinput", "--json")
    assert resumed.document["scope"] == {"endpoint": "api.example.com"}
    assert resumed.document["resumed"] is True
    again = call("resume_analysis", "--endpoint", "api.example.com", "--noinput")
    assert (again.code, again.out) == (0, "The endpoint api.example.com is not paused.\n")
    assert OperatorAction.objects.count() == 1


@pytest.mark.parametrize("name", ["pause_analysis", "resume_analysis"])
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--project", "nonsense"], "--project"),
        (["--project", str(uuid.uuid4())], "--project"),
        (["--user", "nobody"], "--user"),
    ],
)
def test_what_is_not_there_is_named(db: None, name: str, arguments: list[str], named: str) -> None:
    called = call(name, *arguments, "--noinput")
    assert called.code == 2
    assert called.err.startswith(f"{named}: ")


@pytest.mark.parametrize("name", ["pause_analysis", "resume_analysis"])
def test_only_one_thing_at_a_time(project: NovelProject, name: str) -> None:
    for more in (["--all"], ["--user", "writer"]):
        called = call(name, "--project", project.pk, *more, "--noinput")
        assert called.code != 0 and "--project" in called.err
    assert not QueuePause.objects.exists()


def test_repeating_changes_nothing(project: NovelProject) -> None:
    def pause(*more: str) -> str:
        called = call("pause_analysis", "--project", project.pk, "--noinput", *more)
        assert called.code == 0
        return called.out

    pause("--reason", "first")
    at = QueuePause.objects.get().paused_at
    assert "was paused already" in pause() + pause("--reason", "first")
    assert QueuePause.objects.get().paused_at == at
    assert "is paused" in pause("--reason", "second")
    assert QueuePause.objects.get().reason == "second"
    assert OperatorAction.objects.count() == 2
    for _ in range(2):
        resumed = call("resume_analysis", "--project", project.pk, "--noinput")
    assert (resumed.code, "is not paused" in resumed.out) == (0, True)
    assert OperatorAction.objects.count() == 3


def test_a_rehearsal_changes_nothing(project: NovelProject) -> None:
    rehearsed = call("pause_analysis", "--user", "writer", "--drain", "--dry-run", "--json")
    assert (rehearsed.code, rehearsed.document["paused"]) == (0, False)
    assert "would be paused" in rehearsed.err
    queue.pause("", queue.PauseTarget(user_id=project.owner_id))
    rehearsed = call("resume_analysis", "--user", "writer", "--dry-run", "--json")
    assert (rehearsed.document["paused"], rehearsed.document["resumed"]) == (True, False)
    assert not OperatorAction.objects.exists()


def test_pauses_that_are_left_are_told(project: NovelProject) -> None:
    queue.pause("")
    queue.pause("", queue.PauseTarget(project_id=project.pk))
    queue.pause("", queue.PauseTarget(user_id=project.owner_id))
    one = call("resume_analysis", "--project", project.pk, "--noinput")
    assert "The queue as a whole is paused." in one.err
    assert "1 novel or writer is still paused." in call("resume_analysis", "--noinput").err


# --- draining --------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_draining_waits_for_what_runs(project: NovelProject) -> None:
    queue_chapter(project)
    running = claim_next()
    waiting = queue_chapter(project)

    def finish_once_paused() -> None:
        try:
            wait_for(lambda: QueueControl.objects.get().paused_at, "the queue is paused")
            in_transaction(lambda: queue.finish(running, {}, {}))
        finally:
            connections.close_all()

    worker = threading.Thread(target=finish_once_paused)
    worker.start()
    try:
        drained = call("pause_analysis", "--drain", "--timeout", "10m", "--noinput", "--json")
    finally:
        worker.join()
    assert drained.code == 0, drained.err
    assert (drained.document["drained"], drained.document["running"]) == (True, 0)
    waiting.refresh_from_db()
    assert waiting.status == "pending"


def test_draining_minds_its_own_scope_only(project: NovelProject) -> None:
    queue_chapter(project)
    claim_next()
    novel_of("lin")
    assert call("pause_analysis", "--user", "lin", "--drain", "--noinput").code == 0


def test_a_time_that_is_over_leaves_the_pause(project: NovelProject) -> None:
    queue_chapter(project)
    claim_next()
    over = call("pause_analysis", "--drain", "--timeout", "0.3s", "--noinput", "--json")
    assert over.code == 3
    assert (over.document["drained"], over.document["running"]) == (False, 1)
    assert over.document["paused"] is True
    assert "1 analysis is still running. The pause stays." in over.err
    assert QueueControl.objects.get().paused_at is not None


def test_a_wrong_time_is_named(db: None) -> None:
    for arguments in (["--drain", "--timeout", "soon"], ["--timeout", "5m"]):
        called = call("pause_analysis", *arguments, "--noinput")
        assert (called.code, called.err.startswith("--timeout: ")) == (2, True)
    assert QueueControl.objects.get().paused_at is None


# --- who sees it -----------------------------------------------------------------------------
def test_status_and_health_show_what_is_paused(project: NovelProject, client: Client) -> None:
    lin = novel_of("lin")
    queue.pause("too fast", queue.PauseTarget(project_id=project.pk))
    queue.pause("unpaid", queue.PauseTarget(user_id=lin.owner_id))
    refused()
    seen = call("analysis_status", "--json").document
    assert [(row["project"], row["user"], row["reason"]) for row in seen["pauses"]] == [
        ("听雨楼", None, "too fast"),
        (None, "lin", "unpaid"),
    ]
    (state,) = seen["endpoints"]
    assert (state["name"], state["error_type"], state["probes"]) == (
        "api.example.com",
        "llm_key_refused",
        0,
    )
    assert state["probe_at"] > state["paused_at"]
    queue.pause("moving")
    page = call("analysis_status").out
    assert "The queue is paused for" in page and "moving" in page
    queue.resume()
    for text in ("听雨楼", "too fast", "unpaid", "api.example.com", "llm_key_refused"):
        assert text in page
    for arguments in (["--user", "lin"], ["--project", str(lin.pk)]):
        (row,) = call("analysis_status", *arguments, "--json").document["pauses"]
        assert row["user"] == "lin"
    now = db_now()
    WorkerHeartbeat.objects.create(worker="host:1", started_at=now, seen_at=now)
    health = call("analysis_health")
    assert health.code == 0
    assert "Paused novels and writers: 2" in health.out
    assert "The endpoint api.example.com refuses us: llm_key_refused" in health.out
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["pauses"]) == (200, 2)
    assert "sk-" not in ready.content.decode()  # the probe needs no sign-in


def test_metrics_tell_of_pauses(project: NovelProject, client: Client) -> None:
    def gauges(name: str) -> list[str]:
        lines = client.get("/metrics").content.decode().splitlines()
        return [line for line in lines if line.startswith(f"{name}{{")]

    assert gauges("pending_analysis_endpoint_paused") == []
    refused()
    queue.pause("", queue.PauseTarget(project_id=project.pk))
    assert gauges("pending_analysis_endpoint_paused") == [
        'pending_analysis_endpoint_paused{endpoint="api.example.com",error_type="llm_key_refused"} '
        "1.0"
    ]
    assert gauges("pending_analysis_pauses") == [
        'pending_analysis_pauses{scope="all"} 0.0',
        'pending_analysis_pauses{scope="project"} 1.0',
        'pending_analysis_pauses{scope="writer"} 0.0',
    ]
