"""``python -m tests.bench.chapters``: what of a real analysis is the queue's.

Three workers of a real ``manage.py qcluster`` analyse queued chapters of 3,000 characters offline,
with all that belongs to it: claims, leases, findings, bible, notifications. Beside them, in turn,
three bare processes run the same analyzer over the same chapters and keep nothing. The first tenth
of the chapters is warm-up (processes start and load their models).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
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


def work_queue(chapters: int) -> list[float]:
    """In a process with Django set up on the database: when each analysis was completed."""
    from django.contrib.auth.models import User
    from django_q.models import OrmQ

    from analysis import queue
    from analysis.models import AnalysisAttempt, PendingAnalysis
    from arboris.db import in_transaction
    from arboris.novels.models import NovelProject
    from tests.bench import work
    from tests.factories import make_chapter

    writer, _ = User.objects.get_or_create(username=work.WRITER)
    # As many novels as bare processes: each of those begins with the first chapter too.
    for _ in range(WORKERS):
        novel = NovelProject.objects.create(owner=writer, title=work.WRITER)
        for text in islice(passages("zh"), chapters // WORKERS):

            def save(text: str = text, novel: NovelProject = novel) -> None:
                chapter = make_chapter(novel, text)
                queue.enqueue(chapter, chapter.current)

            in_transaction(save)
    left = PendingAnalysis.objects.filter(status__in=["pending", "processing"])
    command = {"cluster": supervise.manage("qcluster")}
    with supervise.services(command, {}, output=sys.stderr.buffer) as running:
        supervise.wait_until(lambda: not left.exists(), running, PATIENCE)
    done = PendingAnalysis.objects.filter(status="completed")
    ends = [end.timestamp() for end in done.values_list("completed_at", flat=True) if end]
    if len(ends) != chapters:
        raise SystemExit(f"{len(ends)} of {chapters} were completed")
    for model in (OrmQ, AnalysisAttempt, PendingAnalysis, NovelProject):
        model._default_manager.all().delete()
    return ends


def in_processes(
    number: int, role: str, chapters: int, env: dict[str, str]
) -> list[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.bench.chapters", role, "--chapters", str(chapters)]
    return [
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE) for _ in range(number)
    ]


def one_round(role: str, chapters: int, env: dict[str, str]) -> float:
    settle()
    number = WORKERS if role == "--bare" else 1
    running = in_processes(number, role, chapters // number, env)
    answers = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise SystemExit(f"{role} failed")
    return rate([end for answer in answers for end in json.loads(answer)])


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
        bare, queued = [], []
        for _ in range(rounds):
            bare.append(one_round("--bare", chapters, env))
            queued.append(one_round("--here", chapters, env))
            print(f"{database}: {bare[-1]:.2f} bare, {queued[-1]:.2f} queued", file=sys.stderr)
    return {"bare": round(median(bare), 2), "queued": round(median(queued), 2)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.chapters", description=__doc__)
    parser.add_argument("--chapters", type=int, default=300, help="in one round (300)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--database", choices=["sqlite", "mariadb"], action="append", dest="databases"
    )
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare or arguments.here:
        import django

        django.setup()
        done = (read_bare if arguments.bare else work_queue)(arguments.chapters)
        print(json.dumps(done))
        return 0
    results: dict[str, Any] = {}
    table = Table(title=f"{arguments.chapters} chapters of 3,000 characters, {WORKERS} processes")
    for column in ("database", "bare, chapters/s", "queued, chapters/s", "queued to bare"):
        table.add_column(column, justify="left" if column == "database" else "right")
    for database in arguments.databases or ["sqlite", "mariadb"]:
        row = measure(database, arguments.chapters, arguments.rounds)
        results[database] = row
        share = f"{row['queued'] / row['bare']:.2f}"
        table.add_row(database, f"{row['bare']:.2f}", f"{row['queued']:.2f}", share)
    Console(stderr=True, width=100).print(table)
    print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
