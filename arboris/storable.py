"""Which characters every database of ours can store. No ORM here."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def find_unstorable(text: str) -> str | None:
    """Names the first character that no text field takes, with its offset in code points:
    NUL, another C0 control than tab, LF and CR, or a lone surrogate. None: all is well."""
    found = _UNSTORABLE.search(text)
    if found is None:
        return None
    values = {"code": f"U+{ord(found.group()):04X}", "offset": found.start()}
    if found.group() == "\x00":
        return _("NUL character (%(code)s) at position %(offset)d") % values
    if found.group() >= "\ud800":
        return _("lone surrogate (%(code)s) at position %(offset)d") % values
    return _("control character (%(code)s) at position %(offset)d") % values


def storable(text: str) -> str:
    """The text without what ``find_unstorable`` finds: for what no person has written."""
    return _UNSTORABLE.sub("", text)
