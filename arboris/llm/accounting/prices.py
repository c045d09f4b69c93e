"""What tokens cost, from the price table in the settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

ANY = "*"  # the entry for every model that has none of its own
MILLION = 1_000_000
HIGHEST = Decimal(100_000)
PARTS = ("prompt", "completion")


@dataclass(frozen=True, slots=True)
class Price:
    """Prices of a million tokens, in the table's currency."""

    prompt: Decimal
    completion: Decimal


def table(name: str, text: str) -> dict[str, Price]:
    """Read the price table from JSON: ``{"model": {"prompt": 0.5, "completion": 1.5}, "*": {…}}``.

    An empty text is an empty table. Raises ImproperlyConfigured with the setting's ``name``.
    """
    if not text:
        return {}
    try:
        # Exactly as written: a price must not become a float.
        entries = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise ImproperlyConfigured(f"{name}: this is no JSON ({error}).") from None
    if not isinstance(entries, dict):
        raise ImproperlyConfigured(f"{name}: this is no JSON object of models and prices.")
    return {model: _price(f"{name}: {model!r}", entry) for model, entry in entries.items()}


def _price(where: str, entry: Any) -> Price:
    if not isinstance(entry, dict) or set(entry) != set(PARTS):
        raise ImproperlyConfigured(f'{where} needs exactly "prompt" and "completion".')
    for part in PARTS:
        value = entry[part]
        if not isinstance(value, Decimal) or not value.is_finite() or not 0 <= value <= HIGHEST:
            raise ImproperlyConfigured(
                f"{where}: {part} has to be a number from 0 to {HIGHEST} (for a million tokens)."
            )
    return Price(entry["prompt"], entry["completion"])


def cost(model: str, prompt: int, completion: int) -> Decimal | None:
    """Return the cost, to ten decimal places; None where the table has no price for the model."""
    prices: Mapping[str, Price] = settings.ARBORIS_LLM_PRICES
    price = prices.get(model) or prices.get(ANY)
    if price is None:
        return None
    whole = (price.prompt * prompt + price.completion * completion) / MILLION
    return whole.quantize(Decimal("1e-10"))
