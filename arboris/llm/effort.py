"""How much a model is to think before it answers, for each purpose, from the settings."""

from __future__ import annotations

import json

from django.core.exceptions import ImproperlyConfigured

from arboris.llm.request_body import EFFORTS, Effort

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
