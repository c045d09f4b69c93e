"""Texts in many encodings, short and long, broken and garbled, as a preview reads them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from arboris.novels.models import Chapter, NovelProject
from tests.factories import JsonClient

pytestmark = pytest.mark.sqlite_only

TEXTS = {
    "zh": [
        "渡口的木桩上拴着一条旧船，缆绳磨得发白。老船工蹲在石阶上抽烟，半天没有说一句话。",
        "“你来了？”她问。他点了点头，没有回答。",
        "第三天，他终于看见了那盏灯——就在对岸的钟楼上。",
    ],
    "zh-hant": [
        "渡口的木樁上拴著一條舊船，纜繩磨得發白。老船工蹲在石階上抽煙，半天沒有說一句話。",
        "「你來了？」她問。他點了點頭，沒有回答。",
        "第三天，他終於看見了那盞燈——就在對岸的鐘樓上。",
    ],
    "yue": [
        "佢喺碼頭等咗成日，都冇見到隻船返嚟。阿婆話，嗰條船尋晚已經沉咗。",
        "「你做咩唔早啲同我講？」佢問。",
        "嘅風好大，啲窗響個不停，佢瞓唔着，淨係記得盞燈熄過一次。",
    ],
    "ja": [
        "古い舟は杭につながれ、綱は白く擦り切れていた。老いた渡し守は長いあいだ何も言わなかった。",
        "「来たのか」と彼は訊いた。彼女はうなずいた。",
        "夜になって風が起こり、窓の紙は鳴りやまなかった。カンテラの灯が一度だけ消えた。",
    ],
    "ko": [
        "낡은 배는 말뚝에 묶여 있었고 밧줄은 하얗게 닳아 있었다. 사공은 말이 없었다.",
        '"왔느냐?" 그가 물었다. 그녀는 고개를 끄덕였다.',
        "밤이 되자 바람이 일어 창호지가 그치지 않고 울었다.",
    ],
    "ru": [
        "Старая лодка стояла у столба, и верёвка её побелела. Перевозчик долго молчал.",
        "- Ты пришла? - спросил он. Она кивнула и ничего не ответила.",
        "Ночью поднялся ветер, и бумага на окнах не умолкала.",
    ],
    "uk": [
        "Старий човен стояв біля стовпа, і мотузка його побіліла. Перевізник довго мовчав.",
        "- Ти прийшла? - спитав він. Вона кивнула і нічого не відповіла.",
        "Їхній сад порожній, лише вітер гуляє.",
    ],
    "en": [
        "The old boat lay against the post, its rope worn white. He said nothing — he smoked.",
        "“You came,” she said. “I hadn’t thought you’d come…”",
        "The café on the quay closed early, and nobody’s lamp was lit.",
    ],
    "fr": [
        "La vieille barque était amarrée au poteau, la corde usée jusqu’au blanc.",
        "« Vous êtes venue ? » demanda-t-il. Elle hocha la tête.",
        "Le vent se leva après la tombée du jour ; où était passé l’homme à la cicatrice ?",
    ],
    "de": [
        "Das alte Boot lag am Pfahl, und sein Seil war weiß gescheuert. Der Fährmann saß da.",
        "Du bist gekommen?, fragte er. Sie nickte.",
        "Das Papier in den Fenstern wollte nicht still sein. Über dem Fluß lag Nebel.",
    ],
    "pl": [
        "Stara łódź stała przy słupie, a jej lina zbielała. Przewoźnik długo nic nie mówił.",
        "– Przyszłaś? – zapytał. Skinęła głową i nie odpowiedziała.",
        "Żaden człowiek nie wiedział, skąd przypłynęła łódź; świecił się tylko jeden płomień.",
    ],
    "cs": [
        "Stará loďka stála u kůlu a její lano zbělelo. Převozník už dlouho nic neřekl, ještě ne.",
        "„Přišla jsi?“ zeptal se. Přikývla.",
        "Žádný člověk nevěděl, odkud ta loď připlula; na obzoru svítilo jediné světlo.",
    ],
}
WIDE = {"utf-16": "utf-16", "utf-32": "utf-32", "utf-8-sig": "utf-8"}
WIDE |= {f"utf-{bits}-{end}": f"utf-{bits}" for bits in (16, 32) for end in ("le", "be")}
CODECS = {
    "zh": {"gbk": "gb18030", "gb18030": "gb18030", "hz": "hz-gb-2312"},
    "zh-hant": {"big5": "big5", "big5hkscs": "big5", "gb18030": "gb18030"},
    "yue": {"big5hkscs": "big5", "gb18030": "gb18030"},
    "ja": {"cp932": "shift_jis", "euc_jp": "euc-jp", "iso2022_jp": "iso-2022-jp"},
    "ko": {"euc_kr": "euc-kr", "cp949": "euc-kr", "iso2022_kr": "iso-2022-kr"},
    "ru": {
        "cp1251": "windows-1251",
        "koi8_r": "koi8-r",
        "iso8859_5": "iso-8859-5",
        "cp866": "ibm866",
        "mac_cyrillic": "x-mac-cyrillic",
    },
    "uk": {"cp1251": "windows-1251", "koi8_u": "koi8-r"},
    "en": {"cp1252": "windows-1252", "mac_roman": "macintosh"},
    "fr": {"cp1252": "windows-1252", "mac_roman": "macintosh"},
    "de": {"cp1252": "windows-1252", "mac_roman": "macintosh", "cp850": "ibm850"},
    "pl": {"cp1250": "windows-1250", "iso8859_2": "iso-8859-2"},
    "cs": {"cp1250": "windows-1250", "iso8859_2": "iso-8859-2"},
}  # fmt: skip


def look(api: JsonClient, project: NovelProject, data: bytes) -> Any:
    body = {"file": SimpleUploadedFile("雨.txt", data)}
    return api.post(f"/api/projects/{project.pk}/import?preview=1", body, format="multipart")


def sizes(language: str) -> list[str]:
    rows = TEXTS[language]
    ascii_first = "Title: Rain\n" + "=" * 60 + "\n\n"
    return [rows[0], "\n\n".join(rows), "\n\n".join(rows * 30), ascii_first + "\n".join(rows * 3)]


@pytest.mark.parametrize("language", TEXTS)
def test_texts_are_read_in_any_encoding(
    api: JsonClient, project: NovelProject, language: str
) -> None:
    wrong = []
    for codec, name in (CODECS[language] | WIDE).items():
        for text in sizes(language):
            try:
                data = text.encode(codec)
            except UnicodeEncodeError:
                continue  # no “–” in ISO 8859
            answer = look(api, project, data).json()
            read = [row["length"] for row in answer.get("chapters", [])]
            told = text.partition("\n\n")[2] if text.startswith("Title") else text
            if (answer.get("encoding"), read, answer.get("set_aside")) != (name, [len(told)], []):
                wrong.append((codec, len(text), answer))
    assert wrong == []


@pytest.mark.parametrize("ends", ["\r\n", "\r", "mixed"])
def test_any_line_ends(api: JsonClient, project: NovelProject, ends: str) -> None:
    rows = [f"第{number}章 {name}" for number, name in zip("一二三", "雨灯船", strict=True)]
    lines = [line for row in rows for line in (row, "", *TEXTS["zh"])]
    cycle = ["\n", "\r\n", "\r"] if ends == "mixed" else [ends]
    text = "".join(line + cycle[at % len(cycle)] for at, line in enumerate(lines))
    found = look(api, project, text.encode("gb18030")).json()
    assert [row["title"] for row in found["chapters"]] == rows
    assert {row["length"] for row in found["chapters"]} == {len("\n".join(TEXTS["zh"]))}


@pytest.mark.parametrize(
    ("language", "codec", "broken"),
    [
        *((language, "utf-8", b"\xff") for language in ("zh", "ja", "en", "ru")),
        ("zh", "gb18030", b"\xff"), ("zh-hant", "big5", b"\xff"), ("ja", "cp932", b"\xff"),
        ("ja", "euc_jp", b"\xff"), ("ko", "euc_kr", b"\xff"), ("zh", "utf-16", b"\xdc"),
        ("en", "utf-32-be", b"\xff"), ("en", "utf-8-sig", b"\xff"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("times", [1, 12])
def test_broken_bytes_are_replaced_and_told(
    api: JsonClient, project: NovelProject, language: str, codec: str, broken: bytes, times: int
) -> None:
    lines = [f"{TEXTS[language][0]}{number}" for number in range(times)]
    rows = [codec_safe(line, codec) for line in lines]
    sound = (
        "\n".encode(codec.replace("-sig", "")) if codec != "utf-16" else "\n".encode("utf-16-le")
    )
    width = {"utf-16": 2, "utf-32-be": 4}.get(codec, 1)
    mark = b"\xff\xfe" if codec == "utf-16" else b""
    # The second character of each line: its last byte, or its first where that says more.
    spoiled = []
    for row in rows:
        at = width * 2 - 1 if codec == "utf-16" else width
        spoiled.append(row[:at] + broken + row[at + 1 :])
    whole = [codec_safe(TEXTS[language][1], codec)] * 90
    found = look(api, project, mark + sound.join([*whole, *spoiled, *whole]))
    assert found.status_code == 200, found.content
    told = found.json()["set_aside"]
    assert "91" in told[0]
    assert len(told) == min(times, 6)


def codec_safe(line: str, codec: str) -> bytes:
    return line.encode("utf-16-le" if codec == "utf-16" else codec.replace("-sig", ""))


def test_a_mark_before_another_encoding(api: JsonClient, project: NovelProject) -> None:
    found = look(api, project, b"\xef\xbb\xbf" + "\n".join(TEXTS["zh"]).encode("gbk")).json()
    assert (found["encoding"], found["set_aside"]) == ("gb18030", [])


@pytest.mark.parametrize("language", ["fr", "zh", "pl"])
def test_utf_8_that_was_encoded_twice(
    api: JsonClient, project: NovelProject, language: str
) -> None:
    text = "\n".join(TEXTS[language])
    twice = "".join(
        bytes([byte]).decode("cp1252") if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(byte)
        for byte in text.encode()
    )
    body = {"file": SimpleUploadedFile("雨.txt", twice.encode()), "mode": "basic"}
    answer = api.post(f"/api/projects/{project.pk}/import", body, format="multipart")
    assert answer.status_code == 201
    assert Chapter.objects.get(project=project).current.content == text


@pytest.mark.parametrize(
    "text",
    [
        "".join(TEXTS["zh"]).encode("gbk").decode("big5", "ignore") * 4,
        "锟斤拷" * 60,
        "??，????。????，???。\n" * 20,
    ],
    ids=["another encoding", "replaced", "question marks"],
)
def test_garbage_that_was_saved_is_told(api: JsonClient, project: NovelProject, text: str) -> None:
    assert "乱码" in " ".join(look(api, project, text.encode()).json()["set_aside"])
    assert look(api, project, "\n".join(TEXTS["zh"]).encode()).json()["set_aside"] == []
