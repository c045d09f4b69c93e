"""Guessing passwords is bounded alike at the API, on the site's page and on the admin's."""

from __future__ import annotations

import itertools
import logging
import time
from typing import Any

import pytest
from django.conf import settings as configured
from django.http import HttpResponse
from django.test import Client

from tests.factories import JsonClient, make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
PASSWORD = "lantern-under-eaves-42"
WRONG = "not the password"
PAGES = ["/login", "/admin/login/"]
WAYS = [*PAGES, "/api/auth/token", "/api/auth/session"]
REFUSALS = {
    "zh-hans": "登录尝试过多。请在 ",
    "en": "Too many attempts to sign in. Try again in ",
}


@pytest.fixture(autouse=True)
def few_attempts(monkeypatch: pytest.MonkeyPatch, no_time_passes: None) -> None:
    """Fewer than on a site, and of an account fewer than of an address, as there."""
    rates: Any = configured.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    assert allowed("account") < allowed("token")
    monkeypatch.setitem(rates, "account", "4/min")
    monkeypatch.setitem(rates, "token", "7/min")


def allowed(name: str) -> int:
    rates: Any = configured.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    number, _, period = rates[name].partition("/")
    assert period == "min"
    return int(number)


def sign_in(
    path: str, user: str = "lin", password: str = WRONG, address: str = "192.0.2.1", **headers: str
) -> Any:
    client: Client = JsonClient() if path.startswith("/api/") else Client()
    data = {"username": user, "password": password}
    return client.post(path, data, REMOTE_ADDR=address, headers=headers)


def minutes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    then, passed = time.time() + 61, time.monotonic() + 61
    monkeypatch.setattr("arboris.sign_in.monotonic", lambda: passed)
    monkeypatch.setattr(time, "time", lambda: then)


def refused(answer: HttpResponse) -> bool:
    if answer.status_code != 429:
        return False
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    return True


@pytest.mark.parametrize("path", WAYS)
def test_an_address_has_so_many_attempts(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_user("lin", password=PASSWORD, is_staff=True)
    for number in range(allowed("token")):
        assert not refused(sign_in(path, f"user{number}"))
    assert refused(sign_in(path, password=PASSWORD))
    assert not refused(sign_in(path, password=PASSWORD, address="192.0.2.2"))
    minutes_later(monkeypatch)
    assert sign_in(path, password=PASSWORD).status_code in (200, 302)
    assert not refused(sign_in(path))


@pytest.mark.parametrize("path", WAYS)
def test_an_account_has_so_many_wrong_passwords(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_user("lin", password=PASSWORD, is_staff=True)
    make_user("mo", password=PASSWORD, is_staff=True)
    for number in range(allowed("account")):
        assert not refused(sign_in(WAYS[number % 3], address=f"192.0.2.{number}"))
    assert refused(sign_in(path, password=PASSWORD, address="198.51.100.1"))
    assert not refused(sign_in(path, "mo", PASSWORD, address="198.51.100.1"))
    minutes_later(monkeypatch)
    assert not refused(sign_in(path, password=PASSWORD, address="198.51.100.1"))


def test_right_passwords_are_not_counted_against_an_account() -> None:
    make_user("lin", password=PASSWORD)
    for number in range(allowed("account") + 1):
        answer = sign_in("/login", password=PASSWORD, address=f"192.0.2.{number}")
        assert answer.status_code == 302


def test_an_ipv6_network_counts_as_one_address() -> None:
    for number in range(allowed("token")):
        sign_in("/login", f"user{number}", address=f"2001:db8:1:2::{number:x}")
    assert refused(sign_in("/login", address="2001:db8:1:2:ffff::1"))
    assert not refused(sign_in("/login", address="2001:db8:1:3::1"))
    assert not refused(sign_in("/login", address="::ffff:192.0.2.1"))


def test_all_ways_share_one_count_and_refuse_in_both_languages() -> None:
    for number in range(allowed("token")):
        assert not refused(sign_in(WAYS[number % 3], f"user{number}"))
    for path, (language, sentence) in itertools.product(WAYS, REFUSALS.items()):
        answer = sign_in(path, "somebody", **{"accept-language": language})
        assert refused(answer)
        if path in PAGES:
            page = answer.content.decode()
            assert sentence in page and 'name="password"' in page
        else:
            assert answer.json()["detail"].startswith(sentence)
            assert answer.json()["code"] == "throttled"


def test_a_refusal_is_logged_once_a_period(caplog: pytest.LogCaptureFixture) -> None:
    user = make_user("lin", password=PASSWORD)
    caplog.set_level(logging.WARNING, "arboris.sign_in")
    for _ in range(allowed("token") + 3):
        sign_in("/login")
    ours = [record for record in caplog.records if record.name == "arboris.sign_in"]
    account, address = (record.getMessage() for record in ours)
    assert f"account {user.pk}," in account and "192.0.2.1" in account
    assert "192.0.2.1" in address
    assert "lin" not in account and WRONG not in caplog.text
