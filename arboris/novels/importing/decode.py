"""Bytes to clean text."""

from __future__ import annotations

import codecs
import re

from django.utils.translation import gettext as _

from arboris.novels.importing.types import NovelImportError

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ud800-\udfff]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
# A single Chinese character right behind a Latin letter: what Western quotes turn into.
_STRAY_HAN = re.compile("[A-Za-z][\u3400-\u9fff](?![\u3400-\u9fff])")
_COMMON_HAN = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过"
    "她里后去天道心看起没如都然多好小想头手这還這個們來為國說時會對於過裡後沒頭"
)
_SAMPLE = 20_000
# What the writer may say a file is written in, and the superset it is read with.
ENCODINGS = {
    "utf-8": "utf-8",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "utf-16": "utf-16",
    "windows-1252": "cp1252",
}
_DECLARED = re.compile(rb"(?:encoding|charset)\s*=\s*[\"']?([A-Za-z0-9_.-]{1,20})")
# What a document may declare, and the superset it is read with.
_DECLARABLE = {
    "utf-8": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "windows-1252": "cp1252",
}


def decode_text(data: bytes, encoding: str = "") -> tuple[str, str]:
    """Text of a .txt or .md file and its encoding: UTF-8, UTF-16/32 with a byte order mark, or
    GB18030, unless the writer says which of ENCODINGS it is.

    Nothing is guessed loosely: a file that reads as none of them is refused, and so is one
    that only happens to pass as GB18030 (Big5, Windows-1252), rather than import garbage.
    """
    if encoding:
        return clean(_strict(data, ENCODINGS[encoding])), encoding
    for mark, name in _BOMS:
        if data.startswith(mark):
            return clean(_strict(data, name)), name  # clean() takes the mark itself away
    if data.count(0) * 100 > len(data):
        raise _bad_encoding()  # UTF-16 without its mark, or no text at all
    try:
        return clean(data.decode("utf-8")), "utf-8"
    except UnicodeDecodeError:
        text = _strict(data, "gb18030")
    if not _reads_as_chinese(text):
        raise _bad_encoding()
    return clean(text), "gb18030"


def decode_markup(data: bytes) -> str:
    """Text of an XHTML document: by its byte order mark, its declaration, or as UTF-8."""
    if (marked := _by_mark(data)) is not None:
        return marked
    declared = _DECLARED.search(data[:1024])
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    return clean(_strict(data, _DECLARABLE.get(name, "utf-8")))


def _by_mark(data: bytes) -> str | None:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return clean(_strict(data, encoding))  # clean() takes the mark itself away
    return None


def clean(text: str) -> str:
    """Lines end in ``\\n``; control characters other than newline and tab are removed."""
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _bad_encoding() from error


def _bad_encoding() -> NovelImportError:
    return NovelImportError(
        "bad_encoding",
        _("The file's character encoding is not known. Save it as UTF-8 and upload it again."),
    )


def _reads_as_chinese(text: str) -> bool:
    sample = text[:_SAMPLE]
    han = _HAN.findall(sample)
    if len(_PRIVATE.findall(sample)) * 100 > len(sample):
        return False
    if len(_STRAY_HAN.findall(sample)) * 2 > len(han):
        return False
    common = sum(char in _COMMON_HAN for char in han)
    return len(han) < 100 or common * 33 >= len(han)
