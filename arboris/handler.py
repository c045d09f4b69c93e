"""Django's handler for ASGI, as a web process uses it."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_started
from django.db import close_old_connections, reset_queries
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from arboris.refusals import overloaded
from arboris.web_threads import Overloaded

log = logging.getLogger(__name__)


class Handler(ASGIHandler):
    """A request is one piece of work for ``arboris.web_threads``.

    All our middleware and views are synchronous. Django's own handler changes between the event
    loop and a thread at each middleware, and before a request for what the threads do themselves.
    """

    def __init__(self) -> None:
        for receiver in (close_old_connections, reset_queries):
            request_started.disconnect(receiver)
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)
        self._middleware_chain: Any = sync_to_async(self._middleware_chain)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return await super().get_response_async(request)
        except Overloaded:
            log.warning(
                "503: no thread was free in time for %s %.200r", request.method, request.path
            )
            request.close()
            return overloaded(request)
