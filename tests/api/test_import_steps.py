"""A long import writes in steps, so that nobody waits for it; its chapters appear all at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from analysis.models import PendingAnalysis
from analysis.queue.prune import prune_step
from arboris.db import db_now
from arboris.idempotency import views as idempotency
from arboris.idempotency.models import IdempotencyKey
from arboris.novels import making
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from tests.factories import LONG_ENOUGH, JsonClient, make_chapter, make_project

pytestmark = [pytest.mark.databases, pytest.mark.django_db(transaction=True)]

TITLES = ["第1章 雨", "第2章 风", "第3章 雪"]
NOVEL = "".join(f"{title}\n\n{LONG_ENOUGH}\n\n" for title in TITLES).encode()


class Killed(BaseException):
    """What is left of a process that is killed: nothing that it would have done next."""


@pytest.fixture(params=["novel.txt", "novel.zip"])
def file(
    request: pytest.FixtureRequest, api: JsonClient, project: NovelProject
) -> tuple[str, bytes]:
    if request.param == "novel.txt":
        return request.param, NOVEL
    for title in TITLES:
        make_chapter(project, LONG_ENOUGH, title=title)
    answer: Any = api.get(f"/api/projects/{project.pk}/export?format=archive")
    return request.param, b"".join(answer.streaming_content)


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Have something done after each step, which then is one text."""

    def do(work: Callable[[], None]) -> None:
        clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _pause: work())
        monkeypatch.setattr(making, "time", clock)

    monkeypatch.setattr(making, "STEP", 1)
    return do


def bring_in(api: JsonClient, novel: NovelProject, file: tuple[str, bytes]) -> Any:
    body = {"file": SimpleUploadedFile(*file)}
    return api.post(f"/api/projects/{novel.pk}/import", body, format="multipart")


def seen(api: JsonClient, novel: NovelProject) -> list[Any]:
    chapters = api.get(f"/api/projects/{novel.pk}/chapters").json()
    total = api.get(f"/api/async-analysis/status?project_id={novel.pk}").json()["total"]
    return [len(chapters), total, len(api.get("/api/trash").json())]


def test_chapters_appear_together(
    api: JsonClient, project: NovelProject, file: tuple[str, bytes], between: Any
) -> None:
    novel = make_project(project.owner, "新")
    found: list[tuple[list[Any], int, bool]] = []

    def look() -> None:
        written = ChapterVersion.objects.filter(chapter__project=novel).count()
        found.append((seen(api, novel), written, connection.in_atomic_block))

    nothing = seen(api, novel)
    between(look)
    answer = bring_in(api, novel, file)
    assert answer.status_code == 201, answer.content
    # Committed one after another, and seen by nobody.
    assert [shown for shown, _written, _open in found] == [nothing] * len(found)
    assert {written for _shown, written, _open in found} >= {1, 2, 3}
    assert not any(is_open for _shown, _written, is_open in found)
    rows = answer.json()["chapters"]
    assert [(row["chapter_number"], row["title"]) for row in rows] == list(enumerate(TITLES, 1))
    assert seen(api, novel)[0] == 3


def test_what_a_killed_process_left_is_cleaned_up(
    api: JsonClient, project: NovelProject, file: tuple[str, bytes], between: Any
) -> None:
    novel = make_project(project.owner, "新")

    def die() -> None:
        if ChapterVersion.objects.filter(chapter__project=novel).count() == 2:
            raise Killed

    between(die)
    discard = making.remove
    making.remove = lambda chapters: None
    try:
        with pytest.raises(Killed):
            bring_in(api, novel, file)
    finally:
        making.remove = discard
    left = Chapter.everything.filter(project=novel)
    assert left.count() == 2
    prune_step(db_now())
    assert left.count() == 2  # it might be another process's that goes on
    between(lambda: None)
    assert bring_in(api, novel, file).status_code == 201  # and nothing stands in the way
    while left.filter(unfinished=True).exists():
        before = left.count()
        prune_step(db_now() + timedelta(days=1, minutes=1))
        assert left.count() < before
    assert list(novel.chapters.values_list("title", flat=True)) == TITLES


def test_an_import_into_a_novel_that_changes_meanwhile_is_refused_whole(
    api: JsonClient, project: NovelProject, between: Any
) -> None:
    make_chapter(project, LONG_ENOUGH, title=TITLES[0])
    archive: Any = api.get(f"/api/projects/{project.pk}/export?format=archive")
    data = b"".join(archive.streaming_content)
    novel = make_project(project.owner, "新")

    def write() -> None:
        if not novel.chapters.exists():
            make_chapter(novel, "她自己写的。", title="楔子")

    between(write)
    answer = bring_in(api, novel, ("novel.zip", data))
    assert answer.status_code == 409
    assert answer.json()["code"] == "changed"
    assert list(Chapter.everything.filter(project=novel).values_list("title", flat=True)) == [
        "楔子"
    ]
    novel.refresh_from_db()
    assert novel.title == "新"


def test_the_analyses_of_an_import_stand_in_line_one_after_another(
    api: JsonClient, project: NovelProject
) -> None:
    make_chapter(project, LONG_ENOUGH)
    assert bring_in(api, project, ("novel.txt", NOVEL)).status_code == 201
    assert bring_in(api, project, ("novel.txt", NOVEL)).status_code == 201
    tasks = PendingAnalysis.objects.order_by("chapter__chapter_number")
    turns = list(tasks.values_list("turn", flat=True))
    assert turns == list(range(turns[0], turns[0] + 6))
    assert [task.active_chapter for task in tasks] == [task.chapter_id for task in tasks]


def test_the_key_of_a_long_import_is_not_given_to_a_second_try(
    api: JsonClient, project: NovelProject, between: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "RENEWAL", -1.0)
    holds: list[bool] = []

    def expire() -> None:
        keys = IdempotencyKey.objects.all()
        holds.append(keys.filter(lease_expires_at__gt=db_now()).exists())
        keys.update(lease_expires_at=db_now() - timedelta(seconds=1))

    between(expire)
    body = {"file": SimpleUploadedFile("novel.txt", NOVEL)}
    path = f"/api/projects/{project.pk}/import"
    answer: Any = api.post(path, body, format="multipart", headers={"Idempotency-Key": "one"})
    assert answer.status_code == 201
    assert holds == [True] * 3  # renewed before each step
