"""Bytes to clean text: what marks and declarations say, then what the bytes themselves show."""

from __future__ import annotations

import codecs
import re
from itertools import islice
from typing import NamedTuple

from chardet import detect
from django.utils.translation import gettext as _

from arboris.novels.importing.types import NovelImportError
from arboris.novels.importing.wording import is_garbage, looks_garbled, oddness, undoubled

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
_INVISIBLE = re.compile("[\xad\u200b\u2060]")  # where a word may be broken, or must not be
# What a file may be said to be written in, and the superset it is read with.
ENCODINGS = {
    "utf-8": "utf-8",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "utf-16": "utf-16",
    "utf-32": "utf-32",
    "shift_jis": "cp932",
    "euc-jp": "euc_jis_2004",
    "iso-2022-jp": "iso2022_jp_2",
    "iso-2022-kr": "iso2022_kr",
    "hz-gb-2312": "hz",
    "euc-kr": "cp949",
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1252": "cp1252",
    "iso-8859-2": "iso8859-2",
    "iso-8859-5": "iso8859-5",
    "koi8-r": "koi8_u",  # which has Ukrainian letters in the place of eight frames
    "ibm850": "cp850",
    "ibm866": "cp866",
    "macintosh": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
}
_NAMES = {codec: name for name, codec in ENCODINGS.items()}
_NAMES["koi8-r"] = _NAMES["koi8-u"] = "koi8-r"
_WESTERN = ("windows-1252", "macintosh", "ibm850")  # one is like another to a detector
# In seven bits: seen by how they change between letters and characters.
_ESCAPED = (
    (re.compile(rb"\x1b\$\)C"), "iso-2022-kr"),
    (re.compile(rb"\x1b\$[@B(]"), "iso-2022-jp"),
    (re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e])+~\}"), "hz-gb-2312"),
)
_DETECTED = [
    *("gb18030", "big5hkscs", "cp932", "euc_jis_2004", "cp949", "cp1250", "cp1251", "cp1252"),
    *("iso8859-2", "iso8859-5", "koi8-r", "koi8-u", "cp866", "mac-roman", "mac-cyrillic"),
]
# Bytes that are no character in Shift-JIS, and what Python's codec makes of them.
_NO_SHIFT_JIS = re.compile("[\x80\xa0\uf8f0-\uf8f3]")
_SEVERAL_BYTES = ("gb18030", "big5hkscs", "cp932", "euc_jis_2004", "cp949")
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_jp": "euc_jis_2004",
    "euc_kr": "cp949",
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
}
_DECLARED = re.compile(rb"(?:encoding|charset)\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,20})")
_NOT_TEXT = (b"%PDF-", b"{\\rtf")  # in letters that could be a text
_SAMPLE = 200_000  # bytes that the detector is shown
_SURE = 0.06  # the detector's confidence: below lie noise and what no encoding fits
_CERTAIN = 0.5  # above, bytes are believed more than what a document declares
_TOLD = 5  # broken places that are told one by one


class Decoded(NamedTuple):
    """``encoding`` is one of ENCODINGS; ``broken`` tells where bytes had to be replaced."""

    text: str
    encoding: str
    broken: list[str]


def decode_text(data: bytes, encoding: str = "") -> Decoded:
    """Text of a file in the encoding that the writer says, else in the one that its bytes show.

    Single broken bytes are replaced. Raises NovelImportError for what is no text.
    """
    if data.startswith(_NOT_TEXT):
        raise _bad_encoding()
    if encoding:
        return _lenient(data, encoding)
    return _by_mark(data) or _by_bytes(data)


def decode_markup(data: bytes) -> Decoded:
    """Text of an XHTML document: by its byte order mark, as UTF-8 where it is that whatever it
    declares, by its declaration, or by its bytes."""
    if marked := _by_mark(data):
        return marked
    found = _DECLARED.search(data[:1024])
    declared = _codec(found[1].decode("ascii")) if found else None
    if declared is not None and not (declared == "utf-8" or _is_utf8(data)):
        seen, certainty = _detected(data)
        if certainty > _CERTAIN:
            return _lenient(data, seen)
        try:
            return _checked(data.decode(declared), declared)
        except (UnicodeDecodeError, NovelImportError):
            pass  # it declares what it is not
    return _by_bytes(data)


def _codec(name: str) -> str | None:
    """The codec to read a declared encoding with; none for what is not known, or one of bytes."""
    try:
        codec = codecs.lookup(name).name
        "".encode(codec)  # a codec of bytes (base64) takes no text
    except LookupError:
        return None
    return None if codec.startswith("utf-16") else _SUPERSETS.get(codec, codec)


def _is_utf8(data: bytes) -> bool:
    if _escaped(data):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _escaped(data: bytes) -> str:
    """The encoding of seven bits that the text is in; none for ASCII."""
    if not data.isascii() or not (b"\x1b$" in data or b"~{" in data):
        return ""
    return next((name for sign, name in _ESCAPED if sign.search(data)), "")


def _by_mark(data: bytes) -> Decoded | None:
    for mark, name in _BOMS:
        if data.startswith(mark):
            try:
                return _lenient(data, name)  # clean() takes the mark itself away
            except NovelImportError:
                if name != "utf-8":
                    raise
                return _by_bytes(data.removeprefix(mark))  # put there by an editor
    return None


