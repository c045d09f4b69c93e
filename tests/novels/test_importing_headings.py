"""Which lines of a text are headings."""

from __future__ import annotations

import pytest

from arboris.novels.importing.headings import heading_number, match_heading


@pytest.mark.parametrize(
    "line",
    [
        "第一章",
        "第一章 初见",
        "　　第十二章　夜雨江湖",
        "第3章：你是谁？",
        "第１２章 全角",
        "第一百零三章 他来了！",
        "第三章初见",
        "第十二回 贾宝玉神游太虚境，警幻仙曲演红楼梦",
        "第二回甄士隐梦幻识通灵",
        "第一节 山门",
        "第二卷 云涌",
        "第一卷 风起 第一章 初见",
        "正文 第一章 初见",
        "【第五章】 归途",
        "=== 第六章 雪 ===",
        "第 7 章 - 尾随",
        "序章",
        "楔子：旧事",
        "尾声",
        "番外 中秋",
        "番外一 归来",
        "番外（二） 远行",
        "Chapter 1",
        "CHAPTER I.",
        "CHAPTER I. Down the Rabbit-Hole",
        "Chapter One: The Boy",
        "Chapter Twenty-One - Rain",
        "Chapter the First",
        "Chapter 12 The Long Road Home",
        "PART TWO",
        "Book I: Ashes",
        "Prologue",
        "EPILOGUE",
        "Epilogue: Ten Years Later",
    ],
)
def test_a_heading_is_seen(line: str) -> None:
    assert match_heading(line) is not None


@pytest.mark.parametrize(
    "line",
    [
        "他翻到第三章，读了三遍。",
        "第三章他读完了，仍然不懂。",
        "第三章的内容他已经忘了",
        "第三章里写着一个名字",
        "第三章、第四章都没有写完",
        "第一章完",
        "第二节课他没有去",
        "第三回合开始",
        "第一次见面",
        "第一部分到此为止",
        "尾声渐渐远去",
        "番外人来了",
        "序列号",
        "Chapter 3 was hard to write.",
        "chapter 3",
        "Chapter Three of the book, which he had read",
        "Chapters 1-3 were dull.",
        "He opened Chapter 3.",
        "Introductions were made.",
        "Chapter I wrote yesterday",
        "Part of him stayed.",
        "第一章 " + "很" * 200,
    ],
)
def test_prose_is_no_heading(line: str) -> None:
    assert match_heading(line, alone=False) is None


@pytest.mark.parametrize(
    ("title", "number"),
    [("第十二章 雨", 12), ("第一二章", 12), ("第１２回：雨", 12), ("第两千零三十章", 2030),
     ("第廿一节 甲", 21), ("第一卷 风 第二章 雨", 2), ("第一卷 风", None),
     ("序章", None), ("雨", None), ("", None),
     ("Chapter XIV: Rain", 14), ("Chapter Nine", 9), ("Chapter 3", 3), ("Part Two", None)],
)  # fmt: skip
def test_the_number_in_a_title(title: str, number: int | None) -> None:
    assert heading_number(title) == number
