"""Other people's text in a prompt, between markers that it cannot forge.

Whoever builds a prompt takes a token of ``token_for``, names it in the system message, and
puts every piece of other people's text through ``block``. ``block`` also removes what could pass
for a chat template's own signs.
"""

from __future__ import annotations

import hmac
import re
import unicodedata

from django.conf import settings

# All of these are "<" or ">" once an endpoint has normalised its input.
_ANGLES = dict.fromkeys(map(ord, "<＜﹤"), "‹") | dict.fromkeys(map(ord, ">＞﹥"), "›")
# Invisible characters (zero-width signs, directions, tags) split words or hide them.
_UNSEEN = {
    code: " "
    for code in (*range(0x80, 0x20000), *range(0xE0000, 0xE0080))
    if unicodedata.category(chr(code)) == "Cf"
}
# Variation selectors beyond those that text uses can carry hidden bytes.
_UNSEEN |= dict.fromkeys(range(0xE0100, 0xE01F0), " ")
UNSEEN = frozenset(map(chr, _UNSEEN))
_SIGNS = {**_UNSEEN, **_ANGLES}
# Words with which chat templates of common models mark who speaks.
_TEMPLATE = re.compile(
    r"\[(/?(?:INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|CALL_ID"
    r"|ARGS|THINK|[gs]?MASK|PREFIX|MIDDLE|SUFFIX|BOS|EOS|CLS|SEP|PAD|UNK)\b)",
    re.IGNORECASE,
)
_ROLES = r"(?:system|user|human|assistant|instructions?|input|response|developer|tool)"
_HEADED = re.compile(rf"^([^\S\n]*)(#+)(?=[^\S\n]*{_ROLES}\b)", re.IGNORECASE | re.MULTILINE)
_SPEAKER = re.compile(rf"^([^\S\n]*{_ROLES}[^\S\n]*):", re.IGNORECASE | re.MULTILINE)


def token_for(text: str) -> str:
    """Return the token of the markers around ``text``, which no author of it can know.

    The same text has the same token for as long as it is this site's: endpoints keep what the
    beginnings of prompts have in common, and charge less for it.
    """
    secret = settings.SECRET_KEY.encode()
    return hmac.new(secret, text.encode("utf-8", "surrogatepass"), "sha256").hexdigest()[:16]


def block(name: str, token: str, data: str) -> str:
    """Return the data between its markers, neutralised; empty for blank data."""
    return f"<<<{name} {token}>>>\n{neutral(data)}\n<<<END {token}>>>" if data.strip() else ""


def neutral(text: str) -> str:
    """Return the text without anything that could pass for a marker or a chat template's token.

    The text keeps its length and reads the same. Under NFKC, and without invisible characters and
    white space, only ‹ and › differ.
    """
    text = _TEMPLATE.sub(r"［\1", text.translate(_SIGNS))
    text = _HEADED.sub(lambda found: found[1] + "＃" * len(found[2]), text)
    return _SPEAKER.sub(r"\1：", text)
