"""Who may call: tokens, sessions with CSRF, nobody else's objects."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from analysis import queue
from arboris.novels.models import Chapter, NovelProject
from notifications.models import AnalysisNotification
from tests.factories import JsonClient, client_of, make_user, queue_chapter

PASSWORD = "lantern-under-eaves-42"
CALLS = [
    ("get", "/api/projects"),
    ("post", "/api/projects"),
    ("get", "/api/projects/{project}"),
    ("patch", "/api/projects/{project}"),
    ("delete", "/api/projects/{project}"),
    ("get", "/api/projects/{project}/chapters"),
    ("post", "/api/projects/{project}/chapters"),
    ("post", "/api/projects/{project}/chapters/generate"),
    ("post", "/api/projects/{project}/import"),
    ("get", "/api/projects/{project}/bible"),
    ("get", "/api/chapters/{chapter}"),
    ("patch", "/api/chapters/{chapter}"),
    ("get", "/api/chapters/{chapter}/findings"),
    ("get", "/api/async-analysis/status"),
    ("get", "/api/async-analysis/status?project_id={project}"),
    ("get", "/api/async-analysis/tasks"),
    ("get", "/api/async-analysis/tasks?project_id={project}"),
    ("get", "/api/async-analysis/tasks/{task}"),
    ("get", "/api/async-analysis/tasks/{chapter}/latest"),
    ("post", "/api/async-analysis/tasks/{task}/retry"),
    ("post", "/api/async-analysis/tasks/{task}/cancel"),
    ("get", "/api/async-analysis/notifications"),
    ("post", "/api/async-analysis/notifications/{notification}/read"),
    ("post", "/api/async-analysis/notifications/read-all"),
]
OF_AN_OBJECT = [call for call in CALLS if "{" in call[1]]
UNSAFE = [call for call in CALLS if call[0] != "get"]


@pytest.fixture
def ids(project: NovelProject) -> dict[str, Any]:
    """A novel with a chapter whose analysis was cancelled, and the notification of that."""
    task = queue_chapter(project)
    queue.cancel(task.pk)
    return {
        "project": project.pk,
        "chapter": task.chapter_id,
        "task": task.pk,
        "notification": AnalysisNotification.objects.get().pk,
    }


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_anonymous_is_401(
    anonymous: JsonClient, ids: dict[str, Any], method: str, path: str
) -> None:
    answer = getattr(anonymous, method)(path.format(**ids))
    assert answer.status_code == 401
    assert set(answer.json()) == {"detail", "code"}
    assert answer.headers["WWW-Authenticate"].startswith("Token")


@pytest.mark.parametrize(("method", "path"), OF_AN_OBJECT)
@pytest.mark.parametrize("staff", [False, True], ids=["writer", "superuser"])
def test_somebody_elses_object_is_404(
    ids: dict[str, Any], method: str, path: str, staff: bool
) -> None:
    other = client_of(make_user(is_staff=staff, is_superuser=staff))
    answer = getattr(other, method)(path.format(**ids))
    assert answer.status_code == 404
    assert set(answer.json()) == {"detail", "code"}
    assert NovelProject.objects.count() == Chapter.objects.count() == 1
    assert AnalysisNotification.objects.filter(is_read=0).count() == 1


def test_lists_hold_the_callers_own_alone(foreign: JsonClient, ids: dict[str, Any]) -> None:
    assert foreign.get("/api/projects").json() == []
    assert foreign.get("/api/async-analysis/tasks").json() == []
    assert foreign.get("/api/async-analysis/notifications").json() == []
    assert foreign.get("/api/async-analysis/status").json()["total"] == 0


@pytest.mark.parametrize(("method", "path"), UNSAFE)
def test_session_without_csrf_token_is_403(
    writer: User, ids: dict[str, Any], method: str, path: str
) -> None:
    client = JsonClient(enforce_csrf_checks=True)
    client.force_login(writer)
    answer = getattr(client, method)(path.format(**ids), {"title": "x"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "csrf_failed"
    assert NovelProject.objects.get().title == "听雨楼"
    assert Chapter.objects.count() == 1
    assert AnalysisNotification.objects.filter(is_read=0).count() == 1


def test_session_with_csrf_token_goes_through(writer: User) -> None:
    client = JsonClient(enforce_csrf_checks=True)
    assert client.get("/login").status_code == 200
    client.force_login(writer)
    token = client.cookies["csrftoken"].value
    answer = client.post("/api/projects", {"title": "夜航"}, HTTP_X_CSRFTOKEN=token)
    assert answer.status_code == 201


def test_a_password_gives_a_token(anonymous: JsonClient) -> None:
    make_user("lin", password=PASSWORD)
    answer = anonymous.post("/api/auth/token", {"username": "lin", "password": PASSWORD})
    assert answer.status_code == 200
    assert set(answer.json()) == {"token"}
    signed_in = JsonClient(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert signed_in.get("/api/projects").status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "lin", "password": "wrong"}, "non_field_errors"),
        ({"username": "nobody", "password": "wrong"}, "non_field_errors"),
        ({"username": "lin"}, "password"),
        ({"password": "x"}, "username"),
        ({"username": "l\x00n", "password": "x"}, "username"),
        ({"username": {"a": 1}, "password": "x"}, "username"),
    ],
)
def test_wrong_credentials_are_400(anonymous: JsonClient, body: dict[str, Any], field: str) -> None:
    make_user("lin", password=PASSWORD)
    answer = anonymous.post("/api/auth/token", body)
    assert answer.status_code == 400
    assert field in answer.json()
    assert answer.json()["code"] == "invalid"


def test_an_unknown_token_is_401(db: None) -> None:
    answer = JsonClient(HTTP_AUTHORIZATION="Token 0000").get("/api/projects")
    assert answer.status_code == 401


def test_a_locked_out_account_is_401(writer: User, api: JsonClient) -> None:
    writer.is_active = False
    writer.save()
    assert api.get("/api/projects").status_code == 401


def allowed_a_minute() -> int:
    rates: Any = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    number, _, period = rates["token"].partition("/")
    assert period == "min"
    return int(number)


@pytest.mark.usefixtures("no_time_passes")
def test_guessing_is_throttled(anonymous: JsonClient) -> None:
    allowed = allowed_a_minute()
    answers = [anonymous.post("/api/auth/token", {"username": "lin"}) for _ in range(allowed + 1)]
    assert [answer.status_code for answer in answers] == [400] * allowed + [429]
    assert set(answers[-1].json()) == {"detail", "code"}
    assert int(answers[-1].headers["Retry-After"]) <= 60


@pytest.mark.usefixtures("no_time_passes")
def test_a_forged_proxy_header_is_throttled(anonymous: JsonClient) -> None:
    codes = [
        anonymous.post(
            "/api/auth/token",
            {"username": "lin"},
            HTTP_X_FORWARDED_FOR=f"198.51.100.{guess}",
        ).status_code
        for guess in range(allowed_a_minute() + 1)
    ]
    assert codes[-1] == 429


@pytest.mark.usefixtures("no_time_passes")
def test_a_clock_that_is_set_changes_no_throttle(
    anonymous: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, now, passed = {"username": "lin"}, time.time(), time.monotonic()
    for _ in range(allowed_a_minute()):
        assert anonymous.post("/api/auth/token", body).status_code == 400
    for step in (3600, -3600):
        monkeypatch.setattr(time, "time", lambda step=step: now + step)
        answer = anonymous.post("/api/auth/token", body)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) <= 60
    monkeypatch.setattr("arboris.sign_in.monotonic", lambda: passed + 61)
    assert anonymous.post("/api/auth/token", body).status_code == 400


def test_a_stale_token_does_not_bar_a_new_one(db: None) -> None:
    make_user("lin", password=PASSWORD)
    client = JsonClient(HTTP_AUTHORIZATION="Token expired")
    answer = client.post("/api/auth/token", {"username": "lin", "password": PASSWORD})
    assert answer.status_code == 200
