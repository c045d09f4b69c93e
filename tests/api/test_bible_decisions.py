"""The writer's word about the bible, over HTTP: made, kept through every analysis, taken back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from arboris.bible.models import Decision
from arboris.bible.types.findings import Appearance, StateChange
from arboris.novels.models import Chapter, NovelProject
from tests.bible.test_fold import ev, payoff, person
from tests.bible.test_service import FIRST, SECOND, THIRD, record, stated
from tests.factories import JsonClient, make_chapter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chapters(project: NovelProject) -> list[Chapter]:
    made = [make_chapter(project) for _ in range(3)]
    for chapter, found in zip(made, (FIRST, SECOND, THIRD), strict=True):
        record(chapter, *found)
    return made


class Bible:
    """What a writer's client does with the bible of one novel."""

    def __init__(self, api: JsonClient, project: NovelProject) -> None:
        self.api = api
        self.url = f"/api/projects/{project.pk}/bible"

    def get(self) -> Any:
        return self.api.get(self.url).json()

    def people(self) -> dict[str, Any]:
        return {one["name"]: one for one in self.get()["characters"]}

    def questions(self) -> Any:
        return self.api.get(f"{self.url}/inbox").json()

    def post(self, **asked: Any) -> Any:
        return self.api.post(f"{self.url}/decisions", asked)

    def decide(self, **asked: Any) -> Any:
        answer = self.post(**asked)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def undo(self, decision: Any) -> Any:
        return self.api.post(f"{self.url}/decisions/{decision['id']}/undo")


@pytest.fixture
def bible(api: JsonClient, project: NovelProject, chapters: list[Chapter]) -> Bible:
    return Bible(api, project)


def again(chapters: list[Chapter]) -> None:
    """Every chapter is analysed anew, the last one first."""
    for chapter, found in reversed(list(zip(chapters, (FIRST, SECOND, THIRD), strict=True))):
        record(chapter, *found)


def test_a_rename_keeps_the_row_and_survives(bible: Bible, chapters: list[Chapter]) -> None:
    pk = bible.people()["沈砚秋"]["id"]
    bible.decide(action="rename", type="character", id=pk, name="沈归鸿")
    again(chapters)
    one = bible.people()["沈归鸿"]
    assert one["id"] == pk
    assert {"沈砚秋", "老沈"} <= set(one["aliases"])
    assert one["states"]  # what was said of him under the old name


def test_a_merge_and_its_undoing(bible: Bible, chapters: list[Chapter]) -> None:
    before = bible.get()
    people = bible.people()
    merged = bible.decide(
        action="merge", type="character", id=people["林"]["id"], into=people["顾长风"]["id"]
    )
    again(chapters)
    one = bible.people()["顾长风"]
    assert "林" not in bible.people()
    assert "林" in one["aliases"]
    assert one["mentions"] == 3
    assert bible.undo(merged).status_code == 200
    assert without_ids(bible.get()) == without_ids(before)
    assert bible.undo(merged).status_code == 409


def test_a_split_gives_the_name_back(bible: Bible, chapters: list[Chapter]) -> None:
    pk = bible.people()["沈砚秋"]["id"]
    bible.decide(action="split", type="character", id=pk, alias="老沈")
    again(chapters)
    people = bible.people()
    assert people["沈砚秋"]["aliases"] == []
    assert people["老沈"]["mentions"] == 1


def test_a_rejected_entry_stays_away(bible: Bible, chapters: list[Chapter]) -> None:
    bible.decide(action="reject", type="character", id=bible.people()["林"]["id"])
    again(chapters)
    assert "林" not in bible.people()


def test_a_rejected_fact_stays_away(bible: Bible, chapters: list[Chapter]) -> None:
    (state,) = bible.people()["沈砚秋"]["states"]
    bible.decide(action="reject", ref=state["ref"])
    again(chapters)
    assert bible.people()["沈砚秋"]["states"] == []


def test_an_edit_is_the_last_word(bible: Bible, chapters: list[Chapter]) -> None:
    pk = bible.people()["沈砚秋"]["id"]
    fields = {"description": "说书人", "role": "main"}
    bible.decide(action="edit", type="character", id=pk, fields=fields)
    again(chapters)
    one = bible.people()["沈砚秋"]
    assert (one["description"], one["role"]) == ("说书人", "main")


