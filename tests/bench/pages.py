"""``python -m tests.bench.pages [--rows N] [--database …]``: what the admin's lists cost.

Every table that the admin lists has so many rows, but those that do not grow with the novels. Of
each list's first page, and of some of what the large ones offer: queries, rows that MariaDB has
read (or hundreds of steps of SQLite's machine), and the median time of five warm looks in the web
process. With ``--all`` the rows of everything that the lists offer are looked up too: those above
the bound of the tests are told, and the dearest of each list is measured. With ``--times`` nothing
is counted. With ``--keep`` the database is filled once, and measured again without.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests import servers

if TYPE_CHECKING:
    from django.test import Client

    from tests.lists.walk import Cost

STATEMENT_SECONDS = 3600  # filling a million rows takes minutes
LOOKS = 5
# Of the lists that staff use most: filters, orders and searches of several kinds.
ALSO = {
    "analysis.PendingAnalysis": [
        "?status__exact=failed", "?status__exact=pending", "?error_type=llm_refused",
        "?error_type=timeout", "?o=2", "?q=titl+12", "?q=user+1", "?q=no+such+thing",
    ],
    "analysis.AnalysisAttempt": ["?outcome__exact=failed", "?q=7777"],
    "analysis.OperatorAction": ["?action=pause", "?q=no+such+thing"],
    "llm.ModelCall": [
        "?month=2026-11", "?outcome=failed", "?purpose=purp+7", "?o=-9", "?q=titl+12", "?q=user+1",
    ],
    "notifications.AnalysisNotification": [
        "?is_read__exact=0", "?notification_type__exact=failed", "?o=3", "?q=user+1",
    ],
}  # fmt: skip
# MariaDB's own defaults are for a small database.
FILLING = {
    "innodb_buffer_pool_size": 2 << 30,
    "innodb_log_file_size": 2 << 30,
    "innodb_flush_log_at_trx_commit": 0,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["mariadb", "sqlite"], default="mariadb")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="of the filled database")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--all", action="store_true", help="everything that the lists offer")
    what.add_argument("--times", action="store_true", help="times alone")
    chosen = parser.parse_args()
    os.environ["ARBORIS_DATABASE_TIMEOUT"] = str(STATEMENT_SECONDS)
    with database(chosen.database, chosen.keep) as directory:
        filled(directory / "filled", chosen.rows)
        measure(everything=chosen.all, count=not chosen.times)
    return 0


@contextlib.contextmanager
def database(name: str, keep: Path | None) -> Iterator[Path]:
    """Django on a database of that make; yields its directory, which is ``keep`` if given."""
    with contextlib.ExitStack() as stack:
        if keep is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        else:
            directory = (keep / name).resolve()
            directory.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{directory}/arboris.db"
        if name == "mariadb":
            url = stack.enter_context(servers.mariadb(kept=directory))
        os.environ |= {"DATABASE_URL": url, "ARBORIS_DATA_DIR": str(directory)}
        os.environ |= {"DJANGO_SECRET_KEY": "bench" * 12, "ARBORIS_LOG_LEVEL": "WARNING"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "arboris.settings"
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield directory


def filled(mark: Path, rows: int) -> None:
    """Fills the database, unless it has so many rows already."""
    from tests.lists import full

    if mark.exists() and mark.read_text() == str(rows):
        return
    mark.unlink(missing_ok=True)
    started = time.monotonic()
    with _made_for_filling():
        full.fill(rows)
    mark.write_text(str(rows))
    print(f"filled in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _made_for_filling() -> Iterator[None]:
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA cache_size = -1000000")
            yield
            return
        before = {}
        for name, value in FILLING.items():
            cursor.execute(f"SELECT @@GLOBAL.{name}")
            before[name] = cursor.fetchone()[0]
            cursor.execute(f"SET GLOBAL {name} = {value}")
        yield
        for name, value in before.items():
            cursor.execute(f"SET GLOBAL {name} = {value}")


def measure(*, everything: bool, count: bool) -> None:
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import setup_test_environment

    from tests.lists import walk

    setup_test_environment()  # a response tells what its page was made of
    boss = User.objects.filter(username="boss").first() or User.objects.create_superuser("boss")
    client = Client()
    client.force_login(boss)
    table = Table("list", "shown", "queries", "read", "ms")
    if count and connection.vendor == "sqlite":
        walk.count_steps()
    look, glance = walk.looking(client, times=2), walk.glancing(boss)
    for model in walk.lists():
        queries = ["", *ALSO.get(model._meta.label, ())]
        if everything:
            queries += _dearest(list(walk.walk(glance, model)))
        for query in dict.fromkeys(queries):
            cost = look(model, query) if count else None
            numbers = (cost.shown, cost.queries, cost.rows) if cost else ("", "", "")
            address = walk.address_of(model, query)
            table.add_row(address, *map(str, numbers), _warm(client, address))
    Console(width=140).print(table)


def _dearest(costs: list[Cost]) -> list[str]:
    """The address for which most was read; tells of those that are above the bound."""
    from tests.lists import walk

    print(f"{costs[0].address}: {len(costs)} addresses", file=sys.stderr, flush=True)
    for told in walk.too_dear(costs):
        print(f"  {told}", file=sys.stderr, flush=True)
    return [max(costs, key=lambda cost: cost.rows).query]


def _warm(client: Client, address: str) -> str:
    times = []
    for _ in range(LOOKS):
        started = time.perf_counter()
        client.get(address)
        times.append(time.perf_counter() - started)
    return str(round(1000 * statistics.median(times)))


if __name__ == "__main__":
    sys.exit(main())
