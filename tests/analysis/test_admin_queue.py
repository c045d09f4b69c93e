"""The queue in the hands of staff: pauses, endpoints, and the record of what they did."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

from analysis import queue
from analysis.models import EndpointState, OperatorAction, QueuePause
from analysis.queue import endpoints
from arboris.db import db_now
from arboris.llm.errors import KeyRefused
from arboris.novels.models import NovelProject
from tests.analysis.test_admin import LIST, act, confirm, member, signed_in
from tests.factories import make_user, queue_chapter

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    return signed_in(make_user("boss", is_staff=True, is_superuser=True))


def recorded() -> list[tuple[str, str, str, int]]:
    rows = OperatorAction.objects.order_by("pk")
    return list(rows.values_list("actor", "action", "reason", "count"))


def test_pauses_of_the_queue_are_recorded(staff: Client, project: NovelProject) -> None:
    url = "/admin/analysis/queuecontrol/1/change/"
    staff.post(url, {"paused": "on", "paused_reason": "moving"})
    staff.post(url, {"paused": "on", "paused_reason": "moving"})  # changes nothing
    page = staff.get(url).content.decode()
    for label in ("Claims:", "Pruned:", "Last resumed:"):
        assert label in page
    staff.post(url, {"paused_reason": "moving"})
    staff.post(url, {"paused_reason": ""})
    assert recorded() == [("boss", "pause", "moving", 0), ("boss", "resume", "", 0)]


def test_a_novel_is_paused_by_adding_and_resumed_by_deleting(
    staff: Client, project: NovelProject
) -> None:
    queue_chapter(project)
    add = "/admin/analysis/queuepause/add/"
    for wrong in ({}, {"project": project.pk, "user": project.owner_id}):
        answer = staff.post(add, {**wrong, "reason": "too fast"})
        assert "Choose a novel or a writer, and not both." in answer.content.decode()
    assert staff.post(add, {"project": project.pk, "reason": "too fast"}).status_code == 302
    pause = QueuePause.objects.get()
    assert queue.claim("host:1") is None
    assert staff.post(add, {"project": project.pk}).status_code == 200  # there is one already
    page = staff.get("/admin/analysis/queuepause/").content.decode()
    assert "too fast" in page and "听雨楼" in page
    delete = f"/admin/analysis/queuepause/{pause.pk}/delete/"
    assert staff.post(delete, {"post": "yes"}).status_code == 302
    assert queue.claim("host:1") is not None
    assert recorded() == [("boss", "pause", "too fast", 0), ("boss", "resume", "", 0)]
    assert OperatorAction.objects.latest("pk").details["project"] == str(project.pk)


def test_a_writer_is_paused_by_those_who_may(project: NovelProject) -> None:
    add = "/admin/analysis/queuepause/add/"
    data = {"user": project.owner_id, "reason": "unpaid"}
    assert member("view_queuepause").post(add, data).status_code == 403
    assert member("add_queuepause").post(add, data).status_code == 302
    assert QueuePause.objects.get().user_id == project.owner_id


def test_an_endpoint_is_resumed_by_those_who_may(staff: Client, project: NovelProject) -> None:
    url = "/admin/analysis/endpointstate/"
    data = {"action": "resume_now", "index": 0, "_selected_action": ["local"], "reason": "new key"}
    with transaction.atomic():
        endpoints.pause(queue.configured(), KeyRefused("401: nobody knows it"), db_now())
    queue_chapter(project)
    assert "nobody knows it" in staff.get(f"{url}local/change/").content.decode()
    member("view_endpointstate").post(url, data)
    assert EndpointState.objects.get().paused_at is not None
    answer = staff.post(url, data, follow=True)
    assert "1 endpoint is asked again." in answer.content.decode()
    assert EndpointState.objects.get().paused_at is None
    assert queue.claim("host:1", queue.configured()) is not None
    assert recorded() == [("boss", "resume", "new key", 0)]


def test_actions_are_recorded_with_their_reason(staff: Client, project: NovelProject) -> None:
    first, second = queue_chapter(project), queue_chapter(project)
    assert 'name="reason"' in staff.get(LIST).content.decode()
    page = act(staff, "set_priority", first, reason="sooner")
    assert 'value="sooner"' in page
    confirm(staff, page, priority="9", reason="sooner")
    page = act(staff, "cancel", first, second, reason="wrong model")
    confirm(staff, page, reason="wrong model")
    confirm(staff, page)  # they have ended already
    inline = {"attempts-TOTAL_FORMS": 0, "attempts-INITIAL_FORMS": 0}
    third = queue_chapter(project)
    staff.post(f"{LIST}{third.pk}/change/", {"priority": 7, **inline})
    assert recorded() == [
        ("boss", "set_priority", "sooner", 1),
        ("boss", "cancel", "wrong model", 2),
        ("boss", "set_priority", "", 1),
    ]
    page = staff.get("/admin/analysis/operatoraction/").content.decode()
    assert "wrong model" in page
