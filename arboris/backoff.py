"""How long to wait before something that failed is tried again: a task, a call to a model."""

from __future__ import annotations

import random

JITTER = 0.1


def back_off(
    failures: int, first: float, longest: float, *, at_least: float | None = None
) -> float:
    """Seconds until the next try after so many failures (1: the first): exponential, full jitter.

    Those that failed together do not come back together. ``at_least``: what the other side asks,
    which is kept to, up to ``longest``, with at most a tenth on top.
    """
    ceiling = min(first * 2.0 ** min(failures - 1, 60), longest)
    if at_least is None:
        return random.uniform(0, ceiling)
    kept = min(at_least, longest)
    return kept + random.uniform(0, min(ceiling, kept * JITTER))
