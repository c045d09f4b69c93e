"""How long notifications take to their sockets, per web process."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client import Histogram

PUSH_SECONDS = Histogram(
    "arboris_push_seconds",
    "From a notification's creation to its hand-over to an open socket; replays are left out.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)


def observe_push(created_at: datetime) -> None:
    # The database's clock wrote it: another host's may be a little ahead.
    PUSH_SECONDS.observe(max(0.0, (datetime.now(UTC) - created_at).total_seconds()))
