"""What a careless or hostile client sends: a 400 that names the field, nothing half-written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django_q.models import OrmQ

from analysis.models import PendingAnalysis
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from notifications.models import AnalysisNotification
from tests.factories import LONG_ENOUGH, JsonClient

pytestmark = pytest.mark.postgresql

WRITTEN = (Chapter, ChapterVersion, PendingAnalysis, AnalysisNotification, OrmQ)


def rows() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in WRITTEN}


def refused(api: JsonClient, project: NovelProject, body: dict[str, Any], field: str) -> str:
    """The answer's detail, after checking that the field is named and nothing was written."""
    before = rows()
    answer = api.post(f"/api/projects/{project.pk}/chapters", {"content": LONG_ENOUGH, **body})
    assert answer.status_code == 400, answer.content
    assert field in answer.json(), answer.json()
    assert answer.json()["code"] == "invalid"
    assert rows() == before
    return str(answer.json()["detail"])


@pytest.mark.parametrize(
    "content",
    [
        "",
        " \n\t　",
        None,
        17,
        True,
        ["a"],
        {"a": "b"},
        "有\x00空",
        "\ud800",
        "钟声\udfff",
        "a\x08b",
    ],
    ids=repr,
)
def test_content(api: JsonClient, project: NovelProject, content: Any) -> None:
    # By hand: the test client's own renderer refuses lone surrogates.
    body = json.dumps({"content": content})
    before = rows()
    answer = api.post(f"/api/projects/{project.pk}/chapters", body, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert "content" in answer.json()
    assert rows() == before


def test_content_that_is_missing(api: JsonClient, project: NovelProject) -> None:
    answer = api.post(f"/api/projects/{project.pk}/chapters", {})
    assert answer.status_code == 400
    assert "content" in answer.json()


@pytest.mark.parametrize("letter", ["a", "字"])
def test_chapter_of_six_megabytes(api: JsonClient, project: NovelProject, letter: str) -> None:
    size = 6 * 1024 * 1024 // len(letter.encode())
    assert refused(api, project, {"content": letter * size}, "content").startswith("content")


def test_request_beyond_all_bounds_is_413(api: JsonClient, project: NovelProject) -> None:
    body = b'{"content": "' + b"a" * (17 * 1024 * 1024) + b'"}'
    answer = api.post(f"/api/projects/{project.pk}/chapters", body, content_type="application/json")
    assert answer.status_code == 413
    assert set(answer.json()) == {"detail", "code"}
    assert rows()["Chapter"] == 0


@pytest.mark.parametrize(
    "priority", [0, 11, -1, "x", "", True, 5.5, None, [5], {}, 10**400], ids=str
)
def test_priority(api: JsonClient, project: NovelProject, priority: Any) -> None:
    refused(api, project, {"priority": priority}, "priority")


@pytest.mark.parametrize("number", [0, -3, "x", 1.5, 10**12, [1]], ids=str)
def test_chapter_number(api: JsonClient, project: NovelProject, number: Any) -> None:
    refused(api, project, {"chapter_number": number}, "chapter_number")


@pytest.mark.parametrize("mode", ["fast", "", None, 1, True, []], ids=str)
def test_mode(api: JsonClient, project: NovelProject, mode: Any) -> None:
    refused(api, project, {"mode": mode}, "mode")


@pytest.mark.parametrize(
    "title", ["字" * 201, "有\x00空", ["a"], {}, 5, False], ids=lambda t: str(t)[:9]
)
def test_title(api: JsonClient, project: NovelProject, title: Any) -> None:
    refused(api, project, {"title": title}, "title")


def test_title_with_a_lone_surrogate(api: JsonClient, project: NovelProject) -> None:
    body = json.dumps({"content": LONG_ENOUGH, "title": "\ud83d"})
    answer = api.post(f"/api/projects/{project.pk}/chapters", body, content_type="application/json")
    assert answer.status_code == 400
    assert "title" in answer.json()
    assert rows()["Chapter"] == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"17",
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"content": NaN}',
        b'{"content": ' + b"9" * 5_000 + b"}",
    ],
    ids=lambda body: str(body[:12]),
)
@pytest.mark.parametrize("path", ["/api/projects", "/api/projects/{project}/chapters"])
def test_what_is_no_json_object(
    api: JsonClient, project: NovelProject, body: bytes, path: str
) -> None:
    before = rows()
    answer = api.post(path.format(project=project.pk), body, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert {"detail", "code"} <= set(answer.json())
    assert rows() == before
    assert NovelProject.objects.count() == 1


@pytest.mark.parametrize("mode", ["enhanced", "basic"])
def test_every_fault_is_named_at_once(api: JsonClient, project: NovelProject, mode: str) -> None:
    body = {"content": "", "priority": 11, "chapter_number": 0, "mode": mode}
    answer = api.post(f"/api/projects/{project.pk}/chapters", body).json()
    assert {"content", "priority", "chapter_number"} <= set(answer)
