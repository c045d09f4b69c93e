"""The real settings for several hosts: chapters that bear a mark, and clocks that may be wrong."""

from __future__ import annotations

import tests.clock_settings  # noqa: F401  # for how Python sleeps under libfaketime
from arboris.settings import *  # noqa: F403

ARBORIS_ANALYZERS = {
    "brief": "tests.bench.chaos_analyzer.Brief",
    "far": "tests.bench.hosts_analyzer.Far",
}
ARBORIS_ANALYZER = env.choice("HOSTS_ANALYZER", "brief", [*ARBORIS_ANALYZERS])  # noqa: F405
