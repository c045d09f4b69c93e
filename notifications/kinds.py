"""Every kind of notification, once: what it says, how its toast looks, which status it brings.

The model's choices, the outbox, the API, the socket, the admin and the pages read this list. A new
kind is one entry in ``KINDS`` (and its translations); no migration is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from notifications import ports

Data = Mapping[str, Any]
Tone = Literal["info", "success", "muted", "danger"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notification.

    ``name`` is stored (at most 10 characters) and is ``notification_type`` outside. ``label`` names
    the kind in the admin, ``badge`` in the writer's list. ``title`` holds ``%(number)s``, the
    chapter's number. ``message`` makes the second line from the notification's data, in the active
    language. ``task_status`` is what a page shows as the analysis's status from then on. A toast
    has the colour of ``tone`` and stays for ``toast_seconds``. ``result`` says in a few words how
    it went; without it, the badge does. ``of_many`` is the title where ``count`` in the data says
    that it stands for more than one.
    """

    name: str
    label: str | Promise
    badge: str | Promise
    title: str | Promise
    message: Callable[[Data], str]
    task_status: str
    tone: Tone
    toast_seconds: int
    result: Callable[[Data], str] | None = None
    of_many: Callable[[int], str] | None = None


def render(name: str, chapter_number: int, data: Data) -> tuple[str, str]:
    """Title and message of a notification about a chapter, in the active language."""
    kind = KINDS[name]
    many = _of_many(kind, data)
    return many or str(kind.title) % {"number": chapter_number}, kind.message(data)


def _of_many(kind: Kind, data: Data) -> str:
    count = data.get("count", 1)
    return kind.of_many(count) if kind.of_many and count > 1 else ""


def digest(name: str, novel: str, chapter: str, data: Data) -> str:
    """All of it in one line, in the active language; ``chapter``: what that is called."""
    kind = KINDS[name]
    if many := _of_many(kind, data):
        return many
    result = kind.result(data) if kind.result else str(kind.badge)
    return gettext("“%(novel)s”, %(chapter)s: %(result)s") % {
        "novel": novel,
        "chapter": chapter,
        "result": result,
    }


def choices() -> list[tuple[str, str | Promise]]:
    """For the model's field; called at each use, so that no migration lists the kinds."""
    return [(kind.name, kind.label) for kind in KINDS.values()]


def for_scripts() -> dict[str, dict[str, Any]]:
    """What the page scripts need of each kind: ``{status, badge, tone, stay}``, ``stay`` in ms."""
    return {
        kind.name: {
            "status": kind.task_status,
            "badge": kind.badge,
            "tone": kind.tone,
            "stay": kind.toast_seconds * 1000,
        }
        for kind in KINDS.values()
    }


def _says(text: str) -> Callable[[Data], str]:
    """A message that is the same for every notification of its kind."""
    return lambda data: gettext(text)


def _updated(data: Data) -> str:
    """What was updated; without a list of features, and with all usual ones, the whole bible."""
    features: Collection[str] | None = data.get("features")
    gaps = _gaps(data)
    if features is None or (not gaps and set(ports.usual_features()) <= set(features)):
        return gettext("Character states, world and other information have been updated")
    done = _listed(set(features) - gaps)
    said = [gettext("Updated: %(what)s") % {"what": done}] if done else []
    if gaps:
        missing = gettext("Without %(what)s: the language model gave no answer that can be used.")
        said.append(missing % {"what": _listed(gaps)})
    return pgettext("between sentences", ". ").join(said)


def _gaps(data: Data) -> set[str]:
    """The features without a result: no answer came, or none of its entries could be used."""
    return {*data.get("missing", ()), *data.get("unusable", ())}


def _listed(features: Collection[str]) -> str:
    names = [str(what) for key, what in ports.feature_updates().items() if key in features]
    return pgettext("between names in a list", ", ").join(names)


def _found(data: Data) -> str:
    words = ports.told(data)
    if gaps := _gaps(data):
        words.append(gettext("without %(what)s") % {"what": _listed(gaps)})
    return pgettext("between names in a list", ", ").join(words) or gettext("nothing new")


def _failed(data: Data) -> str:
    return gettext("not analysed. %(why)s") % {"why": _why(data)}


def _why(data: Data) -> str:
    # The sentence is stored in English and translated here, for whoever reads it.
    return gettext(data["error"]) if data.get("error") else gettext("Please try again later.")


def _unchanged(data: Data) -> str:
    if data.get("count", 1) > 1:
        return gettext("The chapters themselves are unchanged.")
    return gettext("The chapter itself is unchanged.")


def _were_cancelled(count: int) -> str:
    text = ngettext(
        "Enhanced analysis of %(count)d chapter was cancelled",
        "Enhanced analyses of %(count)d chapters were cancelled",
        count,
    )
    return text % {"count": count}


def _until(data: Data) -> str:
    return gettext(
        "The month's budget for the language model is used up. Analyses go on by themselves "
        "on %(day)s."
    ) % {"day": str(data.get("until", ""))[:10]}


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "started",
            label=_("started"),
            badge=_("Analysing"),
            title=_("Enhanced analysis of chapter %(number)s has started"),
            message=_says(gettext_noop("You can go on writing.")),
            task_status="processing",
            tone="info",
            toast_seconds=5,
        ),
        Kind(
            "completed",
            label=_("completed"),
            badge=_("Analysed"),
            title=_("Enhanced analysis of chapter %(number)s is complete"),
            message=_updated,
            task_status="completed",
            tone="success",
            toast_seconds=10,
            result=_found,
        ),
        Kind(
            "failed",
            label=_("failed"),
            badge=_("Failed"),
            title=_("Enhanced analysis of chapter %(number)s has failed"),
            message=_why,
            task_status="failed",
            tone="danger",
            toast_seconds=30,
            result=_failed,
        ),
        Kind(
            "cancelled",
            label=_("cancelled"),
            badge=_("Cancelled"),
            title=_("Enhanced analysis of chapter %(number)s was cancelled"),
            message=_unchanged,
            task_status="cancelled",
            tone="muted",
            toast_seconds=8,
            of_many=_were_cancelled,
        ),
        Kind(
            "parked",
            label=_("parked"),
            badge=_("Waiting for a budget"),
            title=_("Enhanced analysis of chapter %(number)s is waiting for a new budget"),
            message=_until,
            task_status="pending",
            tone="info",
            toast_seconds=30,
        ),
    )
}
