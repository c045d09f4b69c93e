"""The queue with real processes: analysed behind, killed and recovered, cancelled while it runs."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests import live_rows
from tests.live import Site, slow_text, wait_for_task
from tests.waiting import wait_for

# The mark is for the look into the live site's own database.
pytestmark = pytest.mark.django_db
STORY = (
    "沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。顾长风抱着剑站在廊下，低声说道：“师父回来了。”"
    "沈砚秋点点头，说道：“青云门的人已经到了临江城。”顾长风皱眉问道：“那柄寒霜剑还在阁楼里吗？”"
) * 6

# As printed in the description of the original, with the blanks that end two of the lines.
PENDING = "SELECT * FROM pending_analysis WHERE status='pending';"
FAILED = (
    "\nSELECT id, chapter_id, error_type, error_message \n"
    "FROM pending_analysis \nWHERE status='failed';\n"
)


@pytest.fixture
def client(site: Site) -> Iterator[httpx2.Client]:
    with site.client() as client:
        yield client


def new_project(client: httpx2.Client) -> str:
    answer = client.post("/api/projects", json={"title": "听雨楼"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def post_chapter(client: httpx2.Client, project: str, content: str) -> dict[str, Any]:
    answer = client.post(f"/api/projects/{project}/chapters", json={"content": content})
    assert answer.status_code == 201, answer.text
    saved: dict[str, Any] = answer.json()
    return saved


def worker_pid(site: Site, task_id: int) -> int:
    """The process that works on the task: a child of the cluster that this run started."""
    pid = int(live_rows.worker_of(site, task_id).rpartition(":")[2])
    assert ancestor(pid, site.processes["cluster"].pid), f"{pid} is no process of ours"
    return pid


def ancestor(pid: int, wanted: int) -> bool:
    while pid > 1:
        if pid == wanted:
            return True
        stat = Path(f"/proc/{pid}/stat").read_text()
        pid = int(stat.rpartition(")")[2].split()[1])
    return False


def test_a_posted_chapter_is_analysed_behind(client: httpx2.Client) -> None:
    project = new_project(client)
    saved = post_chapter(client, project, STORY)
    task = wait_for_task(client, saved["analysis"]["id"])
    assert task["status"] == "completed", task
    assert len(task["result"]["features"]) == 4
    bible = client.get(f"/api/projects/{project}/bible").json()
    assert "沈砚秋" in {one["name"] for one in bible["characters"]}
    findings = client.get(f"/api/chapters/{saved['id']}/findings").json()
    assert findings
    for finding in findings:
        assert STORY[finding["start"] : finding["end"]] == finding["quote"]


def test_a_killed_worker_is_recovered(site: Site, client: httpx2.Client, braked: Path) -> None:
    saved = post_chapter(client, new_project(client), slow_text(1))
    task_id = saved["analysis"]["id"]
    wait_for_task(client, task_id, "processing")
    pid = worker_pid(site, task_id)
    worker = live_rows.worker_of(site, task_id)
    os.kill(pid, signal.SIGKILL)
    braked.unlink()  # the next worker is not held up
    wait_for(lambda: not live_rows.end_leases(site, worker), "its task is taken away")
    task = wait_for_task(client, task_id)
    assert task["status"] == "completed", task
    assert [attempt["outcome"] for attempt in task["attempts"]] == ["lost", "completed"]
    assert (task["retry_count"], len(task["attempts"])) == (1, 2)


def test_running_tasks_are_cancelled(client: httpx2.Client, braked: Path) -> None:
    project = new_project(client)
    novels = (project, new_project(client))  # the chapters of one follow each other
    ids = [post_chapter(client, novel, slow_text(1))["analysis"]["id"] for novel in novels]
    for task_id in ids:
        wait_for_task(client, task_id, "processing")
    for task_id in ids:
        assert client.post(f"/api/async-analysis/tasks/{task_id}/cancel").status_code == 200
        assert wait_for_task(client, task_id, "cancelled")["completed_at"]
    # Both workers have let go, though the brake is still pulled: another chapter gets through.
    other = post_chapter(client, project, STORY)
    task = wait_for_task(client, other["analysis"]["id"])
    assert task["status"] == "completed"
    for task_id in ids:
        assert client.post(f"/api/async-analysis/tasks/{task_id}/cancel").status_code == 409


def test_a_changed_text_supersedes_what_runs(
    site: Site, client: httpx2.Client, braked: Path
) -> None:
    saved = post_chapter(client, new_project(client), slow_text(3))
    wait_for_task(client, saved["analysis"]["id"], "processing")
    newer = client.patch(f"/api/chapters/{saved['id']}", json={"content": STORY}).json()
    task = wait_for_task(client, newer["analysis"]["id"])
    assert task["status"] == "completed"
    old = client.get(f"/api/async-analysis/tasks/{saved['analysis']['id']}").json()
    assert (old["status"], old["error_type"]) == ("cancelled", "superseded")


def test_metrics_tell_of_it(client: httpx2.Client) -> None:
    saved = post_chapter(client, new_project(client), STORY)
    wait_for_task(client, saved["analysis"]["id"])
    text = client.get("/metrics").text
    assert 'pending_analysis_total{status="completed"}' in text
    (mean,) = [
        line for line in text.splitlines() if line.startswith("pending_analysis_duration_seconds ")
    ]
    assert float(mean.split()[1]) > 0


@pytest.mark.sqlite_only
def test_the_sql_of_the_original_works_as_printed(
    site: Site, client: httpx2.Client, braked: Path
) -> None:
    waiting = [
        post_chapter(client, new_project(client), slow_text(n))["analysis"]["id"] for n in range(4)
    ]
    failed = client.get("/api/async-analysis/tasks?status=failed").json()
    database = sqlite3.connect(site.directory / "arboris.db")
    database.row_factory = sqlite3.Row
    try:
        pending = database.execute(PENDING).fetchall()
        errors = database.execute(FAILED).fetchall()
    finally:
        database.close()
    # What another test has left may be there too.
    assert {row["id"] for row in pending} & set(waiting), "two workers cannot have taken four tasks"
    documented = {
        "id", "chapter_id", "project_id", "user_id", "status", "priority", "generation_config",
        "result", "error_type", "error_message", "retry_count", "max_retries", "created_at",
        "started_at", "completed_at", "duration_seconds", "token_usage",
    }  # fmt: skip
    assert documented <= set(pending[0].keys())
    assert {row["id"] for row in errors} >= {task["id"] for task in failed}
    for task_id in waiting:
        client.post(f"/api/async-analysis/tasks/{task_id}/cancel")
