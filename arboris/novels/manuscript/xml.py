"""Text that XML can hold."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_NEVER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def for_xml(text: str) -> str:
    """Without the few characters that no XML may hold, escaped or not."""
    return _NEVER.sub("", text)


def escaped(text: str) -> str:
    """As the content of an element or between double quotes."""
    return escape(for_xml(text), {'"': "&quot;"})
