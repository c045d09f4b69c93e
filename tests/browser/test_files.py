"""A book comes in from a file and goes out as another, in a real browser."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from docx import Document
from playwright.sync_api import FilePayload, Locator, Page, expect

from arboris.workspace.demo.system import System
from tests.browser.session import sign_in
from tests.browser.test_writing import new_project
from tests.factories import LONG_ENOUGH

pytestmark = pytest.mark.browser

DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
# Too short to be analysed: nothing of it goes on, and is told, beside the tests that come next.
MANY = "\n\n".join(f"第{number}章 夜\n\n雨停了。" for number in range(1, 101))


def manuscript(*chapters: tuple[str, str]) -> FilePayload:
    document = Document()
    document.add_paragraph("一座楼的故事。")
    for title, text in chapters:
        document.add_heading(title, 1)
        document.add_paragraph(text).add_run("铃").italic = True
    out = io.BytesIO()
    document.save(out)
    return {"name": "雾海.docx", "mimeType": DOCX_TYPE, "buffer": out.getvalue()}


def text_file(text: str) -> FilePayload:
    return {"name": "长.txt", "mimeType": "text/plain", "buffer": text.encode()}


def look_into(page: Page, file: FilePayload) -> None:
    page.get_by_test_id("import-file").set_input_files(file)
    page.get_by_test_id("import-submit").click()
    expect(page.get_by_test_id("import-dialog")).to_be_visible()


def download(page: Page, kind: str) -> tuple[str, bytes]:
    page.get_by_test_id("export-format").select_option(kind)
    with page.expect_download() as coming:
        page.get_by_test_id("export-submit").click()
    return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()


def rows_of(page: Page) -> Locator:
    return page.locator("[data-chapter-id]")


def table_of(page: Page) -> Locator:
    """What a look into a file has found, a row a chapter."""
    return page.get_by_test_id("import-table").locator("tbody tr")


def test_a_book_in_and_out(page: Page, site: System) -> None:
    sign_in(page, site)
    new_project(page, "雾海听钟")
    look_and_leave(page)
    page.get_by_test_id("import-submit").click()
    page.get_by_test_id("import-agree").click()
    expect(rows_of(page)).to_have_count(2)
    expect(page.locator("#import .form-status")).to_contain_text("2")  # it takes the next file
    scroll_through_a_long_file(page)
    here = page.url
    import_by_a_worker(page, site)
    page.goto(here)
    revise(page)

    name, data = download(page, "epub")
    assert name == "雾海听钟.epub"
    chapter = zipfile.ZipFile(io.BytesIO(data)).read("EPUB/chapter-0001.xhtml").decode()
    assert "改<em>铃</em>" in chapter
    page.get_by_test_id("export-chapters").fill("7")
    page.get_by_test_id("export-submit").click()
    expect(page.locator("#export .field-error")).to_contain_text("7")

    name, data = download(page, "archive")
    assert name == "雾海听钟.zip"
    page.goto(f"{site.url}/")
    new_project(page, "空")
    look_into(page, {"name": name, "mimeType": "application/zip", "buffer": data})
    page.get_by_test_id("import-agree").click()
    expect(page.locator("#project-name")).to_have_text("雾海听钟")
    expect(rows_of(page)).to_have_count(3)
    expect(rows_of(page).first).to_contain_text("第 2 版")


def look_and_leave(page: Page) -> None:
    """A look, and a change of mind: nothing is saved."""
    look_into(page, manuscript(("第一章 雨夜", LONG_ENOUGH), ("第二章 铜铃", LONG_ENOUGH)))
    expect(table_of(page)).to_have_count(2)
    expect(table_of(page).first).to_contain_text("第一章 雨夜")
    expect(page.locator("#import-aside")).to_contain_text("一座楼的故事。")
    expect(page.locator("#import-modes")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("import-dialog")).to_be_hidden()
    expect(rows_of(page)).to_have_count(0)


def scroll_through_a_long_file(page: Page) -> None:
    """Only the rows that somebody scrolls to are made."""
    look_into(page, text_file(MANY))
    expect(page.get_by_test_id("import-found")).to_contain_text("100")
    expect(table_of(page)).to_have_count(41)  # and one that asks for more
    table_of(page).last.scroll_into_view_if_needed()
    expect(table_of(page)).to_have_count(81)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("import-dialog")).to_be_hidden()


def import_by_a_worker(page: Page, site: System) -> None:
    """More than a hundred chapters; the page tells of it until they are there."""
    page.goto(f"{site.url}/")
    new_project(page, "长夜")
    page.route("**/imports/*", lambda route: route.fulfill(status=503), times=1)  # for a moment
    with page.expect_response(lambda answer: answer.status == 202):
        look_into(page, text_file(f"{MANY}\n\n{MANY}"))
        page.get_by_test_id("import-agree").click()
    expect(page.locator("#import .form-status")).to_contain_text("200")
    expect(page.locator("#import-progress")).to_be_hidden()


def revise(page: Page) -> None:
    """The same book again: what is here becomes a new version, what is new is added."""
    look_into(page, manuscript(("第一章 雨夜", f"{LONG_ENOUGH}改"), ("第三章 剑", LONG_ENOUGH)))
    expect(table_of(page).first.locator("td").nth(2)).to_have_text("第一章 雨夜")
    page.locator('[name="mode"][value="replace"]').check()
    page.get_by_test_id("import-agree").click()
    expect(rows_of(page)).to_have_count(3)
    expect(rows_of(page).first).to_contain_text("第 2 版")
