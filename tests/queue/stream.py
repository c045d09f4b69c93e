"""A stream of chapters through an outage, and whether each was analysed, applied and told once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx2

from tests import live_rows
from tests.live import Site, wait_for_task
from tests.waiting import PATIENCE_SECONDS, wait_for

STREAM = 24
STORY = "沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。顾长风抱着剑，低声说道：“师父回来了。”" * 6
TASKS = "/api/async-analysis/tasks"


def post(client: httpx2.Client, project: str, content: str, number: int = 0) -> httpx2.Response:
    body: dict[str, Any] = {"content": content}
    if number:
        body["chapter_number"] = number
    return client.post(f"/api/projects/{project}/chapters", json=body)


def task_of(client: httpx2.Client, project: str, content: str) -> int:
    answer = post(client, project, content)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["analysis"]["id"])


def check_done_once(site: Site, client: httpx2.Client, tasks: list[int]) -> None:
    """Completed by one attempt, no try used up, nothing applied or told a second time."""
    found = {}
    for task_id in tasks:
        task = client.get(f"{TASKS}/{task_id}").json()
        assert (task["status"], task["retry_count"]) == ("completed", 0), task
        outcomes = [attempt["outcome"] for attempt in task["attempts"]]
        # Cancelled: given back by a worker that was never told of its claim.
        assert outcomes.count("completed") == 1 and outcomes[-1] == "completed", task
        assert set(outcomes) <= {"completed", "cancelled"}, task
        found[task_id] = task["result"]["findings"]
    assert all(found.values())
    assert counted(site, "bible_finding", "task_id", tasks) == found
    told = counted(site, "analysis_notifications", "pending_analysis_id", tasks)
    assert told == dict.fromkeys(tasks, 1)


def counted(site: Site, table: str, column: str, tasks: list[int]) -> dict[int, int]:
    with live_rows.cursor(site) as cursor:
        cursor.execute(
            f"SELECT {column}, COUNT(*) FROM {table}"
            f" WHERE {column} IN ({', '.join(map(str, tasks))}) GROUP BY {column}"
        )
        return dict(cursor.fetchall())


class Stream:
    """A writer who saves short chapters, and saves again what was not answered."""

    def __init__(self, site: Site, project: str, before: int) -> None:
        self._site = site
        self._project = project
        self._before = before  # the highest id of a task before the stream
        self._stop = threading.Event()
        self._saving: Future[None]

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        with ThreadPoolExecutor(1) as thread, contextlib.ExitStack() as stack:
            stack.callback(self._stop.set)
            self._saving = thread.submit(self._run)
            yield
            self._saving.result(PATIENCE_SECONDS)

    def _run(self) -> None:
        with self._site.client() as client:
            for number in range(2, STREAM + 2):  # the first is there already
                while not self._saved(client, number) and not self._stop.wait(0.1):
                    continue

    def _saved(self, client: httpx2.Client, number: int) -> bool:
        answer = post(client, self._project, f"第{number}章。{STORY}", number)
        if answer.status_code == 400:  # saved by a try whose answer was lost
            assert "chapter_number" in answer.json(), answer.text
        elif answer.status_code != 201:
            assert answer.json()["code"] == "database_unavailable", answer.text
            return False
        return True

    def tasks(self, *statuses: str) -> list[int]:
        with live_rows.cursor(self._site) as cursor:
            cursor.execute("SELECT id, status FROM pending_analysis WHERE id > %s", [self._before])
            return [pk for pk, status in cursor.fetchall() if not statuses or status in statuses]

    def wait_for(self, number: int) -> None:
        """Until so many of it are completed."""

        def reached() -> bool:
            if self._saving.done():
                self._saving.result()  # or rather what went wrong
            return len(self.tasks("completed")) >= number

        wait_for(reached, f"{number} tasks of the stream are completed")


@contextlib.contextmanager
def stream(site: Site, client: httpx2.Client, project: str) -> Iterator[Stream]:
    """A stream beside the block; afterwards all of it has to be there, each once."""
    before = task_of(client, project, STORY)
    wait_for_task(client, before)
    running = Stream(site, project, before)
    with running.running():
        yield running
    running.wait_for(STREAM)
    assert len(running.tasks()) == STREAM
    check_done_once(site, client, running.tasks())
