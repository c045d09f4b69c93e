"""Lists of the admin: what they say of what they did not look at, and files of all of it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from analysis.models import OperatorAction, PendingAnalysis
from arboris import admin_export, admin_lists
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from tests.analysis.test_admin import LIST, member, signed_in
from tests.analysis.test_admin_actions import many
from tests.every_object import make_all
from tests.factories import make_user
from tests.lists import walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    return signed_in(make_user("boss", is_staff=True, is_superuser=True))


@pytest.fixture
def ids(project: NovelProject, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Analyses, more than a list looks at."""
    monkeypatch.setattr(admin_lists, "LOOK", 10)
    monkeypatch.setattr(admin_lists, "COUNTED", 25)
    return many(project, 30)


def get(client: Client, **query: Any) -> Any:
    response = client.get(LIST, query)
    assert response.status_code == 200
    return response


def shown(response: Any) -> list[int]:
    return [row.pk for row in response.context["cl"].result_list]


def test_a_list_goes_on_where_it_stops(staff: Client, ids: list[int]) -> None:
    newest = sorted(ids, reverse=True)
    found, address = [], LIST
    while address:
        page = staff.get(address)
        found += shown(page)
        further = page.context["cl"].further_url
        address = further and LIST + further
    assert found == newest
    first = get(staff).content.decode()
    assert "25+ analyses" in first and "After these 10" in first
    assert shown(get(staff, o="1")) == sorted(ids)[:10]  # the other end, as its index has it


def test_what_was_not_looked_at_is_said(staff: Client, ids: list[int]) -> None:
    PendingAnalysis.objects.filter(pk__in=ids[:15]).update(attempt_count=3)
    page = get(staff, attempt_count="3")
    assert shown(page) == []
    assert "Looked for among the first 10 rows alone" in page.content.decode()
    further = staff.get(LIST + page.context["cl"].further_url)
    assert shown(further) == sorted(ids[10:15], reverse=True)
    everything = page.context["cl"].queryset  # what an action on all of it gets
    assert sorted(everything.values_list("pk", flat=True)) == ids[:15]
    assert "Looked for among" not in get(staff, status__exact="pending").content.decode()


def test_numbers_that_cannot_be_are_refused(staff: Client, ids: list[int]) -> None:
    too_large = "99999999999999999999999"
    for name, value in (
        *(("after", value) for value in ("x", too_large, str(max(ids) + 1))),
        ("user_id", too_large),
        ("created_at__gte", "0001-01-01"),
        ("created_at__lt", "9999-12-31T23:59:59Z"),
    ):
        response = staff.get(LIST, {name: value})
        assert response.status_code == 302 and response.headers["Location"].endswith("?e=1")


def test_no_list_counts_facets(staff: Client) -> None:
    for model in admin.site._registry:
        address = walk.address_of(model, "?_facets=True")
        page = staff.get(address)
        assert page.status_code == 200, address
        assert "Show counts" not in page.content.decode(), address


# --- files ------------------------------------------------------------------------------------
def exported(client: Client, kind: str, query: str = "", address: str = LIST) -> bytes:
    response = client.get(f"{address}export/{kind}/{query}")
    assert response.status_code == 200, address
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def test_the_whole_filter_goes_into_a_file(
    staff: Client, project: NovelProject, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_export, "BATCH", 7)
    PendingAnalysis.objects.filter(pk__in=ids[:20]).update(attempt_count=3)
    page = get(staff, attempt_count="3").content.decode()
    assert f"{LIST}export/csv/?attempt_count=3" in page
    rows = json.loads(exported(staff, "json", "?attempt_count=3"))
    assert sorted(row["id"] for row in rows) == ids[:20]
    assert rows[0]["chapter_label"] == "听雨楼 · 1" and rows[0]["in_trash"] is False
    assert len(json.loads(exported(staff, "json"))) == 30
    assert json.loads(exported(staff, "json", "?status__exact=failed")) == []
    novels = [NovelProject(owner=project.owner, title=f"{n}") for n in range(9)]
    made = [novel.pk for novel in NovelProject.objects.bulk_create(novels)]
    NovelProject.objects.update(created_at=project.created_at)  # to the same microsecond
    rows = json.loads(exported(staff, "json", address="/admin/novels/novelproject/"))
    assert len(rows) == len(made) + 1
    recorded = OperatorAction.objects.order_by("pk")[0]
    assert (recorded.actor, recorded.action) == ("boss", "export")
    assert recorded.details == {
        "list": "analysis.PendingAnalysis",
        "format": "json",
        "filter": "attempt_count=3",
        "rows": 20,
        "state": "done",
    }


def test_a_file_is_longer_than_a_batch(staff: Client, project: NovelProject) -> None:
    numbers = range(1, admin_export.BATCH + 2)
    Chapter.objects.bulk_create(Chapter(project=project, chapter_number=n) for n in numbers)
    rows = [ChapterVersion(chapter=chapter, number=1) for chapter in project.chapters.all()]
    ChapterVersion.objects.bulk_create(rows)
    file = staff.get(walk.address_of(ChapterVersion, "export/json/"))
    assert len(json.loads(b"".join(file.streaming_content))) == len(rows)  # type: ignore[attr-defined]


def test_a_spreadsheet_reads_it_and_takes_nothing_for_a_formula(
    staff: Client, project: NovelProject, ids: list[int]
) -> None:
    NovelProject.objects.filter(pk=project.pk).update(title='=HYPERLINK("x")')
    PendingAnalysis.objects.filter(pk=ids[0]).update(error_type="+1", error_message="-2\n@3")
    raw = exported(staff, "csv", f"?id={ids[0]}")
    assert raw.startswith(b"\xef\xbb\xbf")
    header, row = csv.reader(io.StringIO(raw.decode("utf-8-sig")))
    cells = dict(zip(header, row, strict=True))
    assert cells["chapter"].startswith("'=HYPERLINK") and cells["error"].startswith("'+1: -2")
    assert cells["ID"] == str(ids[0])


def test_a_file_takes_the_right_to_look(ids: list[int]) -> None:
    address = f"{LIST}export/csv/"
    assert Client().get(address).status_code == 302  # to the login
    assert member("view_modelcall").get(address).status_code == 403
    assert member("view_pendinganalysis").get(address).status_code == 200  # and leaves at once
    assert not OperatorAction.objects.exists()
    answer: Any = member("view_pendinganalysis").get(address)
    assert next(iter(answer.streaming_content)).startswith(b"\xef\xbb\xbf")
    answer._iterator.close()  # the browser has gone
    left = OperatorAction.objects.get().details
    assert (left["state"], left["rows"]) == ("interrupted", 0)
    assert member("view_pendinganalysis").get(f"{LIST}export/xml/").status_code == 404
    assert member("view_pendinganalysis").get(f"{address}?nonsense=1").status_code == 400
    assert OperatorAction.objects.count() == 1


def test_every_list_can_be_exported_without_texts(staff: Client, project: NovelProject) -> None:
    make_all(project.owner, project)
    for model in admin.site._registry:
        rows = json.loads(exported(staff, "json", address=walk.address_of(model, "")))
        assert rows, model
        assert not {"content", "quote", "password", "digest"} & {key for row in rows for key in row}
