"""Response headers that Django 5.2 has no setting for, and probes that know no host name."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.urls import resolve

from arboris import logs

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# The API browser's own page carries an inline start script.
DOCS_POLICY = POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)


def policy_with_style(nonce: str) -> str:
    """Return the policy of a page whose scripts make style elements that carry ``nonce``."""
    return POLICY.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")


def request_id(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Every request has an id, in the log's lines and in the answer's X-Request-ID: the one that a
    proxy or the caller gave it, or a new one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = logs.id_of(request.headers.get("X-Request-ID"))
        with logs.bound(request=given):
            response = get_response(request)
        response.headers["X-Request-ID"] = given
        return response

    return middleware


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        policy = DOCS_POLICY if request.path == "/api/docs" else POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        return response

    return middleware


class Compression(GZipMiddleware):
    """Pages and JSON go compressed; what is streamed goes as it comes.

    Django pads each answer by a random length, so that its size tells nothing of a secret in it.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        if response.streaming:
            return response
        return super().process_response(request, response)


PROBES = {"/healthz", "/readyz", "/metrics"}


def probes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer the probes also where they name an address in place of one of ``ALLOWED_HOSTS``.

    Monitoring and container runtimes ask a process by its address. A name that somebody has
    pointed at us (DNS rebinding) is refused here as anywhere.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path in PROBES and _is_address(request.META.get("HTTP_HOST", "")):
            answer: HttpResponse = resolve(request.path).func(request)
            return answer
        return get_response(request)

    return middleware


def _is_address(host: str) -> bool:
    name, _port = split_domain_port(host)
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name == "localhost"
    return True
