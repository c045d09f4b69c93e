"""The endpoints that the settings name. Addresses and keys are known here, and shown nowhere.

``default`` is that of ARBORIS_LLM_BASE_URL, …_MODEL, …_API_KEY; ARBORIS_LLM_ENDPOINTS names others.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from arboris.env import check_url
from arboris.llm.configured import endpoint_name

DEFAULT = "default"
LONGEST_MODEL = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_FIELDS = {"base_url", "model", "models", "api_key", "api_key_file"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``model`` is asked where nothing else is asked for.

    ``models``: which others may be; where none is named, any.
    """

    name: str
    model: str
    base_url: str = field(repr=False)
    api_key: str = field(default="", repr=False)
    models: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What the call log calls it: its name, the default one's host and port."""
        return endpoint_name() if self.name == DEFAULT else self.name

    @property
    def listed(self) -> tuple[str, ...]:
        """The models that may be asked for; empty: any."""
        return tuple(dict.fromkeys((self.model, *self.models))) if self.models else ()

    def takes(self, model: str) -> bool:
        return not self.models or model in self.listed


def named(name: str) -> Endpoint:
    """Return an endpoint. Raises NotConfigured where the settings have none of that name."""
    # The settings are read with this module, and its sentences ask for settings.
    from arboris.llm.errors import NotConfigured

    if (found := find(name)) is None:
        raise NotConfigured(f"ARBORIS_LLM_ENDPOINTS has no endpoint {name!r}")
    return found


def find(name: str) -> Endpoint | None:
    if name == DEFAULT:
        return Endpoint(
            DEFAULT,
            settings.ARBORIS_LLM_MODEL,
            settings.ARBORIS_LLM_BASE_URL,
            settings.ARBORIS_LLM_API_KEY,
            tuple(settings.ARBORIS_LLM_MODELS),
        )
    others: Mapping[str, Endpoint] = settings.ARBORIS_LLM_ENDPOINTS
    return others.get(name)


def names() -> list[str]:
    return [DEFAULT, *settings.ARBORIS_LLM_ENDPOINTS]


def every() -> list[Endpoint]:
    return [named(name) for name in names()]


def keys() -> list[str]:
    """Every key, so that none is told on."""
    return [endpoint.api_key for endpoint in every() if endpoint.api_key]


def fingerprint() -> str:
    """Of all addresses and keys: another one where any of them is another."""
    known = [f"{endpoint.base_url}\n{endpoint.api_key}" for endpoint in every()]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]


def table(name: str, text: str) -> dict[str, Endpoint]:
    """Read the endpoints besides the default one from JSON.

    ``{"big": {"base_url": "https://…", "model": "…", "models": […], "api_key": "…"}}``; a key
    may stand in a file, ``api_key_file``. Raises ImproperlyConfigured with the setting's ``name``.
    """
    if not text:
        return {}
    return {key: _endpoint(name, key, given) for key, given in read_object(name, text).items()}


def read_object(name: str, text: str) -> dict[str, dict[str, Any]]:
    """A JSON object of objects; the error says nothing of what is in it, which may be a key."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise ImproperlyConfigured(f"{name}: this is no JSON.") from None
    if not isinstance(read, dict) or not all(isinstance(one, dict) for one in read.values()):
        raise ImproperlyConfigured(f"{name}: this is no JSON object of objects.")
    return read


def _endpoint(name: str, key: str, given: dict[str, Any]) -> Endpoint:
    where = f"{name}: {key!r}"
    if not _NAME.fullmatch(key) or key == DEFAULT:
        raise ImproperlyConfigured(
            f"{where} is no name for an endpoint: small letters, digits, - and _, at most 40, and"
            f" not {DEFAULT!r}."
        )
    if unknown := given.keys() - _FIELDS:
        raise ImproperlyConfigured(f"{where} has unknown fields: {', '.join(sorted(unknown))}.")
    models = given.get("models", [])
    texts = [given.get(one, "") for one in ("base_url", "model", "api_key", "api_key_file")]
    if not isinstance(models, list) or not all(isinstance(one, str) for one in (*texts, *models)):
        raise ImproperlyConfigured(f"{where}: every field is a text, and models a list of texts.")
    base_url, model, api_key, path = (one.strip() for one in texts)
    for needed, value in (("base_url", base_url), ("model", model)):
        if not value:
            raise ImproperlyConfigured(f"{where} needs {needed}.")
    if any(not one or len(one) > LONGEST_MODEL for one in (model, *models)):
        raise ImproperlyConfigured(f"{where}: a model has 1 to {LONGEST_MODEL} characters.")
    check_url(f"{where}: base_url", base_url, ["http", "https"])
    return Endpoint(key, model, base_url, _key(where, api_key, path), tuple(models))


def _key(where: str, api_key: str, path: str) -> str:
    if not path:
        return api_key
    if api_key:
        raise ImproperlyConfigured(f"{where}: api_key and api_key_file are both set; keep one.")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{where}: cannot read api_key_file: {error}") from error
