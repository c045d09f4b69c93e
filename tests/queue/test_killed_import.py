"""kill -9 of the web process and of workers while books are imported and analysed: every chapter is
there once or none is, every analysis ends, and the bible is that of an import nobody disturbed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests import live, live_rows
from tests.live import Site, wait_for_task
from tests.waiting import wait_for

pytestmark = [pytest.mark.process, pytest.mark.django_db, pytest.mark.sqlite_only]

SAMPLE = Path(__file__).resolve().parents[2] / "arboris" / "novels" / "sample" / "zh.md"
CHAPTERS = 22  # more than are written in one transaction
WHERE = 'INSERT INTO "{}"'


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    extra = {
        "DJANGO_SETTINGS_MODULE": "tests.killing_settings",
        "ARBORIS_TEST_KILL": str(tmp_path / "kill"),
    }
    with live.running(tmp_path, extra) as site:
        yield site


def kill_at(site: Site, table: str, number: int = 1) -> Path:
    """Whoever next writes there for that time is killed in the middle of it; gone once it is."""
    order = site.directory / "kill"
    order.write_text(f"{number}:{WHERE.format(table)}")
    return order


def novel() -> bytes:
    lines = [line for line in SAMPLE.read_text(encoding="utf-8").splitlines() if line.strip()]
    prose = [line for line in lines if not line.startswith("#")]
    length = len(prose) // CHAPTERS
    parts = ["\n\n".join(prose[at * length : (at + 1) * length]) for at in range(CHAPTERS)]
    return "\n\n".join(f"## 第{n}章\n\n{part}" for n, part in enumerate(parts, 1)).encode()


def new_project(client: httpx2.Client) -> str:
    return str(client.post("/api/projects", json={"title": "雾海"}).raise_for_status().json()["id"])


def bring_in(client: httpx2.Client, project: str) -> list[int]:
    """The analyses of the chapters, in order."""
    file = {"file": ("novel.md", novel())}
    answer = client.post(f"/api/projects/{project}/import", files=file).raise_for_status()
    return [one["analysis"]["id"] for one in answer.json()["chapters"]]


def bible(client: httpx2.Client, project: str) -> Any:
    return client.get(f"/api/projects/{project}/bible/export.json").raise_for_status().json()


def titles(client: httpx2.Client, project: str) -> list[str]:
    return [one["title"] for one in client.get(f"/api/projects/{project}/chapters").json()]


def test_imports_under_way_outlast_kill_9(site: Site) -> None:
    with site.client() as client:
        undisturbed, project = new_project(client), new_project(client)
        for task in bring_in(client, undisturbed):
            assert wait_for_task(client, task)["status"] == "completed"
        # The web process, with a part of the book written, and as it shows all of it.
        for table, number in (("novels_chapterversion", CHAPTERS - 1), ("pending_analysis", 1)):
            kill_at(site, table, number)
            with pytest.raises(httpx2.TransportError):
                bring_in(client, project)
            site.processes["web"].wait()
            start_web(site)
            assert titles(client, project) == []
            status = client.get(f"/api/async-analysis/status?project_id={project}").json()
            assert status["total"] == 0
        # Workers, as they write what they have found, fold it, and tell of it.
        order = kill_at(site, "bible_finding", 2)
        tasks = bring_in(client, project)
        for table in ("bible_foldedchapter", "analysis_notifications", ""):
            wait_for(lambda: not order.exists(), "a worker is killed")
            if table:
                kill_at(site, table)
            end_leases(site)
        found = [wait_for_task(client, task) for task in tasks]
        assert {task["status"] for task in found} == {"completed"}
        lost = [a for task in found for a in task["attempts"] if a["outcome"] == "lost"]
        assert len(lost) >= 3
        assert titles(client, project) == titles(client, undisturbed)
        status = client.get(f"/api/async-analysis/status?project_id={project}").json()
        assert (status["total"], status["completed"]) == (CHAPTERS, CHAPTERS)
        assert bible(client, project) == bible(client, undisturbed)


def end_leases(site: Site) -> None:
    """As if whoever was killed had been silent for as long as a lease."""
    with live_rows.cursor(site) as cursor:
        cursor.execute(
            "UPDATE pending_analysis SET lease_expires_at = '2000-01-01 00:00:00'"
            " WHERE status = 'processing'"
        )


def start_web(site: Site) -> None:
    """Once more, at the same port."""
    command = [
        "-m", "daphne", "-b", "127.0.0.1", "-p", str(site.port), "arboris.asgi:application",
    ]  # fmt: skip
    site.processes["web"] = live.start(command, site.directory / "web.log", site.env)
    live.wait_until_ready(site)
