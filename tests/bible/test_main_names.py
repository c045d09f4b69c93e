"""Which of a person's names is the main one, and whom their titles keep apart."""

from __future__ import annotations

from typing import Any

import pytest

from arboris.bible.fold.fold import fold
from arboris.bible.types.findings import Appearance
from tests.bible.test_fold import at, ev


def appears(chapter_number: int, name: str, *others: str, doubts: tuple[str, ...] = ()) -> Any:
    finding = Appearance(
        name=name,
        aliases=list(others),
        doubts=list(doubts),
        evidence=ev(name if not others else others[0]),
        confidence=0.9,
    )
    return at(chapter_number, finding)


@pytest.mark.parametrize(
    ("names", "main"),
    [
        # A wrong cut, and what a chapter says once, are not the main name for long.
        ([("Hereupon Startop", "Startop"), *[("Hereupon Startop", "Startop")] * 7], "Startop"),
        ([*[("贺云",)] * 7, ("小贺云",)], "贺云"),
        # A full name that comes again is.
        ([*[("Ada",)] * 7, *[("Ada Finch",)] * 2], "Ada Finch"),
        ([("砚秋",), ("沈砚秋",)], "沈砚秋"),
        # The pet name of the first chapter gives way to what most of the others say.
        ([("Lizzy",), *[("Lizzy", "Elizabeth")] * 7], "Elizabeth"),
    ],
    ids=["cut", "longer", "full", "early", "pet name"],
)
def test_the_main_name_is_no_rarity(names: list[tuple[str, ...]], main: str) -> None:
    bible = fold([appears(number, *names_) for number, names_ in enumerate(names, 1)])
    assert main in [person.name for person in bible.people]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Mr. Gardiner", "Mrs. Gardiner"), ("Miss Lucas", "Lady Lucas"),
     ("Mrs. Lucas", "Maria Lucas"), ("Captain Reed", "Miss Reed")],
)  # fmt: skip
def test_titles_keep_a_family_apart(one: str, other: str) -> None:
    surname = one.split()[1]
    bible = fold([appears(1, surname), appears(2, one, surname), appears(3, other)])
    assert len(bible.people) == 2
    assert not any(one in p.aliases and other in (p.name, *p.aliases) for p in bible.people)


def test_who_may_be_another_is_asked_about_with_both_passages() -> None:
    bible = fold([appears(1, "贺云舟"), appears(2, "贺公子", doubts=("贺云舟",))])
    (asked,) = bible.chapters[2].notices.values()
    assert (asked.kind, asked.subject, asked.data["others"]) == (
        "same_person",
        "贺公子",
        ["贺云舟"],
    )
    assert [asked.data[side]["quote"] for side in ("earlier", "later")] == ["贺云舟", "贺公子"]


def test_a_role_is_the_weight_in_the_story() -> None:
    often = [
        appears(number, "贺云舟").finding.model_copy(update={"mentions": 6}) for number in (1, 2, 3)
    ]
    now_and_then = [
        appears(number, "阿沅").finding.model_copy(update={"mentions": 1}) for number in range(1, 6)
    ]
    once = appears(3, "船夫").finding.model_copy(update={"mentions": 9})
    given = [at(number, finding) for number, finding in enumerate(often, 1)]
    given += [at(number, finding) for number, finding in enumerate(now_and_then, 1)]
    roles = {person.name: person.role for person in fold([*given, at(3, once)]).people}
    assert roles == {"贺云舟": "main", "阿沅": "supporting", "船夫": "minor"}
