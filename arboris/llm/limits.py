"""By which parameter an endpoint takes the most tokens of an answer: some refuse the one, some the
other, some both."""

from __future__ import annotations

from typing import Literal

from django.conf import settings

Parameter = Literal["max_tokens", "max_completion_tokens"]
# The second is the newer one; more endpoints know the first, and who refuses it names it.
PARAMETERS: tuple[Parameter | None, ...] = ("max_tokens", "max_completion_tokens", None)
_taken: dict[tuple[str, str], Parameter | None] = {}


def parameter(model: str) -> Parameter | None:
    """The parameter to be sent; None: none, as the settings or the endpoint have it."""
    if not settings.ARBORIS_LLM_MAX_TOKENS:
        return None
    return _taken.get((settings.ARBORIS_LLM_BASE_URL, model), PARAMETERS[0])


def refused(model: str, sent: Parameter) -> None:
    """From now on the next one; another call may have found out already."""
    if parameter(model) == sent:
        following = PARAMETERS[PARAMETERS.index(sent) + 1]
        _taken[settings.ARBORIS_LLM_BASE_URL, model] = following


def forget() -> None:
    _taken.clear()
