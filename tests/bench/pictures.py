"""``python -m tests.bench.pictures``: the pages, as the documentation shows them.

Of the sample novel, in Chinese and English, light and dark, on a desk and a phone: all of the
chapter's page, three of each other page, the admin's first one too, with a made-up history;
``--all`` takes every page in every way, to be looked at.
They are written to docs/images, or to ``--to``, in 64 colours where pngquant is there. Fonts
are the machine's (Chinese needs fonts-noto-cjk).
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from arboris.workspace.demo.client import Writer
from arboris.workspace.demo.system import EMBEDDED, System, running_system
from tests.bench.reading import SAMPLES
from tests.browser.conftest import FLAGS
from tests.browser.desk import on_desk, open_desk
from tests.browser.session import sign_in, sign_in_to_admin
from tests.servers import chromium_path
from tests.waiting import wait_for

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
LOCALES = {"zh": "zh-CN", "en": "en-US"}
TITLES = {"zh": "雾海听钟", "en": "The Nine-Minute Harbour"}
VOLUMES = {"zh": ("上卷 雾起", "下卷 钟声"), "en": ("Part One", "Part Two")}
LATER = {"zh": "\n\n钟声停了，雾还没有散。\n", "en": "\n\nThe clock stopped; the lamp burned on.\n"}
NAMES = {"zh": "交给编辑的一稿", "en": "The draft for the editor"}
SIZES = {1280: ViewportSize(width=1280, height=800), 390: ViewportSize(width=390, height=844)}


@dataclass(frozen=True, slots=True)
class Way:
    """How a page is looked at."""

    language: str
    scheme: Literal["light", "dark"]
    width: int

    def __str__(self) -> str:
        return f"{self.language}-{self.scheme}-{self.width}"


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WAYS = [Way(*way) for way in itertools.product(LOCALES, SCHEMES, SIZES)]
SHOWN = {Way("zh", "light", 1280), Way("en", "light", 1280), Way("en", "dark", 390)}


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample novel on a running system."""

    system: System
    project: str
    chapter: int
    name: str  # of a person who is in that chapter

    def pages(self) -> dict[str, str]:
        """Where each page is, the chapter's first."""
        novel, chapter = f"/projects/{self.project}", f"/chapters/{self.chapter}"
        return {
            "chapter": chapter,
            "projects": "/",
            "project": novel,
            "versions": f"{chapter}/versions",
            "bible": f"{novel}/bible",
            "search": f"{novel}/search?q={self.name}",
            "notifications": "/notifications",
            "account": "/accounts/",
        }


def imported(system: System, language: str) -> Sample:
    """Import the sample novel, put it into volumes, change a chapter, have all of it analysed."""
    with closing(system.writer(LOCALES[language])) as writer:
        project = writer.new_project(TITLES[language], language)
        writer.import_novel(project, SAMPLES / f"{language}.md")
        chapters = [int(row["id"]) for row in writer.get(f"/api/projects/{project}/chapters")]
        analysed(writer, project)
        half = len(chapters) // 2
        parts = (chapters[:half], chapters[half:])
        volumes = [
            {"title": title, "chapters": ids}
            for title, ids in zip(VOLUMES[language], parts, strict=True)
        ]
        writer.http.put(
            f"/api/projects/{project}/order", json={"volumes": volumes}
        ).raise_for_status()
        typed = writer.get(f"/api/chapters/{chapters[1]}")["content"] + LATER[language]
        copy = {"content": typed, "base_version": 1, "client": "pictures", "seq": 1}
        writer.http.put(f"/api/chapters/{chapters[1]}/working", json=copy).raise_for_status()
        named = {"name": NAMES[language]}
        writer.http.post(f"/api/chapters/{chapters[1]}/versions", json=named).raise_for_status()
        analysed(writer, project)
        people = writer.get(f"/api/chapters/{chapters[1]}/cast")
        names = [name for one in people if one["type"] == "character" for name in one["names"]]
        name = next(name for name in names if name in typed)
    return Sample(system, project, chapters[1], name)


def analysed(writer: Writer, project: str) -> None:
    status = f"/api/async-analysis/status?project_id={project}"

    def none_is_live() -> bool:
        told = writer.get(status)
        return not told["pending"] and not told["processing"]

    wait_for(none_is_live, "the analyses")


def take(browser: Browser, sample: Sample, way: Way, every: bool, to: Path) -> Iterator[Path]:
    page = browser.new_page(
        locale=LOCALES[way.language], color_scheme=way.scheme, viewport=SIZES[way.width]
    )
    sign_in(page, sample.system)
    for name, path in sample.pages().items():
        if name == "chapter":
            desk(page, sample)
        elif every or way in SHOWN:
            page.goto(sample.system.url + path)
        else:
            continue
        page.wait_for_load_state("networkidle")
        page.wait_for_function("!document.querySelector('[aria-busy=true]')")
        file = to / f"{name}-{way}.png"
        page.screenshot(path=file)
        yield file
    page.close()


def overview(browser: Browser, system: System, way: Way, to: Path) -> Path:
    """The admin's first page, as staff see it."""
    page = browser.new_page(
        locale=LOCALES[way.language], color_scheme=way.scheme, viewport=SIZES[way.width]
    )
    password = system.passwords["staff"]
    sign_in_to_admin(page, system.url, "staff", password, "/admin/?window=24h")
    page.wait_for_selector("#overview-ends svg")
    file = to / f"overview-{way}.png"
    page.screenshot(path=file)
    page.close()
    return file


def make_history(place: str) -> None:
    settings = {**EMBEDDED, "ARBORIS_DATA_DIR": place}
    command = [sys.executable, "-m", "tests.bench.pictures_history"]
    subprocess.run(command, env={**os.environ, **settings}, check=True)


def desk(page: Page, sample: Sample) -> None:
    """With the caret in somebody's name, whose card is shown."""
    open_desk(page, sample.system, sample.chapter)
    page.wait_for_selector(".cm-name")
    on_desk(page, f"desk.select(desk.text.indexOf({sample.name!r}) + 1)")
    page.wait_for_selector("#who article", state="attached")


def in_few_colours(file: Path) -> None:
    """A third of the size, and no difference to be seen on these pages."""
    if (tool := shutil.which("pngquant")) is not None:
        subprocess.run([tool, "--force", "--ext=.png", "--strip", "64", file], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Take the pictures of the documentation.")
    parser.add_argument("--all", action="store_true", help="every page in every way")
    parser.add_argument("--to", type=Path, default=IMAGES, help="the directory")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        for language in LOCALES:
            with tempfile.TemporaryDirectory() as place, running_system(Path(place)) as system:
                sample = imported(system, language)
                for way in (way for way in WAYS if way.language == language):
                    for file in take(browser, sample, way, asked.all, asked.to):
                        in_few_colours(file)
                make_history(place)
                for way in WAYS if asked.all else SHOWN:
                    if way.language == language:
                        in_few_colours(overview(browser, system, way, asked.to))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
