"""The real settings, whose analyzer asks a language model, with hashes that are quick."""

from tests.quick_settings import *  # noqa: F403

ARBORIS_ANALYZER = "llm"
