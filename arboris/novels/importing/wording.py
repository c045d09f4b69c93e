"""Whether decoded characters can be somebody's text."""

from __future__ import annotations

import codecs
import re
import unicodedata

_SAMPLE = 20_000
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA = re.compile("[\u3041-\u30fa]")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
# A single Chinese character right behind a Latin letter: what Western quotes turn into.
_STRAY_HAN = re.compile("[A-Za-z][\u3400-\u9fff](?![\u3400-\u9fff])")
_COMMON_HAN = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过"
    "她里后去天道心看起没如都然多好小想头手这還這個們來為國說時會對於過裡後沒頭"
)
# What Western letters and quotes turn into when they are read in another encoding of one byte:
# capitals, signs and frames within words, small letters in the place of quotes.
_CAPITALS = "[À-ÖØ-ÞŠŒŽŸ]"
_ODD = re.compile(
    f"(?<=[a-zà-öø-ÿœ]){_CAPITALS}|(?<=[A-Z]){_CAPITALS}(?=[a-z])|(?<=\\s)[ÑÐ](?=\\s)"
    "|(?<=[A-Za-zÀ-ÿ])[^\\w\\s\x00-\x7f\xad’‘—–…“”«»](?=[A-Za-zÀ-ÿ])"
    "|[à-ÿ](?=[A-Z][a-z])|(?<=[.,!?…])[À-ÿ]|[\u2500-\u25a0\ufffd]"
)
# UTF-8 read as GBK with what did not fit replaced, and characters that an encoding did not have.
_LOST = re.compile("锟斤拷|[?？]{3,}[^?？\\n]{0,2}[?？]{2,}")
_DOUBLED = re.compile("[Â-ô][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")
_FEWEST = 3  # doubled characters
_NO_TEXT = frozenset({"Cn", "Cc", "Cs"})  # unassigned, controls


def is_garbage(text: str) -> bool:
    """Whether ``text``, clean of controls, is bytes of another kind read as characters."""
    sample = text[:_SAMPLE]
    odd = sum(unicodedata.category(char) in _NO_TEXT for char in set(sample) - set("\n\t"))
    if odd * 20 > len(set(sample)):
        return True
    han = _HAN.findall(sample)
    if len(_PRIVATE.findall(sample)) * 100 > len(sample):
        return True
    if len(_STRAY_HAN.findall(sample)) * 2 > len(han) > 20:
        return True
    if len(_KANA.findall(sample)) * 2 > len(han):
        return False
    common = sum(char in _COMMON_HAN for char in han)
    return len(han) >= 100 and common * 33 < len(han)


def looks_garbled(text: str) -> bool:
    """Whether somebody saved garbage as proper characters: nothing that a reader of bytes can see,
    and no proof, so it is told."""
    sample = text[:_SAMPLE]
    lost = sum(len(found) for found in _LOST.findall(sample))
    return lost * 50 > len(sample) or is_garbage(text)


def undoubled(text: str) -> str:
    """The text where it is UTF-8 that was read as Windows-1252 and saved as UTF-8 again (Ã©),
    else nothing."""
    if len(_DOUBLED.findall(text[:_SAMPLE])) < _FEWEST:
        return ""
    try:
        return text.encode("cp1252", "arboris.latin").decode("utf-8")
    except UnicodeError:
        return ""


def _latin(error: UnicodeError) -> tuple[bytes, int]:
    """Windows-1252 leaves five bytes out, which others read as controls."""
    if not isinstance(error, UnicodeEncodeError) or ord(error.object[error.start]) > 0xFF:
        raise error
    return bytes([ord(error.object[error.start])]), error.start + 1


codecs.register_error("arboris.latin", _latin)


def oddness(text: str) -> int:
    """How many places of a Western text look as if it were read in a wrong encoding."""
    return sum(1 for _found in _ODD.finditer(text[:_SAMPLE]))
