"""``python -m tests.bench.chapter``: a chapter's way, on real processes and with real clients.

Web (daphne) and workers (qcluster) run as in production; one writer saves a chapter of 3,000
characters, waits for its notification on the socket, and saves the next: an idle system.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from arboris.workspace.demo.client import PushListener, Writer
from arboris.workspace.demo.figures import Journey, percentile
from arboris.workspace.demo.system import running_system
from tests.servers import Missing, mariadb

SAMPLE = Path(__file__).resolve().parents[2] / "arboris" / "novels" / "sample" / "zh.md"
CHARACTERS = 3_000
WARM_UP = 6  # two for each worker: the first analysis in a process loads the models
PATIENCE = 60.0


@contextmanager
def system(database_url: str | None) -> Iterator[tuple[Writer, PushListener]]:
    """The whole of it on a fresh database, with a signed-in writer."""
    settings = {"DATABASE_URL": database_url or "", "DJANGO_SECRET_KEY": "bench" * 12}
    with (
        tempfile.TemporaryDirectory() as place,
        running_system(Path(place), settings) as running,
        closing(running.writer("en")) as writer,
    ):
        inbox = PushListener(running.socket_url, writer.token)
        inbox.start()
        yield writer, inbox
        inbox.close()


def measure(database_url: str | None, chapters: int) -> list[Journey]:
    text = SAMPLE.read_text(encoding="utf-8")
    rows = []
    with system(database_url) as (writer, inbox):
        project = writer.new_project("bench", "zh")
        for number in range(WARM_UP + chapters):
            start = number * 500 % (len(text) - CHARACTERS)
            answer = writer.add_chapter(project, text[start : start + CHARACTERS])
            task_id = answer.body["analysis"]["id"]
            push = inbox.wait_for(task_id, PATIENCE)
            task: dict[str, Any] = writer.get(f"/api/async-analysis/tasks/{task_id}")
            if task["status"] != "completed":
                raise SystemExit(f"analysis {task_id}: {task['status']} {task['error_message']}")
            if number >= WARM_UP:
                rows.append(Journey.of(task, push, answer))
    return rows


def report(name: str, rows: list[Journey]) -> dict[str, dict[str, float]]:
    figures = {
        "POST answered": [row.answer_seconds for row in rows],
        "commit to started": [row.pick_up for row in rows],
        "analysis": [row.analysis for row in rows],
        "result to frame": [row.push for row in rows],
    }
    goals = {
        "POST answered": "≤ 300", "commit to started": "p50 ≤ 60, p95 ≤ 250",
        "analysis": "p50 ≤ 1500", "result to frame": "p50 ≤ 200",
    }  # fmt: skip
    table = Table(title=f"{name}: {len(rows)} chapters of {CHARACTERS} characters, in ms")
    for column in ("figure", "min", "p50", "p95", "max", "goal"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    result = {}
    for label, values in figures.items():
        ms = {
            "min": min(values) * 1000, "p50": median(values) * 1000,
            "p95": percentile(values, 0.95) * 1000, "max": max(values) * 1000,
        }  # fmt: skip
        table.add_row(label, *(f"{value:.1f}" for value in ms.values()), goals[label])
        result[label] = {key: round(value, 2) for key, value in ms.items()}
    Console(stderr=True, width=100).print(table)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.chapter", description=__doc__)
    parser.add_argument("--chapters", type=int, default=60, help="how many are measured (60)")
    parser.add_argument("--database", choices=["sqlite", "mariadb", "both"], default="both")
    arguments = parser.parse_args()
    results = {}
    with ExitStack() as stack:
        if arguments.database != "mariadb":
            results["sqlite"] = report("SQLite", measure(None, arguments.chapters))
        if arguments.database != "sqlite":
            try:
                url = stack.enter_context(mariadb())
            except Missing as missing:
                print(f"left out: {missing}", file=sys.stderr)
                return 1
            results["mariadb"] = report("MariaDB", measure(url, arguments.chapters))
    print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
