"""A POST that is sent again under its Idempotency-Key makes nothing twice."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from analysis.models import PendingAnalysis
from analysis.queue import sweep
from arboris.bible.models import Decision
from arboris.db import db_now
from arboris.idempotency import claims
from arboris.idempotency.models import IdempotencyKey
from arboris.novels.models import Chapter, NovelProject
from arboris.workspace.chapters import service
from tests.api.generating import events
from tests.factories import LONG_ENOUGH, JsonClient
from tests.llm_server import Script
from tests.queue.threads import side_by_side
from tests.waiting import wait_for

pytestmark = pytest.mark.postgresql

KEY = "8e03978e-40d5-43e8-bc93-6894a57f9326"
# Answers 200 as PATCH does, and creates all the same.
CREATES_WITH_200 = {
    "/api/chapters/{chapter_id}/versions",
    "/api/chapters/{chapter_id}/versions/{number}/restore",
    "/api/projects/{project_id}/replace",
}
in_threads = pytest.mark.django_db(transaction=True)


def post(api: JsonClient, path: str, body: Any, key: str = KEY, **extra: Any) -> Any:
    return api.post(path, body, headers={"Idempotency-Key": key}, **extra)


def chapters_of(project: NovelProject) -> str:
    return f"/api/projects/{project.pk}/chapters"


def post_chapter(api: JsonClient, project: NovelProject, content: str = LONG_ENOUGH) -> Any:
    return post(api, chapters_of(project), {"content": content})


def make_novel(api: JsonClient, _project: NovelProject) -> Any:
    return post(api, "/api/projects", {"title": "盐灯"})


def make_decision(api: JsonClient, project: NovelProject) -> Any:
    asked = {"action": "add", "type": "character", "fields": {"name": "沈砚秋"}}
    return post(api, f"/api/projects/{project.pk}/bible/decisions", asked)


def import_novel(api: JsonClient, project: NovelProject) -> Any:
    """As a browser sends it again: another boundary, the same file."""
    text = f"第一章 雨夜\n{LONG_ENOUGH}\n\n第二章 灯\n{LONG_ENOUGH}"
    boundary = uuid.uuid4().hex
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="n.txt"\r\n'
        f"Content-Type: text/plain\r\n\r\n{text}\r\n--{boundary}--\r\n"
    )
    return api.generic(
        "POST",
        f"/api/projects/{project.pk}/import",
        body.encode(),  # type: ignore[arg-type]  # bytes go as they are
        f"multipart/form-data; boundary={boundary}",
        headers={"Idempotency-Key": KEY},
    )


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (make_novel, lambda: NovelProject.objects.filter(title="盐灯").count()),
        (post_chapter, Chapter.objects.count),
        (post_chapter, PendingAnalysis.objects.count),
        (make_decision, Decision.objects.count),
        (import_novel, lambda: Chapter.objects.count() - 1),
    ],
    ids=["project", "chapter", "analysis", "decision", "import"],
)
def test_the_first_answer_comes_again(
    api: JsonClient,
    project: NovelProject,
    make: Callable[[JsonClient, NovelProject], Any],
    count: Callable[[], int],
) -> None:
    first, again = make(api, project), make(api, project)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Content-Type"] == "application/json"
    assert count() == 1


def test_another_request_under_the_key_is_refused(
    api: JsonClient, foreign: JsonClient, project: NovelProject
) -> None:
    assert post_chapter(api, project).status_code == 201
    other_path = post(api, "/api/projects", {"content": LONG_ENOUGH, "title": "盐灯"})
    other_file = import_novel(api, project)
    for answer in (post_chapter(api, project, "另一段文字。"), other_path, other_file):
        assert answer.status_code == 422
        assert set(answer.json()) == {"detail", "code"}
        assert answer.json()["code"] == "idempotency_key_reused"
    # The same content written in another order is the same; another writer's key is another.
    assert post(foreign, "/api/projects", {"title": "灯", "genre": "悬疑"}).status_code == 201
    again = post(foreign, "/api/projects", {"genre": "悬疑", "title": "灯"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Chapter.objects.count() == 1


@pytest.mark.parametrize("key", ["", "   ", "x" * 256, "钥匙".encode().decode("latin-1"), "a\tb"])
def test_a_key_that_is_none_is_named(api: JsonClient, key: str) -> None:
    answer = post(api, "/api/projects", {"title": "盐灯"}, key)
    assert answer.status_code == 400
    assert answer.json()["Idempotency-Key"]
    assert answer.json()["detail"].startswith("Idempotency-Key: ")
    assert answer.json()["code"] == "invalid"
    assert not NovelProject.objects.exists()


def test_what_failed_leaves_its_key_free(api: JsonClient, project: NovelProject) -> None:
    path = chapters_of(project)
    wrong = post(api, path, {"content": LONG_ENOUGH, "chapter_number": 0})
    missing = post(api, f"/api/projects/{uuid.uuid4()}/chapters", {"content": LONG_ENOUGH})
    assert (wrong.status_code, missing.status_code) == (400, 404)
    assert post(api, path, {"content": LONG_ENOUGH, "chapter_number": 3}).status_code == 201
    taken = post(api, path, {"content": LONG_ENOUGH, "chapter_number": 3}, "another")
    assert taken.status_code == 400
    assert IdempotencyKey.objects.count() == 1


def test_a_key_lives_a_day_and_is_swept(api: JsonClient, project: NovelProject) -> None:
    post_chapter(api, project)
    IdempotencyKey.objects.update(expires_at=db_now() - timedelta(seconds=1))
    assert "Idempotent-Replayed" not in post_chapter(api, project).headers
    assert Chapter.objects.count() == 2
    left = IdempotencyKey.objects.get().expires_at - db_now()
    assert timedelta(hours=23, minutes=50) < left <= timedelta(hours=24)
    assert sweep()
    assert IdempotencyKey.objects.exists()
    IdempotencyKey.objects.update(expires_at=db_now() - timedelta(seconds=1))
    assert claims.prune(db_now()) == 1


def test_an_answer_too_large_to_keep_makes_nothing_twice(
    api: JsonClient, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "LARGEST_BODY", 10)
    assert post_chapter(api, project).status_code == 201
    again = post_chapter(api, project)
    assert (again.status_code, again.json()["code"]) == (409, "answer_not_kept")
    assert Chapter.objects.count() == 1


class Killed(BaseException):
    """As SIGKILL: nothing of the request runs after it."""


@in_threads
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_that_dies(
    api: JsonClient, project: NovelProject, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Before the commit nothing is made, after it the answer is there: there is no between."""

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(claims.Claim, "settle", die)
        target = "arboris.workspace.chapters.service.wake"
        if moment == "after":
            target = "arboris.idempotency.views.APIView.finalize_response"
        dying.setattr(target, die)
        with pytest.raises(Killed):
            post_chapter(api, project)
    assert Chapter.objects.count() == (moment == "after")
    if moment == "before":
        held = post_chapter(api, project)
        assert (held.status_code, held.json()["code"]) == (409, "idempotency_key_in_use")
        assert 1 <= int(held.headers["Retry-After"]) <= 60
        IdempotencyKey.objects.update(lease_expires_at=db_now() - timedelta(seconds=1))
    answer = post_chapter(api, project)
    assert answer.status_code == 201
    assert answer.json()["id"] == Chapter.objects.get().pk


