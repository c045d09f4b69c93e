"""Every page of a writer as axe-core sees it: both languages, wide and narrow, light and dark."""

from __future__ import annotations

from contextlib import closing
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import System
from tests.browser.session import with_session
from tests.browser.test_versions import analysed
from tests.browser.test_writing import CHAPTER

pytestmark = pytest.mark.browser

OUTSIDE = ["/login", "/accounts/signup/", "/accounts/password/reset/"]
INSIDE = [
    "/",
    "/projects/{project}",
    "/projects/{project}/bible",
    "/projects/{project}/search",
    "/chapters/{chapter}",
    "/chapters/{chapter}/versions",
    "/notifications",
    "/trash",
    "/accounts/",
    "/accounts/sessions/",
]


def problems(page: Page, site: System, path: str) -> list[str]:
    """What axe-core finds on a page once all of it is there."""
    page.goto(site.url + path)
    expect(page.locator('[aria-busy="true"]')).to_have_count(0)
    found = Axe().run(page).response
    assert found["passes"]
    return [
        f"{path}: {rule['id']}: {node['target']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def novel(writer: Writer) -> dict[str, object]:
    """A novel whose only chapter is analysed, and another one in the trash."""
    project = writer.new_project("accessible", "zh")
    chapter, deleted = (int(writer.add_chapter(project, CHAPTER).body["id"]) for _ in range(2))
    analysed(writer, chapter)
    writer.http.delete(f"/api/chapters/{deleted}").raise_for_status()
    return {"project": project, "chapter": chapter}


@pytest.mark.parametrize(
    ("locale", "scheme", "width"),
    [("zh-CN", "light", 1280), ("en-US", "dark", 390)],
    indirect=["locale"],
)
def test_every_page(page: Page, site: System, scheme: Literal["light", "dark"], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = [line for path in OUTSIDE for line in problems(page, site, path)]
    with closing(site.writer("en")) as writer:
        made = novel(writer)
        with_session(page, site)
        for path in INSIDE:
            found += problems(page, site, path.format(**made))
    assert found == []
