"""Admission before work: who calls, and how much of theirs may be under way at a time.

Every request and every socket passes here before anything is done for it. Whoever has too much
under way is refused with 429, and all are with 503 where the server has too much in all: at once
and without a look at the database. What is admitted waits for a thread, see ``web_threads``.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.utils.translation import gettext_lazy as _
from prometheus_client import Counter as Metric
from prometheus_client import Gauge

from arboris.rates import Budgets
from arboris.refusals import OVERLOADED, OVERLOADED_WAIT, refusal, send_refusal
from arboris.web_threads import Lane, web_threads

log = logging.getLogger(__name__)

REMEMBERED = 10_000
# A whole office may be behind one address, and after a start nobody is known yet.
ADDRESS_FACTOR = 4
TOO_MANY_SOCKETS = 4429
TOO_MANY = _("Too many of your requests are under way. Wait for their answers, then try again.")

REFUSED = Metric("arboris_refused_requests", "Requests refused before any work.", ["status"])
IN_FLIGHT = Gauge("arboris_requests_in_flight", "Requests that have been admitted and not ended.")
WAITING = Gauge("arboris_requests_waiting", "Pieces of work that wait for a database connection.")


class Callers:
    """Which credentials are whose, as far as this process has seen. Nothing is admitted by it:
    somebody unknown is counted by address until a request has shown whose credentials those are.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, str] = OrderedDict()

    def of(self, scope: Any) -> str:
        """``user:<id>`` or ``address:<address>``."""
        credential = _credential(dict(scope["headers"]))
        return self._known.get(credential) or f"address:{address_of(scope)}"

    def learn(self, headers: dict[bytes, bytes], user: AbstractBaseUser) -> None:
        credential = _credential(headers)
        if not credential:  # has signed in just now: nobody who comes without one is that writer
            return
        self._known[credential] = f"user:{user.pk}"
        self._known.move_to_end(credential)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


callers = Callers()
handshakes = Budgets(lambda: settings.ARBORIS_HANDSHAKES_PER_SECOND, burst_seconds=20)


def _credential(headers: dict[bytes, bytes]) -> str:
    """The digest of a token or a session's key; "" without one."""
    value = headers.get(b"authorization", b"")
    if not value.lower().startswith(b"token "):  # a password before the whole site is everybody's
        cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
        value = cookies.get(settings.SESSION_COOKIE_NAME, "").encode()
    return hashlib.sha256(value).hexdigest() if value else ""


def address_of(scope: Any) -> str:
    """The caller's address: behind our proxy the one that it names."""
    found = (scope.get("client") or [""])[0]
    if settings.REST_FRAMEWORK["NUM_PROXIES"]:
        named = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
        found = named.rpartition(",")[2].strip() or found
    return network_of(found)


def network_of(address: str) -> str:
    """An address as it is counted: of IPv6 the network that one customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # a socket file, or what a proxy made of it
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(parsed), 64), strict=False))
    return str(parsed)


def remember_caller(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Django middleware: whose credentials a request had, if anything has asked."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        scope = getattr(request, "scope", None)
        # Set by the session's middleware once it was asked, or by the API for a token.
        user: Any = getattr(request, "_cached_user", None) or request.__dict__.get("user")
        # isinstance would ask for a user whom nobody has asked for.
        if scope is not None and issubclass(type(user), AbstractBaseUser):
            callers.learn(dict(scope["headers"]), user)
        return response

    return middleware


class Admission:
    """ASGI middleware around everything."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._application(scope, receive, send)
            return
        caller = callers.of(scope)
        is_request = scope["type"] == "http"
        if is_request and await self._refused(caller, scope, send):
            return
        if is_request:
            self._count(caller, 1)
        elif not await self._may_open(caller, receive, send):
            return
        try:
            lane = Lane(web_threads(), caller, whole=is_request)
            async with ThreadSensitiveContext(executor=lane):
                await self._application(scope | {"caller": caller}, receive, send)
        finally:
            if is_request:
                self._count(caller, -1)

    def _count(self, caller: str, number: int) -> None:
        self._under_way[caller] += number
        if not self._under_way[caller]:
            del self._under_way[caller]
        IN_FLIGHT.inc(number)
        WAITING.set(web_threads().waiting())

    async def _may_open(self, caller: str, receive: Any, send: Any) -> bool:
        """Who opens sockets in a loop is slowed down, then told so."""
        budget = handshakes.of(caller)
        if budget.wait() and budget.exhausted:  # costs nothing, or they would never be let in again
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": TOO_MANY_SOCKETS})
            return False
        await asyncio.sleep(budget.spend())
        return True

    async def _refused(self, caller: str, scope: Any, send: Any) -> bool:
        limit = settings.ARBORIS_REQUESTS_PER_WRITER
        limit *= 1 if caller.startswith("user:") else ADDRESS_FACTOR
        if self._under_way[caller] >= limit:
            answer = refusal(scope["headers"], "too_many_requests", TOO_MANY)
            status, wait = 429, 1
        elif self._under_way.total() >= settings.ARBORIS_REQUESTS_IN_ALL:
            answer = refusal(scope["headers"], "overloaded", OVERLOADED)
            status, wait = 503, OVERLOADED_WAIT
        else:
            return False
        REFUSED.labels(status).inc()
        log.warning("%d for %s: too many requests are under way", status, caller)
        await send_refusal(send, status, answer, wait)
        return True
