"""Bytes to text: encodings, file names, what is refused."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arboris.novels.importing import SUFFIXES, ImportLimits, NovelImportError, parse_novel
from tests.novels.reading import code_of

NOVEL = """《风起青州》
作者：林晚舟

第一章 初见

　　他翻到第三章，读了三遍。
　　第三章他读完了，仍然不懂。

第二章：夜雨
雨下了一夜。
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_encodings(encoding: str) -> None:
    found = parse_novel("a.txt", NOVEL.encode(encoding))
    assert found.encoding == {"gbk": "gb18030", "utf-8-sig": "utf-8"}.get(encoding, encoding)
    assert replace(found, encoding="utf-8") == parse_novel("a.txt", NOVEL.encode())


RAIN = {
    "zh": "雨下了一夜，船上没有人。他把信折好，又展开，看了很久。“你还记得吗？”她问。",
    "zh-hant": "雨下了一夜，船上沒有人。他把信摺好，又展開，看了很久。「你還記得嗎？」她問。",
    "ja": "雨は一晩じゅう降りつづいた。彼は手紙をたたみ、また開いて、長いあいだ見つめた。",
    "ko": "비는 밤새도록 내렸다. 그는 편지를 접었다가 다시 펴서 오래도록 들여다보았다.",
    "en": "The rain hadn’t stopped. “Do you know him?” she asked — at the café. He didn’t…",
    "fr": "La pluie n’avait pas cessé. Où était passé l’homme à la cicatrice ? Le garçon hésita.",
    "de": "Der Regen hörte nicht auf. Über dem Fluß lag Nebel, und die Bäume standen schwarz.",
    "pl": "Deszcz padał całą noc. Żaden człowiek nie wiedział, skąd przypłynęła łódź.",
    "ru": "Дождь не переставал всю ночь. Ты помнишь его? - спросила она. Он не ответил.",
}


@pytest.mark.parametrize(
    ("language", "codec", "name"),
    [
        *((language, codec, codec[:6])
          for language in ("zh", "ja", "ko", "en", "ru")
          for codec in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")),
        ("zh", "gbk", "gb18030"), ("zh-hant", "gb18030", "gb18030"),
        ("zh-hant", "big5", "big5"), ("zh-hant", "big5hkscs", "big5"),
        ("ja", "shift_jis", "shift_jis"), ("ja", "euc_jp", "euc-jp"),
        ("ja", "iso2022_jp", "iso-2022-jp"), ("ko", "euc_kr", "euc-kr"),
        ("en", "cp1252", "windows-1252"), ("en", "mac_roman", "macintosh"),
        ("fr", "cp1252", "windows-1252"), ("fr", "mac_roman", "macintosh"),
        ("de", "cp1252", "windows-1252"), ("de", "mac_roman", "macintosh"),
        ("pl", "cp1250", "windows-1250"), ("ru", "cp1251", "windows-1251"),
        ("ru", "koi8_r", "koi8-r"),
    ],
)  # fmt: skip
def test_an_encoding_is_seen_by_its_bytes(language: str, codec: str, name: str) -> None:
    text = "\n\n".join([RAIN[language]] * 6)
    novel = parse_novel("a.txt", text.encode(codec))
    assert (novel.chapters[0].content, novel.encoding) == (text, name)
    assert novel.set_aside == []


@pytest.mark.parametrize(
    ("language", "codec"),
    [("zh", "utf-8"), ("en", "utf-8"), ("zh", "gb18030"), ("zh-hant", "big5"), ("ko", "euc_kr")],
)
def test_a_broken_byte_is_replaced_and_its_place_told(language: str, codec: str) -> None:
    lines = [RAIN[language]] * 9
    data = "\n".join(lines).encode(codec)
    at = len("\n".join([*lines[:4], RAIN[language][:4]]).encode(codec))
    novel = parse_novel("a.txt", data[:at] + b"\xff" + data[at + 1 :])
    content = novel.chapters[0].content.split("\n")
    assert content[:4] + content[5:] == lines[:4] + lines[5:]
    assert "\ufffd" in content[4]
    assert content[4].endswith(RAIN[language][6:])
    assert len(novel.set_aside) == 1
    assert "5" in novel.set_aside[0] and RAIN[language][:4] in novel.set_aside[0]


NOISE = random.Random(7).randbytes(4_000)


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\x00\x80\xff\xff",
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + NOISE,
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
        b"{\\rtf1\\ansi The rain.\\par}",
        b"PK\x03\x04" + NOISE,
        b"\x7fELF\x02\x01" + bytes(60) + NOISE,
        NOISE,
        bytes(byte | 128 for byte in NOISE),
        bytes(byte for byte in NOISE if byte > 31),
        bytes(4_000),
        b"\xef\xbb\xbf\xff\xfe",
        b"\xff\xfe\x00",
        b"\xff\xfe" + NOISE,
    ],
    ids=[
        "png", "jpeg", "pdf", "rtf", "zip", "program", "noise", "high noise", "noise in letters",
        "zeros", "broken utf-8", "half utf-16", "noise with a mark",
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused(data: bytes) -> None:
    assert code_of("a.txt", data) == "bad_encoding"
    assert code_of("a.md", data) == "bad_encoding"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("夜雨.txt ", "夜雨"), ("夜雨.TXT", "夜雨"), ("夜雨 .Txt\u3000", "夜雨"),
        ("稿/卷一/夜雨.txt", "夜雨"), ("C:\\稿\\夜雨.txt", "夜雨"), ("《夜雨》.txt", "夜雨"),
        ("夜雨.v2.txt.", "夜雨.v2"), ("../夜雨.txt", "夜雨"), ("夜\x00雨.txt\n", "夜雨"),
    ],
)  # fmt: skip
def test_a_title_from_the_files_name(name: str, title: str) -> None:
    assert parse_novel(name, "雨下了一夜。".encode()).title == title


def test_control_characters_are_cleaned() -> None:
    text = "第一章 甲\r\n一\x00二\x1b三\t四\x7f\u2028五\r六" + "。" * 200
    novel = parse_novel("a.txt", text.encode())
    assert novel.chapters[0].content == "一二三\t四\n五\n六" + "。" * 200


@pytest.mark.parametrize(
    ("filename", "data", "code"),
    [
        ("a.pdf", b"x", "unsupported_type"),
        ("txt", b"x", "unsupported_type"),
        ("a.txt.exe", b"x", "unsupported_type"),
        ("a.txt", b"", "empty"),
        ("a.txt", b" \r\n\t\n", "empty"),
        ("a.txt", b"\xef\xbb\xbf", "empty"),
        ("a.md", b"\n\n", "empty"),
        ("a.epub", b"", "empty"),
    ],
)
def test_refused_files(filename: str, data: bytes, code: str) -> None:
    assert code_of(filename, data) == code


def test_limits() -> None:
    assert code_of("a.txt", b"x" * 11, ImportLimits(file_bytes=10)) == "too_large"
    many = "".join(f"第{n}章\n字。\n" for n in range(1, 5_002)).encode()
    assert code_of("a.txt", many) == "too_many_chapters"
    assert len(parse_novel("a.txt", many, ImportLimits(chapters=5_001)).chapters) == 5_001


@settings(max_examples=200, deadline=None)
@given(data=st.binary(min_size=1, max_size=300), suffix=st.sampled_from(SUFFIXES))
def test_any_bytes_are_read_or_refused_with_a_code(data: bytes, suffix: str) -> None:
    try:
        parse_novel("a" + suffix, data)
    except NovelImportError as error:
        assert error.code in {"empty", "bad_encoding", "bad_epub", "bad_file"}
