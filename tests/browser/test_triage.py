"""Staff find the cause of failures in a browser, mend it, and put it all right."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import live
from tests.analysis.llm_answers import says
from tests.browser import triage
from tests.factories import LONG_ENOUGH
from tests.live import Site, wait_for_task
from tests.llm import endpoint
from tests.llm.endpoint import Endpoint, Reply
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def server() -> Iterator[Endpoint]:
    with endpoint.serving() as running:
        yield running


@pytest.fixture
def live_site(tmp_path: Path, server: Endpoint) -> Iterator[Site]:
    settings = {
        "DJANGO_SETTINGS_MODULE": "tests.model_settings",
        "ARBORIS_LLM_BASE_URL": server.base_url,
        "ARBORIS_LLM_MODEL": "test-model",
        "ARBORIS_LLM_API_KEY": endpoint.KEY,
        "ARBORIS_LLM_RETRIES": "0",
        "ARBORIS_SUMMARY": "extractive",
        "ARBORIS_STATIC_ROOT": str(tmp_path / "static"),
    }
    with live.running(tmp_path, settings) as site:
        yield site


def add_chapters(site: Site, user: str, count: int) -> list[int]:
    """New chapters of a new novel; their analyses."""
    with site.client(user) as client:
        novel = client.post("/api/projects", json={"title": f"Novel of {user}"}).json()
        added = [
            client.post(f"/api/projects/{novel['id']}/chapters", json={"content": LONG_ENOUGH})
            for _ in range(count)
        ]
        return [int(answer.json()["analysis"]["id"]) for answer in added]


def sql(site: Site, statement: str, *params: object) -> None:
    """Past Django, which allows no database beside the browser's event loop."""
    file = site.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, timeout=PATIENCE_SECONDS)) as database, database:
        database.execute(statement, params)


def make_staff(site: Site, *, superuser: bool) -> None:
    """Or a member of the support team."""
    update = "UPDATE auth_user SET is_staff = ?, is_superuser = ? WHERE username = ?"
    sql(site, update, True, superuser, triage.STAFF)
    if not superuser:
        joins = (
            "INSERT INTO auth_user_groups (user_id, group_id) SELECT u.id, g.id"
            " FROM auth_user u, auth_group g WHERE u.username = ? AND g.name = ?"
        )
        sql(site, joins, triage.STAFF, "Support (read)")


def pause_own(site: Site) -> None:
    """What the member of staff writes waits."""
    with site.signed_in(triage.STAFF) as client:
        page = client.get("/admin/auth/user/", params={"q": triage.STAFF}).text
        found = re.search(r"/admin/auth/user/(\d+)/change/", page)
        assert found is not None
        token = client.get("/admin/analysis/queuepause/add/").cookies.get("csrftoken")
        form = {"user": found[1], "reason": "later"}
        form["csrfmiddlewaretoken"] = token or client.cookies["csrftoken"]
        answer = client.post(
            "/admin/analysis/queuepause/add/", data=form, headers={"Origin": site.url}
        )
        assert answer.status_code == 302, answer.text


def changes_around_the_focus(page: Page) -> None:
    """The part that changes by itself takes no focus away, and says what is new."""
    link, canary = page.get_by_test_id("failed"), page.get_by_test_id("canary")
    link.focus()
    canary.evaluate("p => { p.closest('[data-over]').dataset.over = 'no'; p.textContent = 'old'; }")
    expect(canary).to_contain_text("went well")
    expect(link).to_be_focused()
    expect(page.get_by_role("status").first).to_contain_text("went well")


@pytest.mark.parametrize("locale", ["en-US"], indirect=True)
def test_staff_find_the_cause_mend_it_and_put_all_right(
    page: Page, live_site: Site, server: Endpoint
) -> None:
    site, seen = live_site, list[str]()
    server.replies(Reply(status=404, error={"message": "no such model"}))
    failed = add_chapters(site, "writer", 3)
    with site.client() as client:
        assert {wait_for_task(client, task)["status"] for task in failed} == {"failed"}
    make_staff(site, superuser=True)
    pause_own(site)
    waiting = add_chapters(site, triage.STAFF, 2)

    triage.sign_in(page, site)
    group = triage.find_the_cause(page, seen.append)
    server.answer = says()
    triage.send_the_canary(page, seen.append)
    triage.retry_the_rest(page, seen.append)
    expect(page.get_by_test_id("drain")).to_have_attribute("data-drained", "yes")
    assert page.get_by_test_id("drain-done").text_content() == "2"
    changes_around_the_focus(page)
    triage.cancel_all_of(page, site, triage.STAFF, 2, seen.append)
    with site.client(triage.STAFF) as client:
        assert {wait_for_task(client, task)["status"] for task in waiting} == {"cancelled"}
    page.goto(f"{site.url}/admin/analysis/pendinganalysis/{failed[0]}/change/")
    expect(page.get_by_test_id("record")).to_contain_text("retry_group")
    make_staff(site, superuser=False)
    triage.may_only_look(page, site, group, waiting[0])
    assert seen == ["groups", "cause", "canary", "rest", "cancel"]
