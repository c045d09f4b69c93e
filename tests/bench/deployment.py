"""Every step of docs/deployment.md, as printed, in a bare Debian.

``python -m tests.bench.deployment``, as root, some minutes. From nothing to a chapter analysed and
told through nginx; backup and restore; an upgrade from the previous release, its rollback, and
forward again; SQLite. It says what each took, and ends with 1 at the first step that fails.
``--base DIRECTORY`` is a bare Debian that debootstrap has made already; ``--previous COMMIT`` the
release to come from.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests import servers
from tests.checkout import ROOT
from tests.deployment import bare, installed, machine, page
from tests.deployment.installed import CERTIFICATE, PASSWORD, SITE

SOURCE = "/srv/arboris.git"
SERVICES = "arboris-web@8000 arboris-web@8001 arboris-async-processor"
EMPTY = "DROP DATABASE arboris; CREATE DATABASE arboris CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
# The previous release has no command of this one: its steps, by its own files.
PREVIOUS_RELEASE = f"""
systemctl stop {SERVICES}
rm -rf /opt/arboris
mariadb --execute "{EMPTY}"
git clone --quiet {SOURCE} /opt/arboris
make -C /opt/arboris setup
cd /opt/arboris
cp deploy/systemd/*.service /etc/systemd/system/
export ARBORIS_DATA_DIR=/var/lib/arboris DJANGO_SUPERUSER_PASSWORD={PASSWORD}
manage() {{
    (set -a; . /etc/arboris/env
    setpriv --reuid=arboris --regid=arboris --init-groups .venv/bin/python manage.py "$@")
}}
manage migrate --verbosity=0
manage createsuperuser --noinput --username admin --email admin@{SITE}
systemctl start {SERVICES}
curl --fail --silent --retry 60 --retry-delay 1 --retry-all-errors http://127.0.0.1:8000/readyz
"""


@dataclass(frozen=True)
class Deployment:
    """A machine, and how its site is seen through nginx."""

    host: machine.Machine

    def follow(self, heading: str) -> None:
        with took(heading):
            installed.follow(self.host, heading)

    def visit(self, what: str) -> dict[str, Any]:
        """``look``: what there is; ``save``: one chapter more, until it is analysed."""
        certificate = str(self.host.files / CERTIFICATE)
        command = [sys.executable, "-m", "tests.deployment.visit", SITE, certificate, PASSWORD]
        done = subprocess.run(
            self.host.beside(*command, what), cwd=ROOT, capture_output=True, text=True
        )
        if done.returncode:
            raise machine.StepFailed(f"{done.stderr}\n{self.host.journal()}")
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen

    def publish(self, commit: str) -> None:
        """Make a commit the newest of what the machine clones and pulls."""
        place = f"{self.host.root}{SOURCE}"
        self.host.mount(f"git -C {place} update-ref refs/heads/main {commit}")

    def expect(self, seen: dict[str, Any]) -> None:
        now = self.visit("look")
        if now != seen:
            raise machine.StepFailed(f"expected {seen}\nsaw {now}")


def from_nothing(site: Deployment) -> None:
    site.follow("From nothing")
    with took("a chapter through nginx, two web processes, one of them away"):
        installed.the_units_are_sound(site.host)
        installed.a_command_runs_as_the_service(site.host)
        installed.a_writer_is_served_by_every_process(site.host)
    for unit in ("arboris-web@8000.service", "arboris-async-processor.service"):
        look = f"systemd-analyze security --offline=true --no-pager /etc/systemd/system/{unit}"
        print(site.host.run(f"{look.replace('@8000', '@')} | tail -n 1").strip(), flush=True)


def backup_and_restore(site: Deployment, heading: str) -> None:
    before = site.visit("save")
    blocks = page.steps(heading)
    with took(f"{heading}: the backup"):
        site.host.run(blocks[0])
    site.visit("save")
    with took(f"{heading}: restored"):
        site.host.run(blocks[1])
    site.expect(before)


def upgrade_and_rollback(site: Deployment, previous: str, current: str) -> None:
    site.publish(previous)
    with took(f"the previous release, {previous[:7]}"):
        site.host.run(PREVIOUS_RELEASE)
    before = site.visit("save")
    site.publish(current)
    site.host.run(page.steps("Backup and restore")[0])
    site.follow("Upgrade")
    the_release_is(site, current)
    site.expect(before)
    site.visit("save")
    site.follow("Rollback")
    the_release_is(site, previous)
    site.expect(before)
    after = site.visit("save")
    site.host.run("git -C /opt/arboris checkout --quiet main")
    site.follow("Upgrade")
    the_release_is(site, current)
    site.expect(after)


def the_release_is(site: Deployment, commit: str) -> None:
    site.host.run(f'test "$(git -C /opt/arboris rev-parse HEAD)" = {commit}')


def with_sqlite(site: Deployment) -> None:
    site.host.run(
        f"systemctl stop {SERVICES}; apt-get install --yes sqlite3; "
        "sed -i 's/^DATABASE_URL=.*/DATABASE_URL=/' /etc/arboris/env; arboris migrate; "
        f"DJANGO_SUPERUSER_PASSWORD={PASSWORD} arboris createsuperuser --noinput --username admin"
        f" --email admin@{SITE}; systemctl start {SERVICES}"
    )
    backup_and_restore(site, "SQLite")


@contextlib.contextmanager
def took(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def previous_release() -> str:
    """The newest tag before this commit; before there was one, what had no ``arboris`` yet."""
    tags = git("tag", "--merged", "HEAD^", "--sort=-creatordate")
    added = git("log", "--diff-filter=A", "--format=%H", "--", "deploy/arboris").splitlines()
    return git("rev-parse", tags.splitlines()[0] if tags else f"{added[-1]}^")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.deployment")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--previous", default=None)
    options = parser.parse_args()
    previous = git("rev-parse", options.previous) if options.previous else previous_release()
    settings = {"SITE": SITE, "SOURCE": SOURCE}
    with contextlib.ExitStack() as opened:
        root = opened.enter_context(tempfile.TemporaryDirectory(prefix="arboris-bare-"))
        opened.enter_context(took("all of it"))
        host = opened.enter_context(machine.running(Path(root), settings))
        with took("debootstrap"):
            environment = bare.furnish(host, options.base)
        site = Deployment(replace(host, environment={**host.environment, **environment}))
        current = git("rev-parse", "HEAD")
        host.mount(f"git clone --quiet --bare {ROOT} {root}{SOURCE}")
        site.publish(current)
        host.mount(f"git -C {root}{SOURCE} symbolic-ref HEAD refs/heads/main")
        from_nothing(site)
        backup_and_restore(site, "Backup and restore")
        upgrade_and_rollback(site, previous, current)
        with_sqlite(site)


if __name__ == "__main__":
    try:
        main()
    except servers.Missing as missing:
        sys.exit(str(missing))
