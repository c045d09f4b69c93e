"""The language of the terminal."""

from __future__ import annotations

import os

from django.conf import settings


def language() -> str:
    """English where the terminal's locale says so, the project's language otherwise."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "en" if value.lower().startswith("en") else settings.LANGUAGE_CODE
    return settings.LANGUAGE_CODE
