"""Tokens of API clients: told once, kept as digests, ended by their writer, a password, disuse."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from pytest_django import Settings

from analysis.queue.prune import prune_step
from arboris.db import db_now
from arboris.tokens import service as tokens
from arboris.tokens.models import ApiToken
from tests.accounts.pages import NEW_PASSWORD, PASSWORD, sign_in, writer
from tests.factories import JsonClient, make_user

pytestmark = pytest.mark.django_db


def new_token(program: str = "", name: str = "yan") -> str:
    answer = JsonClient().post(
        "/api/auth/token",
        {"username": name, "password": PASSWORD},
        HTTP_USER_AGENT=program,
    )
    assert answer.status_code == 200, answer.content
    return str(answer.json()["token"])


def client_with(key: str) -> JsonClient:
    return JsonClient(HTTP_AUTHORIZATION=f"Token {key}")


def opens(key: str) -> bool:
    status = client_with(key).get("/api/projects").status_code
    assert status in (200, 401)
    return status == 200


def used_before(days: float) -> None:
    ApiToken.objects.update(used_at=db_now() - timedelta(days=days))


def test_each_program_has_its_own_and_signs_out(django_assert_num_queries: Any) -> None:
    user = writer()
    phone, desk = new_token("phone/1.0"), new_token("desk/2\x00.0")
    assert phone != desk
    assert len(phone) == 40 and int(phone, 16)
    # Nowhere to be read again.
    assert phone not in str(list(ApiToken.objects.values()))
    with django_assert_num_queries(1):
        assert tokens.user_of(phone) == user
    assert client_with(phone).delete("/api/auth/token").status_code == 204
    assert [opens(phone), opens(desk)] == [False, True]
    assert client_with(phone).delete("/api/auth/token").status_code == 401
    assert JsonClient().delete("/api/auth/token").status_code == 401
    assert client_with(f"{desk}\u00e9").get("/api/projects").status_code == 401
    by_session = JsonClient()
    by_session.force_login(user)
    assert by_session.delete("/api/auth/token").status_code == 401  # it has none to end


def test_the_account_page_lists_and_ends_them(visitor: Client) -> None:
    writer()
    writer("li")
    foreign = new_token("stranger", "li")
    phone, desk, third = new_token("phone/1.0"), new_token("<b>desk</b>"), new_token()
    assert visitor.get("/accounts/tokens/").headers["Location"].startswith("/login?next=")
    sign_in(visitor)
    assert b"/accounts/tokens/" in visitor.get("/accounts/").content
    page = visitor.get("/accounts/tokens/").content.decode()
    assert page.count("End this token") == 3
    assert "phone/1.0" in page and "&lt;b&gt;desk&lt;/b&gt;" in page and "stranger" not in page
    assert not any(key in page for key in (phone, desk, third))
    for wrong in ("", "x", "-1", "9" * 5000, str(ApiToken.objects.get(client="stranger").pk)):
        assert visitor.post("/accounts/tokens/", {"token": wrong}).status_code == 302
    assert ApiToken.objects.count() == 4
    visitor.post("/accounts/tokens/", {"token": ApiToken.objects.get(client="phone/1.0").pk})
    assert [opens(key) for key in (phone, desk, third, foreign)] == [False, True, True, True]
    visitor.post("/accounts/tokens/", {"token": "all"})
    assert [opens(key) for key in (phone, desk, third, foreign)] == [False, False, False, True]
    assert "No program has one." in visitor.get("/accounts/tokens/").content.decode()


def test_a_new_password_ends_them_whoever_sets_it(settings: Settings) -> None:
    user = writer()
    boss = Client()
    boss.force_login(make_user("boss", is_staff=True, is_superuser=True))
    key = new_token()
    # Anything else of the account is saved, and its hash is made anew by a stronger function.
    user.first_name = "砚秋"
    user.save()
    stronger = "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    settings.PASSWORD_HASHERS = [stronger, *settings.PASSWORD_HASHERS]
    assert sign_in(Client()).status_code == 302
    assert User.objects.get(pk=user.pk).password.startswith("pbkdf2")
    assert opens(key)
    new = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    changed = boss.post(f"/admin/auth/user/{user.pk}/password/", new)
    assert changed.status_code == 302
    assert not opens(key)
    # Who has shown a password that was changed in this moment gets none.
    user.password = make_password(PASSWORD)
    with pytest.raises(tokens.PasswordChanged):
        tokens.issue(user)


def test_what_nobody_uses_ends(settings: Settings) -> None:
    settings.ARBORIS_TOKEN_DAYS = 30
    writer()
    key = new_token()
    used_before(29.9)
    assert opens(key)
    assert ApiToken.objects.get().used_at > db_now() - timedelta(days=1)  # used: begins anew
    used_before(30.1)
    assert not opens(key)
    prune_step(db_now())
    assert not ApiToken.objects.exists()


@pytest.mark.databases
def test_of_too_many_the_longest_unused_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "PER_WRITER", 3)
    writer()
    kept = new_token()
    others = [new_token() for _ in range(2)]
    ApiToken.objects.exclude(digest=tokens.digest_of(kept)).update(
        used_at=db_now() - timedelta(hours=1)
    )
    newest = new_token()
    assert [opens(key) for key in (kept, *others, newest)] == [True, False, True, True]


@pytest.mark.databases
@pytest.mark.django_db(transaction=True)
def test_keys_of_before_go_on_to_work() -> None:
    key, other = "f" * 40, "0123456789abcdef" * 2 + "01234567"
    users = [writer(), writer("li")]
    executor = MigrationExecutor(connection)
    executor.migrate([("tokens", "0001_initial")])
    before = import_module("rest_framework.authtoken.migrations.0001_initial").Migration
    with connection.schema_editor() as editor:
        state = executor.loader.project_state([("auth", "0012_alter_user_first_name_max_length")])
        before("0001_initial", "authtoken").apply(state, editor)
    executor.recorder.record_applied("authtoken", "0001_initial")
    column = connection.ops.quote_name("key")
    insert = f"INSERT INTO authtoken_token ({column}, created, user_id) VALUES (%s, %s, %s)"
    now = connection.ops.adapt_datetimefield_value(db_now())
    with connection.cursor() as cursor:
        for one, user in zip((key, other), users, strict=True):
            cursor.execute(insert, [one, now, user.pk])
    # As one that was stopped after its first row, where the database cannot take that back.
    ApiToken.objects.create(
        user=users[0], digest=tokens.digest_of(key), created_at=db_now(), used_at=db_now()
    )
    call_command("migrate", verbosity=0)
    assert [tokens.user_of(one) for one in (key, other)] == users
    assert "authtoken_token" not in connection.introspection.table_names()
    assert ("authtoken", "0001_initial") not in executor.recorder.applied_migrations()
