"""Rounds of the peers, each a process in the peers' environment; the caller needs no Django."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from arboris import supervise
from tests.bench.peers import environment
from tests.bench.peers.names import BROKER_URL, PEERS, Figures

# More than a round needs to stop its workers.
STOPPED_WITHIN_SECONDS = 60
# What the caller has set for an installation of theirs must not change what is measured.
_OTHERS = ("ARBORIS_", "DJANGO_", "DATABASE_URL", "REDIS_URL", "Q_CLUSTER_NAME", "CELERY_")


class RoundFailed(Exception):
    """A round, or the migration before it, ended with an error; the message holds its log's end."""


def run_once(name: str, database_url: str, redis_url: str, tasks: int) -> float:
    """Tasks per second of one peer in one round: see ``tests.bench.measure.throughput``."""
    return run(name, database_url, redis_url, tasks)["throughput"]


def run(name: str, database_url: str, redis_url: str, tasks: int) -> Figures:
    """One round of one of PEERS on a database that nobody else uses meanwhile.

    The tables of ``tests.bench.work`` are emptied before and after it. Arboris' own task tables
    are left alone: whoever filled them empties them first.
    """
    if name not in PEERS:
        raise ValueError(f"no peer is called {name!r}: {', '.join(PEERS)}")
    _migrate(database_url)
    answer = _python(["-m", "tests.bench.peers.drive", name, str(tasks)], database_url, redis_url)
    figures: Figures = json.loads(answer)
    return figures


@cache
def _migrate(database_url: str) -> None:
    _python(["manage.py", "migrate", "--verbosity", "0"], database_url, "")


def _python(arguments: list[str], database_url: str, redis_url: str) -> bytes:
    """What a program in the peers' environment prints; raises RoundFailed."""
    with tempfile.TemporaryDirectory(prefix="arboris-peers-") as place:
        env = {k: v for k, v in os.environ.items() if not k.startswith(_OTHERS)} | {
            "DJANGO_SETTINGS_MODULE": "tests.bench.peers.settings",
            "DJANGO_SECRET_KEY": "bench" * 12,
            "DATABASE_URL": database_url,
            "ARBORIS_DATA_DIR": place,
            "ARBORIS_LOG_LEVEL": "WARNING",
            BROKER_URL: redis_url,
        }
        log = Path(place) / "log"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [environment.python(), *arguments], cwd=environment.ROOT, env=env,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                start_new_session=True,
            )  # fmt: skip
        try:
            answer, _ = process.communicate()
        finally:
            # Still runs only if this process is being stopped: a round then stops its workers.
            supervise.Service(arguments[0], process).stop(STOPPED_WITHIN_SECONDS)
        if process.returncode:
            end = log.read_text(errors="replace")[-4000:]
            raise RoundFailed(f"{arguments} ended with {process.returncode}:\n{end}")
    return answer
