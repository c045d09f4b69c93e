"""The signing key of an installation that was given none."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SHORTEST = 32


def secret_key(given: str, data_dir: Path, *, embedded: bool) -> str:
    """``given``, or for the embedded database a random key kept beside it (mode 0600).

    With a database server the processes may stand on several hosts; a key made up on each
    would make them refuse each other's wake-ups and sessions, so there it has to be given.
    """
    if given:
        if len(given) < SHORTEST:
            raise ImproperlyConfigured(
                f"DJANGO_SECRET_KEY is shorter than {SHORTEST} characters: give it a long random "
                "value, the same on every host."
            )
        return given
    if not embedded:
        raise ImproperlyConfigured(
            "DJANGO_SECRET_KEY is not set: give it a long random value, the same on every host."
        )
    path = data_dir / "secret.key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"DJANGO_SECRET_KEY is not set, and none can be kept in {path}: {error}"
        ) from error


def _create(path: Path) -> None:
    """Write the key whole or not at all: two processes may start at the same moment."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(secrets.token_urlsafe(50))
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
