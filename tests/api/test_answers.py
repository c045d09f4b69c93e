"""Errors that no view makes by hand: one shape, one language, nothing of the machinery inside."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from arboris.novels.models import NovelProject
from tests.factories import JsonClient, make_chapter
from tests.failures import disk_full, read_only

NOT_FOUND = {"detail": "未找到。", "code": "not_found"}


@contextmanager
def database_down(error: Exception) -> Iterator[None]:
    def refuse(*arguments: Any) -> Any:
        raise error

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.parametrize(
    "error",
    [OperationalError(2002, "Can't connect to server"), InterfaceError(0, ""), read_only()],
    ids=repr,
)
@pytest.mark.parametrize("signed_in_by", ["token", "session", "password"])
def test_while_the_database_is_down_it_is_503(
    api: JsonClient, writer: User, error: Exception, signed_in_by: str
) -> None:
    client, path = api, "/api/projects"
    if signed_in_by == "session":
        client = JsonClient()
        client.force_login(writer)
    elif signed_in_by == "password":
        client, path = JsonClient(), "/api/auth/token"
    with database_down(error):
        answer = client.post(path, {"title": "夜航", "username": "lin", "password": "x"})
    assert answer.status_code == 503
    assert set(answer.json()) == {"detail", "code"}
    assert answer.json()["code"] == "database_unavailable"
    assert "2002" not in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) > 0


def test_a_full_disk_is_507(api: JsonClient) -> None:
    with database_down(disk_full()):
        answer = api.post("/api/projects", {"title": "夜航"}, HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 507
    assert answer.json() == {
        "detail": "The server's disk is full, nothing was saved. "
        "Keep your text and try again later.",
        "code": "storage_full",
    }
    assert int(answer.headers["Retry-After"]) > 0


def test_a_page_without_database_is_503(writer: User) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(writer)
    with database_down(InterfaceError(0, "")):
        answer = client.get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert not answer.cookies
    assert client.get("/").status_code == 200


def test_every_404_says_the_same(api: JsonClient, project: NovelProject) -> None:
    chapter = make_chapter(project)
    paths = [
        f"/api/projects/{uuid.uuid4()}",
        f"/api/projects/{uuid.uuid4()}/chapters",
        "/api/chapters/1000000",
        "/api/async-analysis/tasks/1000000",
        f"/api/async-analysis/tasks/{chapter.pk}/latest",
        f"/api/async-analysis/status?project_id={uuid.uuid4()}",
        "/api/nothing",
    ]
    assert {path: api.get(path).json() for path in paths} == dict.fromkeys(paths, NOT_FOUND)
    english = {api.get(path, HTTP_ACCEPT_LANGUAGE="en").json()["detail"] for path in paths}
    assert english == {"Not found."}


def test_broken_json_says_where(api: JsonClient) -> None:
    answer = api.post(
        "/api/projects",
        b'{\n"title": }',
        content_type="application/json",
        HTTP_ACCEPT_LANGUAGE="en",
    )
    assert answer.status_code == 400
    assert answer.json() == {
        "detail": "The request is not valid JSON (line 2, column 10).",
        "code": "parse_error",
    }


def test_bytes_that_are_no_text_are_no_json(api: JsonClient) -> None:
    answer = api.post(
        "/api/projects", b"\xff{}", content_type="application/json", HTTP_ACCEPT_LANGUAGE="en"
    )
    assert answer.json()["detail"] == "The request is not valid JSON."


def test_a_broken_form_says_so(api: JsonClient, project: NovelProject) -> None:
    answer = api.post(
        f"/api/projects/{project.pk}/import",
        b"x",
        content_type="multipart/form-data",
        HTTP_ACCEPT_LANGUAGE="en",
    )
    assert answer.status_code == 400
    assert answer.json()["detail"] == "The form data cannot be read."


def test_a_missing_csrf_token_is_told_in_our_words(writer: User) -> None:
    client = JsonClient(enforce_csrf_checks=True)
    client.force_login(writer)
    answer = client.post("/api/projects", {"title": "x"}, HTTP_ACCEPT_LANGUAGE="en")
    assert (answer.status_code, answer.json()) == (
        403,
        {
            "detail": "The CSRF token is missing or wrong. Load the page again.",
            "code": "csrf_failed",
        },
    )
