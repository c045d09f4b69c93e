"""A kind of notification is one entry in ``kinds.KINDS``: everything else follows from it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from arboris.db import in_transaction
from arboris.novels.models import NovelProject
from notifications import outbox
from notifications.api.views import NotificationSchema
from notifications.kinds import KINDS, Kind
from notifications.models import AnalysisNotification
from tests.factories import JsonClient, queue_chapter
from tests.notifications.test_socket import talk
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)  # the socket has connections of its own

LIST = "/api/async-analysis/notifications"
TOY = Kind(
    "halfway",
    label="half done",
    badge="Halfway",
    title="Chapter %(number)s is half done",
    message=lambda data: f"{data['left']} features are left.",
    task_status="processing",
    tone="muted",
    toast_seconds=7,
)


@pytest.fixture
def toy(project: NovelProject, monkeypatch: pytest.MonkeyPatch) -> AnalysisNotification:
    """A notification of a kind that no file of the program knows."""
    monkeypatch.setitem(KINDS, TOY.name, TOY)
    task = queue_chapter(project)
    in_transaction(
        lambda: outbox.publish(
            TOY.name,
            user_id=project.owner_id,
            task_id=task.pk,
            project_id=project.pk,
            chapter_id=task.chapter_id,
            chapter_number=7,
            data={"left": 2},
        )
    )
    return AnalysisNotification.objects.get()


def told(frame: dict[str, Any]) -> tuple[str, str, str]:
    return frame["notification_type"], frame["title"], frame["message"]


def test_api_and_socket_tell_a_new_kind(
    api: JsonClient, writer: User, toy: AnalysisNotification
) -> None:
    expected = ("halfway", "Chapter 7 is half done", "2 features are left.")
    (polled,) = api.get(LIST).json()
    assert told(polled) == expected
    documented: Any = NotificationSchema().fields["notification_type"]
    assert documented.choices["halfway"] == "half done"

    async def work(socket: WebsocketCommunicator) -> None:
        assert await socket.receive_json_from(PATIENCE_SECONDS) == polled

    talk(writer, work, "?since=0", protocol=None)


def test_pages_and_admin_know_a_new_kind(
    client: Client, writer: User, toy: AnalysisNotification
) -> None:
    writer.is_staff = writer.is_superuser = True
    writer.save()
    client.force_login(writer)
    page = client.get("/").content.decode()
    (block,) = re.findall(r'<script id="notification-kinds"[^>]*>(.*?)</script>', page)
    expected = {"status": "processing", "badge": "Halfway", "tone": "muted", "stay": 7000}
    assert json.loads(block)["halfway"] == expected
    listed = client.get("/admin/notifications/analysisnotification/").content.decode()
    assert "half done" in listed


def test_a_kind_of_a_newer_version_is_told_in_the_stored_words(
    api: JsonClient, toy: AnalysisNotification, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(KINDS, "halfway")
    (polled,) = api.get(LIST).json()
    assert told(polled) == ("halfway", "Chapter 7 is half done", "2 features are left.")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_fits_its_column(kind: Kind) -> None:
    field = AnalysisNotification._meta.get_field("notification_type")
    assert len(kind.name) <= (field.max_length or 0)
    assert len(str(kind.title) % {"number": 10**9}) <= 255
