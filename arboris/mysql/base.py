"""Django's MySQL backend with three round trips less for each transaction.

Django switches autocommit off for a transaction and on again after it. Here a transaction is begun
by name, which leaves autocommit as it is, and together with its first statement. With the isolation
level READ COMMITTED nothing is seen or locked before that one.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.mysql import base

from arboris.sql import BEGIN


class DatabaseWrapper(base.DatabaseWrapper):
    _to_begin = False
    _committed = False

    def _start_transaction_under_autocommit(self) -> None:
        """What Django calls, where a backend has it, instead of switching autocommit off."""
        self._to_begin = True

    def take_begin(self) -> bool:
        """Whether a transaction is to be begun now: whoever asks has to send BEGIN."""
        due, self._to_begin = self._to_begin, False
        return due

    def may_commit(self) -> bool:
        """Whether what is sent next may end with a COMMIT: nobody has a transaction around ours."""
        blocks = self.atomic_blocks
        return len(blocks) == 1 and not getattr(blocks[0], "_from_testcase", False)

    def has_committed(self) -> None:
        """A COMMIT was sent already: Django's own, or its rollback, has nothing left to end."""
        self._committed = True

    def create_cursor(self, name: str | None = None) -> Any:
        if self.take_begin():
            self.connection.query(BEGIN)
        return super().create_cursor(name)

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
