"""Texts of the page scripts that keep what is typed, at the desk and in the forms: see texts.py."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KEEPING: dict[str, str | Promise] = {
    "state_typing": _("Not saved yet"),
    "state_saving": _("Saving…"),
    "state_saved": _("Saved"),
    "saved_seconds": _("Saved {n} s ago"),
    "saved_minutes": _("Saved {n} min ago"),
    "saved_at": _("Saved {when}"),
    "state_version": _("Version {n} is saved."),
    "state_offline": _("Offline: kept on this device"),
    "state_unkept": _(
        "Not saved, and this browser keeps nothing: do not close this page. {reason}"
    ),
    "keeps_no_copy": _("this browser keeps no copy"),
    "state_conflict": _("Changed elsewhere: your text is kept on this device"),
    "state_signin": _("Signed out: kept on this device"),
    "state_gone": _("The chapter was deleted elsewhere: your text is kept on this device"),
    "state_refused": _("Not saved: {reason}"),
    "version_name": _("Name a version…"),
    "version_name_title": _("Save a version with a name"),
    "version_name_label": _("Name"),
    "version_save": _("Save version"),
    "conflict_compare": _("Compare…"),
    "conflict_again": _("The chapter is being changed elsewhere all the time. Try again."),
    "conflict_title": _("Changed elsewhere"),
    "conflict_note": _(
        "The chapter was changed elsewhere while you were writing. Choose at each place, or write "
        "what it shall be. Until you save, both texts stay as they are."
    ),
    "conflict_mine": _("Yours, on this page"),
    "conflict_theirs": _("The other text, on the server"),
    "conflict_titles": _("Title (here “{mine}”, elsewhere “{theirs}”)"),
    "conflict_place": _("Place {n}"),
    "conflict_nothing": _("Nothing"),
    "conflict_result": _("What it shall be"),
    "conflict_take_mine": _("Yours"),
    "conflict_take_theirs": _("The other"),
    "conflict_take_both": _("Both"),
    "conflict_all_mine": _("Yours everywhere"),
    "conflict_all_theirs": _("The other everywhere"),
    "conflict_left": _("{n} places are still to be decided."),
    "conflict_left_one": _("1 place is still to be decided."),
    "conflict_none_left": _("Every place is decided."),
    "conflict_merge": _("Save this text"),
    "conflict_later": _("Not now"),
    "sign_in_again": _("Sign in again"),
    "sign_in_why": _("Your session has ended. What you type is kept on this device meanwhile."),
    "sign_in": _("Sign in"),
    "sign_in_page": _("Sign-in page"),
    "username": _("User name or e-mail address"),
    "password": _("Password"),
    "kept_texts": _("Texts on this device"),
    "kept_conflict": _(
        "A text on this device was not saved, since its chapter was changed elsewhere:"
    ),
    "kept_refused": _("The server did not take a text of yours, which is kept on this device:"),
    "kept_gone": _("“{title}” was deleted elsewhere. What you had typed is here."),
    "kept_forget": _("Delete it from this device"),
    "draft_restored": _("What you had typed here is back."),
    "generated_kept": _(
        "The connection broke off before the server had all of this text. It is kept on this "
        "device."
    ),
    "generated_take": _("Take it into the form for a new chapter"),
}
