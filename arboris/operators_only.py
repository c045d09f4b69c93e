"""Who may read what tells of the whole site: this host itself, or who has the scrape token."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

# What proxies add, ours or another: the request began elsewhere, though it comes from loopback.
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_REAL_IP", "HTTP_FORWARDED")


def is_operator(request: HttpRequest) -> bool:
    """Whether the request comes from a program on this host, or carries ARBORIS_SCRAPE_TOKEN."""
    return _is_local(request) or _has_token(request)


def operators_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view; 403 for everybody else."""

    @wraps(view)
    def page(request: HttpRequest) -> HttpResponse:
        if is_operator(request):
            return view(request)
        text = "Asked from this host itself, or with ARBORIS_SCRAPE_TOKEN.\n"
        return HttpResponse(text, status=403, content_type="text/plain")

    return page


def _is_local(request: HttpRequest) -> bool:
    if any(name in request.META for name in FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "")
    except ValueError:  # a socket file, behind which is a proxy
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _has_token(request: HttpRequest) -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    expected = settings.ARBORIS_SCRAPE_TOKEN
    return bool(
        expected and kind.lower() == "bearer" and constant_time_compare(token.strip(), expected)
    )
