"""``python -m tests.bench.typing``: how long a key takes until its letter is drawn.

A chapter of 100,000 characters, analysed, is open on the desk in Chromium. Keys are typed in the
middle of the text. Of each is measured what the page does: from the event's own time stamp until
the text has changed, and from the beginning of the next frame until that is drawn. The wait for the
screen between the two, up to a sixtieth of a second, is the display's and counted only in "in all".
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from arboris.workspace.demo.figures import percentile
from arboris.workspace.demo.system import System, running_system
from tests.bench.reading import SAMPLES
from tests.browser.conftest import FLAGS
from tests.browser.desk import MODULE, on_desk, open_desk
from tests.browser.session import sign_in
from tests.servers import chromium_path
from tests.waiting import wait_for

GOAL_MS = 16
WARM_UP = 20
PAUSE_MS = 60  # between keys: faster than people type
# A message that is sent when a frame begins is delivered when the frame is drawn.
MEASURE = f"""async () => {{
  const {{ desk }} = await ({MODULE})('desk');
  window.took = [];
  let changed = 0;
  desk.onChange(() => {{ changed = performance.now(); }});
  document.addEventListener('keydown', ({{ timeStamp: typed }}) => {{
    requestAnimationFrame(() => {{
      const frame = performance.now();
      const {{ port1, port2 }} = new MessageChannel();
      port1.onmessage = () => {{
        const all = performance.now() - typed;
        window.took.push([all - (frame - changed), all]);
      }};
      port2.postMessage(null);
    }});
  }}, true);
}}"""


def long_text(characters: int) -> str:
    text = (SAMPLES / "zh.md").read_text(encoding="utf-8").replace("#", "")
    return (text * (characters // len(text) + 1))[:characters]


def typed(page: Page, keys: int) -> list[tuple[float, float]]:
    """Type so many letters; returns the milliseconds of each: the page's own, and in all."""
    page.evaluate(MEASURE)
    for number in range(1, keys + 1):
        page.keyboard.press("Enter" if number % 40 == 0 else "abcdefgh "[number % 9])
        page.wait_for_timeout(PAUSE_MS)
    took: list[tuple[float, float]] = page.evaluate("() => window.took")
    return took[WARM_UP:]


def measure(system: System, characters: int, keys: int) -> list[tuple[float, float]]:
    with closing(system.writer("en")) as writer, sync_playwright() as playwright:
        project = writer.new_project("typing", "zh")
        chapter = int(writer.add_chapter(project, long_text(characters)).body["id"])
        url = f"/api/chapters/{chapter}"
        wait_for(lambda: writer.get(url)["analysis"]["status"] == "completed", "the analysis")
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        sign_in(page, system)
        open_desk(page, system, chapter)
        page.wait_for_selector(".cm-name")
        on_desk(page, "desk.select(Math.floor(desk.text.length / 2))")
        took = typed(page, keys + WARM_UP)
        browser.close()
    return took


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.typing", description=__doc__)
    parser.add_argument("--characters", type=int, default=100_000)
    parser.add_argument("--keys", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, running_system(Path(place)) as system:
        took = measure(system, options.characters, options.keys)
    print(f"{len(took)} keys at {options.characters:,} characters, ms (goal: p95 ≤ {GOAL_MS})")
    for what, values in zip(("the page's own", "in all"), zip(*took, strict=True), strict=True):
        figures = "  ".join(f"p{p} {percentile(values, p / 100):.1f}" for p in (50, 95, 99))
        print(f"  {what:15} {figures}  longest {max(values):.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
