"""The same bible from an import, from another one, and from the same chapters saved one by one:
with real workers, of which there are several."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.analyzers import SLOW
from tests.live import Site, wait_for_task

SAMPLE = Path(__file__).resolve().parents[2] / "arboris" / "novels" / "sample" / "zh.md"


@pytest.fixture
def client(site: Site) -> Iterator[httpx2.Client]:
    with site.client() as client:
        yield client


def texts() -> list[str]:
    """The sample's chapters; while the brake is pulled, an analysis of the first does not end."""
    found = re.split(r"(?m)^## .*$", SAMPLE.read_text(encoding="utf-8"))[1:]
    return [f"{SLOW}。\n\n{found[0].strip()}", *(text.strip() for text in found[1:])]


def new_project(client: httpx2.Client) -> str:
    return str(client.post("/api/projects", json={"title": "雾海"}).raise_for_status().json()["id"])


def imported(client: httpx2.Client, project: str) -> list[int]:
    """The analyses of the chapters, in order."""
    novel = "\n\n".join(f"## 第{number}章\n\n{text}" for number, text in enumerate(texts(), 1))
    file = {"file": ("novel.md", novel.encode())}
    answer = client.post(f"/api/projects/{project}/import", files=file).raise_for_status()
    return [one["analysis"]["id"] for one in answer.json()["chapters"]]


def saved(client: httpx2.Client, project: str, text: str, title: str = "") -> int:
    url = f"/api/projects/{project}/chapters"
    answer = client.post(url, json={"content": text, "title": title}).raise_for_status()
    return int(answer.json()["analysis"]["id"])


def bible(client: httpx2.Client, project: str) -> Any:
    document = client.get(f"/api/projects/{project}/bible/export.json").raise_for_status().json()
    assert document["characters"] and document["foreshadowings"]
    return document


def test_an_import_makes_the_bible_of_chapters_saved_one_by_one(
    client: httpx2.Client, braked: Path
) -> None:
    first, second, one_by_one = (new_project(client) for _ in range(3))
    tasks = imported(client, first)
    wait_for_task(client, tasks[0], "processing")
    # While the first chapter is at the brake, the other worker takes what was saved later, and none
    # of the chapters that follow it.
    other = saved(client, new_project(client), texts()[1])
    assert wait_for_task(client, other)["status"] == "completed"
    state = [client.get(f"/api/async-analysis/tasks/{task}").json()["status"] for task in tasks]
    assert state == ["processing", *["pending"] * (len(tasks) - 1)]
    braked.unlink()
    tasks += imported(client, second)
    for number, text in enumerate(texts(), 1):
        task = saved(client, one_by_one, text, f"第{number}章")
        assert wait_for_task(client, task)["status"] == "completed"
    for task in tasks:
        assert wait_for_task(client, task)["status"] == "completed"
    assert bible(client, first) == bible(client, second) == bible(client, one_by_one)
