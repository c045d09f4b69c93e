"""What this process has learned about each endpoint: one profile for each model at an address.

A request that is refused is made again with less in it, and what had to be left out is remembered
for as long as the process lives. ``request_body`` names the parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings

from arboris.llm import errors
from arboris.llm.effort import ANY
from arboris.llm.request_body import LIMITS, Effort, next_left_out

if TYPE_CHECKING:
    from arboris.llm.client import Call


@dataclass(slots=True)
class EndpointProfile:
    left_out: set[str] = field(default_factory=set)
    # For which purposes an answer came only with less thinking, and with how much.
    efforts: dict[str, Effort] = field(default_factory=dict)


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


_profiles: dict[tuple[str, str], EndpointProfile] = {}


def profile_of(model: str) -> EndpointProfile:
    """The profile of a model at the endpoint of the settings."""
    return _profiles.setdefault((settings.ARBORIS_LLM_BASE_URL, model), EndpointProfile())


def forget() -> None:
    """Forget every profile."""
    _profiles.clear()


def effort_for(call: Call) -> Effort | None:
    """What the call asks for; else what an endpoint was found to need, or the settings say."""
    wanted: Mapping[str, Effort] = settings.ARBORIS_LLM_EFFORT
    purpose = call.payer.purpose
    learned = profile_of(call.model_name).efforts.get(purpose)
    return call.effort or learned or wanted.get(purpose) or wanted.get(ANY)
