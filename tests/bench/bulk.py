"""``python -m tests.bench.bulk``: how long it takes to change very many analyses at once.

So many failed analyses of some writers are retried, then given another priority, and cancelled, as
the workers do it, while writers save chapters of the very novels: beside the time, that of the
longest batch and the longest saving. The retry is also run as the command, with its rows.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.table import Table

from tests.bench.fold import database


def fill(number: int, writers: int, novels: int) -> None:
    """So many failed analyses, each of a chapter of its own."""
    from django.contrib.auth.models import User

    from analysis.models import PendingAnalysis, Status
    from arboris.db import db_now
    from arboris.novels.models import Chapter, ChapterVersion, NovelProject

    users = User.objects.bulk_create([User(username=f"writer{n}") for n in range(writers)])
    users = list(User.objects.order_by("pk"))
    projects = [NovelProject(owner=users[n % writers], title=f"novel {n}") for n in range(novels)]
    NovelProject.objects.bulk_create(projects)
    chapters = (
        Chapter(project=projects[n % novels], chapter_number=n // novels + 1) for n in range(number)
    )
    Chapter.objects.bulk_create(chapters, batch_size=2_000)
    rows = list(Chapter.objects.order_by("pk").values_list("pk", "project_id"))
    versions = (ChapterVersion(chapter_id=pk, number=1, content="字") for pk, _ in rows)
    ChapterVersion.objects.bulk_create(versions, batch_size=2_000)
    known = dict(ChapterVersion.objects.values_list("chapter_id", "pk"))
    owners = {project.pk: project.owner_id for project in projects}
    now = db_now()
    failed = (
        PendingAnalysis(
            chapter_id=pk,
            version_id=known[pk],
            project_id=project,
            user_id=owners[project],
            status=Status.FAILED,
            error_type="timeout",
            error_message="too long",
            error_fingerprint="0" * 16,
            created_at=now,
            due_at=now,
            completed_at=now,
        )
        for pk, project in rows
    )
    PendingAnalysis.objects.bulk_create(failed, batch_size=2_000)


@contextlib.contextmanager
def saving(waits: list[float]) -> Iterator[None]:
    """Two writers save one chapter after the other in novels that are changed meanwhile; how long
    each saving took is added."""
    from django.db import connections

    from arboris.novels.models import NovelProject

    ids = list(NovelProject.objects.order_by("pk").values_list("pk", flat=True))
    over = threading.Event()

    def write(first: int) -> None:
        turn = first
        while not over.wait(0.05):
            waits.append(save(ids[turn % len(ids)]))
            turn += 2
        connections.close_all()

    with ThreadPoolExecutor(2) as writers:
        both = [writers.submit(write, first) for first in range(2)]
        try:
            yield
        finally:
            over.set()
    for one in both:
        one.result()  # raises what a writer met


def save(project_id: uuid.UUID) -> float:
    """Seconds that a new chapter takes."""
    from analysis import queue
    from arboris.db import in_transaction
    from arboris.novels import services

    def work() -> None:
        project = services.lock_project(project_id)
        chapter, _ = services.add_chapter(project, services.ChapterText.of("字" * 300))
        queue.enqueue(chapter, chapter.current)

    began = time.perf_counter()
    in_transaction(work)
    return time.perf_counter() - began


def change(kind: str, priority: int | None = None) -> list[float]:
    """Seconds: the preview, all of it, the longest batch, savings (99%, longest)."""
    from analysis import bulk
    from analysis.models import BulkOperation, PendingAnalysis
    from analysis.worker.bulk_runner import PAUSE
    from arboris.workspace.demo.figures import percentile

    began = time.perf_counter()
    operation = bulk.prepare(
        BulkOperation.Kind(kind), PendingAnalysis.objects.all(), actor="bench", priority=priority
    )
    prepared, batches = time.perf_counter() - began, list[float]()
    savings: list[float] = []
    bulk.start(operation.pk)
    with saving(savings):
        began = time.perf_counter()
        token = bulk.take(operation.pk, "bench")
        while True:
            step_began = time.perf_counter()
            if bulk.step(operation.pk, token) is None:
                break
            batches.append(time.perf_counter() - step_began)
            time.sleep(PAUSE * batches[-1])
        seconds = time.perf_counter() - began
    operation.refresh_from_db()
    print(f"{kind}: {operation.changed} changed, left {operation.left}", file=sys.stderr)
    return [prepared, seconds, max(batches), percentile(savings, 0.99), max(savings)]


def command() -> float:
    """Seconds of ``retry_analysis`` over all that was cancelled before."""
    from django.core.management import call_command

    began = time.perf_counter()
    out = io.StringIO()
    os.environ["LC_ALL"] = "en_US.UTF-8"
    call_command(
        "retry_analysis", "--status", "cancelled", "--noinput", stdout=out, stderr=io.StringIO()
    )
    print(f"command: {len(out.getvalue().splitlines())} lines", file=sys.stderr)
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bulk", description=__doc__)
    parser.add_argument("--tasks", type=int, default=50_000)
    parser.add_argument("--writers", type=int, default=200)
    parser.add_argument("--novels", type=int, default=400)
    parser.add_argument(
        "--database", default="mariadb", choices=["sqlite", "mariadb", "postgresql"]
    )
    given = parser.parse_args()
    title = f"{given.tasks} analyses of {given.writers} writers ({given.database}), in seconds"
    table = Table(title=title)
    for column in ("change", "preview", "all", "longest batch", "saving p99", "longest saving"):
        table.add_column(column, justify="right")
    with database(given.database):
        fill(given.tasks, given.writers, given.novels)
        for kind, priority in (("retry", None), ("set_priority", 7), ("cancel", None)):
            figures = change(kind, priority)
            table.add_row(kind, *(f"{figure:.2f}" for figure in figures))
        table.add_row("retry_analysis", "", f"{command():.2f}")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
