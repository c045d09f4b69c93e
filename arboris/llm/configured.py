"""Whether a model is configured. Apart from the client, whose library takes 17 MB."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

NEEDED = ("ARBORIS_LLM_BASE_URL", "ARBORIS_LLM_MODEL")


def missing_settings() -> list[str]:
    """Return the names of the settings that are missing."""
    return [name for name in NEEDED if not getattr(settings, name)]


def endpoint_name() -> str:
    """Return the endpoint's host and port, without the rest of its address."""
    address = urlsplit(settings.ARBORIS_LLM_BASE_URL)
    return (address.netloc.rpartition("@")[2] or "llm")[:100]