@in_threads
def test_who_lost_the_key_makes_nothing(
    api: JsonClient, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request is held until its lease is over, and another has answered in its place."""
    new_text = service.new_text  # before the transaction, where a model may be asked

    def slow(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(service, "new_text", new_text)
        IdempotencyKey.objects.update(lease_expires_at=db_now() - timedelta(seconds=1))
        assert post_chapter(api, project).status_code == 201
        return new_text(*args, **kwargs)

    monkeypatch.setattr(service, "new_text", slow)
    assert post_chapter(api, project).status_code == 409
    assert Chapter.objects.count() == 1
    assert post_chapter(api, project).headers["Idempotent-Replayed"] == "true"


@in_threads
def test_two_at_once_make_one(api: JsonClient, project: NovelProject) -> None:
    answers = side_by_side(*[lambda: post_chapter(api, project)] * 4)
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {answer.content for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    assert Chapter.objects.count() == PendingAnalysis.objects.count() == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_key_in_use"
            assert int(answer.headers["Retry-After"]) >= 1


# --- written by a model -------------------------------------------------------------------


def test_a_chapter_is_written_once(api: JsonClient, project: NovelProject, model: Script) -> None:
    path = f"{chapters_of(project)}/generate"
    first = post(api, path, {"title": "雨夜"})
    assert first.status_code == 201
    asked = len(model.requests)
    again = post(api, path, {"title": "雨夜"})
    assert (again.status_code, again.content) == (201, first.content)
    # Asked for as a stream, it is the event that tells of the chapter.
    assert events(api, project, KEY, title="雨夜") == [("saved", first.json())]
    assert Chapter.objects.count() == 1
    assert len(model.requests) == asked


def test_a_stream_that_broke_off_answers_with_its_draft(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    model.break_off_after = 9
    (_, error) = events(api, project, KEY)[-1]
    assert error["chapter"]["source"] == "draft"
    assert events(api, project, KEY) == [("saved", error["chapter"])]
    again = post(api, f"{chapters_of(project)}/generate", {})
    assert (again.status_code, again.json()) == (201, error["chapter"])
    assert Chapter.objects.count() == 1


def test_a_stream_that_brought_nothing_leaves_its_key_free(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    model.break_off_after = 0
    assert events(api, project, KEY)[-1][0] == "error"
    assert not IdempotencyKey.objects.exists()
    model.break_off_after = None
    assert events(api, project, KEY)[-1][0] == "saved"


@in_threads
def test_a_chapter_that_is_being_written_is_not_written_twice(
    api: JsonClient, project: NovelProject, model: Script, settings: Settings
) -> None:
    """Not while it runs; and after its process died, the answer is what it had kept."""
    settings.ARBORIS_DRAFT_SECONDS = 0
    model.hold_after = 9

    def write() -> list[tuple[str, dict[str, Any]]]:
        return events(api, project, KEY)

    def ask_meanwhile() -> list[tuple[str, dict[str, Any]]]:
        try:
            kept = IdempotencyKey.objects.filter(status=201)
            wait_for(lambda: kept.exists(), "a draft is kept")
            busy = post(api, f"{chapters_of(project)}/generate", {})
            assert (busy.status_code, busy.json()["code"]) == (409, "idempotency_key_in_use")
            assert int(busy.headers["Retry-After"]) > 1
            # As if its process had died some minutes ago.
            IdempotencyKey.objects.update(lease_expires_at=db_now() - timedelta(seconds=1))
            draft = post(api, f"{chapters_of(project)}/generate", {})
            assert (draft.status_code, draft.json()["source"]) == (201, "draft")
            return []
        finally:
            model.go_on.set()

    written, _ = side_by_side(write, ask_meanwhile)
    assert written[-1][0] == "saved"
    assert post(api, f"{chapters_of(project)}/generate", {}).json() == written[-1][1]
    assert Chapter.objects.count() == 1


# --- every call that creates ----------------------------------------------------------------


def test_every_post_that_creates_takes_a_key(api: JsonClient) -> None:
    """In the schema by ``@idempotent`` of arboris.idempotency.views, and nowhere else."""
    paths = api.get("/api/schema", headers={"accept": "application/json"}).json()["paths"]
    posts = {path: calls["post"] for path, calls in paths.items() if "post" in calls}
    creating = {
        path for path, call in posts.items() if "201" in call["responses"]
    } | CREATES_WITH_200.intersection(posts)
    takes_key = {
        path
        for path, call in posts.items()
        if any(given["name"] == "Idempotency-Key" for given in call.get("parameters", ()))
    }
    assert creating <= takes_key
    assert len(takes_key) >= 5
