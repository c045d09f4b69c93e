"""How much a model is to think, for each purpose: from the settings, or from what was learned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from arboris.llm.endpoint_profile import profile_of
from arboris.llm.request_body import EFFORTS, Effort

if TYPE_CHECKING:
    from arboris.llm.client import Call

ANY = "*"  # the entry for every purpose that has none of its own


def table(name: str, text: str) -> dict[str, Effort]:
    """Read a word, or JSON by purpose: ``low``, ``{"foreshadowing": "high", "*": "none"}``.

    An empty text leaves it to the endpoint. Raises ImproperlyConfigured with the setting's
    ``name``.
    """
    if not text:
        return {}
    entries = {ANY: text.strip()}
    if text.lstrip().startswith("{"):
        try:
            entries = json.loads(text)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: this is no JSON ({error}).") from None
    for purpose, effort in entries.items():
        if effort not in EFFORTS:
            raise ImproperlyConfigured(
                f"{name}: {purpose!r} has to be one of {', '.join(EFFORTS)}."
            )
    return entries  # type: ignore[return-value]


def effort_for(call: Call) -> Effort | None:
    """What the call asks for; else what an endpoint was found to need, or the settings say."""
    wanted: Mapping[str, Effort] = settings.ARBORIS_LLM_EFFORT
    purpose = call.payer.purpose
    learned = profile_of(call.model_name).efforts.get(purpose)
    return call.effort or learned or wanted.get(purpose) or wanted.get(ANY)
