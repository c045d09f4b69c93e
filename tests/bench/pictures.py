"""``python -m tests.bench.pictures``: the pictures of the documentation, taken of the sample novel.

They are written to docs/images; fonts are the machine's (Chinese needs fonts-noto-cjk).
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from arboris.workspace.demo.system import System, running_system
from tests.bench.reading import SAMPLES
from tests.browser.conftest import FLAGS
from tests.browser.desk import on_desk, open_desk
from tests.browser.test_writing import sign_in
from tests.servers import chromium_path
from tests.waiting import wait_for

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZE = ViewportSize(width=1280, height=800)


def imported(system: System) -> int:
    """Import the sample novel, have it analysed, and return its second chapter."""
    with closing(system.writer("zh-hans")) as writer:
        project = writer.new_project("雾海听钟", "zh")
        novel = (SAMPLES / "zh.md").read_bytes()
        writer.http.post(f"/api/projects/{project}/import", files={"file": ("zh.md", novel)})
        chapters = writer.get(f"/api/projects/{project}/chapters")
        status = f"/api/async-analysis/status?project_id={project}"
        wait_for(lambda: writer.get(status)["completed"] == len(chapters), "the analyses")
        writer.http.post("/api/async-analysis/notifications/read-all")
        return int(chapters[1]["id"])


def desk(page: Page, system: System, chapter: int) -> None:
    open_desk(page, system, chapter)
    page.wait_for_selector(".cm-name")
    name = page.locator(".cm-name[data-type=character]").first.inner_text()
    on_desk(page, f"desk.select(desk.text.indexOf({name!r}) + 1)")
    page.wait_for_selector("#who article")
    page.screenshot(path=IMAGES / "chapter.png")


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as place,
        running_system(Path(place)) as system,
        sync_playwright() as playwright,
    ):
        chapter = imported(system)
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = browser.new_page(locale="zh-CN", color_scheme="light", viewport=SIZE)
        sign_in(page, system)
        desk(page, system, chapter)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
