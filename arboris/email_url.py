"""Where e-mail goes: one address, read into Django's settings."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BACKENDS = "django.core.mail.backends"
SECONDS = 15  # a reader waits for it


def read_email_url(name: str, url: str) -> dict[str, Any]:
    """Django's ``EMAIL_…`` settings of the address in the setting ``name``; empty: none is sent.

    ``smtp://user:password@host:587`` (STARTTLS; ``?tls=0`` without), ``smtps://…:465``,
    ``file:///directory``, ``console://``. Raises ImproperlyConfigured.
    """
    if not url:
        return {"EMAIL_BACKEND": f"{BACKENDS}.dummy.EmailBackend"}
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # without its text: that one may hold the password
        raise ImproperlyConfigured(f"{name}: this is no valid address.") from None
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": f"{BACKENDS}.console.EmailBackend"}
    if parts.scheme == "file":
        if not parts.path:
            raise ImproperlyConfigured(f"{name}: file:// has to be followed by a directory.")
        return {
            "EMAIL_BACKEND": f"{BACKENDS}.filebased.EmailBackend",
            "EMAIL_FILE_PATH": unquote(parts.path),
        }
    if parts.scheme not in {"smtp", "smtps"}:
        raise ImproperlyConfigured(
            f"{name}: the address has to start with smtp://, smtps://, file:// or console://."
        )
    if not parts.hostname:
        raise ImproperlyConfigured(f"{name}: the address names no host.")
    tls = parse_qs(parts.query).get("tls", ["1"])[-1]
    if tls not in {"0", "1"}:
        raise ImproperlyConfigured(f"{name}: tls is 1 or 0.")
    implicit = parts.scheme == "smtps"
    return {
        "EMAIL_BACKEND": f"{BACKENDS}.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or (465 if implicit else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": implicit,
        "EMAIL_USE_TLS": not implicit and tls == "1",
        "EMAIL_TIMEOUT": SECONDS,
    }
