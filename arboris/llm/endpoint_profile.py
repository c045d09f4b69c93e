"""What this process has learned about each endpoint: one profile for each model at an address.

A request that is refused is made again with less in it, and what had to be left out is remembered
for as long as the process lives. ``request_body`` names the parts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arboris.llm import errors
from arboris.llm.endpoints import find
from arboris.llm.request_body import LIMITS, Effort, next_left_out

if TYPE_CHECKING:
    from arboris.llm.client import Call


@dataclass(slots=True)
class EndpointProfile:
    left_out: set[str] = field(default_factory=set)
    # For which purposes an answer came only with less thinking, and with how much.
    efforts: dict[str, Effort] = field(default_factory=dict)
    # Until when, by time.monotonic(), others are asked first; see fallback.
    rests_until: float = 0.0


@dataclass(slots=True)
class Trial:
    """One call's way to a request that the endpoint takes."""

    profile: EndpointProfile
    left_out: frozenset[str] = frozenset()
    _proven: set[str] = field(default_factory=set)
    _last: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.left_out = frozenset(self.profile.left_out)

    def refused(self, error: errors.LLMError, sent: frozenset[str]) -> bool:
        """Leave out what was refused of ``sent``; False where there is nothing to leave out."""
        named = error.parts
        if isinstance(error, errors.PromptTooLong):
            named &= LIMITS  # together with the longest answer it may be too long
        elif not (isinstance(error, errors.RequestRefused) and error.of_its_parts):
            return False
        parts, by_name = next_left_out(named, sent)
        if not by_name and isinstance(error, errors.PromptTooLong):
            return False
        self.left_out |= parts
        if by_name:
            self._proven |= parts
        else:
            self._last = parts
        return bool(parts)

    def accepted(self) -> None:
        """Remember what was named, and of the guesses the last one: only that one is proven."""
        self.profile.left_out |= self._proven | self._last


_profiles: dict[tuple[str, ...], EndpointProfile] = {}


def profile_of(call: Call) -> EndpointProfile:
    """The profile of the call's model at its endpoint, as the settings have it."""
    endpoint = find(call.target.endpoint)
    at = (endpoint.base_url, endpoint.api_key, call.model_name) if endpoint else (str(call.target),)
    return _profiles.setdefault(at, EndpointProfile())


def forget() -> None:
    """Forget every profile."""
    _profiles.clear()


def effort_for(call: Call) -> Effort | None:
    """What the call asks for; else what an endpoint was found to need, or the route says."""
    learned = profile_of(call).efforts.get(call.payer.purpose)
    return call.effort or learned or (call.route.effort if call.route else None)
