"""What a model writes around a chapter is neither shown nor saved, wherever the stream is cut."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from pytest_django import Settings

from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from arboris.workspace.generation.api import events as events_of
from arboris.workspace.generation.service import Generation
from tests.api.generating import events, generate, parsed
from tests.factories import JsonClient
from tests.llm_server import Script

ZH = "　　雨落在青石板上，沈砚秋停下脚步。\n\n“好的，以下是本章正文。”他念道，合上了书。"
EN = "Rain fell on the slates.\n\n“Sure, here is the chapter,” she said, and closed the book."
THOUGHTS = "<think>\n先写雨。\n再写人 <b>。\n</think>\n\n"


def cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def shown(api: JsonClient, project: NovelProject) -> str:
    """What a reader of the stream is left with, which has to be what is saved."""
    text = ""
    *parts, (last, saved) = events(api, project, title="雨夜", mode="basic")
    for name, data in parts:
        text = "" if name == "restart" else text + data["text"]
    assert (last, saved.get("content")) == ("saved", text)
    assert Chapter.objects.get().current.content == text
    return text


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("text", [ZH, EN], ids=["zh", "en"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        (THOUGHTS, ""),
        ("先写雨，再写人。\n</think>\n\n", ""),
        ("好的，以下是本章正文\n\n", ""),
        ("Sure, here is the chapter:\n\n", ""),
        ("```markdown\n", "\n```"),
        ("# 第三章 雨夜\n\n", ""),
        (
            f"{THOUGHTS}好的！以下是第三章《雨夜》的正文：\n\n```\n**雨夜**\n\n",
            "\n```\n希望你喜欢！",
        ),
        ("<|begin_of_box|>", "<|end_of_box|>"),
        ("", "<|im_end|>\n</s>"),
        ("", "<｜end▁of▁sentence｜>"),
        (
            "<|channel|>analysis<|message|>先写雨。<|end|><|start|>assistant<|channel|>final<|message|>",
            "<|return|>",
        ),
    ],
    ids=[
        "nothing",
        "thoughts",
        "end tag",
        "zh talk",
        "en talk",
        "fence",
        "title",
        "all",
        "box",
        "end of a template",
        "end of a sentence",
        "channels",
    ],
)
def test_what_stands_around_the_text_is_taken_away(
    api: JsonClient,
    project: NovelProject,
    model: Script,
    before: str,
    after: str,
    text: str,
    size: int,
) -> None:
    model.pieces = cut(before + text + after, size)
    assert shown(api, project) == text


@pytest.mark.parametrize(
    "text",
    [
        "好的。\n他点点头，推门出去。",
        "以下是他的供词：\n我没有杀人。",
        "当然，没有人知道那一夜的雨。\n天亮了。",
        "第三节车厢空着。\n他坐下来。",
        "Sure, he said, and here is the story of how it ended.\nIt rained.",
        "Here is the chapter of my life that I never told.\nIt rained.",
        "她在屏幕上敲下<think>和</think>，又删掉。\n雨停了。",
        "雨停了。\n---\n三年之后。",
        "甲 < 乙，乙 <thi",
        "雨停了。\n<think>他没有写完。",
    ],
)
def test_the_novels_own_words_stay(
    api: JsonClient, project: NovelProject, model: Script, text: str
) -> None:
    model.pieces = cut(text, 3)
    assert shown(api, project) == text


def test_thoughts_between_paragraphs_go(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    model.pieces = cut(f"雨停了。\n{THOUGHTS}　　天亮了。", 2)
    assert shown(api, project) == "雨停了。\n　　天亮了。"


def test_thoughts_are_not_streamed(api: JsonClient, project: NovelProject, model: Script) -> None:
    model.pieces = cut(f"{THOUGHTS}好的，以下是本章正文：\n{ZH}", 2)
    parts = events(api, project, mode="basic")
    assert {name for name, _ in parts} == {"delta", "saved"}
    assert "".join(data["text"] for name, data in parts if name == "delta") == ZH


@pytest.mark.parametrize(
    "answer",
    [THOUGHTS, "<think>先写雨", "先写雨。</think>\n", "好的，以下是本章正文：\n", "```\n```"],
)
def test_an_answer_without_text_is_an_error(
    api: JsonClient, project: NovelProject, model: Script, answer: str
) -> None:
    model.pieces = cut(answer, 3)
    refused = generate(api, project)
    assert (refused.status_code, refused.json()["code"]) == (503, "llm_empty")
    assert not ChapterVersion.objects.exists()


@pytest.mark.parametrize(
    ("arrived", "kept"),
    [
        (f"{THOUGHTS}{ZH}", ZH),
        ("好的，以下是本", "好的，以下是本"),
        (f"{ZH}\n<think>接下来", f"{ZH}\n"),
    ],
    ids=["text", "half a line", "open thoughts"],
)
def test_a_draft_is_cleaned_too(
    api: JsonClient, project: NovelProject, model: Script, arrived: str, kept: str
) -> None:
    model.pieces = [*cut(arrived, 3), "never"]
    model.break_off_after = len(model.pieces) - 1
    answer = generate(api, project)
    assert answer.json()["code"] == "llm_truncated"
    chapter = answer.json()["chapter"]
    assert (chapter["content"], chapter["source"]) == (kept, "draft")


def test_thoughts_that_break_off_leave_nothing(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    model.pieces = [*cut(THOUGHTS[:-12], 3), "never"]
    model.break_off_after = len(model.pieces) - 1
    assert "chapter" not in generate(api, project).json()
    assert not Chapter.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_draft_that_was_thoughts_is_deleted(
    project: NovelProject, model: Script, settings: Settings
) -> None:
    settings.ARBORIS_DRAFT_SECONDS = 0
    model.pieces = ["先写雨，", "再写人。", "</think>"]
    model.hold_after = 2

    async def follow() -> bytes:
        generation = await sync_to_async(Generation)(
            project, AnalysisOptions(), instructions="", title="", number=None
        )
        answer = events_of(generation)
        await anext(answer)
        await anext(answer)
        last = asyncio.create_task(anext(answer))
        while not await Chapter.objects.aexists():
            await asyncio.sleep(0)
        model.go_on.set()
        assert parsed((await last).decode()) == [("restart", {})]
        return b"".join([event async for event in answer])

    ((name, error),) = parsed(async_to_sync(follow)().decode())
    assert (name, error["code"]) == ("error", "llm_empty")
    assert not Chapter.objects.exists()
