"""The first run offers the sample novel: one click, one novel, however often it is clicked."""

from __future__ import annotations

import pytest

from analysis.models import PendingAnalysis
from arboris.novels.models import NovelProject
from tests.factories import JsonClient
from tests.queue.threads import side_by_side

pytestmark = pytest.mark.databases


def test_one_click_makes_the_novel_and_queues_its_analyses(
    api: JsonClient, foreign: JsonClient, anonymous: JsonClient
) -> None:
    made = api.post("/api/projects/sample")
    assert made.status_code == 201
    assert (made.json()["title"], made.json()["language"]) == ("雾海听钟", "zh")
    project = NovelProject.objects.get()
    count = project.chapters.count()
    assert count > 2
    assert PendingAnalysis.objects.filter(project=project).count() == count
    again = api.post("/api/projects/sample")
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    # Out of the trash it comes as it was.
    assert api.delete(f"/api/projects/{project.pk}").status_code == 204
    assert api.post("/api/projects/sample").json()["id"] == made.json()["id"]
    assert NovelProject.objects.get().chapters.count() == count
    english = api.post("/api/projects/sample", headers={"accept-language": "en"})
    assert (english.status_code, english.json()["language"]) == (201, "en")
    assert foreign.post("/api/projects/sample").status_code == 201
    assert anonymous.post("/api/projects/sample").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one(api: JsonClient) -> None:
    answers = side_by_side(*[lambda: api.post("/api/projects/sample")] * 2)
    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert NovelProject.objects.count() == 1