def test_own_entries_stand_beside_findings(bible: Bible, chapters: list[Chapter]) -> None:
    bible.decide(
        action="add",
        type="character",
        fields={"name": "祁闻舟", "aliases": ["哑渡"], "description": "摆渡人"},
    )
    bible.decide(action="add", type="location", fields={"name": "石马渡", "description": "渡口"})
    bible.decide(
        action="add",
        type="foreshadowing",
        fields={
            "kind": "setup",
            "description": "渡船没有桨",
            "keywords": ["桨"],
            "chapter_number": 1,
        },
    )
    bible.decide(
        action="add",
        type="relationship",
        fields={"source": "祁闻舟", "target": "沈砚秋", "relation": "旧识"},
    )
    record(chapters[2], person("哑渡"), payoff("桨在庙里", "桨"))
    one = bible.people()["祁闻舟"]
    assert (one["mentions"], one["tier"], one["chapter_number"]) == (1, "writer", None)
    body = bible.get()
    assert [place["name"] for place in body["world"]["locations"]] == ["石马渡", "听雨楼"]
    mine = next(t for t in body["foreshadowings"] if t["description"] == "渡船没有桨")
    assert (mine["status"], mine["age"], mine["events"][0]["quote"]) == ("paid_off", 2, "桨在庙里")
    assert {"祁闻舟"} <= {tie["source"] for tie in body["relationships"]}


def test_below_the_threshold_waits_for_accept(bible: Bible, chapters: list[Chapter]) -> None:
    unsure = Appearance(name="阿蛮", aliases=[], evidence=ev("阿蛮"), confidence=0.3)
    waiting_record(chapters[2], unsure)
    (waits,) = bible.questions()["waiting"]
    assert (waits["content"]["name"], waits["confidence"]) == ("阿蛮", 0.3)
    assert "阿蛮" not in bible.people()
    bible.decide(action="accept", ref=waits["ref"])
    waiting_record(chapters[2], unsure)
    assert bible.questions()["waiting"] == []
    assert bible.people()["阿蛮"]["tier"] == "accepted"


def waiting_record(chapter: Chapter, *found: Any) -> None:
    from dataclasses import replace

    from arboris.bible import service as bible_service
    from arboris.db import in_transaction
    from arboris.novels.services import lock_project

    in_transaction(
        lambda: bible_service.record(
            lock_project(chapter.project_id),
            chapter_id=chapter.pk,
            version_id=chapter.current.pk,
            task_id=1,
            findings=[replace(one, tier="waiting") for one in stated(found)],
        )
    )


def test_a_contradiction_has_both_quotes(bible: Bible, chapters: list[Chapter]) -> None:
    death = StateChange(
        character="顾长风",
        kind="condition",
        description="战死",
        evidence=ev("战死"),
        confidence=0.9,
    )
    record(chapters[1], death)
    acts = person("顾长风").model_copy(update={"evidence": ev("顾长风笑道")})
    record(chapters[2], acts)
    (told,) = bible.questions()["warnings"]
    assert (told["kind"], told["subject"]) == ("dead_acts", "顾长风")
    assert (told["earlier"]["chapter_number"], told["earlier"]["quote"]) == (2, "战死")
    assert (told["later"]["chapter_number"], told["later"]["quote"]) == (3, "顾长风笑道")
    assert not told["to_fix"]
    bible.decide(action="accept", ref=told["ref"])
    again = bible.questions()["warnings"]
    assert again == [{**told, "to_fix": True}]  # until the text is mended
    bible.decide(action="reject", ref=told["ref"])
    assert bible.questions()["warnings"] == []


def test_threads_are_abandoned_and_reopened(bible: Bible, chapters: list[Chapter]) -> None:
    (thread,) = bible.get()["foreshadowings"]
    decision = bible.decide(
        action="edit", type="foreshadowing", id=thread["id"], fields={"status": "abandoned"}
    )
    again(chapters)
    (thread,) = bible.get()["foreshadowings"]
    assert (thread["status"], thread["events"]) == ("abandoned", [])
    bible.undo(decision)
    (thread,) = bible.get()["foreshadowings"]
    assert thread["status"] == "paid_off"