def _by_bytes(data: bytes) -> Decoded:
    zeros = data.count(0)
    if zeros * 100 <= len(data):
        if _is_utf8(data):
            return _checked(data.decode("utf-8"), "utf-8")
        if _mostly_utf8(data):
            return _lenient(data, "utf-8")
    mime = detect(data[:_SAMPLE])["mime_type"] or "text/plain"
    if not mime.startswith("text/") and mime != "application/octet-stream":
        raise _bad_encoding()  # an image, a document, an archive
    if escaped := _escaped(data):
        return _lenient(data, escaped)
    codec = _wide(data, 400) if zeros else ""
    if not codec:
        seen, certainty = _detected(data)
        if certainty >= _SURE:
            return _lenient(data, seen)
        codec = "" if zeros else _wide(data, 40)
    if not codec:
        raise _bad_encoding()
    return _lenient(data, codec[:6], codec)


def _mostly_utf8(data: bytes) -> bool:
    """Whether what is well-formed outweighs what is broken."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    good = sum(1 for _char in islice(re.finditer("[^\x00-\x7f\ufffd]", text), 4 * broken))
    return good > 2 * broken and not _too_broken(broken, len(text))


def _wide(data: bytes, rarest: int) -> str:
    """UTF-16 or UTF-32 without a mark: the codec that gives the most everyday characters; none
    where that is less than one in ``rarest`` bytes."""
    found = {
        codec: sum(data[:_SAMPLE].decode(codec, "replace").count(char) for char in "\n 。，, e的")
        for codec in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    }
    # What is UTF-32 reads as UTF-16 too, with a zero behind each character.
    codec = max(found, key=lambda one: found[one] * (2 if "32" in one else 1))
    return codec if found[codec] * rarest > min(len(data), _SAMPLE) else ""


def _detected(data: bytes) -> tuple[str, float]:
    """The name of the likeliest encoding, and how likely it is. A broken byte hides one with
    several bytes to a character, so each is also tried without what is broken in it."""
    sample = _telling(data)
    tried = [sample]
    for codec in _SEVERAL_BYTES:
        text = _replaced(sample, codec)
        broken = text.count("\ufffd")
        if broken and not _too_broken(broken, len(text)):
            tried.append(text.replace("\ufffd", "").encode(codec, "ignore"))
    found = [detect(one, include_encodings=_DETECTED, compat_names=False) for one in tried]
    best = max(found, key=lambda one: one["confidence"] if one["encoding"] in _NAMES else 0.0)
    name = _NAMES.get(best["encoding"] or "", "")
    return _western(sample, name), best["confidence"] if name else 0.0


def _western(data: bytes, name: str) -> str:
    """The encoding of one byte in which a Western text looks best; others as they are."""
    if name not in (*_WESTERN, "windows-1250"):
        return name
    return min((name, *_WESTERN), key=lambda one: oddness(data.decode(ENCODINGS[one], "replace")))


def _telling(data: bytes) -> bytes:
    """The part to judge by: from the line of the first byte that is not ASCII, whole lines."""
    first = re.search(rb"[\x80-\xff\x1b]", data)
    start = data.rfind(b"\n", 0, first.start()) + 1 if first else 0
    start = max(start, first.start() - 1_000 if first else 0)
    if len(data) - start <= _SAMPLE:
        return data[start:]
    end = data.rfind(b"\n", start, start + _SAMPLE)
    return data[start : end + 1 or start + _SAMPLE]


def _skip_pair(error: UnicodeError) -> tuple[str, int]:
    """Two bytes make a character: one broken byte spoils its pair, not those behind it."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    after = error.start + 1
    paired = after < len(error.object) and error.object[after] >= 0x40
    return "\ufffd", after + paired


codecs.register_error("arboris.pairs", _skip_pair)


def _replaced(data: bytes, codec: str) -> str:
    return data.decode(codec, "arboris.pairs" if codec in _SEVERAL_BYTES else "replace")


def _lenient(data: bytes, name: str, codec: str = "") -> Decoded:
    codec = codec or ENCODINGS[name]
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        text = _replaced(data, codec)
    return _checked(_NO_SHIFT_JIS.sub("\ufffd", text) if codec == "cp932" else text, name)


def _checked(text: str, name: str) -> Decoded:
    """``name``: of ENCODINGS or of a codec."""
    text = (name == "utf-8" and undoubled(text)) or text
    broken = text.count("\ufffd")
    cleaned = clean(text)
    controls = len(text) - len(_CONTROLS.sub("", text))
    if _too_broken(broken, len(text)) or controls * 20 > len(text) + 40:
        raise _bad_encoding()
    places = _places(cleaned, broken) if broken else []
    if name == "utf-8" and looks_garbled(cleaned):
        places.append(_("Many characters look garbled, as if the text had been saved so."))
    elif name != "utf-8" and is_garbage(cleaned):
        raise _bad_encoding()
    return Decoded(cleaned, _NAMES.get(name, name), places)


def _too_broken(broken: int, length: int) -> bool:
    return broken * 100 > length + 300 or broken * 10 > length


def _places(text: str, count: int) -> list[str]:
    places: list[str] = []
    line = start = 0
    for found in islice(re.finditer("\ufffd+", text), _TOLD):
        line += text.count("\n", start, found.start())
        start = found.start()
        before = text[max(0, start - 12) : start].rpartition("\n")[2]
        values = {"line": line + 1, "before": before}
        places.append(_("Line %(line)d: unreadable after “%(before)s”.") % values)
        count -= len(found[0])
    if count > 0:
        places.append(_("%(count)d more unreadable characters.") % {"count": count})
    return places


def clean(text: str) -> str:
    """Lines end in ``\\n``; control characters other than newline and tab, and soft hyphens, are
    removed."""
    return _INVISIBLE.sub("", _CONTROLS.sub("", _LINE_ENDS.sub("\n", text)))


def _bad_encoding() -> NovelImportError:
    return NovelImportError(
        "bad_encoding",
        _(
            "The file is no text, or its character encoding is not known. "
            "Save it as UTF-8 and upload it again."
        ),
    )
