"""Keep what a writer types, between the versions of a chapter: nothing is overwritten unseen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from arboris.db import db_now, in_transaction
from arboris.novels.models import Chapter, WorkingCopy
from arboris.novels.services import lock_chapter


@dataclass(frozen=True, slots=True)
class Typed:
    """What a client sends. ``seq`` grows with each text of the same ``client``.

    ``title`` None: it stays as it is. ``seen``: the ``saved_at`` of another client's copy that
    the writer has looked at, and that this text takes the place of.
    """

    content: str
    title: str | None
    base_version: int
    client: str
    seq: int
    seen: datetime | None = None


class OutdatedChange(Exception):
    """The change was made to another text than the chapter has now: ``current`` and ``working``."""

    def __init__(self, current: Chapter, working: WorkingCopy | None) -> None:
        super().__init__(_("The chapter was changed elsewhere since you opened it."))
        self.current = current
        self.working = working


def copy_of(chapter: Chapter) -> WorkingCopy | None:
    """Return the chapter's working copy with its chapter, or None."""
    copy = WorkingCopy.objects.filter(chapter=chapter).first()
    if copy is not None:
        copy.chapter = chapter
    return copy


def save(chapter_id: int, typed: Typed) -> WorkingCopy:
    """Save the text as the chapter's working copy and return what is saved then.

    A text that is not newer than the saved one of its client changes nothing: it may come twice,
    or late. Raises OutdatedChange, and ObjectDoesNotExist where the chapter was deleted.
    """

    def work() -> WorkingCopy:
        chapter = lock_chapter(chapter_id)
        copy = copy_of(chapter)
        if copy is not None and copy.client == typed.client and typed.seq <= copy.seq:
            return copy
        if typed.base_version != chapter.version or not _knows(typed, copy):
            raise OutdatedChange(chapter, copy)
        return _write(chapter, copy, typed)

    return in_transaction(work)


def _knows(typed: Typed, copy: WorkingCopy | None) -> bool:
    """Whether the copy may be replaced: it is the client's own, was seen, or says the same."""
    if copy is None or copy.client == typed.client or copy.saved_at == typed.seen:
        return True
    return copy.content == typed.content and typed.title in {None, _title(copy)}


def _title(copy: WorkingCopy) -> str:
    return copy.chapter.title if copy.title is None else copy.title


def _write(chapter: Chapter, copy: WorkingCopy | None, typed: Typed) -> WorkingCopy:
    now = db_now()
    if copy is None:
        copy = WorkingCopy(chapter=chapter)
    elif now <= copy.saved_at:  # ``seen`` tells two copies apart, whatever the clock does
        now = copy.saved_at + timedelta(microseconds=1)
    if typed.title is not None:
        copy.title = None if typed.title == chapter.title else typed.title
    copy.content, copy.client, copy.seq, copy.saved_at = (
        typed.content,
        typed.client,
        typed.seq,
        now,
    )
    copy.save()
    return copy
