"""Polling for notifications with ``since``: nobody misses one, whatever the limit."""

from __future__ import annotations

import pytest

from analysis import queue
from arboris.novels.models import NovelProject
from notifications.models import AnalysisNotification
from tests.factories import JsonClient, queue_chapter

pytestmark = pytest.mark.databases

LIST = "/api/async-analysis/notifications"


@pytest.fixture
def ids(project: NovelProject) -> list[int]:
    """Seven notifications, oldest first."""
    for _ in range(7):
        queue.cancel(queue_chapter(project).pk)
    return list(AnalysisNotification.objects.order_by("pk").values_list("pk", flat=True))


def fetched(api: JsonClient, query: str) -> list[int]:
    return [row["id"] for row in api.get(f"{LIST}?{query}").json()]


def test_since_gives_the_next_ones_newest_first(api: JsonClient, ids: list[int]) -> None:
    assert fetched(api, f"since={ids[1]}&limit=3") == [ids[4], ids[3], ids[2]]
    assert fetched(api, "since=0&limit=2") == [ids[1], ids[0]]
    assert fetched(api, f"since={ids[-1]}") == []


def test_without_since_the_newest(api: JsonClient, ids: list[int]) -> None:
    assert fetched(api, "limit=2") == [ids[6], ids[5]]
    assert fetched(api, "since=&limit=2") == [ids[6], ids[5]]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_a_poller_that_goes_on_misses_none(api: JsonClient, ids: list[int], limit: int) -> None:
    seen: list[int] = []
    while found := fetched(api, f"since={max(seen, default=0)}&limit={limit}"):
        seen += reversed(found)
    assert seen == ids


def test_unread_ones_alone(api: JsonClient, ids: list[int]) -> None:
    AnalysisNotification.objects.filter(pk__in=ids[1:3]).update(is_read=1)
    assert fetched(api, f"unread_only=true&since={ids[0]}&limit=2") == [ids[4], ids[3]]
    assert fetched(api, "unread_only=true&limit=6") == [*ids[:2:-1], ids[0]]
