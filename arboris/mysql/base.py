"""Django's MySQL backend with up to three round trips less for each transaction.

Django switches autocommit off for a transaction and on again after it. Here a transaction is begun
by name, which leaves autocommit as it is, and together with its first statement. With the isolation
level READ COMMITTED nothing is seen or locked before that one.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.mysql import base

from arboris.sql import BEGIN


class CursorWrapper(base.CursorWrapper):
    """Begins the transaction that is to be begun, whenever the cursor itself was made."""

    def __init__(self, cursor: Any, database: DatabaseWrapper) -> None:
        super().__init__(cursor)
        self._database = database

    def execute(self, query: Any, args: Any = None) -> Any:
        self._database.begin()
        return super().execute(query, args)

    def executemany(self, query: Any, args: Any) -> Any:
        self._database.begin()
        return super().executemany(query, args)

    def callproc(self, *args: Any) -> Any:
        self._database.begin()
        return self.cursor.callproc(*args)


class DatabaseWrapper(base.DatabaseWrapper):
    _to_begin = False
    _committed = False

    def _start_transaction_under_autocommit(self) -> None:
        """What Django calls, where a backend has it, instead of switching autocommit off."""
        self._to_begin, self._committed = True, False

    def take_begin(self) -> bool:
        """Whether a transaction is to be begun now: whoever asks has to send BEGIN."""
        due, self._to_begin = self._to_begin, False
        return due

    def begin(self) -> None:
        if self.take_begin():
            self.connection.query(BEGIN)

    def may_commit(self) -> bool:
        """Whether what is sent next may end with a COMMIT: nobody has a transaction around ours."""
        blocks = self.atomic_blocks
        ours = len(blocks) == 1 and self.commit_on_exit and not self.savepoint_ids
        return ours and not self.needs_rollback and not getattr(blocks[0], "_from_testcase", False)

    def has_committed(self) -> None:
        """A COMMIT was sent already: Django's own, or its rollback, has nothing left to end."""
        self._committed = True

    def create_cursor(self, name: str | None = None) -> CursorWrapper:
        return CursorWrapper(self.connection.cursor(), self)

    def _take_end(self) -> bool:
        done, self._committed = self._committed, False
        return self.take_begin() or done

    def _commit(self) -> None:
        if not self._take_end():
            super()._commit()  # type: ignore[misc]  # not in the stubs

    def _rollback(self) -> None:
        if not self._take_end():
            super()._rollback()  # type: ignore[misc]  # not in the stubs

    def _close(self) -> None:
        self._to_begin = self._committed = False
        super()._close()  # type: ignore[misc]  # not in the stubs
