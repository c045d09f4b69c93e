"""``python -m tests.bench.reading``: what it takes to read a chapter, by each of the two analyzers.

By a model: real web and worker processes against an endpoint on the loopback that takes a set time
for every call; the goal is that time and 150 ms more, for all four features together. Offline: how
many characters a second a warm process reads, and how much memory a real worker holds after 100
chapters in both languages.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from arboris.workspace.demo.client import PushListener, Writer
from arboris.workspace.demo.figures import percentile
from arboris.workspace.demo.system import System, running_system
from tests.bench.pickup import family
from tests.llm.endpoint import Endpoint, Reply, serving

SAMPLES = Path(__file__).resolve().parents[2] / "arboris" / "novels" / "sample"
CHARACTERS = 3_000
WARM_UP = 4
PATIENCE = 60.0


def passages(language: str) -> Iterator[str]:
    """Chapters of CHARACTERS from the sample novel, over and over, each begun elsewhere."""
    text = (SAMPLES / f"{language}.md").read_text(encoding="utf-8")
    number = 0
    while True:
        start = number * 487 % (len(text) - CHARACTERS)
        yield text[start : start + CHARACTERS]
        number += 1


@contextmanager
def site(settings: dict[str, str]) -> Iterator[tuple[System, Writer, PushListener]]:
    base = {"DATABASE_URL": "", "DJANGO_SECRET_KEY": "bench" * 12, "ARBORIS_SUMMARY": "extractive"}
    with (
        tempfile.TemporaryDirectory() as place,
        running_system(Path(place), base | settings) as running,
        closing(running.writer("en")) as writer,
    ):
        inbox = PushListener(running.socket_url, writer.token)
        inbox.start()
        yield running, writer, inbox
        inbox.close()


def analysed(writer: Writer, inbox: PushListener, project: str, text: str) -> dict[str, Any]:
    task_id = writer.add_chapter(project, text).body["analysis"]["id"]
    inbox.wait_for(task_id, PATIENCE)
    task: dict[str, Any] = writer.get(f"/api/async-analysis/tasks/{task_id}")
    if task["status"] != "completed":
        raise SystemExit(f"analysis {task_id}: {task['status']} {task['error_message']}")
    return task


def answers(body: dict[str, Any]) -> dict[str, Any]:
    """As many findings as a model makes of such a chapter, each with a quote from it."""
    chapter = body["messages"][1]["content"].split("\n<<<END")[-2]
    lines = [line for line in chapter.split("\n") if len(line) > 20 and "<<<" not in line][:12]
    quoted = [{"quote": line[:60], "confidence": 0.9} for line in lines]
    people = [{"name": entry["quote"][:2], "aliases": [], **entry} for entry in quoted]
    things = [{"kind": "item", "name": entry["quote"][2:5], **entry} for entry in quoted]
    seeds = [
        {"kind": "hint", "description": entry["quote"], "keywords": [], **entry} for entry in quoted
    ]
    return {"characters": people, "entities": things, "seeds": seeds, "payoffs": []}


def by_model(seconds: float, chapters: int) -> dict[str, float]:
    """What an analysis takes beyond the endpoint's ``seconds``, in ms."""
    with serving() as endpoint:
        endpoint.answer = lambda body: Reply(json.dumps(answers(body)), wait=seconds)
        with site(_model(endpoint)) as (_, writer, inbox):
            project, texts = writer.new_project("bench", "zh"), passages("zh")
            tasks = [
                analysed(writer, inbox, project, next(texts)) for _ in range(WARM_UP + chapters)
            ]
    added = [(task["duration_seconds"] - seconds) * 1000 for task in tasks[WARM_UP:]]
    return {
        "p50": round(median(added), 1),
        "p95": round(percentile(added, 0.95), 1),
        "max": round(max(added), 1),
    }


def _model(endpoint: Endpoint) -> dict[str, str]:
    return {
        "ARBORIS_MAX_CONCURRENT": "1",  # so that the first chapters have warmed the one that reads
        "ARBORIS_ANALYZER": "llm",
        "ARBORIS_LLM_BASE_URL": endpoint.base_url,
        "ARBORIS_LLM_MODEL": "bench",
    }


def offline_speed(language: str, chapters: int) -> float:
    """Characters a second in this process, all four features, once the models are loaded."""
    from analysis.analyzers.base import ChapterInput
    from analysis.analyzers.local import LocalAnalyzer
    from analysis.features import FEATURES

    analyzer, texts, read = LocalAnalyzer(), passages(language), 0
    for number in range(WARM_UP + chapters):
        if number == WARM_UP:
            started, read = time.perf_counter(), 0
        text = next(texts)
        chapter = ChapterInput(text, "en" if language == "en" else "zh", number + 1)
        session = analyzer.open(chapter)
        for feature in FEATURES:
            session.run(feature, lambda part: None)
        session.close()
        read += len(text)
    return round(read / (time.perf_counter() - started))


def worker_memory(chapters: int) -> dict[str, float]:
    """The largest worker's memory in MB after so many chapters, half of them in each language."""
    with site({"ARBORIS_MAX_CONCURRENT": "1"}) as (running, writer, inbox):
        for language in ("zh", "en"):
            project, texts = writer.new_project(language, language), passages(language)
            for _ in range(chapters // 2):
                analysed(writer, inbox, project, next(texts))
        pids = list(family(running.services["workers"].process.pid))
        return {
            "RSS": round(max(_status(pid, "VmRSS") for pid in pids) / 1024, 1),
            "peak": round(max(_status(pid, "VmHWM") for pid in pids) / 1024, 1),
        }


def _status(pid: int, name: str) -> int:
    """In KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reading", description=__doc__)
    parser.add_argument("--chapters", type=int, default=20, help="by a model, for each time (20)")
    parser.add_argument("--seconds", type=float, nargs="*", default=[1.0, 3.0], help="a call takes")
    parser.add_argument("--offline", type=int, default=100, help="chapters read offline (100)")
    arguments = parser.parse_args()
    table = Table(title=f"Chapters of {CHARACTERS} characters")
    for column in ("figure", "p50", "p95", "max", "goal"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    results: dict[str, Any] = {}
    for seconds in arguments.seconds:
        row = results[f"model {seconds:g} s"] = by_model(seconds, arguments.chapters)
        shown = (f"{row[part]:.0f}" for part in ("p50", "p95", "max"))
        table.add_row(f"by a model that takes {seconds:g} s: ms more", *shown, "≤ 150")
    if arguments.offline:
        for language in ("zh", "en"):
            speed = results[f"offline {language}"] = offline_speed(language, arguments.offline // 2)
            table.add_row(f"offline, {language}: characters/s", f"{speed:.0f}", "", "", "≥ 10000")
        memory = results["worker"] = worker_memory(arguments.offline)
        table.add_row(
            "a worker's memory: MB", f"{memory['RSS']:.0f}", "", f"{memory['peak']:.0f}", "≤ 450"
        )
    Console(stderr=True, width=100).print(table)
    print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
