"""``python -m tests.bench.novel``: what the length of a novel costs the next chapter's analysis.

A novel grows chapter by chapter; at some lengths the last chapter is analysed again a few times,
and the time from its start to its end (findings, fold and commit included) is taken. Then novels
are imported, one alone and three at once, and the chapters that are analysed in a second counted:
those of one novel follow each other.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from arboris.workspace.demo.client import PushListener, Writer
from tests.bench.chapter import SAMPLE, system

CHARACTERS = 3_000
AGAIN = 7
IMPORTED = 60  # chapters


def rate(writer: Writer, inbox: PushListener, text: str, novels: int) -> float:
    """Chapters a second, from the first answer to the last notification."""
    text, size = re.sub(r"(?m)^#.*$", "", text), CHARACTERS
    places = [number * 37 % (len(text) - size) for number in range(IMPORTED)]
    parts = [f"第{number}章\n\n{text[at : at + size]}" for number, at in enumerate(places, 1)]
    file = ("novel.txt", "\n\n".join(parts).encode(), "text/plain")
    projects = [writer.new_project(f"imported {number}", "zh") for number in range(novels)]
    tasks = []
    started = time.perf_counter()
    for project in projects:
        answer = writer.http.post(f"/api/projects/{project}/import", files={"file": file})
        tasks += [one["analysis"]["id"] for one in answer.raise_for_status().json()["chapters"]]
    for task_id in tasks:
        inbox.wait_for(task_id, 600)
    return len(tasks) / (time.perf_counter() - started)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.novel", description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=[10, 100, 300])
    arguments = parser.parse_args()
    text = Path(SAMPLE).read_text(encoding="utf-8")
    table = Table(title=f"Analysis of a chapter of {CHARACTERS} characters, in ms")
    for column in ("chapters in the novel", "p50", "max"):
        table.add_column(column, justify="right")
    imported = Table(title=f"Imports of {IMPORTED} chapters each, offline, three workers")
    for column in ("novels at once", "chapters a second"):
        imported.add_column(column, justify="right")
    with system(None) as (writer, inbox):
        project, chapters, last = writer.new_project("long", "zh"), 0, 0
        for length in sorted(arguments.lengths):
            tasks = []
            while chapters < length:
                start = chapters * 37 % (len(text) - CHARACTERS)
                answer = writer.add_chapter(project, text[start : start + CHARACTERS])
                tasks.append(answer.body["analysis"]["id"])
                chapters, last = chapters + 1, answer.body["id"]
            for task_id in tasks:
                inbox.wait_for(task_id, 600)
            times = []
            for number in range(AGAIN):
                content = text[number * 11 : number * 11 + CHARACTERS]
                response = writer.http.patch(f"/api/chapters/{last}", json={"content": content})
                task_id = response.json()["analysis"]["id"]
                inbox.wait_for(task_id, 60)
                task = writer.get(f"/api/async-analysis/tasks/{task_id}")
                times.append(task["duration_seconds"] * 1000)
            table.add_row(str(length), f"{median(times):.0f}", f"{max(times):.0f}")
        for novels in (1, 1, 3):
            imported.add_row(str(novels), f"{rate(writer, inbox, text, novels):.1f}")
    Console(width=80).print(table)
    Console(width=80).print(imported)
    return 0


if __name__ == "__main__":
    sys.exit(main())