def test_the_history_says_who_and_when(bible: Bible) -> None:
    pk = bible.people()["林"]["id"]
    first = bible.decide(action="edit", type="character", id=pk, fields={"goals": "回家"})
    bible.decide(action="reject", type="character", id=pk)
    bible.undo(first)
    rows = bible.api.get(f"{bible.url}/decisions").json()
    assert [row["action"] for row in rows] == ["reject", "edit"]
    assert [row["by"] for row in rows] == ["writer", "writer"]
    assert rows[0]["undone_at"] is None
    assert rows[1]["undone_at"].endswith("Z")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "action"),
        ({"action": "explode"}, "action"),
        ({"action": "merge", "type": "character", "id": 1}, "into"),
        ({"action": "rename", "type": "foreshadowing", "id": 1, "name": "x"}, "type"),
        ({"action": "rename", "type": "character", "id": 10**9, "name": "x"}, "id"),
        ({"action": "edit", "type": "character", "id": 1, "fields": {"mentions": 3}}, "fields"),
        ({"action": "edit", "type": "character", "id": 1, "fields": {}}, "fields"),
        ({"action": "add", "type": "character", "fields": {"role": "main"}}, "fields"),
        ({"action": "add", "type": "rule", "fields": {"name": 7}}, "fields"),
        ({"action": "accept", "ref": "nosuchref"}, "ref"),
        ({"action": "reject"}, "type"),
        ({"action": "split", "type": "character", "id": -1, "alias": "x"}, "id"),
    ],
)
def test_bad_input_names_its_field(bible: Bible, asked: dict[str, Any], field: str) -> None:
    answer = bible.post(**asked)
    assert answer.status_code == 400
    assert field in answer.json()
    assert not Decision.objects.exists()


def test_a_name_that_is_taken_is_a_conflict(bible: Bible) -> None:
    pk = bible.people()["林"]["id"]
    assert bible.post(action="rename", type="character", id=pk, name="老沈").status_code == 409
    fields = {"name": "听雨楼"}
    assert bible.post(action="add", type="location", fields=fields).status_code == 409


def test_a_strangers_bible_is_not_there(
    bible: Bible, foreign: JsonClient, anonymous: JsonClient
) -> None:
    for path in ("decisions", "inbox", "export.json", "export.md"):
        assert foreign.get(f"{bible.url}/{path}").status_code == 404
        assert anonymous.get(f"{bible.url}/{path}").status_code == 401
    assert (
        foreign.post(f"{bible.url}/decisions", {"action": "accept", "ref": "x"}).status_code == 404
    )
    decision = bible.decide(action="add", type="item", fields={"name": "断水剑"})
    assert foreign.post(f"{bible.url}/decisions/{decision['id']}/undo").status_code == 404


