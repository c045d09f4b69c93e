"""Deleting a novel while it is worked on, and what callers get who come a moment too late."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from django.test import Client

from analysis import queue
from analysis.errors import LeaseLost, QueueConflict
from analysis.models import PendingAnalysis
from arboris.db import in_transaction
from arboris.novels import services
from arboris.novels.models import Chapter, NovelProject
from tests.factories import LONG_ENOUGH, client_of, make_chapter, make_project, queue_chapter
from tests.queue.threads import side_by_side

pytestmark = pytest.mark.postgresql

in_threads = pytest.mark.django_db(transaction=True)
NEWER = "雨停了，沈砚秋才发觉灯笼早已熄灭，巷子尽头有人在等他。" * 12
ROUNDS = 6


def busy_novel(writer: User) -> NovelProject:
    project = make_project(writer)
    for _ in range(6):
        queue_chapter(project)
    return project


def analyse_all() -> None:
    """What workers do to the rows of a novel, until nothing is left to do."""
    while claim := queue.claim("host:1"):
        try:
            if claim.task_id % 2:
                in_transaction(lambda claim=claim: queue.finish(claim, {}, {}))  # type: ignore[misc]
            else:
                queue.cancel(claim.task_id)
        except (LeaseLost, QueueConflict, PendingAnalysis.DoesNotExist):
            continue  # the novel is gone


def write_on(writer: User, project: NovelProject) -> set[int]:
    """The codes of chapters posted to a novel until it is gone (or we have had enough)."""
    client, codes = client_of(writer), set()
    for _ in itertools.repeat(None, 12):
        path = f"/api/projects/{project.pk}/chapters"
        answer = client.post(path, {"content": LONG_ENOUGH})
        codes.add(answer.status_code)
        if answer.status_code == 404:
            break
        chapter = answer.json()["id"]
        codes.add(client.patch(f"/api/chapters/{chapter}", {"content": NEWER}).status_code)
    return codes


def deleted_amid_work(writer: User, delete: Callable[[uuid.UUID], int], expected: int) -> None:
    for _ in range(ROUNDS):
        project = busy_novel(writer)

        def remove(pk: uuid.UUID = project.pk) -> set[int]:
            return {delete(pk)}

        def write(project: NovelProject = project) -> set[int]:
            return write_on(writer, project)

        def work() -> set[int]:
            analyse_all()
            return set()

        removed, written, _nothing = side_by_side(remove, write, work)
        assert removed == {expected}
        assert written <= {200, 201, 404}
        assert not NovelProject.objects.exists()
        assert not PendingAnalysis.objects.filter(active_chapter__isnull=False).exists()


@in_threads
@pytest.mark.slow
def test_a_novel_that_is_worked_on_goes_to_the_trash(writer: User) -> None:
    client = client_of(writer)
    deleted_amid_work(writer, lambda pk: client.delete(f"/api/projects/{pk}").status_code, 204)
    assert len(client.get("/api/trash").json()) == ROUNDS


@in_threads
def test_the_admin_deletes_it_for_good(writer: User) -> None:
    client = admin_client()
    deleted_amid_work(
        writer, lambda pk: client.post(admin_path(pk), {"post": "yes"}).status_code, 302
    )
    assert not NovelProject.everything.exists()
    assert not Chapter.everything.exists()
    assert not PendingAnalysis.objects.exists()


@in_threads
@pytest.mark.parametrize("failures", [1, services.REMOVAL_ATTEMPTS - 1])
@pytest.mark.slow
def test_a_row_that_came_in_beneath_starts_it_again(
    writer: User, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    project = busy_novel(writer)
    really, left = NovelProject.delete, [IntegrityError("foreign key")] * failures

    def delete(novel: NovelProject) -> Any:
        if left:
            raise left.pop()
        return really(novel)

    monkeypatch.setattr(NovelProject, "delete", delete)
    answer = admin_client().post(admin_path(project.pk), {"post": "yes"})
    assert answer.status_code == 302
    assert not NovelProject.everything.exists()


def admin_client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def admin_path(pk: uuid.UUID) -> str:
    return f"/admin/novels/novelproject/{pk}/delete/"


@pytest.mark.parametrize(
    "call", ["post", "import", "patch text", "patch title", "patch novel", "delete"]
)
def test_a_novel_deleted_meanwhile_is_404(
    writer: User, project: NovelProject, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    chapter, client = make_chapter(project), client_of(writer)
    really = services.lock_project

    def too_late(project_id: uuid.UUID) -> NovelProject:
        """The view has looked whose the novel is; another request deletes it before the lock."""
        NovelProject.objects.all().delete()
        return really(project_id)

    monkeypatch.setattr(services, "lock_project", too_late)
    novel, text = f"/api/projects/{project.pk}", f"/api/chapters/{chapter.pk}"
    upload = SimpleUploadedFile("novel.txt", f"第一章 雨\n\n{LONG_ENOUGH}".encode())
    calls: dict[str, Callable[[], Any]] = {
        "post": lambda: client.post(f"{novel}/chapters", {"content": LONG_ENOUGH}),
        "import": lambda: client.post(f"{novel}/import", {"file": upload}, format="multipart"),
        "patch text": lambda: client.patch(text, {"content": NEWER}),
        "patch title": lambda: client.patch(text, {"title": "新题"}),
        "patch novel": lambda: client.patch(novel, {"title": "新题"}),
        "delete": lambda: client.delete(novel),
    }
    answer = calls[call]()
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "未找到。", "code": "not_found"},
    )
    assert not NovelProject.objects.exists()
    assert not Chapter.objects.exists()
