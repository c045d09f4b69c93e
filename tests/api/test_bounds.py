"""What one writer may ask for: how often, how urgently, and how much may wait."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.throttling import SimpleRateThrottle

from analysis.models import PendingAnalysis, Status
from arboris.novels.models import Chapter, NovelProject
from tests.api.test_import import NOVEL, upload
from tests.factories import (
    LONG_ENOUGH,
    JsonClient,
    client_of,
    make_project,
    queue_chapter,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def one_a_day(settings: Settings) -> None:
    rates: dict[str, str] = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]}
    rates |= {"import": "1/day", "generate": "1/day", "retry": "1/day"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}


@pytest.mark.usefixtures("one_a_day")
@pytest.mark.parametrize("call", ["import", "chapters/generate", "retry"])
def test_dear_calls_have_a_rate_of_each_writer(
    api: JsonClient,
    project: NovelProject,
    stranger: User,
    call: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def post(client: JsonClient, novel: NovelProject) -> Any:
        if call == "retry":
            return client.post("/api/async-analysis/tasks/1/retry")
        return client.post(f"/api/projects/{novel.pk}/{call}", {})

    with monkeypatch.context() as patch:  # the host's clock is ahead, and is set right then
        patch.setattr(SimpleRateThrottle, "timer", staticmethod(lambda: time.time() + 3600))
        assert post(api, project).status_code != 429
    refused = post(api, project)
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    assert 0 < int(refused["Retry-After"]) <= 86_400
    assert post(client_of(stranger), make_project(stranger)).status_code != 429


def test_the_highest_priority_is_the_sites(
    api: JsonClient, project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_MAX_PRIORITY = 6
    url = f"/api/projects/{project.pk}/chapters"
    refused = api.post(url, {"content": LONG_ENOUGH, "priority": 7})
    assert refused.status_code == 400
    assert "6" in refused.json()["priority"][0]
    high = api.post(url, {"content": LONG_ENOUGH * 2, "priority": 6})
    assert high.status_code == 201
    settings.ARBORIS_MAX_PRIORITY = 3  # less than what holds where nothing is asked for
    saved = api.post(url, {"content": LONG_ENOUGH})
    assert (saved.status_code, saved.json()["analysis"]["priority"]) == (201, 3)
    # Where nothing is asked for it is that of the analysis before, but no higher.
    split = f"/api/chapters/{high.json()['id']}/split"
    assert api.post(split, {"at": len(LONG_ENOUGH)}).status_code == 201
    live = PendingAnalysis.objects.filter(status=Status.PENDING)
    assert set(live.values_list("priority", flat=True)) == {3}


def test_no_more_of_a_writer_wait_than_may(
    api: JsonClient, project: NovelProject, stranger: User, settings: Settings
) -> None:
    settings.ARBORIS_MAX_PENDING = 3
    theirs = make_project(stranger)
    queue_chapter(theirs)  # another's takes nobody's place
    refused = upload(api, project, (NOVEL + NOVEL).encode())
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_pending")
    assert int(refused["Retry-After"]) > 0
    assert not Chapter.everything.filter(project=project).exists()

    assert upload(api, project, NOVEL.encode()).status_code == 201
    url = f"/api/projects/{project.pk}/chapters"
    saved = api.post(url, {"content": LONG_ENOUGH})
    assert saved.status_code == 201
    assert saved.json()["analysis"] is None
    assert saved.json()["analysis_note"]
    assert upload(api, project, NOVEL.encode(), mode="basic").status_code == 201

    waiting = PendingAnalysis.objects.filter(user=project.owner, status=Status.PENDING)
    chapter = waiting.earliest("pk").chapter_id
    changed = api.patch(f"/api/chapters/{chapter}", {"content": LONG_ENOUGH + "又一句。"})
    assert changed.json()["analysis"]["status"] == "pending"  # in its own former place
    assert waiting.count() == 3
