"""Novels over the API: list, create, read, change, delete."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from arboris.novels import services
from arboris.novels.models import NovelProject
from tests.factories import JsonClient

FIELDS = {"id", "title", "genre", "synopsis", "language", "created_at", "updated_at"}


def test_create_answers_201_with_a_uuid(api: JsonClient) -> None:
    answer = api.post(
        "/api/projects", {"title": "雾港来信", "genre": "悬疑", "synopsis": "一封信。"}
    )
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) >= FIELDS
    assert str(uuid.UUID(body["id"])) == body["id"]
    assert (body["title"], body["genre"], body["synopsis"]) == ("雾港来信", "悬疑", "一封信。")
    assert body["language"] == "zh"
    assert body["created_at"].endswith("Z")


def test_title_alone_is_enough_and_language_is_kept(api: JsonClient) -> None:
    body = api.post("/api/projects", {"title": "Salt Road", "language": "en"}).json()
    assert (body["language"], body["genre"], body["synopsis"]) == ("en", "", "")


def test_list_and_detail_show_the_same(api: JsonClient, project: NovelProject) -> None:
    (listed,) = api.get("/api/projects").json()
    assert listed == api.get(f"/api/projects/{project.pk}").json()
    assert listed["id"] == str(project.pk)


def test_newest_novel_comes_first(api: JsonClient) -> None:
    for title in ("甲", "乙"):
        api.post("/api/projects", {"title": title})
    assert [row["title"] for row in api.get("/api/projects").json()] == ["乙", "甲"]


def test_patch_changes_what_is_named(api: JsonClient, project: NovelProject) -> None:
    answer = api.patch(f"/api/projects/{project.pk}", {"genre": "武侠"})
    assert answer.status_code == 200
    assert (answer.json()["title"], answer.json()["genre"]) == ("听雨楼", "武侠")


def test_a_patch_writes_what_it_names_alone(
    api: JsonClient, project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another call changes the genre between this one's reading the row and its saving."""
    really = services.lock_project

    def later(project_id: uuid.UUID) -> NovelProject:
        NovelProject.objects.update(genre="武侠")
        return really(project_id)

    monkeypatch.setattr(services, "lock_project", later)
    assert api.patch(f"/api/projects/{project.pk}", {"title": "新题"}).status_code == 200
    project.refresh_from_db()
    assert (project.title, project.genre) == ("新题", "武侠")


def test_patch_cannot_change_the_id(api: JsonClient, project: NovelProject) -> None:
    body = api.patch(f"/api/projects/{project.pk}", {"id": str(uuid.uuid4())}).json()
    assert body["id"] == str(project.pk)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": None}, "title"),
        ({"title": "字" * 201}, "title"),
        ({"title": "有\x00空"}, "title"),
        ({"title": ["a"]}, "title"),
        ({"title": 5}, "title"),
        ({"title": True}, "title"),
        ({"title": "甲", "genre": 5}, "genre"),
        ({"title": "甲", "synopsis": 1.5}, "synopsis"),
        ({"title": "甲", "language": "fr"}, "language"),
        ({"title": "甲", "genre": "字" * 101}, "genre"),
        ({"title": "甲", "synopsis": "字" * 20_001}, "synopsis"),
    ],
)
def test_wrong_fields_are_named(api: JsonClient, body: dict[str, Any], field: str) -> None:
    answer = api.post("/api/projects", body)
    assert answer.status_code == 400
    assert field in answer.json()
    assert answer.json()["code"] == "invalid"
    assert answer.json()["detail"].startswith(field)
    assert not NovelProject.objects.exists()


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_absent_novel_is_404(api: JsonClient, method: str) -> None:
    answer = getattr(api, method)(f"/api/projects/{uuid.uuid4()}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"detail", "code"}


@pytest.mark.parametrize("path", ["/api/projects/not-a-uuid", "/api/nothing", "/api/projects/"])
def test_unknown_paths_are_404_in_json(api: JsonClient, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"detail", "code"}


def test_wrong_method_is_405_in_json(api: JsonClient, project: NovelProject) -> None:
    answer = api.put(f"/api/projects/{project.pk}", {"title": "x"})
    assert answer.status_code == 405
    assert set(answer.json()) == {"detail", "code"}


def test_form_data_is_415_in_json(api: JsonClient) -> None:
    answer = api.post("/api/projects", {"title": "x"}, format="multipart")
    assert answer.status_code == 415
    assert set(answer.json()) == {"detail", "code"}
