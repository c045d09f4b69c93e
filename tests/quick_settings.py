"""The real settings, with hashes that are quick: real ones are slow on purpose."""

from arboris.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
