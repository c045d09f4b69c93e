"""A chapter whose writing is cut off by its length is gone on with; nothing of it comes twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from arboris.llm import continuing
from arboris.novels.models import Chapter, NovelProject
from tests.api.generating import events, generate
from tests.factories import JsonClient
from tests.llm.endpoint import Endpoint, Reply, configured

FIRST = "雾散的时候，林渡已经到了对岸。\n\n他回头去看，江心的灯"
REST = "还亮着。苏晚把铜铃收进袖子里，一句话也没有说。"
WHOLE = FIRST + REST


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[Endpoint]:
    settings.ARBORIS_SUMMARY = "extractive"
    with configured(settings) as server:
        yield server


def shown(api: JsonClient, project: NovelProject) -> str:
    """What a reader of the stream is left with, which has to be what is saved."""
    text = ""
    *parts, (last, saved) = events(api, project, title="雨夜", mode="basic")
    for name, data in parts:
        text = "" if name == "restart" else text + data["text"]
    assert (last, saved["content"]) == ("saved", text)
    return text


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (FIRST, REST),
        (FIRST, f"\n\n{REST}"),
        (FIRST, f"江心的灯{REST}"),
        (FIRST, f"他回头去看，江心的灯{REST}"),
        (FIRST, WHOLE),
        (FIRST, f"好的，以下是本章正文：\n\n{REST}"),
        (FIRST, f"<think>接着写。</think>{REST}"),
        (FIRST, f"接着写。\n</think>\n\n{REST}"),
        (f"<think>先想。</think>\n{FIRST}", REST),
        (f"```\n{FIRST}", f"{REST}\n```"),
        (f"```\n{FIRST}", f"```\n{REST}\n```\n希望你喜欢！"),
    ],
    ids=["plain", "a paragraph", "words", "a sentence", "all", "talk", "thoughts", "an end tag",
         "thoughts before", "a fence", "two fences"],
)  # fmt: skip
def test_it_goes_on_where_it_ended(
    api: JsonClient, project: NovelProject, endpoint: Endpoint, first: str, more: str
) -> None:
    endpoint.replies(Reply(first, finish="length"), Reply(more))
    assert shown(api, project) == WHOLE == Chapter.objects.get().current.content
    one, two = (body["messages"] for body in endpoint.requests)
    assert two[: len(one)] == one
    assert [message["role"] for message in two[len(one) :]] == ["assistant", "user"]
    assert two[-2]["content"] == FIRST  # without thoughts and what stands around it


def test_text_that_repeats_itself_stays(
    api: JsonClient, project: NovelProject, endpoint: Endpoint
) -> None:
    endpoint.replies(Reply("他笑：“哈哈哈哈", finish="length"), Reply("哈哈哈哈！”"))
    assert shown(api, project) == "他笑：“哈哈哈哈哈哈哈哈！”"


def test_it_ends_where_nothing_new_comes_or_no_end(
    api: JsonClient, project: NovelProject, endpoint: Endpoint
) -> None:
    """The text is kept as a draft, and no request is made twice."""
    endpoint.replies(Reply(WHOLE, finish="length"))
    refused = generate(api, project, mode="basic")
    assert (refused.status_code, refused.json()["code"]) == (503, "llm_truncated")
    assert refused.json()["chapter"]["content"] == WHOLE
    assert len(endpoint.requests) == 2

    endpoint.requests.clear()
    numbers = iter(range(100))
    endpoint.answer = lambda body: Reply(f"第{next(numbers)}夜，雨没有停。\n\n", finish="length")
    refused = generate(api, project, mode="basic")
    assert refused.json()["code"] == "llm_truncated"
    asked = [str(body["messages"]) for body in endpoint.requests]
    assert len(asked) == len(set(asked)) == 1 + continuing.MOST
    assert refused.json()["chapter"]["content"].count("雨没有停") == len(asked)


def test_thinking_that_leaves_no_room_is_switched_off(
    api: JsonClient, project: NovelProject, endpoint: Endpoint
) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        if body.get("reasoning_effort") == "none":
            return Reply(WHOLE)
        return Reply("<think>先想大纲", finish="length")

    endpoint.answer = answer
    assert shown(api, project) == WHOLE
    assert len(endpoint.requests) == 2
    endpoint.answer = lambda body: Reply("", finish="length")
    assert generate(api, project, mode="basic").status_code == 503
    assert len(endpoint.requests) == 4  # with thinking and without, and never the same again
