"""What a view names: ``@idempotent`` above its POST, and ``creating`` around what that makes."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, TypeVar, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.db import RETRY_SECONDS, in_transaction
from arboris.idempotency.claims import Answer, AnswerTooLarge, Claim, KeyInUse, KeyReused, take
from arboris.rest import Conflict

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
# As in a header: visible characters and spaces. A key of the IETF draft has its quotes around it.
KEY = re.compile(r"[\x20-\x7e]{1,255}")
PARAMETER = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description=(
        "1 to 255 ASCII characters, best a UUID. The same request with the same key makes nothing "
        "twice: for 24 hours it gets the first answer again, with Idempotent-Replayed: true. "
        "Another request under the key is a 422, one while the first is under way a 409 with "
        "Retry-After. A request that failed and made nothing leaves its key free."
    ),
)

RENEWAL = 10.0  # seconds between two renewals of a lease

Post = TypeVar("Post", bound=Callable[..., HttpResponseBase])
Replay = Callable[[Request, Answer], HttpResponseBase]

_current: ContextVar[Claim | None] = ContextVar("idempotency_claim", default=None)


class InUse(Conflict):
    default_code = "idempotency_key_in_use"

    def __init__(self, wait: int) -> None:
        super().__init__(_("The first request with this Idempotency-Key is under way still."))
        self.wait = wait  # becomes the Retry-After header


class Reused(exceptions.APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"


def lease() -> timedelta:
    """How long a request may hold a key: a model's summary, and the tries of a transaction."""
    return timedelta(seconds=settings.ARBORIS_SUMMARY_TIMEOUT + RETRY_SECONDS + 20)


def as_json(_request: Request, answer: Answer) -> HttpResponse:
    return HttpResponse(answer.body, content_type="application/json", status=answer.status)


def idempotent(post: Post) -> Post:
    """Decorate a POST that creates: a request that is repeated under its key gets its first answer.

    The method makes what it makes through ``creating``.
    """
    return idempotent_by(as_json, lease)(post)


def idempotent_by(replay: Replay, lease: Callable[[], timedelta]) -> Callable[[Post], Post]:
    """``idempotent`` with another way to render a kept answer, or a longer hold on the key.

    A method that streams is not over when it returns: it takes the ``current_claim`` over.
    """

    def decorate(post: Post) -> Post:
        @extend_schema(parameters=[PARAMETER])
        @functools.wraps(post)
        def outer(view: APIView, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            claim = claimed(request, lease())
            if isinstance(claim, Answer):
                answer = replay(request, claim)
                answer.headers[REPLAYED] = "true"
                return answer
            with holding(claim):
                return post(view, request, *args, **kwargs)

        return cast(Post, outer)

    return decorate


@contextmanager
def holding(claim: Claim | None) -> Iterator[None]:
    """The claim of what runs inside, which is settled after it unless a stream took it over."""
    token = _current.set(claim)
    try:
        yield
    finally:
        _current.reset(token)
        if claim is not None and not claim.taken_over:
            claim.settle()


def creating(make: Callable[[], Response]) -> Response:
    """Run ``make``, which makes the thing and renders its answer, in one transaction with the key.

    ``make`` runs again after a deadlock. Without a key there is no such transaction.
    """
    claim = _current.get()
    if claim is None:
        return make()

    def work() -> Response:
        response = make()
        if not claim.answer(response.status_code, rendered(response.data)):
            raise InUse(1)
        return response

    response = in_transaction(work)
    claim.settled = True
    return response


def holding_on() -> Callable[[int], None]:
    """For what takes many steps: to be called after each, so that the key is not given to a second
    try while the first one goes on. It writes now and then; not to be called in a transaction."""
    claim = _current.get()
    renewed = time.monotonic()

    def step(_count: int = 1) -> None:
        nonlocal renewed
        if claim is not None and time.monotonic() - renewed > RENEWAL:
            renewed = time.monotonic()
            claim.renew(lease())

    return step


def current_claim() -> Claim | None:
    """The claim of the request that runs, if it came with a key."""
    return _current.get()


def rendered(data: Any) -> bytes:
    """JSON as a Response sends it."""
    body: bytes = JSONRenderer().render(data)
    return body


def claimed(request: Request, lease: timedelta) -> Claim | Answer | None:
    """Take the request's key; None where it has none."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    key = key.strip()
    if not KEY.fullmatch(key):
        sentence = _("Give 1 to 255 visible ASCII characters, as a UUID has them.")
        raise exceptions.ValidationError({HEADER: [sentence]})
    assert request.user.pk is not None
    try:
        return take(request.user.pk, key, digest(request), lease)
    except KeyReused:
        raise Reused(_("This Idempotency-Key was used for another request.")) from None
    except KeyInUse as used:
        raise InUse(used.wait) from None
    except AnswerTooLarge:
        sentence = _("This was made before, but its answer is too large to be kept. Look it up.")
        raise Conflict(sentence, "answer_not_kept") from None


def digest(request: Request) -> str:
    """What makes two requests the same: path, query and content, in whatever way it is written."""
    parts = [request.method, request.path, request.META.get("QUERY_STRING", "")]
    data = request.data
    if isinstance(data, MultiValueDict):
        # Of a form, not its bytes: a browser draws another boundary each time.
        parts += [(name, [_plain(item) for item in data.getlist(name)]) for name in sorted(data)]
    else:
        parts.append(data)
    plain = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    content = hashlib.sha256()
    for chunk in value.chunks():
        content.update(chunk)
    value.seek(0)
    return [value.name, content.hexdigest()]
