from __future__ import annotations

import sys

from analysis.apps import AnalysisConfig


class AnalysisWithoutItsQueue(AnalysisConfig):
    """The tables of the analysis without its steward threads and its hooks into a cluster."""

    def ready(self) -> None:
        # What it connects besides is wanted when the tables are made, and in no peer's worker.
        if sys.argv[1:2] == ["migrate"]:
            super().ready()
