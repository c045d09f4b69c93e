"""How much one process takes on: bounded, waited for, and refused only where it is too much."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from arboris import admission
from arboris.admission import TOO_MANY_SOCKETS, Admission, Callers, address_of
from arboris.novels.models import NovelProject
from arboris.rates import Budgets
from tests.live import Site
from tests.live_rows import cursor
from tests.waiting import wait_for

CROWD = 60
BUDGET = 10  # ARBORIS_WEB_CONNECTIONS, where there is a database server


@pytest.mark.databases
@pytest.mark.django_db
def test_a_crowd_waits_for_its_turn(site: Site) -> None:
    with site.client() as client, ThreadPoolExecutor(CROWD) as crowd:
        answers = crowd.map(lambda _: client.get("/api/projects").status_code, range(CROWD))
        assert set(answers) == {200}
        assert "arboris_requests_in_flight 1.0" in client.get("/metrics").text


@pytest.mark.server_only
@pytest.mark.django_db
def test_a_crowd_is_no_crowd_of_connections(site: Site) -> None:
    with cursor(site) as opened:
        sql = (
            "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE()"
            if opened.db.vendor == "mysql"
            else "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()"
        )

        def count() -> int:
            opened.execute(sql)
            return int(opened.fetchone()[0])

        before = count()
        with site.client() as client, site.client("") as other, ThreadPoolExecutor(CROWD) as crowd:
            assert client.get("/api/projects").status_code == 200  # from now on it is known whose
            with nobody_reads_novels(site):
                answers = [crowd.submit(client.get, "/api/projects") for _ in range(CROWD)]
                all_of_them = f"arboris_requests_in_flight {CROWD + 1}.0"
                wait_for(lambda: all_of_them in other.get("/metrics").text, "all have come")
                at_once = count() - before
            assert {answer.result().status_code for answer in answers} == {200}
        assert at_once <= BUDGET + 1  # and that of the lock


@contextmanager
def nobody_reads_novels(site: Site) -> Iterator[None]:
    """Whoever asks for one waits for the end of the block, on a connection."""
    table = NovelProject._meta.db_table
    with cursor(site) as holding:
        if holding.db.vendor == "mysql":
            holding.execute(f"LOCK TABLES {table} WRITE")
        else:
            holding.execute("BEGIN")
            holding.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        try:
            yield
        finally:
            holding.execute("UNLOCK TABLES" if holding.db.vendor == "mysql" else "ROLLBACK")


def scope_of(**headers: str) -> dict[str, Any]:
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": "/api/x", "client": ["192.0.2.7", 1], "headers": named}


class HeldSite:
    """An application whose requests end when they are told to."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.admission = Admission(self.application)
        self.statuses: list[int] = []
        self.sent: list[Any] = []

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        await self.may_end.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def ask(self, scope: dict[str, Any]) -> int:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await self.admission(scope, None, send)
        self.sent = sent
        return int(sent[0]["status"])


def test_budgets_of_one_and_of_all(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ARBORIS_REQUESTS_PER_WRITER, settings.ARBORIS_REQUESTS_IN_ALL = 2, 11
    known = Callers()
    monkeypatch.setattr(admission, "callers", known)
    mine, other = scope_of(authorization="Token mine"), scope_of(authorization="Token other")
    for number, scope in enumerate((mine, other), 1):
        known.learn(dict(scope["headers"]), User(pk=number))

    async def run() -> None:
        site = HeldSite()
        waiting = [asyncio.create_task(site.ask(mine)) for _ in range(2)]
        await asyncio.sleep(0)
        assert await site.ask(mine) == 429
        assert dict(site.sent[0]["headers"])[b"Retry-After"] == b"1"
        assert b"too_many_requests" in site.sent[1]["body"]
        # Nobody else's; one whom nobody knows is counted by address, where there may be several.
        waiting.append(asyncio.create_task(site.ask(other)))
        waiting += [asyncio.create_task(site.ask(scope_of())) for _ in range(8)]
        await asyncio.sleep(0)
        assert await site.ask(scope_of(authorization="Token new")) == 429
        assert await site.ask(other) == 503
        assert b"overloaded" in site.sent[1]["body"]
        site.may_end.set()
        assert set(await asyncio.gather(*waiting)) == {200}
        assert await site.ask(mine) == 200

    asyncio.run(run())


def test_sockets_in_a_loop_are_slowed_down_and_then_refused_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, waits = [0.0], list[float]()
    budgets = Budgets(lambda: 1, burst_seconds=4, clock=lambda: now[0])
    monkeypatch.setattr(admission, "handshakes", budgets)

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(admission, "asyncio", SimpleNamespace(sleep=sleep))

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    def opens() -> bool:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        socket = scope_of() | {"type": "websocket"}
        asyncio.run(Admission(application)(socket, AsyncMock(), send))
        return all(message.get("code") != TOO_MANY_SOCKETS for message in sent)

    assert all(opens() for _ in range(5))
    assert waits == [0, 0, 0, 0, 1]
    for _ in range(10):  # twice as many as may be
        now[0] += 0.5
        assert opens()
    now[0] += 0.5
    assert not any(opens() for _ in range(100))
    now[0] += waits[-1]
    assert opens()


def test_who_signs_in_without_a_credential_is_not_everybody() -> None:
    known, nobody = Callers(), scope_of()
    known.learn(dict(nobody["headers"]), User(pk=1))
    assert known.of(nobody) == "address:192.0.2.7"


def test_a_password_before_the_whole_site_makes_no_writer_of_all() -> None:
    known = Callers()
    site = {"authorization": "Basic b2ZmaWNlOmFsbA=="}
    yan, li = (scope_of(**site, cookie=f"sessionid={name}") for name in ("yan", "li"))
    known.learn(dict(yan["headers"]), User(pk=1))
    assert [known.of(scope) for scope in (yan, li)] == ["user:1", "address:192.0.2.7"]


def test_behind_a_proxy_an_address_is_what_it_names(settings: Settings) -> None:
    named = scope_of(**{"x-forwarded-for": "203.0.113.9, 198.51.100.4"})
    assert address_of(named) == "192.0.2.7"
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    assert address_of(named) == "198.51.100.4"
    assert address_of(scope_of(**{"x-forwarded-for": "2001:db8::7"})) == "2001:db8::/64"
