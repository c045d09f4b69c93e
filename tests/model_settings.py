"""The real settings, whose analyzer asks a language model, with hashes that are quick."""

from arboris.settings import *  # noqa: F403

ARBORIS_ANALYZER = "llm"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
