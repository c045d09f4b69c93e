"""Requests made from the API's own schema, and what is wrong with their answers.

Each case is sent to the views of this process, in a savepoint that is rolled back: no case changes
what the next one finds.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import hypothesis
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from tests.scratch_database import undone

CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
]


@contextlib.contextmanager
def one_connection() -> Iterator[None]:
    """As Django's test client: a request does not close the connection of the test around it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


class Whole:
    """The site as a WSGI application whose answers are read to their end, and closed."""

    def __init__(self) -> None:
        self._site = get_wsgi_application()

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        response: Any = self._site(environ, start_response)
        try:
            return [b"".join(response)]
        finally:
            response.close()


def findings(headers: dict[str, str], ids: dict[str, str], examples: int) -> tuple[int, list[str]]:
    """How many cases were sent, and what was wrong, a line each.

    ``ids``: what path parameters are called, and a value of each that exists; every other case
    keeps those that were drawn. ``examples``: right cases of each call, and as many wrong ones.
    """
    schema = schemathesis.openapi.from_wsgi("/api/schema?format=json", Whole())
    found: dict[str, str] = {}
    sent = itertools.count()
    results: Iterator[Any] = schema.get_all_operations()  # one that cannot be read raises
    for result in results:
        for mode in GenerationMode:
            cases = result.ok().as_strategy(generation_mode=mode)
            for case in drawn(cases, examples):
                if next(sent) % 2:
                    for name in case.path_parameters.keys() & ids:
                        case.path_parameters[name] = ids[name]
                found |= {key: told for key, told in wrong(case, headers) if key not in found}
    return next(sent), [f"{key}: {told}" for key, told in sorted(found.items())]


def drawn(cases: Any, number: int) -> list[Any]:
    """The same examples each time."""
    kept: list[Any] = []

    @hypothesis.settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=cases)
    def keep(case: Any) -> None:
        kept.append(case)

    with contextlib.suppress(Unsatisfiable):  # nothing about such a call can be wrong
        keep()
    return kept


def wrong(case: Any, headers: dict[str, str]) -> Iterator[tuple[str, str]]:
    cache.clear()  # the throttles
    with undone():
        response = case.call(headers=headers | {"Accept-Encoding": "identity"})
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        for failure in group.exceptions:
            key = f"{case.method} {case.operation.path}: {failure.title}"
            yield key, f"{response.status_code} {failure.message} {case.as_curl_command()[:300]}"
