"""What machines read: the schema, the metrics, the probes."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from pytest_django import Settings

from analysis import queue
from analysis.models import PendingAnalysis, QueuePause, Status, WorkerHeartbeat
from analysis.queue import counted
from arboris.db import db_now
from arboris.novels.models import NovelProject
from arboris.workspace.demo import tables
from tests.analyzers import permanent
from tests.factories import JsonClient, claim_next, queue_chapter


def metrics(client: Client) -> dict[str, float]:
    """{series as printed: value}"""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_schema_names_every_call(anonymous: JsonClient, api: JsonClient) -> None:
    answer = api.get("/api/schema?format=json")
    assert answer.status_code == 200
    schema = answer.json()
    assert schema["openapi"].startswith("3.")
    for path in (
        "/api/auth/token",
        "/api/projects",
        "/api/projects/{project_id}",
        "/api/projects/{project_id}/chapters",
        "/api/projects/{project_id}/chapters/generate",
        "/api/projects/{project_id}/import",
        "/api/projects/{project_id}/bible",
        "/api/chapters/{chapter_id}",
        "/api/async-analysis/status",
        "/api/async-analysis/notifications",
        "/api/async-analysis/notifications/{notification_id}/read",
        "/api/async-analysis/notifications/read-all",
        "/api/async-analysis/tasks",
        "/api/async-analysis/tasks/{task_id}",
        "/api/async-analysis/tasks/{task_id}/retry",
        "/api/async-analysis/tasks/{task_id}/cancel",
        "/api/async-analysis/tasks/{chapter_id}/latest",
    ):
        assert path in schema["paths"]
    changing = schema["paths"]["/api/chapters/{chapter_id}"]["patch"]
    assert {"200", "409"} <= set(changing["responses"])
    assert "base_version" in schema["components"]["schemas"]["PatchedChangedChapter"]["properties"]


def test_the_docs_page_shows_it(api: JsonClient) -> None:
    answer = api.get("/api/docs")
    assert answer.status_code == 200
    assert b"/api/schema" in answer.content


@pytest.mark.django_db
def test_a_browser_finds_an_icon(client: Client) -> None:
    with closing(client.get(client.get("/favicon.ico").headers["Location"])) as icon:
        assert icon.headers["Content-Type"] == "image/svg+xml"


def test_the_demo_prints_no_empty_table(api: JsonClient, project: NovelProject) -> None:
    content = api.get(f"/api/projects/{project.pk}/bible").json()
    assert tables.bible(content) == []
    tie = {"source": "Mara", "relation": "sister", "target": "Ada", "quote": "her sister Ada"}
    (shown,) = tables.bible({**content, "relationships": [tie]})
    assert shown.row_count == 1


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_probes_need_no_sign_in(anonymous: JsonClient, path: str) -> None:
    assert anonymous.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_ask_by_address(client: Client, settings: Settings, path: str, db: None) -> None:
    settings.ALLOWED_HOSTS = ["arboris.example.org"]
    for host in (
        "127.0.0.1:8000",
        "localhost:8000",
        "[::1]:8000",
        "10.1.2.3",
        "arboris.example.org",
    ):
        assert client.get(path, headers={"host": host}).status_code in (200, 503)
        assert client.get("/login", headers={"host": host}).status_code == (
            200 if host == "arboris.example.org" else 400
        )
    for host in (
        "evil.example.org",
        "127.0.0.1.example.org",
        "localhost.example.org",
        "",
        "[",
        "1",
    ):
        assert client.get(path, headers={"host": host}).status_code == 400


def test_readyz_says_what_is_missing(anonymous: JsonClient) -> None:
    answer = anonymous.get("/readyz")
    assert answer.status_code == 503
    assert any("worker" in reason for reason in answer.json()["reasons"])
    now = db_now()
    WorkerHeartbeat.objects.create(worker="host:1", started_at=now, seen_at=now)
    assert anonymous.get("/readyz").status_code == 200


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")], ids=repr)
def test_readyz_without_a_database_is_503(
    anonymous: JsonClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def away(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", away)
        answer = anonymous.get("/readyz")
    assert answer.status_code == 503
    assert any("database" in reason for reason in answer.json()["reasons"])


def test_metrics_count_by_status(
    client: Client, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    for status in Status.values:
        assert metrics(client)[f'pending_analysis_total{{status="{status}"}}'] == 0
    queue_chapter(project)
    queue.finish(claim_next(), {}, {})
    queue_chapter(project)
    queue.fail(claim_next(), permanent())
    queue.cancel(queue_chapter(project).pk)
    queue_chapter(project)
    claim_next()
    queue_chapter(project)
    seen = metrics(client)
    for status in Status.values:
        assert seen[f'pending_analysis_total{{status="{status}"}}'] == 1
    # Of very many what is due is counted now and then alone, and how old that is stands beside it.
    monkeypatch.setattr(counted, "KEPT_ABOVE", 1)
    queue_chapter(project)
    names = ("due", 'total{status="pending"}', "due_counted_seconds")
    seen = metrics(client)
    due, pending, age = (seen[f"pending_analysis_{name}"] for name in names)
    assert (due, pending) == (1, 2) and age > 0
    monkeypatch.setattr(counted, "KEPT_SECONDS", 0.0)
    assert metrics(client)["pending_analysis_due"] == 2


def test_the_oldest_age_is_of_what_may_begin(client: Client, project: NovelProject) -> None:
    """ArborisQueueStands rings on it: it must not, where an operator or a budget holds all back."""

    def age() -> float:
        return metrics(client)["pending_analysis_oldest_age_seconds"]

    task = queue_chapter(project)
    PendingAnalysis.objects.update(created_at=db_now() - timedelta(hours=1))
    later = queue_chapter(project, priority=10)
    assert age() == pytest.approx(3600, abs=60)
    queue.cancel(later.pk)
    queue.pause("moving")
    assert age() == 0
    queue.resume()
    assert age() > 0
    QueuePause.objects.create(project=project, paused_at=db_now())
    assert age() == 0
    QueuePause.objects.all().delete()
    PendingAnalysis.objects.update(error_type="over_budget", due_at=db_now() + timedelta(days=9))
    assert age() == 0
    queue.cancel(task.pk)
    assert age() == 0


def test_metrics_of_duration(client: Client, project: NovelProject) -> None:
    for _ in range(2):
        queue_chapter(project)
        queue.finish(claim_next(), {}, {})
    seen = metrics(client)
    total = seen["pending_analysis_run_seconds_sum"]
    assert seen["pending_analysis_run_seconds_count"] == 2
    assert seen["pending_analysis_duration_seconds"] == pytest.approx(total / 2)
    buckets = [v for k, v in seen.items() if k.startswith("pending_analysis_run_seconds_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 2


def test_metrics_are_well_formed(client: Client, db: None) -> None:
    for line in client.get("/metrics").content.decode().splitlines():
        assert re.match(r"(# (HELP|TYPE) |[a-zA-Z_:]+[\w:]*(\{.*\})? [-+\w.]+$)", line), line
