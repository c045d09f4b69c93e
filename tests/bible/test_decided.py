"""What decisions do to one another, and to names that later chapters bring."""

from __future__ import annotations

from typing import Any

import pytest

from arboris.bible.decisions.kinds import rules_from
from arboris.bible.fold.fold import Bible, fold
from arboris.bible.types.findings import Finding, WorldFact
from arboris.bible.types.placed_finding import PlacedFinding
from tests.bible.test_fold import at, ev, person
from tests.bible.test_foreshadowing import notices


def place(name: str, *others: str, description: str = "") -> WorldFact:
    return WorldFact(
        type="location",
        name=name,
        aliases=list(others),
        description=description,
        evidence=ev(name),
        confidence=0.9,
    )


def folded(given: list[PlacedFinding], *decided: dict[str, Any]) -> Bible:
    return fold(given, rules_from(decided))


def names(bible: Bible) -> dict[str, set[str]]:
    people = {one.name: set(one.aliases) for one in bible.people}
    return people | {one.name: set(one.aliases) for one in bible.world_entries}


def merge(names: list[str], into: str, *others: str, **where: str) -> dict[str, Any]:
    return {"action": "merge", "scope": "person", **where, "names": names, "into": into,
            "target_names": [into, *others]}  # fmt: skip


def split(alias: str, *names: str, **where: str) -> dict[str, Any]:
    return {"action": "split", "scope": "person", **where, "names": list(names), "alias": alias,
            "ref": "0123456789abcdef"}  # fmt: skip


def rename(names: list[str], into: str) -> dict[str, Any]:
    return {"action": "rename", "scope": "person", "names": names, "into": into}


def add(name: str, *aliases: str, **fields: str) -> dict[str, Any]:
    return {"action": "add", "scope": "person", "ref": name[:16],
            "fields": {"name": name, "aliases": list(aliases), **fields}}  # fmt: skip


def reject(*names: str) -> dict[str, Any]:
    return {"action": "reject", "scope": "person", "names": list(names)}


THING = {"scope": "thing", "kind": "location"}


def test_a_merge_into_whom_a_fuller_name_came_later_to() -> None:
    given = [at(1, person("砚秋")), at(1, person("老沈", start=9)), at(2, person("沈砚秋"))]
    bible = folded(given, merge(["老沈"], "沈砚秋", "砚秋"))
    assert names(bible) == {"沈砚秋": {"老沈", "砚秋"}}
    assert bible.people[0].mentions == 3


def test_a_split_takes_back_a_merge() -> None:
    given = [at(1, person("顾长风")), at(1, person("林", start=9)), at(2, person("林"))]
    bible = folded(given, merge(["林"], "顾长风"), split("林", "顾长风"))
    assert names(bible) == {"顾长风": set(), "林": set()}
    assert {one.name: one.mentions for one in bible.people} == {"顾长风": 1, "林": 2}


def test_a_merge_takes_back_a_split() -> None:
    given = [at(1, person("沈砚秋", "老沈")), at(2, person("老沈"))]
    bible = folded(given, split("老沈", "沈砚秋"), merge(["老沈"], "沈砚秋"))
    assert names(bible) == {"沈砚秋": {"老沈"}}
    assert bible.people[0].fact.chapter_id == 1


def test_the_same_with_places() -> None:
    given = [at(1, place("听雨楼", "雨楼", description="三层木楼")), at(2, place("雨楼"))]
    bible = folded(given, split("雨楼", "听雨楼", **THING), merge(["雨楼"], "听雨楼", **THING))
    assert names(bible) == {"听雨楼": {"雨楼"}}
    assert (bible.world_entries[0].description, bible.world_entries[0].mentions) == ("三层木楼", 2)


def test_a_name_that_was_rejected_may_be_given_again() -> None:
    given = [at(1, person("顾长风")), at(1, person("林", start=9))]
    assert names(folded(given, reject("林"), rename(["顾长风"], "林"))) == {"林": {"顾长风"}}
    assert folded(given, reject("林"), add("林")).people[0].mentions == 1


def test_a_rejected_entry_of_the_writers_own_is_gone() -> None:
    assert names(folded([], add("甲乙"), reject("甲乙"))) == {}


def test_a_rename_of_ones_own_keeps_name_and_words() -> None:
    bible = folded([], add("甲乙", "小甲", description="旧友"), rename(["甲乙", "小甲"], "丙丁"))
    assert names(bible) == {"丙丁": {"甲乙", "小甲"}}
    assert bible.people[0].description == "旧友"


def test_two_of_ones_own_become_one_with_all_names() -> None:
    own = [add("甲乙", "小甲", description="旧友"), add("丙丁", "老丙", goals="回家")]
    (one,) = folded([], *own, merge(["丙丁", "老丙"], "甲乙", "小甲")).people
    assert (one.name, set(one.aliases)) == ("甲乙", {"小甲", "丙丁", "老丙"})
    assert (one.description, one.goals) == ("旧友", "回家")


@pytest.mark.parametrize(
    ("short", "full"), [("长风", ("顾长风", "李长风")), ("Finch", ("Ada Finch", "Tom Finch"))]
)
def test_two_full_names_at_once_do_not_take_over_a_short_one(
    short: str, full: tuple[str, str]
) -> None:
    found: list[Finding] = [person(name, start=9 * n) for n, name in enumerate(full)]
    bible = fold([at(1, person(short)), *(at(2, one) for one in found)])
    assert set(names(bible)) == {short, *full}
    (asked,) = notices(bible, "ambiguous_name")
    assert (asked.subject, set(asked.data["others"])) == (short, set(full))


def test_a_dismissed_question_stays_away_after_a_rename() -> None:
    given = [at(1, person("沈砚秋")), at(1, person("顾长风", start=9)),
             at(2, person("沈砚秋", "顾长风"))]  # fmt: skip
    (asked,) = notices(fold(given), "same_person")
    dismissed = {"action": "reject", "refs": [asked.ref]}
    assert not notices(folded(given, dismissed, rename(["顾长风"], "顾老大")))
