"""Markdown files to chapters."""

from __future__ import annotations

import pytest

from tests.novels.reading import md, titles


def test_markdown_with_volumes_and_scenes() -> None:
    novel = md(
        "# 风起青州\n\n## 第一卷 山\n\n### 第一章 甲\n\n甲。\n\n#### 雨\n\n雨。\n\n"
        "### 第二章 乙\n\n乙。\n\n### 尾声\n\n终。\n"
    )
    assert novel.title == "风起青州"
    assert titles(novel) == ["第一卷 山 第一章 甲", "第二章 乙", "尾声"]
    assert novel.chapters[0].content == "甲。\n\n#### 雨\n\n雨。"


@pytest.mark.parametrize("sign", ["#", "##", "###"])
def test_markdown_chapters_at_any_level(sign: str) -> None:
    novel = md(f"{sign} The Door\n\nHe came.\n\n{sign} The Key\n\nShe left.\n")
    assert titles(novel) == ["The Door", "The Key"]
    assert novel.title == "novel"


def test_markdown_with_front_matter() -> None:
    novel = md('---\ntitle: "The Hill"\nauthor: Roe\n---\n\n## One\n\nA.\n\n## Two\n\nB.\n')
    assert (novel.title, titles(novel)) == ("The Hill", ["One", "Two"])
    assert md("# 短篇\n\n雨下了一夜。").title == "短篇"
    assert md("# 短篇\n\n雨下了一夜。").chapters[0].content == "雨下了一夜。"


def test_markdown_without_headings_and_hashtags() -> None:
    assert titles(md("**第一章 甲**\n\n甲。\n\n**第二章 乙**\n\n乙。")) == [
        "第一章 甲",
        "第二章 乙",
    ]
    novel = md("##第一章 甲\n\n#晚安 她写道。\n\n##第二章 乙\n\n乙。")
    assert titles(novel) == ["第一章 甲", "第二章 乙"]
    assert novel.chapters[0].content == "#晚安 她写道。"


A, B = "He came.\n\nIt rained.", "She left.\n\nIt rained on."


@pytest.mark.parametrize(
    "text",
    [
        f"The Door\n========\n\n{A}\n\nThe Key\n=======\n\n{B}\n",
        f"The Door\n---\n{A}\n\nThe Key\n--------\n{B}\n",
        f"# The Door #\n{A}\n# The Key ##\n{B}",
        f"###### The Door\n\n{A}\n\n###### The Key\n\n{B}",
        f"   ## **The Door**\n\n{A}\n\n ## *The Key*\n\n{B}",
        f"# The Door\n\n{A}\n\nThe Key\n===\n\n{B}",
        f"# The Door\n\n---\n\n{A}\n\n* * *\n\n# The Key\n\n{B}\n\n___\n",
    ],
    ids=["setext 1", "setext 2", "closed atx", "level 6", "emphasis", "both", "rules at edges"],
)
def test_headings_of_every_form(text: str) -> None:
    novel = md(text)
    found = [(chapter.title, chapter.content) for chapter in novel.chapters]
    assert found == [("The Door", A), ("The Key", B)]


@pytest.mark.parametrize(
    "inside",
    [
        "```\n# 系统面板\n## 技能\n```",
        "~~~ text\n# 系统面板\n```\n\n面板\n===\n~~~",
        "````\n```\n# 系统面板\n````",
        "```等级```\n\n```\n# 系统面板\n```",
        "    # 系统面板",
        "\\# 系统面板",
        "#系统面板",
        "他走了。\n---\n雨停了。",
        "灯还亮着——\n\n***\n\n雨停了。",
        "- 盐\n- 米\n---",
    ],
)
def test_what_is_no_heading_stays_in_its_chapter(inside: str) -> None:
    novel = md(f"# 第一章 甲\n\n甲。\n\n{inside}\n\n乙。\n\n# 第二章 乙\n\n丙。\n")
    assert titles(novel) == ["第一章 甲", "第二章 乙"]
    assert "甲。" in novel.chapters[0].content and "乙。" in novel.chapters[0].content
    assert novel.chapters[1].content == "丙。"


def test_a_fence_that_is_never_closed_takes_no_chapters() -> None:
    novel = md("# One\n\nA.\n\n```\nB.\n\n# Two\n\nC.\n\n# Three\n\nD.")
    assert titles(novel) == ["One", "Two", "Three"]


def test_rules_are_scene_breaks() -> None:
    novel = md("# One\n\nA.\n\n- - -\n\nB.\n\n_____\n\nC.\n\n# Two\n\nD.")
    assert novel.chapters[0].content == "A.\n\n***\n\nB.\n\n***\n\nC."
