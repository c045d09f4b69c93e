"""Other people's text in a prompt: between markers that it cannot forge, and without any sign that
could pass for a chat template's own.

Whoever builds a prompt draws a ``new_token`` for each call, names it in the system message, and
puts every piece of material through ``block``.
"""

from __future__ import annotations

import re
import secrets
import unicodedata

# All of these are "<" or ">" once an endpoint has normalised its input.
_ANGLES = dict.fromkeys(map(ord, "<＜﹤"), "‹") | dict.fromkeys(map(ord, ">＞﹥"), "›")
# What nobody sees: zero-width signs, directions, tags. It splits words, or holds hidden ones.
_UNSEEN = {
    code: " "
    for code in (*range(0x80, 0x20000), *range(0xE0000, 0xE0080))
    if unicodedata.category(chr(code)) == "Cf"
}
# Variation selectors beyond the few that text uses can carry hidden bytes.
_UNSEEN |= dict.fromkeys(range(0xE0100, 0xE01F0), " ")
UNSEEN = frozenset(map(chr, _UNSEEN))
_SIGNS = {**_UNSEEN, **_ANGLES}
# Words by which chat templates of common models mark who speaks.
_TEMPLATE = re.compile(
    r"\[(/?(?:INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|CALL_ID"
    r"|ARGS|THINK|[gs]?MASK|PREFIX|MIDDLE|SUFFIX|BOS|EOS|CLS|SEP|PAD|UNK)\b)",
    re.IGNORECASE,
)
_ROLES = r"(?:system|user|human|assistant|instructions?|input|response|developer|tool)"
_HEADED = re.compile(rf"^([^\S\n]*)(#+)(?=[^\S\n]*{_ROLES}\b)", re.IGNORECASE | re.MULTILINE)
_SPEAKER = re.compile(rf"^([^\S\n]*{_ROLES}[^\S\n]*):", re.IGNORECASE | re.MULTILINE)


def new_token() -> str:
    """What makes a call's markers: nobody who wrote the material can know it."""
    return secrets.token_hex(8)


def block(name: str, token: str, data: str) -> str:
    """The data between its markers, neutralised; empty if there is none."""
    return f"<<<{name} {token}>>>\n{neutral(data)}\n<<<END {token}>>>" if data.strip() else ""


def neutral(text: str) -> str:
    """The text without anything that could pass for a marker or a chat template's own token.

    It stays as long as it was, and reads the same; with compatibility forms made equal (NFKC) and
    unseen signs and white space left out, only ‹ and › differ.
    """
    text = _TEMPLATE.sub(r"［\1", text.translate(_SIGNS))
    text = _HEADED.sub(lambda found: found[1] + "＃" * len(found[2]), text)
    return _SPEAKER.sub(r"\1：", text)
