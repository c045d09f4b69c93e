"""What an open page is told besides notifications: what was read, how much is under way."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

import pytest
from channels.db import database_sync_to_async as in_thread_of_database
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from analysis import queue
from analysis.models import PendingAnalysis
from arboris.bible import behind, service
from arboris.db import in_transaction
from arboris.novels.models import NovelProject
from arboris.workspace.bible.service import decide
from notifications.models import AnalysisNotification
from tests.bible.test_fold import person
from tests.bible.test_service import record
from tests.factories import JsonClient, claim_next, make_chapter, make_project, queue_chapter
from tests.notifications.test_socket import talk
from tests.waiting import PATIENCE_SECONDS

# The socket has connections of its own.
pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

LIST = "/api/async-analysis/notifications"


def finish_next() -> int:
    """End what is due next as completed; the task's id."""
    claim = claim_next()
    in_transaction(lambda: queue.finish(claim, {}, {}))
    return claim.task_id


def complete(project: NovelProject) -> int:
    queue_chapter(project)
    return finish_next()


async def in_thread(work: Any, *arguments: Any) -> Any:
    return await in_thread_of_database(work)(*arguments)


async def kind_of_frame(socket: WebsocketCommunicator, kind: str) -> dict[str, Any]:
    """The data of the next frame of this kind."""
    while (frame := await socket.receive_json_from(PATIENCE_SECONDS))["type"] != kind:
        pass
    data: dict[str, Any] = frame["data"]
    return data


def test_what_is_read_elsewhere_is_told(
    api: JsonClient, writer: User, project: NovelProject
) -> None:
    complete(project)
    first = AnalysisNotification.objects.get()

    async def work(socket: WebsocketCommunicator) -> None:
        before = await kind_of_frame(socket, "state")
        assert before["unread"] == 1
        answer = await in_thread(api.post, f"{LIST}/{first.pk}/read")
        assert answer.status_code == 200
        assert await kind_of_frame(socket, "read") == {"unread_ids": []}
        assert (await kind_of_frame(socket, "state"))["unread"] == 0

    talk(writer, work)


def test_how_many_analyses_are_under_way_is_told(writer: User, project: NovelProject) -> None:
    async def work(socket: WebsocketCommunicator) -> None:
        await in_thread(queue_chapter, project)
        await in_thread(queue_chapter, project)
        while (told := await kind_of_frame(socket, "queue"))["live"] != 2:
            pass
        assert told["projects"] == {str(project.pk): 2}
        for left in (1, 0):
            await in_thread(finish_next)
            while (await kind_of_frame(socket, "queue"))["live"] != left:
                pass

    talk(writer, work)


def test_a_muted_novel_is_not_pushed_and_its_pages_are_told(
    api: JsonClient, writer: User, project: NovelProject
) -> None:
    answer = api.patch(f"/api/projects/{project.pk}", {"muted": True})
    assert (answer.status_code, answer.json()["muted"]) == (200, True)
    other = make_project(writer)
    first: dict[str, Any] = {}

    async def plain(socket: WebsocketCommunicator) -> None:
        await in_thread(complete, project)
        told = await in_thread(complete, other)  # the first that comes
        frame = await socket.receive_json_from(PATIENCE_SECONDS)
        assert frame["pending_analysis_id"] == told
        first.update(frame)

    async def enveloped(socket: WebsocketCommunicator) -> None:
        quiet = await in_thread(complete, project)
        changed = await kind_of_frame(socket, "changed")
        assert (changed["pending_analysis_id"], changed["data"]["muted"]) == (quiet, True)
        await socket.send_json_to({"type": "read", "id": first["id"]})
        while (state := await kind_of_frame(socket, "state"))["unread"] != 2:
            pass
        assert state["muted"] == 2

    talk(writer, plain, protocol=None)
    talk(writer, enveloped)
    assert len(api.get(LIST).json()) == 3


def test_what_nobody_asked_for_is_told_to_pages_as_a_change_alone(
    api: JsonClient, writer: User, project: NovelProject
) -> None:
    def complete_quietly() -> int:
        task = queue_chapter(project)
        PendingAnalysis.objects.filter(pk=task.pk).update(quiet=True)
        return finish_next()

    async def enveloped(socket: WebsocketCommunicator) -> None:
        quiet = await in_thread(complete_quietly)
        changed = await kind_of_frame(socket, "changed")
        assert (changed["pending_analysis_id"], changed["data"]["muted"]) == (quiet, True)

    talk(writer, enveloped)
    assert [one["is_read"] for one in api.get(LIST).json()] == [1]


def test_a_bible_that_is_folded_behind_is_told(
    writer: User, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(make_chapter(project), person("沈砚秋"))
    monkeypatch.setattr(service, "SHORT", 0)  # it is a long novel from now on
    asked = {"action": "add", "type": "character", "fields": {"name": "顾长风"}}

    async def work(socket: WebsocketCommunicator) -> None:
        await kind_of_frame(socket, "state")
        await in_thread(decide, project.pk, writer.pk, asked)
        begun = await kind_of_frame(socket, "bible")
        assert begun == {"project_id": str(project.pk), "folding": True, "revision": ANY}
        assert await in_thread(behind.fold_behind)
        ended = await kind_of_frame(socket, "bible")
        assert (ended["folding"], ended["project_id"]) == (False, str(project.pk))
        assert ended["revision"] > begun["revision"]

    talk(writer, work)
