"""Who a chapter's text names, as the desk asks for them: names, and a card as of that chapter."""

from __future__ import annotations

from typing import Any

import pytest

from arboris.bible.types.findings import Foreshadowing, StateChange
from arboris.novels.models import Chapter, NovelProject
from tests.bible.test_fold import ev, person
from tests.bible.test_service import record
from tests.factories import JsonClient, client_of, make_chapter, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.databases]


def state(text: str) -> StateChange:
    return StateChange(
        character="沈砚秋", kind="condition", description=text, evidence=ev("雨"), confidence=0.9
    )


def seed(text: str) -> Foreshadowing:
    return Foreshadowing(
        kind="mystery", description=text, keywords=["铜铃"], evidence=ev("雨"), confidence=0.9
    )


@pytest.fixture
def chapters(project: NovelProject) -> list[Chapter]:
    made = [make_chapter(project) for _ in range(4)]
    record(made[0], person("沈砚秋", "老沈"), state("健在"), seed("沈砚秋的铜铃是谁给的"))
    record(made[1], person("顾长风"), seed("铜铃为什么响"))
    record(made[2], person("沈砚秋"), state("负伤"))
    record(made[3], person("沈砚秋"), state("痊愈"))
    return made


def card(api: JsonClient, chapter: Chapter, name: str) -> dict[str, Any]:
    (one,) = [
        one for one in api.get(f"/api/chapters/{chapter.pk}/cast").json() if name in one["names"]
    ]
    answer = api.get(f"/api/chapters/{chapter.pk}/cast/{one['type']}/{one['id']}")
    assert answer.status_code == 200
    return dict(answer.json())


def test_a_card_knows_what_is_known_in_its_chapter(
    api: JsonClient, chapters: list[Chapter]
) -> None:
    shown = card(api, chapters[2], "老沈")
    assert shown["names"] == ["沈砚秋", "老沈"]
    assert [one["description"] for one in shown["states"]] == ["负伤"]  # not what comes later
    assert shown["last_seen"]["chapter_id"] == chapters[0].pk
    assert [one["description"] for one in shown["open"]] == ["沈砚秋的铜铃是谁给的"]
    assert card(api, chapters[0], "沈砚秋")["last_seen"] is None


def test_the_cast_is_the_writers_own(api: JsonClient, chapters: list[Chapter]) -> None:
    url = f"/api/chapters/{chapters[0].pk}/cast"
    stranger = client_of(make_user())
    assert stranger.get(url).status_code == 404
    assert stranger.get(f"{url}/character/1").status_code == 404
    assert api.get(f"{url}/character/999999").status_code == 404


def test_findings_of_an_older_text_are_given_where_they_are_asked_for(
    api: JsonClient, chapters: list[Chapter]
) -> None:
    url = f"/api/chapters/{chapters[0].pk}"
    assert api.patch(url, {"content": "雨停了。" * 80}).status_code == 200
    assert api.get(f"{url}/findings").json() == []
    assert {one["version"] for one in api.get(f"{url}/findings?outdated=1").json()} == {1}
