"""``python -m tests.bench.triage``: staff find why 5,000 of 100,000 analyses failed, on MariaDB.

A real site, workers, a language model on the loopback, and a real browser: the walk of
``tests.browser.triage``, with what each page took, and pictures of it (``--to``, docs/images). The
rest of the group is watched until ``--drained`` of it are done.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import django
from playwright.sync_api import Page, sync_playwright

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
django.setup()  # what follows reads the settings

from tests import live, servers  # noqa: E402
from tests.bench.pictures import IMAGES  # noqa: E402
from tests.bench.triage_rows import SUPPORT  # noqa: E402
from tests.browser import triage  # noqa: E402
from tests.browser.conftest import FLAGS  # noqa: E402
from tests.browser.session import sign_in_to_admin  # noqa: E402
from tests.checkout import ROOT  # noqa: E402
from tests.live import Site  # noqa: E402
from tests.live_setup import PASSWORD  # noqa: E402
from tests.llm import endpoint  # noqa: E402
from tests.servers import chromium_path  # noqa: E402
from tests.waiting import wait_for  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--failed", type=int, default=5_000)
    parser.add_argument("--waiting", type=int, default=3_000, help="of one writer")
    parser.add_argument("--drained", type=int, default=200)
    parser.add_argument("--to", type=Path, default=IMAGES)
    chosen = parser.parse_args()
    with (
        servers.mariadb() as url,
        endpoint.serving() as model,
        tempfile.TemporaryDirectory() as place,
    ):
        settings = {
            "DJANGO_SETTINGS_MODULE": "tests.model_settings",
            "ARBORIS_LLM_BASE_URL": model.base_url,
            "ARBORIS_LLM_MODEL": "test-model",
            "ARBORIS_LLM_API_KEY": "sk-bench",
            "ARBORIS_SUMMARY": "extractive",
            "ARBORIS_STATIC_ROOT": f"{place}/static",
        }
        model.answer = endpoint.found_nothing
        with live.running(Path(place), settings, url) as site:
            seconds = _timed(lambda: seed(site, chosen.tasks, chosen.failed, chosen.waiting))
            print(f"{chosen.tasks} analyses, {chosen.failed} failed: {seconds:.0f} s", flush=True)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
                context = browser.new_context(
                    locale="en-US", viewport={"width": 1280, "height": 800}
                )
                group, task = walk(context.new_page(), site, chosen)
                page = browser.new_context(locale="en-US").new_page()
                sign_in_to_admin(page, site.url, SUPPORT, PASSWORD)
                triage.may_only_look(page, site, group, task)
                print("the support team sees it, and no button", flush=True)
                browser.close()
    return 0


def walk(page: Page, site: Site, chosen: argparse.Namespace) -> tuple[str, int]:
    """Returns where the largest group is, and the number of one of its analyses."""
    page.set_default_timeout(60_000)
    began = time.monotonic()

    def shoot(name: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {name}", flush=True)
        page.screenshot(path=chosen.to / f"triage-{name}.png")

    triage.sign_in(page, site)
    group = triage.find_the_cause(page, shoot)
    sample = page.get_by_test_id("group").get_by_role("link").text_content()
    triage.send_the_canary(page, shoot)
    triage.retry_the_rest(page, shoot)
    done = page.get_by_test_id("drain-done")
    wait_for(lambda: int(done.text_content() or 0) >= chosen.drained, "the group drains")
    shoot("draining")
    triage.cancel_all_of(page, site, "idle", chosen.waiting, shoot)
    page.wait_for_selector('[data-testid="operation"][data-state="done"]')
    shoot("cancelled")
    return group, int(sample or 0)


def _timed(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


# --- the rows -------------------------------------------------------------------------------------
def seed(site: Site, tasks: int, failed: int, waiting: int) -> None:
    """In a process of its own: this one's Django has another database."""
    numbers = [str(number) for number in (tasks, failed, waiting)]
    command = [sys.executable, "-m", "tests.bench.triage_rows", *numbers]
    subprocess.run(command, env=site.env, cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
