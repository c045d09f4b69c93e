"""What both sides of a round know: the caller, and the process in the peers' environment."""

from __future__ import annotations

from typing import TypedDict

PEERS = ("celery", "django-q2")
# Named apart from REDIS_URL, which would move Arboris' own taps to Redis.
BROKER_URL = "BENCH_BROKER_URL"


class Figures(TypedDict):
    """Tasks per second: with the warm-up left out, and from the start of the workers on."""

    throughput: float
    with_start_up: float
