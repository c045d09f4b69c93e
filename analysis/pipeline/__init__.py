"""The enabled features over one chapter; knows no database."""

from analysis.pipeline.config import GenerationConfig, enabled_features
from analysis.pipeline.run import Outcome, missing, percent, run, so_far, tokens

__all__ = [
    "GenerationConfig",
    "Outcome",
    "enabled_features",
    "missing",
    "percent",
    "run",
    "so_far",
    "tokens",
]
