"""E-mail by a real mail server, and what ARBORIS_EMAIL_URL may be."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings

from arboris import checks
from arboris.email_url import read_email_url
from tests.accounts import smtp
from tests.accounts.pages import writer


def use(settings: Settings, url: str) -> None:
    for name, value in read_email_url("ARBORIS_EMAIL_URL", url).items():
        setattr(settings, name, value)


def test_a_message_arrives(visitor: Client, settings: Settings) -> None:
    writer(email="yan@example.org")
    settings.DEFAULT_FROM_EMAIL = "desk@example.org"
    with smtp.running() as server:
        use(settings, f"smtp://127.0.0.1:{server.port}?tls=0")
        sent = visitor.post("/accounts/password/reset/", {"email": "yan@example.org"})
        assert sent.status_code == 302
        (message,) = server.messages
        assert "To: yan@example.org" in message
        assert "From: desk@example.org" in message
        assert "/accounts/password/reset/key/" in message


def test_a_server_that_refuses_is_told_of(
    visitor: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    writer(email="refused@example.org")
    with smtp.running() as server:
        use(settings, f"smtp://127.0.0.1:{server.port}?tls=0")
        answer = visitor.post("/accounts/password/reset/", {"email": "refused@example.org"})
    assert answer.status_code == 503
    assert "could not be sent" in answer.content.decode()
    assert "SMTPRecipientsRefused" in caplog.text
    assert "refused@example.org" not in caplog.text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "smtp://desk:p%40ss@mail.example.org",
            {
                "EMAIL_HOST": "mail.example.org",
                "EMAIL_PORT": 587,
                "EMAIL_HOST_USER": "desk",
                "EMAIL_HOST_PASSWORD": "p@ss",
                "EMAIL_USE_TLS": True,
                "EMAIL_USE_SSL": False,
            },
        ),
        ("smtps://mail.example.org", {"EMAIL_PORT": 465, "EMAIL_USE_SSL": True}),
        ("smtp://mail:25?tls=0", {"EMAIL_PORT": 25, "EMAIL_USE_TLS": False}),
        ("file:///var/mail/out", {"EMAIL_FILE_PATH": "/var/mail/out"}),
    ],
)
def test_what_an_address_says(url: str, expected: dict[str, Any]) -> None:
    read = read_email_url("ARBORIS_EMAIL_URL", url)
    assert expected.items() <= read.items()


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org",
        "http://mail",
        "smtp://",
        "smtp://mail:port",
        "smtp://m?tls=no",
        "file://",
    ],
)
def test_a_wrong_address_names_the_setting(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^ARBORIS_EMAIL_URL: "):
        read_email_url("ARBORIS_EMAIL_URL", url)


@pytest.mark.parametrize("who", ["open", "invitation"])
def test_signing_up_needs_email(settings: Settings, who: str) -> None:
    settings.ARBORIS_SIGN_UP, settings.ARBORIS_SENDS_EMAIL = who, False
    (error,) = checks.who_signs_up_can_be_written_to()
    assert "ARBORIS_EMAIL_URL" in error.msg
    settings.ARBORIS_SENDS_EMAIL = True
    assert checks.who_signs_up_can_be_written_to() == []
