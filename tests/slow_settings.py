"""The real settings, with the offline analyzer behind a brake that a test can pull.

The analyzers are no matter of the environment, so live servers get them through this module.
"""

from arboris.settings import *  # noqa: F403
from tests.analyzers import REGISTERED

ARBORIS_ANALYZERS = REGISTERED
ARBORIS_ANALYZER = "steerable"
# Real hashes are slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
