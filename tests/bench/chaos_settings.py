"""The real settings for a run of chaos: short tasks and slices, processes named after their roles.

None of it is a matter of the environment, so the cluster gets them through this module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from django.apps import AppConfig

from arboris.settings import *  # noqa: F403
from arboris.settings import INSTALLED_APPS as REAL_APPS

ROLES = ("worker", "pusher", "monitor")
SLICE_SECONDS = 1.0  # more wake-ups go through all hands than in production


class Roles(AppConfig):
    """Names the processes of a cluster, so that whoever kills them can tell them apart."""

    name = "tests.bench"
    label = "chaos_roles"

    def ready(self) -> None:
        if sys.argv[1:2] != ["qcluster"]:
            return
        from django_q import cluster

        from analysis.worker import loop

        loop.SLICE_SECONDS = SLICE_SECONDS
        for role in ROLES:
            setattr(cluster, role, named(role, getattr(cluster, role)))


def named(role: str, target: Callable[..., Any]) -> Callable[..., Any]:
    """The body of a forked process, which first writes its role where /proc shows it."""

    @wraps(target)
    def run(*arguments: Any) -> Any:
        Path("/proc/self/comm").write_text(role)
        return target(*arguments)

    return run


INSTALLED_APPS = [*REAL_APPS, "tests.bench.chaos_settings.Roles"]
ARBORIS_ANALYZERS = {"brief": "tests.bench.chaos_analyzer.Brief"}
ARBORIS_ANALYZER = "brief"
