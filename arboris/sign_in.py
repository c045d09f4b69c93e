"""Bounds on guessing passwords, the same for the API's token call, the site's page and the admin's.

Two limits, each in ``settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]`` as ``number/period``:

- ``token``: attempts from one address, right or wrong;
- ``account``: wrong passwords for one account, by its name or its e-mail, from any address.

The counts are in Django's cache, which each web process has for itself.
"""

from __future__ import annotations

import hashlib
import logging
import math
import threading
from collections.abc import Callable
from functools import wraps
from time import monotonic
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import ngettext
from rest_framework import exceptions, status
from rest_framework.throttling import BaseThrottle

from arboris.admission import network_of

log = logging.getLogger(__name__)

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
View = Callable[..., HttpResponseBase]
_beginning = threading.Lock()  # of a period


class TooManyAttempts(exceptions.APIException):
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "throttled"

    def __init__(self, wait: int) -> None:
        """``wait``: seconds until the next attempt; becomes the Retry-After header."""
        self.wait = wait
        text = ngettext(
            "Too many attempts to sign in. Try again in %(wait)d second.",
            "Too many attempts to sign in. Try again in %(wait)d seconds.",
            wait,
        )
        super().__init__(text % {"wait": wait})


class Limit:
    """At most ``number`` events of one kind and one key in a period that the first one begins."""

    def __init__(self, name: str) -> None:
        self.name = name

    def rate(self) -> tuple[int, int]:
        """``(number, seconds)`` of the setting."""
        rates: Any = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
        number, _, period = rates[self.name].partition("/")
        return int(number), PERIODS[period[0]]

    def hit(self, key: str) -> int:
        """Count one more; returns how many there are now. Atomic, also between threads."""
        name = self._counter(key)
        cache.add(name, 0, None)
        try:
            return cache.incr(name)
        except ValueError:  # others have pushed it out between the two lines
            return 1

    def used(self, key: str) -> int:
        found: int = cache.get(self._counter(key), 0)
        return found

    def wait(self, key: str) -> int:
        """Whole seconds until the period ends."""
        _, seconds = self.rate()
        return max(1, math.ceil(self._began(key) + seconds - monotonic()))

    def _began(self, key: str) -> float:
        """By the monotonic clock, which nobody sets; so the cache has no times of its own."""
        _, seconds = self.rate()
        with _beginning:
            now, began = monotonic(), cache.get(self._entry(key))
            if began is None or now - began >= seconds:
                began = now
                cache.set(self._entry(key), began, None)
        return float(began)

    def _counter(self, key: str) -> str:
        return f"{self._entry(key)}:{self._began(key)}"

    def _entry(self, key: str) -> str:
        # Digested: a cache's keys are short and plain, a user name is what somebody has typed.
        return f"{self.name}:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


BY_ADDRESS, BY_ACCOUNT = Limit("token"), Limit("account")


def count_attempt(request: HttpRequest) -> None:
    """Count an attempt to sign in; TooManyAttempts where its address has made too many."""
    address = _address(request)
    number, _seconds = BY_ADDRESS.rate()
    used = BY_ADDRESS.hit(address)
    if used == number + 1:  # once a period: the log is not the guesser's to fill
        log.warning("sign-in: more than %d attempts from %s, refused", number, address)
    if used > number:
        raise TooManyAttempts(BY_ADDRESS.wait(address))


class AccountLimit:
    """An authentication backend that lets nobody in: it stops those who guess at one account."""

    def authenticate(self, request: HttpRequest | None, username: str = "", **_: Any) -> None:
        number, _seconds = BY_ACCOUNT.rate()
        if request is None:
            return
        name = account_name(str(username))
        if BY_ACCOUNT.used(name) >= number:
            raise TooManyAttempts(BY_ACCOUNT.wait(name))


def account_name(typed: str) -> str:
    """The user name of the account that is meant: by its name, else by a confirmed address of it.

    What is typed, where there is no such account.
    """
    if "@" not in typed or "\0" in typed or User.objects.filter(username=typed).exists():
        return typed
    # allauth keeps them in lower case, and a confirmed one with one account alone.
    found = EmailAddress.objects.filter(email=typed.strip().lower(), verified=True)
    return found.values_list("user__username", flat=True).first() or typed


class ByEmail(ModelBackend):
    """Signs in by a confirmed e-mail address where the name that was typed is none.

    It is asked last, and computes one password hash for whatever was typed, so that the time of a
    refusal tells nobody which addresses have an account.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **_: Any,
    ) -> Any:
        if username is None or password is None:
            return None
        return super().authenticate(request, username=account_name(username), password=password)


@receiver(user_login_failed, dispatch_uid="arboris-count-wrong-password")
def count_wrong_password(
    credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    name = account_name(str(credentials.get("username", "")))
    number, _seconds = BY_ACCOUNT.rate()
    if request is not None and BY_ACCOUNT.hit(name) == number:
        # By its number: the name may be a password that was typed into the wrong field.
        found = get_user_model()._default_manager.filter(username=name).values_list("pk", flat=True)
        log.warning(
            "sign-in: %d wrong passwords for account %s, the last from %s; refused for %d s",
            number,
            found.first() or "(unknown)",
            _address(request),
            BY_ACCOUNT.wait(name),
        )


def limited(view: View) -> View:
    """The page with a form to sign in, its POSTs counted: 429 and a message where it is too
    much."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            if request.method == "POST":
                count_attempt(request)
            return view(request, *args, **kwargs)
        except TooManyAttempts as refused:
            messages.error(request, str(refused.detail))
            request.method = "GET"  # the empty form again
            response = view(request, *args, **kwargs)
            response.status_code = refused.status_code
            response.headers["Retry-After"] = str(refused.wait)
            return response

    return page


def _address(request: HttpRequest) -> str:
    """Whose attempt it is: behind our proxy its client, of IPv6 the network that one customer
    has."""
    return network_of(BaseThrottle().get_ident(request) or "")  # type: ignore[arg-type]
