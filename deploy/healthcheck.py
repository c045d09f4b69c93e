"""Exit 0 if the web process of this container answers /healthz, else 1 with the reason."""

from __future__ import annotations

import http.client
import sys


def main() -> int:
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return _unhealthy(f"no answer: {error}")
    finally:
        connection.close()
    return 0 if status == 200 else _unhealthy(f"answered {status}")


def _unhealthy(reason: str) -> int:
    sys.stderr.write(f"/healthz {reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
