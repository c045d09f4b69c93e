"""The targets of a call one after the other: the next one where one cannot do it.

A target whose endpoint refuses us, or does not answer, is left alone by this process for
ARBORIS_ENDPOINT_PROBE_SECONDS where another one is there: it is asked last until then.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from django.conf import settings

from arboris.llm import errors
from arboris.llm.endpoint_profile import effort_for, profile_of
from arboris.llm.endpoints import DEFAULT
from arboris.llm.routes import Route, Target, route_of

if TYPE_CHECKING:
    from arboris.llm.client import Call


class Turns:
    """``call`` is what is to be asked now. Each target is asked once."""

    def __init__(self, call: Call) -> None:
        route = call.route or route_of(call.payer.purpose)
        if call.model:
            own, *others = route.targets
            route = replace(route, targets=(replace(own, model=call.model), *others))
        self._main = route.targets[route.main]
        self._asked = replace(call, route=route, model=None)
        # Stable: those that rest keep their order, behind the others.
        self._left = sorted(route.targets, key=self._rests)
        self._refusal: errors.LLMError | None = None
        self.call = self._next()

    def go_on(self, error: errors.LLMError) -> None:
        """Turn to the next target after this error; raise where there is none, or none may help.

        Where all fail, the error is that of the site's own target, not of one that took its place:
        it decides about the task, and whether the endpoint is paused.
        """
        at = self.call.target.endpoint
        if at != DEFAULT:
            error.args = (f"{at}: {error}",)
        if not error.elsewhere:
            raise error
        if len(self._route.targets) > 1 and not error.answers_us:
            profile_of(self.call).rests_until = time.monotonic() + _rest_seconds()
        if self.call.target == self._main:
            self._refusal = error
        if not self._left:
            raise self._refusal or error
        self.call = self._next()

    @property
    def _route(self) -> Route:
        assert self._asked.route is not None
        return self._asked.route

    def _next(self) -> Call:
        target = self._left.pop(0)
        first = self._route.targets[0]
        call = replace(
            self._asked,
            target=target,
            instead_of="" if target == first else str(first),
            until=self._share(),
        )
        if call.temperature is None:
            call = replace(call, temperature=self._route.temperature)
        return replace(call, effort=effort_for(call))

    def _share(self) -> float | None:
        """Until when this target may take where others wait and the caller's time is limited."""
        ends = self._asked.ends
        if ends is None or not self._left:
            return None
        now = time.monotonic()
        return now + (ends - now) / (1 + len(self._left))

    def _rests(self, target: Target) -> bool:
        return profile_of(replace(self._asked, target=target)).rests_until > time.monotonic()


def _rest_seconds() -> float:
    seconds: float = settings.ARBORIS_ENDPOINT_PROBE_SECONDS
    return seconds
