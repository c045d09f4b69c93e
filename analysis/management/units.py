"""Durations as operators write and read them."""

from __future__ import annotations

import re
from datetime import timedelta

from django.utils.translation import gettext as _

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LONGEST = timedelta(days=36_500)


def parse_duration(text: str) -> timedelta:
    """``90s``, ``15m``, ``2h``, ``30d``, ``1.5w``; ValueError with a sentence for the operator."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhdw])", text.strip())
    if match is None:
        raise ValueError(
            _("%(text)r is not a duration; write a number and a unit (s, m, h, d, w), like 2h.")
            % {"text": text}
        )
    seconds = float(match[1]) * SECONDS[match[2]]
    if seconds > LONGEST.total_seconds():
        raise ValueError(_("%(text)r is longer than 100 years.") % {"text": text})
    return timedelta(seconds=seconds)


def short(seconds: float) -> str:
    """A duration in its largest fitting unit: ``45s``, ``12m``, ``3h``, ``8d``."""
    whole = max(0, int(seconds))
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if whole >= 2 * size:
            return f"{whole // size}{unit}"
    return f"{whole}s"
