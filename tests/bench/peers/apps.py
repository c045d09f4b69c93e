from __future__ import annotations

import sys

from analysis.apps import AnalysisConfig
from notifications import ports


class AnalysisWithoutItsQueue(AnalysisConfig):
    """The tables of the analysis without its steward threads and its hooks into a cluster."""

    def ready(self) -> None:
        from analysis import features, progress

        # What it connects besides is wanted when the tables are made, and in no peer's worker.
        if sys.argv[1:2] == ["migrate"]:
            super().ready()
        else:  # the texts of notifications name the features
            ports.connect(
                ports.Analyses(
                    progress.running,
                    progress.live,
                    progress.bibles,
                    features.updates,
                    features.usual,
                    features.told,
                )
            )