def test_the_bible_can_be_taken_away(bible: Bible) -> None:
    answer = bible.api.get(f"{bible.url}/export.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bible.json"'
    document = json.loads(answer.content)
    assert document["format"] == 1
    assert document["title"] == "听雨楼"
    assert {one["name"] for one in document["characters"]} == {"沈砚秋", "顾长风", "林"}
    assert '"id"' not in answer.content.decode()
    read = bible.api.get(f"{bible.url}/export.md").content.decode()
    assert read.startswith("# 听雨楼")
    assert "### 沈砚秋" in read
    assert bible.api.get(f"{bible.url}/export.exe").status_code == 404


def test_a_chapter_is_called_by_its_title(bible: Bible, chapters: list[Chapter]) -> None:
    rename(chapters[0], "楔子 *雨*")
    (state,) = bible.people()["沈砚秋"]["states"]
    first = bible.people()["沈砚秋"]
    assert (first["chapter_number"], first["chapter_title"]) == (1, "楔子 *雨*")
    assert first["last_chapter_title"] == chapters[2].title
    assert "chapter_title" in state
    read = bible.api.get(f"{bible.url}/export.md").content.decode()
    assert "楔子 \\*雨\\*" in read
    assert "第 1 章" not in read and "chapter 1" not in read
    rename(chapters[0], "")
    read = bible.api.get(f"{bible.url}/export.md").content.decode()
    assert "第 1 章" in read or "chapter 1" in read


def rename(chapter: Chapter, title: str) -> None:
    Chapter.objects.filter(pk=chapter.pk).update(title=title)


def test_a_finding_says_whether_it_is_in_the_bible(bible: Bible, chapters: list[Chapter]) -> None:
    unsure = Appearance(name="阿蛮", aliases=[], evidence=ev("阿蛮"), confidence=0.3)
    waiting_record(chapters[2], unsure)
    bible.decide(action="reject", type="character", id=bible.people()["顾长风"]["id"])

    def applied(chapter: Chapter) -> dict[str, bool]:
        rows = bible.api.get(f"/api/chapters/{chapter.pk}/findings").json()
        return {row["label"]: row["applied"] for row in rows}

    assert applied(chapters[2]) == {"阿蛮": False}
    assert applied(chapters[0])["顾长风"] is False
    assert applied(chapters[0])["沈砚秋"] is True
    (waits,) = bible.questions()["waiting"]
    bible.decide(action="accept", ref=waits["ref"])
    assert applied(chapters[2]) == {"阿蛮": True}


def test_an_accept_says_what_is_missing(bible: Bible, chapters: list[Chapter]) -> None:
    record(chapters[1], payoff("灯灭了", "灯"), person("沈砚秋", "顾长风"))
    asked = {one["kind"]: one for one in bible.questions()["questions"]}
    same = bible.post(action="accept", ref=asked["same_person"]["ref"])
    assert (same.status_code, "ref" in same.json()) == (400, True)
    alone = bible.post(action="accept", ref=asked["unlinked_payoff"]["ref"])
    assert (alone.status_code, "thread" in alone.json()) == (400, True)
    (thread,) = bible.get()["foreshadowings"]
    bible.decide(action="accept", ref=asked["unlinked_payoff"]["ref"], thread=thread["id"])
    assert bible.get()["foreshadowings"][0]["status"] == "paid_off"


def test_an_edit_touches_its_entry_alone(bible: Bible) -> None:
    before = bible.get()
    pk = bible.people()["沈砚秋"]["id"]
    decision = bible.decide(action="edit", type="character", id=pk, fields={"goals": "回家"})
    after = bible.get()
    assert bible.people()["沈砚秋"]["goals"] == "回家"
    assert bible.undo(decision).status_code == 200
    assert bible.get() == before != after


def test_an_own_relationship_stands_beside(bible: Bible, chapters: list[Chapter]) -> None:
    fields = {"source": "沈砚秋", "target": "顾长风", "relation": "师徒"}
    bible.decide(action="add", type="relationship", fields=fields)
    again(chapters)
    (one,) = bible.get()["relationships"]
    assert (one["tier"], one["quote"]) == ("applied", "师徒")
    bible.decide(action="reject", type="relationship", id=one["id"])
    (mine,) = bible.get()["relationships"]
    assert mine["tier"] == "writer"


@pytest.mark.parametrize("path", ["-" * 36, "a" * 36, "x"])
def test_a_novel_that_cannot_be_is_not_there(api: JsonClient, path: str) -> None:
    assert api.get(f"/api/projects/{path}/bible/export.json").status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"action": "\ud800"},
        {"action": "add", "type": "item", "fields": {"name": "x", "\ud800": 1}},
        {"action": "add", "type": "character", "fields": {"name": "x", "role": "\ud800"}},
        {"action": "add", "type": "character", "fields": {"name": "x\x07"}},
        {"action": "add", "type": "foreshadowing",
         "fields": {"kind": "hint", "description": "x", "chapter_number": 1000}},
        {"action": "add", "type": "relationship",
         "fields": {"source": "沈砚秋", "target": "谁", "relation": "x"}},
    ],
)  # fmt: skip
def test_odd_input_is_a_clear_error(bible: Bible, asked: dict[str, Any]) -> None:
    url, body = f"{bible.url}/decisions", json.dumps(asked)  # half characters as escapes
    answer = bible.api.generic("POST", url, body, "application/json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"


def test_markdown_in_a_name_stays_text(bible: Bible) -> None:
    bible.decide(
        action="add", type="rule", fields={"name": "<b>*x*</b>", "description": "# a\n# b"}
    )
    read = bible.api.get(f"{bible.url}/export.md").content.decode()
    assert r"\<b\>\*x\*\</b\>" in read
    assert r"\# a \# b" in read


def without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    if isinstance(value, dict):
        return {k: without_ids(v) for k, v in value.items() if k != "id"}
    return value
