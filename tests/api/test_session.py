"""A page whose session has ended gets a new one by a call, and keeps what is typed in it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "lantern-under-eaves-42"


def sign_in(client: Client, password: str = PASSWORD, **headers: str) -> Any:
    body = {"username": "lin", "password": password}
    return client.post("/api/auth/session", body, "application/json", headers=headers)


def test_the_browser_is_signed_in_again() -> None:
    user = make_user("lin")
    user.set_password(PASSWORD)
    user.save()
    client = Client()
    assert client.get("/api/projects").status_code == 401
    answer = sign_in(client)
    assert (answer.status_code, answer.json()) == (200, {"id": user.pk})
    assert client.get("/api/projects").status_code == 200


def test_a_wrong_password_names_its_field() -> None:
    make_user("lin")
    client = Client()
    answer = sign_in(client, "wrong")
    assert (answer.status_code, "password" in answer.json()) == (400, True)
    assert client.get("/api/projects").status_code == 401


def test_no_other_site_signs_a_browser_in() -> None:
    user = make_user("lin")
    user.set_password(PASSWORD)
    user.save()
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client).status_code == 403
    client.get("/login")
    token = client.cookies["csrftoken"].value
    assert sign_in(client, **{"X-CSRFToken": token}).status_code == 200
