"""Password, e-mail address, sessions, language, and the end of an account."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from pytest_django import Settings

from analysis.models import PendingAnalysis
from arboris.novels.models import NovelProject
from arboris.tokens import service as tokens
from arboris.tokens.models import ApiToken
from tests.accounts.pages import (
    NEW_PASSWORD,
    PASSWORD,
    confirm,
    is_signed_in,
    link_in,
    mail_to,
    sign_in,
    writer,
)
from tests.factories import make_project, queue_chapter

pytestmark = pytest.mark.django_db


@pytest.fixture
def yan(visitor: Client) -> Client:
    """Signed in by name, on an account as staff make it: without an e-mail address."""
    writer()
    assert sign_in(visitor).status_code == 302
    return visitor


def reauthenticate(client: Client) -> None:
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


# --- password -----------------------------------------------------------------------------------
def test_a_forgotten_password(visitor: Client) -> None:
    user = writer(email="yan@example.org")
    tokens.issue(user)
    assert b"/accounts/password/reset/" in visitor.get("/login").content
    known = visitor.post("/accounts/password/reset/", {"email": "yan@example.org"})
    unknown = visitor.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert known.headers["Location"] == unknown.headers["Location"]
    assert "http://testserver" in str(mail_to("nobody@example.org").body)
    path = visitor.get(link_in(mail_to("yan@example.org"))).headers["Location"]
    new = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert visitor.post(path, new).status_code == 302
    assert not ApiToken.objects.exists()
    assert sign_in(visitor).status_code == 200
    assert sign_in(visitor, password=NEW_PASSWORD).status_code == 302
    # The link works once.
    again = Client(headers={"accept-language": "en"})
    assert "invalid" in again.get(link_in(mail.outbox[0])).content.decode()


def test_a_new_password_ends_all_other_sessions_and_the_token(yan: Client) -> None:
    other = Client()
    sign_in(other)
    tokens.issue(User.objects.get())
    new = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    wrong = yan.post("/accounts/password/change/", {**new, "oldpassword": "wrong"})
    assert wrong.context["form"].errors["oldpassword"]
    assert yan.post("/accounts/password/change/", new).status_code == 302
    assert is_signed_in(yan)
    assert not is_signed_in(other)
    assert not ApiToken.objects.exists()


def test_a_site_without_email_says_so(visitor: Client, settings: Settings) -> None:
    settings.ARBORIS_SENDS_EMAIL = False
    assert b"/accounts/password/reset/" not in visitor.get("/login").content
    assert visitor.get("/accounts/password/reset/").status_code == 503
    assert mail.outbox == []


def test_a_mail_server_that_is_away_is_told_of(visitor: Client, settings: Settings) -> None:
    writer(email="yan@example.org")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    answer = visitor.post("/accounts/password/reset/", {"email": "yan@example.org"})
    assert answer.status_code == 503
    assert "could not be sent" in answer.content.decode()


@pytest.mark.usefixtures("no_time_passes")
def test_who_guesses_is_stopped(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: Any = django_settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    monkeypatch.setitem(rates, "token", "3/min")
    email = {"email": "nobody@example.org"}
    codes = [visitor.post("/accounts/password/reset/", email).status_code for _ in range(4)]
    assert codes == [302, 302, 302, 429]
    assert sign_in(visitor).status_code == 429  # one count for all of them


# --- e-mail address -----------------------------------------------------------------------------
def test_an_address_is_changed_once_it_is_confirmed(yan: Client) -> None:
    answer = yan.post("/accounts/email/", {"action_add": "", "email": "yan@example.org"})
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    reauthenticate(yan)
    yan.post("/accounts/email/", {"action_add": "", "email": "yan@example.org"})
    assert User.objects.get().email == ""
    # Who mistyped it can sign in by name all the same.
    assert sign_in(Client()).status_code == 302
    confirm(yan, "yan@example.org")
    assert User.objects.get().email == "yan@example.org"
    assert "yan@example.org" in yan.get("/accounts/email/").content.decode()


# --- sessions -----------------------------------------------------------------------------------
def test_one_session_or_all_others_are_ended_from_here(yan: Client) -> None:
    phone, library, stranger = Client(), Client(), Client()
    for client in (phone, library):
        sign_in(client)
    writer("li")
    sign_in(stranger, "li")
    page = yan.get("/accounts/sessions/").content.decode()
    assert page.count("Sign out there") == 2
    assert page.count("This browser") == 1
    foreign = UserSession.objects.get(user__username="li")
    yan.post("/accounts/sessions/", {"session": foreign.pk})
    assert is_signed_in(stranger)
    first = UserSession.objects.filter(session_key=phone.session.session_key)
    yan.post("/accounts/sessions/", {"session": first.get().pk})
    assert [is_signed_in(client) for client in (phone, library, yan)] == [False, True, True]
    yan.post("/accounts/sessions/", {"session": "others"})
    assert [is_signed_in(client) for client in (library, yan)] == [False, True]
    for wrong in ("", "x", "99999999", "-1", "9" * 5000):
        assert yan.post("/accounts/sessions/", {"session": wrong}).status_code == 302
    assert is_signed_in(yan)


# --- profile ------------------------------------------------------------------------------------
def test_the_language_goes_where_its_writer_goes(yan: Client) -> None:
    saved = yan.post("/accounts/", {"name": "砚秋", "language": "zh-hans"}, follow=True)
    assert "已保存" in saved.content.decode()
    assert 'lang="zh-hans"' in yan.get("/").content.decode()
    assert User.objects.get().get_full_name() == "砚秋"
    elsewhere = Client(headers={"accept-language": "en"})
    assert "Sign in" in elsewhere.get("/login").content.decode()
    sign_in(elsewhere)
    assert 'lang="zh-hans"' in elsewhere.get("/").content.decode()
    # The switch in the bar is kept too; without a language the browser's counts.
    elsewhere.post("/i18n/setlang", {"language": "en", "next": "/"})
    third = Client(headers={"accept-language": "zh-CN"})
    sign_in(third)
    assert 'lang="en"' in third.get("/").content.decode()
    third.post("/accounts/", {"name": "", "language": ""})
    assert 'lang="zh-hans"' in third.get("/").content.decode()


def test_a_language_that_there_is_not(yan: Client) -> None:
    answer = yan.post("/accounts/", {"name": "", "language": "xx"})
    assert answer.context["form"].errors["language"]


# --- the end ------------------------------------------------------------------------------------
@pytest.mark.databases
def test_an_account_is_deleted_with_all_that_is_its_own(yan: Client) -> None:
    user = User.objects.get()
    kept, thrown = make_project(user, "盐灯"), make_project(user, "废稿")
    queue_chapter(kept)
    assert yan.delete(f"/api/projects/{thrown.pk}").status_code in (204, 403)
    other = writer("li")
    spared = make_project(other)
    page = yan.get("/accounts/delete/").content.decode()
    for path in re.findall(r'href="(/api/[^"]+)" download', page):
        export: Any = yan.get(path.replace("&amp;", "&"))
        assert export.status_code == 200, path
        assert export.getvalue()  # read to its end, which closes its file
    unsure = yan.post("/accounts/delete/", {})
    assert unsure.headers["Location"].startswith("/accounts/reauthenticate/")
    reauthenticate(yan)
    assert yan.post("/accounts/delete/", {}).context["form"].errors["understood"]
    done = yan.post("/accounts/delete/", {"understood": "on"}, follow=True)
    assert "Your account is deleted." in done.content.decode()
    assert list(User.objects.all()) == [other]
    assert list(NovelProject.everything.all()) == [spared]
    assert not PendingAnalysis.objects.exists()
    assert not UserSession.objects.exists()
    assert not is_signed_in(yan)
    assert sign_in(yan).status_code == 200


def test_staff_are_deleted_by_staff(visitor: Client) -> None:
    User.objects.create_superuser("boss", password=PASSWORD)
    sign_in(visitor, "boss")
    reauthenticate(visitor)
    assert visitor.post("/accounts/delete/", {"understood": "on"}).status_code == 403
    assert User.objects.exists()


@pytest.mark.parametrize("path", ["", "sessions/", "delete/", "email/", "password/change/"])
def test_the_pages_ask_to_sign_in(visitor: Client, path: str) -> None:
    answer = visitor.get(f"/accounts/{path}")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login?next=/accounts/")
    assert Session.objects.count() <= 1
