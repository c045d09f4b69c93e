"""The enabled features over one chapter; knows no database."""

from analysis.pipeline.config import GenerationConfig, enabled_features
from analysis.pipeline.run import Outcome, features_of, missing, percent, run, so_far, tokens

__all__ = [
    "GenerationConfig",
    "Outcome",
    "enabled_features",
    "features_of",
    "missing",
    "percent",
    "run",
    "so_far",
    "tokens",
]
