"""Arboris' settings for the peers: without its own queue, and as fast as the peers can be made."""

from __future__ import annotations

import sys

from arboris.settings import *  # noqa: F403
from arboris.settings import DATABASES, INSTALLED_APPS

_OWN = {"analysis": "tests.bench.peers.apps.AnalysisWithoutItsQueue"}
INSTALLED_APPS = [_OWN.get(app, app) for app in INSTALLED_APPS]
if "django_q" not in INSTALLED_APPS:
    INSTALLED_APPS.append("django_q")

# A connection lives as long as its worker and is not asked before every task whether it still does.
DATABASES["default"] |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False}

WORKERS = 3
Q_CLUSTER = {
    "name": "bench",
    "orm": "default",
    "workers": WORKERS,
    # A well-filled queue in memory, and one SELECT for many tasks.
    "queue_limit": 200,
    "bulk": 50,
    "poll": 0.01,
    # No row is kept of a task that went well: Celery here keeps no result either.
    "save_limit": -1,
    "ack_failures": True,
    "max_attempts": 1,
    # Longer than a round: no task is handed out twice, no worker is replaced half way.
    "timeout": 3600,
    "retry": 7200,
    "recycle": sys.maxsize,
    "catch_up": False,
    "scheduler": False,
    "log_level": "WARNING",
}
