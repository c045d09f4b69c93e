"""Whether a model can be asked at all; apart from the client, whose library takes 17 MB."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

NEEDED = ("ARBORIS_LLM_BASE_URL", "ARBORIS_LLM_MODEL")


def missing_settings() -> list[str]:
    """Names of the settings without which no model can be asked."""
    return [name for name in NEEDED if not getattr(settings, name)]


def endpoint_name() -> str:
    """The endpoint's host and port, without whatever else its address may hold."""
    address = urlsplit(settings.ARBORIS_LLM_BASE_URL)
    return (address.netloc.rpartition("@")[2] or "llm")[:100]
