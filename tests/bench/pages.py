"""``python -m tests.bench.pages [--rows N] [--database …]``: what the admin's lists cost.

Every table that the admin lists has so many rows, but those that do not grow with the novels. A
warm look at each list's first page: queries, rows that the server has read (MariaDB), milliseconds
in the web process. With ``--all`` everything that the lists offer is looked at, and the dearest
address of each is told.
"""

from __future__ import annotations

import argparse
import os
import sys

from rich.console import Console
from rich.table import Table

from tests.bench.fold import database

STATEMENT_SECONDS = 3600  # filling a million rows takes minutes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["mariadb", "sqlite"], default="mariadb")
    parser.add_argument("--all", action="store_true")
    chosen = parser.parse_args()
    os.environ["ARBORIS_DATABASE_TIMEOUT"] = str(STATEMENT_SECONDS)
    with database(chosen.database):
        measure(chosen.rows, everything=chosen.all)
    return 0


def measure(rows: int, *, everything: bool) -> None:
    from django.contrib.auth.models import User
    from django.test import Client
    from django.test.utils import setup_test_environment

    from tests.lists import full, walk

    setup_test_environment()  # a response tells what its page was made of
    full.fill(rows)
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    look = walk.looking(client, times=2)
    table = Table("list", "shown", "queries", "rows read", "ms")
    for model in walk.lists():
        costs = list(walk.walk(look, model)) if everything else [look(model, "")]
        print(f"{model._meta.label}: {len(costs)} addresses", file=sys.stderr)
        worst = max(costs, key=lambda cost: cost.seconds)
        for cost in dict.fromkeys((costs[0].address, worst.address)):
            found = next(one for one in costs if one.address == cost)
            numbers = (found.shown, found.queries, found.rows, round(1000 * found.seconds))
            table.add_row(found.address, *map(str, numbers))
    Console(width=140).print(table)


if __name__ == "__main__":
    sys.exit(main())
