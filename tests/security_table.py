"""``python -m tests.security_table`` writes docs/security-table.md anew.

Look at what changed before it is committed: each line says who may do something.
"""

from __future__ import annotations

from tests.scratch_database import scratch_database


def main() -> None:
    with scratch_database():
        from tests.address_roles import PAGE, page, table  # knows models

        PAGE.write_text(page(table()), encoding="utf-8")


if __name__ == "__main__":
    main()
