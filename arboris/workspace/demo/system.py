"""Web and workers on an empty database of their own, with the demo accounts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from arboris import supervise
from arboris.workspace.demo.client import Writer, is_ready

READY_SECONDS = 180
# The embedded default, whatever the environment of this process says.
EMBEDDED = {
    "DATABASE_URL": "",
    "REDIS_URL": "",
    "ARBORIS_ANALYZER": "local",
    "ARBORIS_WAKE_DIR": "",
    "ARBORIS_HTTPS": "",
    "DJANGO_ALLOWED_HOSTS": "",
}


@dataclass(frozen=True, slots=True)
class System:
    url: str
    passwords: dict[str, str]
    services: dict[str, supervise.Service]

    @property
    def socket_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/ws/notifications"

    def writer(self, language: str) -> Writer:
        return Writer(self.url, "writer", self.passwords["writer"], language)


@contextmanager
def running_system(place: Path, settings: Mapping[str, str] | None = None) -> Iterator[System]:
    """Until the block ends; ``place`` holds its data and ``log``, ``settings`` add to EMBEDDED.

    Raises ServiceDied when it does not come up.
    """
    env = {
        **EMBEDDED,
        "ARBORIS_DATA_DIR": str(place),
        "ARBORIS_STATIC_ROOT": str(place / "static"),  # not what was collected of other sources
        **(settings or {}),
    }
    supervise.run_managed(env, "migrate", "--verbosity=0")
    passwords = json.loads(supervise.run_managed(env, "demo_accounts"))
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(supervise.reserved_port())
        log = stack.enter_context((place / "log").open("wb"))
        commands = {"web": supervise.web(port), "workers": supervise.manage("qcluster")}
        running = stack.enter_context(supervise.services(commands, env, output=log))
        url = f"http://127.0.0.1:{port}"
        supervise.wait_until(lambda: is_ready(url), running, READY_SECONDS)
        yield System(url, passwords, {service.name: service for service in running})
