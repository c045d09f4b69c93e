"""Signing up: open, by invitation, closed; the address is confirmed before the first sign-in."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from pytest_django import Settings

from arboris.accounts import invitations
from arboris.accounts.models import Invitation
from arboris.db import db_now
from tests.accounts.pages import (
    PASSWORD,
    confirm,
    is_signed_in,
    link_in,
    mail_to,
    sign_in,
    sign_up,
    writer,
)
from tests.factories import JsonClient, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_site(settings: Settings) -> None:
    settings.ARBORIS_SIGN_UP = "open"


@pytest.fixture
def by_invitation(settings: Settings) -> None:
    settings.ARBORIS_SIGN_UP = "invitation"


@pytest.fixture
def staff(visitor: Client) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    return client


def invite(staff: Client, email: str = "") -> str:
    """The path of a new invitation's link, as the admin shows it."""
    expires = db_now() + timedelta(days=3)
    data = {"email": email, "note": "for Yan", "expires_at_0": f"{expires:%Y-%m-%d}"}
    data |= {"expires_at_1": f"{expires:%H:%M:%S}"}
    answer = staff.post("/admin/accounts/invitation/add/", data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    newest = Invitation.objects.latest("pk")
    page = staff.get(f"/admin/accounts/invitation/{newest.pk}/change/").content.decode()
    return page.partition("http://testserver")[2].partition("<")[0].strip()


@pytest.mark.databases
def test_from_the_form_to_the_first_page(visitor: Client, open_site: None) -> None:
    assert b"/accounts/signup/" in visitor.get("/login").content
    assert sign_up(visitor).headers["Location"] == "/accounts/confirm-email/"
    early = sign_in(visitor)
    assert early.status_code == 200
    assert "Confirm your e-mail address first" in early.content.decode()
    token = {"username": "yan", "password": "salt-lamp-47-rain"}
    for call in ("/api/auth/token", "/api/auth/session"):
        refused = visitor.post(call, token, "application/json")
        assert (refused.status_code, refused.json()["code"]) == (403, "email_not_confirmed"), call
    assert not is_signed_in(visitor)
    confirm(visitor, "yan@example.org")
    assert sign_in(visitor).headers["Location"] == "/"
    assert is_signed_in(visitor)
    assert JsonClient().post("/api/auth/token", token).status_code == 200


@pytest.mark.databases
def test_a_confirmed_address_signs_in_and_guessing_at_it_is_bounded(
    visitor: Client, open_site: None, no_time_passes: None
) -> None:
    sign_up(visitor)
    typed = " Yan@Example.org"
    assert sign_in(visitor, typed).context["form"].errors  # not confirmed yet
    confirm(visitor, "yan@example.org")
    assert sign_in(visitor, typed).headers["Location"] == "/"
    assert is_signed_in(visitor)
    answer = JsonClient().post(
        "/api/auth/token", {"username": "yan@example.org", "password": PASSWORD}
    )
    assert answer.status_code == 200

    known, unknown = (
        sign_in(Client(headers={"accept-language": "en"}), name, "wrong")
        for name in ("yan@example.org", "stranger@example.org")
    )
    assert known.status_code == unknown.status_code == 200
    assert known.context["form"].errors == unknown.context["form"].errors
    # By name and by address it is one account.
    name, wrong = itertools.cycle(("yan", "yan@example.org")), 1
    while (
        last := sign_in(Client(REMOTE_ADDR=f"192.0.2.{wrong}"), next(name), "wrong")
    ).status_code != 429:
        wrong += 1
        assert wrong <= 10
    assert last.headers["Retry-After"]


def test_closed_is_the_default(visitor: Client) -> None:
    assert b"/accounts/signup/" not in visitor.get("/login").content
    assert "Sign-up is closed" in visitor.get("/accounts/signup/").content.decode()
    sign_up(visitor)
    assert not User.objects.exists()


def test_nobody_learns_who_has_an_account(visitor: Client, open_site: None) -> None:
    """The same answer for an address that is known; its owner is told by mail."""
    writer("li", "li@example.org")
    known, unknown = sign_up(visitor, "other", "li@example.org"), sign_up(visitor, "yan")
    assert known.status_code == unknown.status_code == 302
    assert known.headers["Location"] == unknown.headers["Location"]
    assert "already" in str(mail_to("li@example.org").body)
    assert not User.objects.filter(username="other").exists()


@pytest.mark.parametrize("field", ["username", "email", "password1"])
def test_what_is_wrong_is_said_at_its_field(visitor: Client, open_site: None, field: str) -> None:
    data = {"username": "yan", "email": "yan@example.org", "password1": "x7Kq-2wDd-91"}
    data["password2"] = data["password1"]
    data[field] = {"username": "a b\0", "email": "nowhere", "password1": "12345"}[field]
    answer = visitor.post("/accounts/signup/", data)
    assert answer.status_code == 200
    assert answer.context["form"].errors[field]
    assert not User.objects.exists()


@pytest.mark.databases
def test_a_sign_up_that_was_left_frees_its_name(visitor: Client, open_site: None) -> None:
    writer("li")
    sign_up(visitor, "mo", "mo@example.org")
    confirm(visitor, "mo@example.org")
    sign_up(visitor)
    assert sign_up(visitor, "yan", "other@example.org").context["form"].errors["username"]
    User.objects.update(date_joined=db_now() - timedelta(days=8))
    assert sign_up(visitor, "yan", "other@example.org").status_code == 302
    assert User.objects.get(username="yan").email == "other@example.org"
    assert {"li", "mo"} < set(User.objects.values_list("username", flat=True))


@pytest.mark.databases
def test_an_invitation_is_used_once(staff: Client, visitor: Client, by_invitation: None) -> None:
    path = invite(staff)
    assert "Sign-up is closed" in visitor.get("/accounts/signup/").content.decode()
    assert visitor.get(path).headers["Location"] == "/accounts/signup/"
    second = Client(headers={"accept-language": "en"})
    second.get(path)
    assert sign_up(visitor).status_code == 302
    confirm(visitor, "yan@example.org")
    invitation = Invitation.objects.get()
    assert invitation.used_by == User.objects.get(username="yan")
    assert invitation.created_by == User.objects.get(username="boss")
    # Of two who had opened the link, the second is too late.
    assert "Sign-up is closed" in sign_up(second, "li", "li@example.org").content.decode()
    assert second.get(path).status_code == 404
    assert not User.objects.filter(username="li").exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment_make_one_account(
    staff: Client, visitor: Client, by_invitation: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second looked while the first had not ended: using it up is what decides."""
    path = invite(staff)
    visitor.get(path)
    really = invitations.use

    def late(invitation: Invitation, user: User) -> bool:
        Invitation.objects.update(used_at=db_now())
        return really(invitation, user)

    monkeypatch.setattr(invitations, "use", late)
    assert "Sign-up is closed" in sign_up(visitor).content.decode()
    assert not User.objects.filter(username="yan").exists()


def test_an_invitation_that_is_old_or_forged(
    staff: Client, visitor: Client, by_invitation: None
) -> None:
    path = invite(staff)
    assert visitor.get(path[:-4] + "abc/").status_code == 404
    visitor.get(path)
    Invitation.objects.update(expires_at=db_now() - timedelta(seconds=1))
    assert visitor.get(path).status_code == 404
    assert "Sign-up is closed" in sign_up(visitor).content.decode()


def test_an_invitation_goes_by_mail(staff: Client, visitor: Client, by_invitation: None) -> None:
    path = invite(staff, "yan@example.org")
    assert link_in(mail_to("yan@example.org")) == path
    assert len(mail.outbox) == 1
