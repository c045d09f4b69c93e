"""The part of the settings that is about what one web process takes on (arboris/admission.py)."""

from __future__ import annotations

from arboris.env import Env

env = Env()

# How many requests are worked on at a time, each on a database connection that is kept. A file of
# SQLite has no server to spare, and whoever waits for its one writer holds a connection.
_on_a_server = env.text("DATABASE_URL", "sqlite:").partition(":")[0] != "sqlite"
ARBORIS_WEB_CONNECTIONS = env.whole(
    "ARBORIS_WEB_CONNECTIONS", 10 if _on_a_server else 32, low=2, high=1000
)
# Seconds that a request waits for one of them, before it is refused.
ARBORIS_WEB_WAIT = env.number("ARBORIS_WEB_WAIT", 10, low=0.1, high=300)
# Requests that are under way at a time, those that wait included.
ARBORIS_REQUESTS_PER_WRITER = env.whole("ARBORIS_REQUESTS_PER_WRITER", 300, low=1, high=100_000)
ARBORIS_REQUESTS_IN_ALL = env.whole("ARBORIS_REQUESTS_IN_ALL", 3000, low=1, high=100_000)
# Bytes of bodies whose requests have not ended.
ARBORIS_BODY_BYTES_PER_WRITER = env.whole(
    "ARBORIS_BODY_BYTES_PER_WRITER", 256 * 1024 * 1024, low=1_024, high=2**40
)
ARBORIS_BODY_BYTES_IN_ALL = env.whole(
    "ARBORIS_BODY_BYTES_IN_ALL", 1024 * 1024 * 1024, low=1_024, high=2**40
)
# Frames that the sockets of one writer may send; ten times as many at once after a rest.
ARBORIS_FRAMES_PER_SECOND = env.number("ARBORIS_FRAMES_PER_SECOND", 500, low=1, high=100_000)
ARBORIS_SOCKETS_PER_WRITER = env.whole("ARBORIS_SOCKETS_PER_WRITER", 20, low=1, high=10_000)
# Sockets that one caller may open; twenty times as many at once after a rest.
ARBORIS_HANDSHAKES_PER_SECOND = env.number("ARBORIS_HANDSHAKES_PER_SECOND", 50, low=1, high=10_000)
