"""SQLite's disk is full for a while: that is said clearly, waited for, and breaks nothing.

A real site. Its disk is a limit that SQLite itself keeps, and a real one where it may be mounted.
"""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from pytest_django import DjangoDbBlocker

from tests import live
from tests.live import Site, slow_text, wait_for_task
from tests.waiting import PATIENCE_SECONDS, wait_for

# The mark keeps it off the servers; the other one is for the look into the site's database.
pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

STORY = "沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。顾长风抱着剑，低声说道：“师父回来了。”" * 6
# Findings for more than what is left in the pages that are there.
CROWD = "".join(
    f"{family}{given}推开木门，低声说道：“师父回来了。”{family}{given}点点头。"
    for family in "赵钱孙李周吴郑王冯陈蒋沈韩杨朱秦"
    for given in ("长风", "砚秋", "清和", "云舟")
)
TASKS = "/api/async-analysis/tasks"
SAID = {
    "zh-hans": "服务器的磁盘已满，内容没有保存。请保留好文稿，稍后再试。",
    "en": "The server's disk is full, nothing was saved. Keep your text and try again later.",
}
SMALL, LARGE = 500, 100_000  # characters
MOUNT_BYTES = 48 * 1024 * 1024


@dataclass
class Disk:
    directory: Path
    pages: Path

    @property
    def database(self) -> Path:
        return self.directory / "arboris.db"

    def fill(self) -> None:
        """No page more, and no free one inside the file either."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=PATIENCE_SECONDS)) as own:
            (pages,) = own.execute("PRAGMA page_count").fetchone()
            self.pages.write_text(str(pages))
            own.execute(f"PRAGMA max_page_count = {pages}")
            for size in (100_000, 3_000):
                with contextlib.suppress(sqlite3.OperationalError):  # full, at last
                    while True:
                        with own:
                            own.execute("CREATE TABLE IF NOT EXISTS filler (text TEXT)")
                            own.execute("INSERT INTO filler VALUES (?)", ["x" * size])

    def make_room(self) -> None:
        self.pages.unlink()


@dataclass
class Mounted(Disk):
    """A file system of its own: the log and the shared memory of SQLite have no room either."""

    @property
    def filler(self) -> Path:
        return self.directory / "filler"

    def fill(self) -> None:
        with contextlib.suppress(OSError), self.filler.open("wb", buffering=0) as filler:
            while filler.write(b"x" * 4096):
                continue

    def make_room(self) -> None:
        self.filler.unlink()


@contextlib.contextmanager
def mounted(directory: Path) -> Iterator[None]:
    """A small file system in memory; raises where this may not be had."""
    size = f"size={MOUNT_BYTES}"
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", directory], check=True, capture_output=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", directory], check=True)


def disks() -> list[str]:
    """Those that this machine lets us have: what it does not is no test here."""
    try:
        with tempfile.TemporaryDirectory() as directory, mounted(Path(directory)):
            return ["pages", "mounted"]
    except (OSError, subprocess.CalledProcessError):
        return ["pages"]


@pytest.fixture(params=disks())
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    directory = tmp_path / "disk"
    directory.mkdir()
    kind = Mounted if request.param == "mounted" else Disk
    with mounted(directory) if kind is Mounted else contextlib.nullcontext():
        yield kind(directory, tmp_path / "pages")


@pytest.fixture
def site(disk: Disk, tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    extra = {
        "DJANGO_SETTINGS_MODULE": "tests.full_settings",
        "ARBORIS_TEST_PAGES": str(disk.pages),
        "ARBORIS_DATA_DIR": str(disk.directory),
    }
    with live.running(tmp_path, extra, f"sqlite:///{disk.database}") as running:
        yield running


def save(client: httpx2.Client, project: str, size: int, language: str = "en") -> httpx2.Response:
    """A text that is only saved, and not analysed."""
    body = {"content": "雨" * size, "mode": "basic"}
    headers = {"Accept-Language": language}
    return client.post(f"/api/projects/{project}/chapters", json=body, headers=headers)


def save_until_refused(client: httpx2.Client, project: str) -> int:
    """What is left of the room (SQLite's log has some of its own) is used up; how many went in."""
    saved = 0
    for size in (LARGE, SMALL):
        while (answer := save(client, project, size)).status_code == 201:
            saved += 1
        assert answer.json() == {"detail": SAID["en"], "code": "storage_full"}
    return saved


def test_a_full_disk_is_said_and_waited_for(site: Site, disk: Disk) -> None:
    site.brake.touch()
    with site.client() as client:
        tasks = []
        # A novel each: the chapters of one follow each other.
        for text in (slow_text(1) + CROWD, slow_text(2) + CROWD, STORY):
            project = str(client.post("/api/projects", json={"title": "听雨楼"}).json()["id"])
            chapters = f"/api/projects/{project}/chapters"
            answer = client.post(chapters, json={"content": text})
            tasks.append(answer.json()["analysis"]["id"])
        for task_id in tasks[:2]:
            wait_for_task(client, task_id, "processing")

        disk.fill()
        saved = 1 + save_until_refused(client, project)
        for language, sentence in SAID.items():
            answer = save(client, project, LARGE, language)
            assert answer.status_code == 507
            assert answer.json() == {"detail": sentence, "code": "storage_full"}
            assert int(answer.headers["Retry-After"]) > 0
        assert client.get(f"/api/projects/{project}").json()["chapter_count"] == saved
        assert client.get("/healthz").status_code == 200
        assert client.get("/").status_code in {200, 302}

        site.brake.unlink()  # both have their results now, and no room for them
        log, waits = site.directory / "cluster.log", "tries again until it is back: database or"
        wait_for(lambda: log.read_text().count(waits) >= 2, "both workers have no room")
        for task_id in tasks[:2]:
            assert client.get(f"{TASKS}/{task_id}").json()["status"] == "processing"

        disk.make_room()
        for task_id in tasks:
            task = wait_for_task(client, task_id)
            assert (task["status"], task["retry_count"]) == ("completed", 0), task
            assert [attempt["outcome"] for attempt in task["attempts"]] == ["completed"]
        assert save(client, project, LARGE).status_code == 201
        told = client.get("/api/async-analysis/notifications?limit=50").json()
        assert sorted(row["pending_analysis_id"] for row in told) == tasks
    check_file(disk.database, chapters=len(tasks) + saved)


def check_file(path: Path, chapters: int) -> None:
    """Sound, and without a half of anything."""
    with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE_SECONDS)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        for table in ("novels_chapter", "novels_chapterversion"):
            (rows,) = database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
            assert rows == chapters, table
