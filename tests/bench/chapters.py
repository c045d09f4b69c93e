"""``python -m tests.bench.chapters``: what of a real analysis is the queue's.

Three workers of a real ``manage.py qcluster`` analyse queued chapters of 3,000 characters offline,
with all that belongs to it: claims, leases, findings, bible, notifications. Beside them, in turn,
three bare processes run the same analyzer over the same chapters and keep nothing; and three more
analyse, fold and commit the same as the workers do, but take the number of the next chapter from a
pipe: the difference to them is the queue, the rest the bible. The first tenth of the chapters is
warm-up (processes start and load their models).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from arboris import supervise
from tests import servers
from tests.bench.drain import settle
from tests.bench.reading import passages

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 3
PATIENCE = 1800.0
WARM_UP = 0.1
DIGITS = 6  # of a chapter's number in the pipe, which holds 10,000 of them


def rate(ends: list[float]) -> float:
    """Chapters a second, from the times at which they ended; the warm-up left out."""
    times = sorted(ends)
    warm_up = max(1, round(len(times) * WARM_UP))
    return (len(times) - warm_up) / (times[-1] - times[warm_up - 1])


def read_bare(chapters: int) -> list[float]:
    """In a bare process: when each chapter was read."""
    from analysis.analyzers.base import ChapterInput
    from analysis.analyzers.local import LocalAnalyzer
    from analysis.features import FEATURES

    analyzer, ends = LocalAnalyzer(), []
    for number, text in enumerate(islice(passages("zh"), chapters)):
        session = analyzer.open(ChapterInput(text, "zh", number + 1))
        for feature in FEATURES:
            session.run(feature, lambda part: None)
        session.close()
        ends.append(time.time())
    return ends


def numbers() -> Iterator[int]:
    """What is next, from the pipe that all processes read.

    A process that was far ahead of the others would have its chapters taken out of the bible for
    each of theirs.
    """
    while number := os.read(sys.stdin.fileno(), DIGITS):
        yield int(number)


def fold_next() -> list[float]:
    """In a process: analyse and apply the tasks that come next; when each was committed."""
    from django.db.models import F

    from analysis import pipeline
    from analysis.analyzers.base import analyzer_named
    from analysis.models import PendingAnalysis
    from analysis.queue import Claim
    from analysis.run_analysis import apply_findings, load
    from arboris.db import in_transaction

    analyzer, ends = analyzer_named("local"), []
    rows = PendingAnalysis.objects.annotate(chapter_number=F("chapter__chapter_number"))
    tasks = list(rows.order_by("pk"))
    for task in map(tasks.__getitem__, numbers()):
        claim = Claim(
            task_id=task.pk,
            token="",
            attempt=1,
            worker="",
            project_id=task.project_id,
            chapter_id=task.chapter_id,
            chapter_number=task.chapter_number,
            version_id=task.version_id,
            user_id=task.user_id,
            started_at=task.created_at,
            retry_count=0,
            max_retries=0,
            config=task.generation_config,
        )
        chapter = load(claim, ends=time.monotonic() + PATIENCE)
        outcome = pipeline.run(analyzer, chapter, claim.config, {}, lambda feature, part: None)

        def work(claim: Claim = claim, outcome: pipeline.Outcome = outcome) -> None:
            apply_findings(claim, outcome)
            done = {"status": "completed", "active_chapter": None, "result": outcome.summary()}
            PendingAnalysis.objects.filter(pk=claim.task_id).update(**done)

        in_transaction(work)
        ends.append(time.time())
    return ends


def add_chapters(chapters: int) -> None:
    """As many novels as bare processes (each of those begins with the first chapter too)."""
    from django.contrib.auth.models import User

    from analysis import queue
    from arboris.db import in_transaction
    from arboris.novels.models import NovelProject
    from tests.bench import work
    from tests.factories import make_chapter

    writer, _ = User.objects.get_or_create(username=work.WRITER)
    for _ in range(WORKERS):
        novel = NovelProject.objects.create(owner=writer, title=work.WRITER)
        for text in islice(passages("zh"), chapters // WORKERS):

            def save(text: str = text, novel: NovelProject = novel) -> None:
                chapter = make_chapter(novel, text)
                queue.enqueue(chapter, chapter.current)

            in_transaction(save)


def work_queue() -> list[float]:
    """Start a cluster on the chapters that are queued: when each analysis was completed."""
    from analysis.models import PendingAnalysis

    left = PendingAnalysis.objects.filter(status__in=["pending", "processing"])
    command = {"cluster": supervise.manage("qcluster")}
    with supervise.services(command, {}, output=sys.stderr.buffer) as running:
        supervise.wait_until(lambda: not left.exists(), running, PATIENCE)
    done = PendingAnalysis.objects.filter(status="completed")
    return [end.timestamp() for end in done.values_list("completed_at", flat=True) if end]


def clear() -> None:
    from django_q.models import OrmQ

    from analysis.models import AnalysisAttempt, PendingAnalysis
    from arboris.novels.models import NovelProject

    for model in (OrmQ, AnalysisAttempt, PendingAnalysis, NovelProject):
        model._default_manager.all().delete()


def play(role: str, chapters: int) -> list[float]:
    """What a process of that role does; when each chapter ended."""
    import django

    django.setup()
    if role == "add":
        clear()
        add_chapters(chapters)
        return []
    if role == "bare":
        return read_bare(chapters // WORKERS)
    return work_queue() if role == "queued" else fold_next()


def in_processes(roles: list[str], chapters: int, env: dict[str, str]) -> list[float]:
    """What processes of these roles answer, which run side by side."""
    command = [sys.executable, "-m", "tests.bench.chapters", "--chapters", str(chapters), "--role"]
    reader, writer = os.pipe()
    os.write(writer, b"".join(b"%0*d" % (DIGITS, number) for number in range(chapters)))
    os.close(writer)
    running = [
        subprocess.Popen([*command, role], cwd=ROOT, env=env, stdin=reader, stdout=subprocess.PIPE)
        for role in roles
    ]
    os.close(reader)
    answers = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise SystemExit(f"{roles} failed")
    return [end for answer in answers for end in json.loads(answer)]


# The processes of each contender.
ROLES = {
    "bare": ["bare"] * WORKERS,
    "folded": ["folded"] * WORKERS,
    "queued": ["queued"],
}


def one_round(contender: str, chapters: int, env: dict[str, str]) -> float:
    in_processes(["add"], chapters, env)
    settle()
    ends = in_processes(ROLES[contender], chapters, env)
    if len(ends) != chapters:
        raise SystemExit(f"{len(ends)} of {chapters} were completed")
    return rate(ends)


def measure(database: str, chapters: int, rounds: int) -> dict[str, float]:
    """Chapters a second, medians of rounds in turn."""
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        url = stack.enter_context(servers.mariadb()) if database == "mariadb" else ""
        env = {
            **os.environ,
            "DATABASE_URL": url,
            "ARBORIS_DATA_DIR": directory,
            "DJANGO_SECRET_KEY": "bench" * 12,
            "DJANGO_SETTINGS_MODULE": "arboris.settings",
            "ARBORIS_MAX_CONCURRENT": str(WORKERS),
            "ARBORIS_LOG_LEVEL": "WARNING",
        }
        subprocess.run(supervise.manage("migrate", "-v0"), cwd=ROOT, env=env, check=True)
        figures: dict[str, list[float]] = {contender: [] for contender in ROLES}
        for _ in range(rounds):
            for contender, rates in figures.items():
                rates.append(one_round(contender, chapters, env))
                print(f"{database} {contender}: {rates[-1]:.2f}/s", file=sys.stderr, flush=True)
    return {contender: round(median(rates), 2) for contender, rates in figures.items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.chapters", description=__doc__)
    parser.add_argument("--chapters", type=int, default=300, help="in one round (300)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--database", choices=["sqlite", "mariadb"], action="append", dest="databases"
    )
    parser.add_argument("--role", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role:
        print(json.dumps(play(arguments.role, arguments.chapters)))
        return 0
    chapters = arguments.chapters - arguments.chapters % WORKERS
    results: dict[str, Any] = {}
    table = Table(title=f"{chapters} chapters of 3,000 characters, {WORKERS} processes")
    for column in ("database", *(f"{name}, chapters/s" for name in ROLES), "queued to bare"):
        table.add_column(column, justify="left" if column == "database" else "right")
    for database in arguments.databases or ["sqlite", "mariadb"]:
        row = measure(database, chapters, arguments.rounds)
        results[database] = row
        share = f"{row['queued'] / row['bare']:.2f}"
        table.add_row(database, *(f"{row[name]:.2f}" for name in ROLES), share)
    Console(stderr=True, width=100).print(table)
    print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
