"""The API over real HTTP: what a test client cannot show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live import Site, wait_for_task
from tests.llm_server import ModelServer, Script
from tests.waiting import wait_for

pytestmark = pytest.mark.databases

PIECES = [f"第{n}夜，灯影摇晃，沈砚秋听见楼下有人低声说话。" for n in range(1, 16)]


def sse(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_the_text_arrives_while_it_is_written(site: Site, model_server: ModelServer) -> None:
    script = model_server.script = Script(pieces=list(PIECES), hold_after=2)
    with site.client() as client:
        project = client.post("/api/projects", json={"title": "夜航"}).json()["id"]
        with client.stream(
            "POST",
            f"/api/projects/{project}/chapters/generate",
            json={"instructions": "雨夜"},
            headers={"Accept": "text/event-stream"},
        ) as answer:
            assert answer.status_code == 200
            events = sse(answer.iter_lines())
            assert [next(events)[1]["text"] for _ in range(2)] == PIECES[:2]
            script.go_on.set()  # only now may the model go on
            name, saved = list(events)[-1]
        assert name == "saved"
        assert saved["content"] == "".join(PIECES)
        assert wait_for_task(client, saved["analysis"]["id"])["status"] == "completed"


def test_a_browsers_session_needs_the_csrf_token(site: Site) -> None:
    with site.signed_in() as client:
        body = {"title": "夜航"}
        assert client.post("/api/projects", json=body).status_code == 403
        token = client.cookies["csrftoken"]
        answer = client.post("/api/projects", json=body, headers={"X-CSRFToken": token})
        assert answer.status_code == 201


def test_the_languages_of_one_and_the_same_call(site: Site) -> None:
    with site.client() as client:
        path = "/api/async-analysis/notifications/read-all"
        client.post(path)
        assert client.post(path).json() == {"message": "已标记 0 条通知为已读"}
        english = client.post(path, headers={"Accept-Language": "en"}).json()
        assert english == {"message": "Marked 0 notifications as read"}


@pytest.mark.parametrize("path", ["/api/projects", "/api/nothing"])
def test_answers_are_json_with_safe_headers(site: Site, path: str) -> None:
    with site.client("") as client:
        answer = client.get(path)
    assert answer.status_code in {401, 404}
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_readyz_and_healthz(site: Site) -> None:
    with site.client("") as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json()["workers"] >= 1


def test_a_reader_who_leaves_finds_a_draft(site: Site, model_server: ModelServer) -> None:
    script = model_server.script = Script(pieces=list(PIECES), hold_after=12)
    with site.client() as client:
        project = client.post("/api/projects", json={"title": "夜航"}).json()["id"]
        with client.stream(
            "POST",
            f"/api/projects/{project}/chapters/generate",
            json={"title": "雨夜"},
            headers={"Accept": "text/event-stream"},
        ) as answer:
            events = sse(answer.iter_lines())
            assert [next(events)[1]["text"] for _ in range(12)] == PIECES[:12]
    with site.client() as client:  # the connection before is closed
        path = f"/api/projects/{project}/chapters"
        (row,) = wait_for(lambda: client.get(path).json(), "the chapter is saved")
        chapter = f"/api/chapters/{row['id']}"
        # A slow one was saved before, as far as it had come.
        written = "".join(PIECES[:12])
        wait_for(lambda: client.get(chapter).json()["content"] == written, "all of it is saved")
        script.go_on.set()
        saved = client.get(chapter).json()
        assert (saved["title"], saved["content"]) == ("雨夜", written)
        assert (saved["source"], saved["analysis"]) == ("draft", None)
        # The writer takes it over: it is a chapter like any other.
        body = {"content": saved["content"] + "天亮了。"}
        changed = client.patch(chapter, json=body).json()
        assert wait_for_task(client, changed["analysis"]["id"])["status"] == "completed"
