"""Whether decoded characters can be somebody's text."""

from __future__ import annotations

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
