"""What tells of the whole site is for this host, or for who has the scrape token."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.api.test_documents import metrics

TOKEN = "correct-horse-battery"
PROXIED = {"HTTP_X_FORWARDED_FOR": "198.51.100.7"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("extra", "opens"),
    [
        ({}, True),
        ({"REMOTE_ADDR": "127.9.9.9"}, True),
        ({"REMOTE_ADDR": "::1"}, True),
        ({"REMOTE_ADDR": "::ffff:127.0.0.1"}, True),
        ({"REMOTE_ADDR": "10.0.0.7"}, False),
        ({"REMOTE_ADDR": "2001:db8::1"}, False),
        ({"REMOTE_ADDR": ""}, False),
        # nginx on this host asks from loopback, whatever its client says of itself.
        (PROXIED, False),
        ({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, False),
        ({"HTTP_X_REAL_IP": "127.0.0.1"}, False),
        ({"HTTP_FORWARDED": "for=127.0.0.1"}, False),
        ({"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}, True),
        ({**PROXIED, "HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}, True),
        ({**PROXIED, "HTTP_AUTHORIZATION": f"Bearer {TOKEN}x"}, False),
        ({**PROXIED, "HTTP_AUTHORIZATION": f"Token {TOKEN}"}, False),
        ({**PROXIED, "HTTP_AUTHORIZATION": "Bearer ünlock"}, False),
    ],
)
@pytest.mark.parametrize("host", ["testserver", "10.1.2.3"])  # the second is a probe's
def test_who_is_told(
    client: Client, settings: Settings, extra: Any, opens: bool, host: str
) -> None:
    settings.ARBORIS_SCRAPE_TOKEN = TOKEN
    told = client.get("/metrics", headers={"host": host}, **extra)
    assert told.status_code == (200 if opens else 403)
    assert (b"pending_analysis_total" in told.content) is opens
    ready = client.get("/readyz", headers={"host": host}, **extra)
    assert ready.status_code == 503
    assert ("reasons" in ready.json()) is opens
    assert ready.json()["status"] == "unavailable"
    assert opens or set(ready.json()) == {"status"}
    assert client.get("/healthz", headers={"host": host}, **extra).status_code == 200


@pytest.mark.django_db
def test_without_a_token_no_token_opens(client: Client, settings: Settings) -> None:
    settings.ARBORIS_SCRAPE_TOKEN = ""
    for header in ("Bearer ", "Bearer", ""):
        answer = client.get("/metrics", REMOTE_ADDR="10.0.0.7", HTTP_AUTHORIZATION=header)
        assert answer.status_code == 403
    assert metrics(client)["arboris_database_up"] == 1
