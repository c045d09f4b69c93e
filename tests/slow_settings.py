"""The real settings, with the offline analyzer behind a brake that a test can pull.

The analyzers are no matter of the environment, so live servers get them through this module.
"""

from tests.analyzers import REGISTERED
from tests.quick_settings import *  # noqa: F403

ARBORIS_ANALYZERS = REGISTERED
ARBORIS_ANALYZER = "steerable"
