"""Whether this container works: exit 0, or 1 with the reason.

Without an argument: its web process answers /healthz. ``workers``: its cluster has touched
ARBORIS_HEARTBEAT_FILE within a minute.
"""

from __future__ import annotations

import http.client
import os
import sys
import time

SILENT_SECONDS = 60


def web() -> str:
    """Why it is not well; empty if it is."""
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"/healthz no answer: {error}"
    finally:
        connection.close()
    return "" if status == 200 else f"/healthz answered {status}"


def workers() -> str:
    """Why they are not well; empty if they are."""
    try:
        silent = time.time() - os.stat(os.environ["ARBORIS_HEARTBEAT_FILE"]).st_mtime  # noqa: PTH116
    except (KeyError, OSError) as error:
        return f"no heartbeat: {error!r}"
    return "" if silent < SILENT_SECONDS else f"no heartbeat for {silent:.0f} s"


if __name__ == "__main__":
    sys.exit((workers if sys.argv[1:] == ["workers"] else web)() or 0)
