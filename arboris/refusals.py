"""What is answered before the application hears of a request, or in its place."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, parse_cookie
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import defaults

Headers = Iterable[tuple[bytes, bytes]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

OVERLOADED = _("The server has too much to do at the moment. Try again in a few seconds.")
OVERLOADED_WAIT = 5  # seconds; becomes the Retry-After header


def refusal(
    headers: Headers, code: str, detail: str | Promise, values: dict[str, Any] | None = None
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and JSON body of a refusal, in the language of the request with these ``headers``."""
    request = HttpRequest()
    for name, value in headers:
        key = name.decode("latin-1").upper().replace("-", "_")
        request.META[f"HTTP_{key}"] = value.decode("latin-1")
    request.COOKIES = parse_cookie(request.META.get("HTTP_COOKIE", ""))
    with translation.override(translation.get_language_from_request(request)):
        said = str(detail) % (values or {})
    body = json.dumps({"detail": said, "code": code}, ensure_ascii=False).encode()
    length = str(len(body)).encode()
    return [(b"Content-Type", b"application/json"), (b"Content-Length", length)], body


async def send_refusal(
    send: Send, status: int, answer: tuple[list[tuple[bytes, bytes]], bytes], wait: int
) -> None:
    """``wait``: seconds until another try is worth it."""
    headers, body = answer
    headers = [*headers, (b"Retry-After", str(wait).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def overloaded(request: HttpRequest) -> HttpResponse:
    """The 503 of a request that nobody had time for, as JSON or as a page; looks at no database."""
    with translation.override(translation.get_language_from_request(request)):
        answer: HttpResponse
        if request.path.startswith("/api/"):
            answer = JsonResponse({"detail": str(OVERLOADED), "code": "overloaded"})
        else:
            answer = defaults.server_error(request)
    answer.status_code = 503
    answer.headers["Retry-After"] = str(OVERLOADED_WAIT)
    return answer
