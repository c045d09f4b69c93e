"""Exit 0 if the web process of this container answers /healthz, else 1 with the reason."""

from __future__ import annotations

import http.client
import os
import sys


def main() -> int:
    # An allowed host has to be named, or Django refuses the request before it looks at the path.
    first = os.environ.get("DJANGO_ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".")
    host = first if first and first != "*" else "localhost"
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
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
