"""A zip archive (an EPUB, a Word document, a novel's archive), read in memory and within limits."""

from __future__ import annotations

import io
import posixpath
import re
import unicodedata
import zipfile
import zlib
from contextlib import suppress
from html import escape
from html.entities import html5
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.utils.translation import gettext as _

from arboris.novels.importing.decode import decode_markup
from arboris.novels.importing.types import ImportLimits, NovelImportError

_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_ENTITY = re.compile(r"&(#?[A-Za-z0-9]{1,40});")
_BARE_AND = re.compile(r"&(?!#?[A-Za-z0-9]{1,40};)")
_PREFIXED_TAG = re.compile(r"(</?)[A-Za-z][\w.-]{0,40}:(?=[A-Za-z])")
_PREFIXED_ATTRIBUTE = re.compile(r"\s[A-Za-z][\w.-]{0,40}:([A-Za-z][\w.-]{0,40})\s?=")
_CHUNK = 64 * 1024
_IS_UTF_8 = 0x800  # a flag of an entry's name
_NAME_CODECS = ("utf-8", "gb18030", "cp932")
_RATIO_FROM = 1024 * 1024  # small entries may be as repetitive as they like


class Archive:
    """Reads entries by name; nothing is ever unpacked to disk. ``kind`` is the file's suffix."""

    def __init__(self, data: bytes, limits: ImportLimits, kind: str = ".epub") -> None:
        self._kind = kind
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
            raise self.bad(_("it is not a zip archive")) from error
        self._limits = limits
        self._left = limits.unpacked_bytes
        self._check(limits)
        self._infos = {_names_of(info)[0]: info for info in self._zip.infolist()}
        self._by_key = {
            _key(written): name for name, info in self._infos.items() for written in _names_of(info)
        } | {_key(name): name for name in self._infos}

    def bad(self, reason: str) -> NovelImportError:
        return bad_file(self._kind, reason)

    def _check(self, limits: ImportLimits) -> None:
        infos = self._zip.infolist()
        if len(infos) > limits.entries:
            said = _("The %(kind)s file holds more than %(limit)d files.")
            values = {"kind": self._kind, "limit": limits.entries}
            raise NovelImportError("too_large", said % values)
        if sum(info.file_size for info in infos) > limits.unpacked_bytes:
            raise self._too_large(limits.unpacked_bytes)
        for info in infos:
            if _leaves_archive(info.filename):
                raise self.bad(_("a path in it leads out of the archive"))
            packed = max(info.compress_size, 1)
            if info.file_size > _RATIO_FROM and info.file_size > packed * limits.ratio:
                said = _("The %(kind)s file holds a file that is packed suspiciously tight.")
                raise NovelImportError("too_large", said % {"kind": self._kind})

    def _too_large(self, limit: int) -> NovelImportError:
        said = _("The %(kind)s file is larger than %(limit)d MB when unpacked.")
        return NovelImportError("too_large", said % {"kind": self._kind, "limit": limit >> 20})

    def __contains__(self, name: str) -> bool:
        return name in self._infos

    def resolve(self, base: str, href: str) -> tuple[str, str]:
        """Entry name and fragment that ``href`` means in the document ``base``: percent-encoded or
        not, with any slashes and case, from the document or from the archive's root. What is not
        in the archive keeps the path as it is written.
        """
        path, _hash, fragment = href.partition("#")
        fragment = unquote(fragment)
        if not path:
            return base, fragment
        path = path.replace("\\", "/")
        folder = posixpath.dirname(base)
        for written in (unquote(path).replace("\\", "/"), path):
            for place in (posixpath.join(folder, written), f"{folder}/{written}", written):
                name = posixpath.normpath(place)
                if name in self._infos:
                    return name, fragment
                if found := self._by_key.get(_key(place)):
                    return found, fragment
        return posixpath.normpath(posixpath.join(folder, unquote(path))), fragment

    def names(self) -> list[str]:
        return list(self._infos)

    def read(self, name: str) -> bytes:
        """The entry's bytes. What was read in all is counted, whatever the directory claims."""
        info = self._infos.get(name)
        if info is None:
            raise self.bad(_("%(name)s is missing in it") % {"name": name[:100]})
        if info.flag_bits & 0x1:
            raise drm() if self._kind == ".epub" else self.bad(_("it has a password"))
        pieces: list[bytes] = []
        room = self._limits.entry_bytes
        try:
            with self._zip.open(info) as entry:
                while piece := entry.read(_CHUNK):
                    self._left -= len(piece)
                    room -= len(piece)
                    if self._left < 0:
                        raise self._too_large(self._limits.unpacked_bytes)
                    if room < 0:
                        raise self.bad(_("%(name)s in it is too large") % {"name": name[:100]})
                    pieces.append(piece)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise self.bad(_("%(name)s cannot be unpacked") % {"name": name[:100]}) from error
        return b"".join(pieces)

    def xml(self, name: str) -> Element:
        """The entry as XML, loosely written where it has to be (entities of HTML, a bare ``&``,
        a wrong charset); entities of its own and external references are refused."""
        data = self.read(name)
        try:
            try:
                root: Element = fromstring(data)
            except (ParseError, LookupError, UnicodeError):
                root = fromstring(mended(decode_markup(data).text))
        except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
            raise self.bad(_("%(name)s is no valid XML") % {"name": name[:100]}) from error
        return root


def mended(markup: str) -> str:
    """Markup that is nearly XML as XML: entities of HTML, a bare ``&``, prefixes unbound."""

    def entity(found: re.Match[str]) -> str:
        name = found[1]
        if name in _OF_XML or name.startswith("#"):
            return f"&{name};"
        return escape(html5[f"{name};"]) if f"{name};" in html5 else f"&amp;{name};"

    markup = re.sub(r"^\s*<\?xml[^>]*\?>", "", markup)
    # Prefixes that nothing binds; elements go by their local names anyway.
    markup = _PREFIXED_TAG.sub(r"\1", markup)
    markup = _PREFIXED_ATTRIBUTE.sub(r" \1=", markup)
    return _ENTITY.sub(entity, _BARE_AND.sub("&amp;", markup)).strip()


def _names_of(info: zipfile.ZipInfo) -> list[str]:
    """What the entry may be called, the likeliest first. Where nothing says that its name is UTF-8,
    zipfile takes it for one of DOS."""
    name = info.filename
    if info.flag_bits & _IS_UTF_8 or name.isascii():
        return [name]
    raw = name.encode("cp437", "replace")
    names: list[str] = []
    for codec in _NAME_CODECS:
        with suppress(UnicodeDecodeError):
            names.append(raw.decode(codec))
    return [*names, name]


def _key(name: str) -> str:
    """What an entry's name and a path to it have in common, whoever wrote them."""
    path = posixpath.normpath("/" + name.replace("\\", "/"))  # ".." ends at the archive's root
    return unicodedata.normalize("NFC", path.lstrip("/")).casefold()


def _leaves_archive(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or parts[0].endswith(":")


def bad_epub(reason: str) -> NovelImportError:
    return bad_file(".epub", reason)


def bad_file(kind: str, reason: str) -> NovelImportError:
    """``kind`` is the file's suffix."""
    said = _("The %(kind)s file cannot be read: %(reason)s.") % {"kind": kind, "reason": reason}
    return NovelImportError("bad_epub" if kind == ".epub" else "bad_file", said)


def drm() -> NovelImportError:
    return NovelImportError(
        "drm", _("The EPUB is protected by DRM. Upload a copy without copy protection.")
    )
