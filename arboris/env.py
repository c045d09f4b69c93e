"""Typed reading of the environment: a wrong value stops the start with a message that names it.

Every setting NAME may instead be given as NAME_FILE, the path of a file that holds the value
(container secrets); giving both is an error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class Env:
    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ

    def raw(self, name: str) -> str | None:
        """The value, stripped; None where it is unset or empty."""
        value, path = self._environ.get(name), self._environ.get(f"{name}_FILE")
        if value and path:
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; keep one of them.")
        if path:
            try:
                value = Path(path).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {error}") from error
        value = (value or "").strip()
        return value or None

    def text(self, name: str, default: str = "") -> str:
        return self.raw(name) or default

    def secret(self, name: str, *, shortest: int) -> str:
        """A value that nobody is to guess; empty where it is unset."""
        value = self.text(name)
        if value and (len(value) < shortest or not value.isascii() or not value.isprintable()):
            raise ImproperlyConfigured(
                f"{name}: give it {shortest} or more random ASCII characters."
            )
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.raw(name)
        if value is None:
            return default
        if value.lower() in _TRUE:
            return True
        if value.lower() in _FALSE:
            return False
        raise ImproperlyConfigured(f"{name}: {value!r} is neither true nor false (use 1 or 0).")

    def whole(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self.raw(name)
        if value is None:
            return default
        try:
            number = int(value)
        except ValueError:
            raise ImproperlyConfigured(f"{name}: {value!r} is not a whole number.") from None
        return int(self._bounded(name, number, low, high))

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        value = self.raw(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            raise ImproperlyConfigured(f"{name}: {value!r} is not a number.") from None
        return self._bounded(name, number, low, high)

    def amount(self, name: str) -> Decimal:
        """An amount of money from 0 to a million, to four places; 0 where it is unset."""
        value = self.raw(name)
        if value is None:
            return Decimal(0)
        try:
            amount = Decimal(value)
            right = 0 <= amount <= 1_000_000 and amount == round(amount, 4)
        except InvalidOperation:
            right = False
        if not right:
            raise ImproperlyConfigured(
                f"{name}: {value!r} is no amount from 0 to 1000000 with at most four places."
            )
        return amount

    def choice(self, name: str, default: str, allowed: Sequence[str]) -> str:
        """One of ``allowed``, given in whatever case of letters."""
        value = self.text(name, default)
        for choice in allowed:
            if choice.lower() == value.lower():
                return choice
        raise ImproperlyConfigured(f"{name}: {value!r} is not one of {', '.join(allowed)}.")

    def rate(self, name: str, default: str) -> str:
        """How often something is allowed: ``number/period``, say 30/min."""
        value = self.text(name, default)
        if not re.fullmatch(r"[1-9]\d*/(s|sec|second|m|min|minute|h|hour|d|day)", value):
            raise ImproperlyConfigured(f"{name}: {value!r} is no rate (30/min, 5/s, 1000/day).")
        return value

    def items(self, name: str, default: Sequence[str] = ()) -> list[str]:
        value = self.raw(name)
        if value is None:
            return list(default)
        return [item.strip() for item in value.split(",") if item.strip()]

    def url(self, name: str, default: str = "", *, schemes: Sequence[str]) -> str:
        value = self.text(name, default)
        if value:
            check_url(name, value, schemes)
        return value

    def directory(self, name: str, default: Path) -> Path:
        """A directory; one that is given, unlike the default, is made if it is not there yet."""
        value = self.raw(name)
        if value is None:
            return default
        make_directory(name, Path(value))
        return Path(value)

    @staticmethod
    def _bounded(name: str, number: float, low: float, high: float) -> float:
        if not low <= number <= high:
            raise ImproperlyConfigured(f"{name}: {number:g} is outside {low:g} to {high:g}.")
        return number


def make_directory(name: str, path: Path) -> None:
    """Make the directory of the setting ``name``; ImproperlyConfigured where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: cannot make the directory {path}: {error}") from error


def check_url(name: str, url: str, schemes: Sequence[str]) -> None:
    """Raise ImproperlyConfigured with the setting's ``name`` where an address is none."""
    if not any(url.startswith(f"{scheme}://") for scheme in schemes):
        known = ", ".join(f"{scheme}://…" for scheme in schemes)
        raise ImproperlyConfigured(f"{name}: the address has to start with {known}.")
    if url.startswith(("http://", "https://")) and not _has_host(url):
        raise ImproperlyConfigured(f"{name}: the address names no host, or no valid one.")


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that are not closed, a port that is no number
        return False
