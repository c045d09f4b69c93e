"""Texts that the page scripts show: rendered in the reader's language beside the scripts.

A key ending in ``_one`` is the singular of the key without it. ``{…}`` is filled by the script.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from analysis.features import FEATURES, finding_types

_COMMON: dict[str, str | Promise] = {
    "sending": _("Sending…"),
    "close": _("Close"),
    "dismiss": _("Dismiss"),
    "open_chapter": _("Open chapter"),
    "unread": _("{n} unread"),
    "offline": _("The server can't be reached. Check the connection and try again."),
    "timeout": _("The server did not answer in time. Try again."),
    "signed_out": _("You are signed out. Sign in again in another tab, then send once more."),
    "server_error": _("Something went wrong on the server (status {status}). Try again."),
    "check_fields": _("Please check the marked fields."),
    "link_up": _("Live updates are on"),
    "link_down": _("Live connection lost: checking every few seconds"),
    "load_failed": _("This could not be loaded: {reason}"),
    "try_again": _("Try again"),
}

_STATUS: dict[str, str | Promise] = {
    "status_none": _("Summary only"),
    "status_draft": _("Draft"),
    "status_pending": _("Queued"),
    "status_processing": _("Analysing"),
    "status_completed": _("Analysed"),
    "status_failed": _("Failed"),
    "status_cancelled": _("Cancelled"),
    "queue_position": _("Position {n} in the queue"),
    "eta_seconds": _("about {n} s left"),
    "eta_minutes": _("about {n} min left"),
    "progress_label": _("Analysis progress"),
    "percent": _("{n}%"),
    "retry": _("Analyse again"),
    "cancel": _("Cancel analysis"),
    "cancelling": _("Cancelling…"),
}

_NOVELS: dict[str, str | Promise] = {
    "chapter_n": _("Chapter {n}"),
    "untitled": _("Untitled"),
    "chapters": _("{n} chapters"),
    "chapters_one": _("1 chapter"),
    "words": _("{n} words"),
    "words_one": _("1 word"),
    "letters": _("{n} characters long"),
    "letters_one": _("1 character long"),
    "version": _("Version {n}"),
    "updated": _("Changed {when}"),
    "project_empty": _("No chapters yet"),
    "chapter_saved": _("Chapter {n} is saved. Its analysis runs in the background."),
    "chapter_saved_typing": _(
        "Chapter {n} is saved as it was sent. What you have typed since is still here, not saved."
    ),
    "chapter_saved_basic": _("Chapter {n} is saved with its summary."),
    "chapter_written": _("Chapter {n} is written and saved."),
    "writing_stopped": _("Stopped. What had arrived is kept as a draft."),
    "draft_kept": _("What had arrived is kept as the draft of chapter {n}."),
    "imported": _("{n} chapters were imported."),
    "imported_one": _("1 chapter was imported."),
    "project_saved": _("Saved."),
    "text_saved": _("Version {n} is saved."),
    "text_saved_typing": _(
        "Version {n} is saved. What you have typed since is still here, not saved yet."
    ),
    "conflict": _(
        "Version {n} was saved elsewhere while you were writing. Your text is still here, not "
        "saved. Compare the two and choose."
    ),
    "nothing_changed": _("Nothing has changed."),
    "no_text": _("This chapter has no text."),
}

_FINDINGS: dict[str, str | Promise] = {
    "findings": _("{n} findings"),
    "findings_one": _("1 finding"),
    "no_findings": _("Nothing was found in this chapter."),
    "findings_later": _("The findings appear here when the analysis is done."),
    "no_match": _("Nothing is chosen. Choose a kind of finding above."),
    "confidence": _("Confidence {n}%"),
    "basic": pgettext_lazy("finding", "basic"),
    "basic_hint": _("Found by patterns alone, without understanding the text"),
    "unverified": _("The quote was not found in this version of the text."),
    "not_applied": _("Not part of the story bible."),
}

_DESK: dict[str, str | Promise] = {
    "words_of_goal": _("{n} of {goal}"),
    "finding_stale": _("Changed since it was read"),
    "finding_gone": _("No longer in the text"),
    "last_seen": _("Last seen in"),
    "not_seen_before": _("Not seen before this chapter"),
    "still_open": _("Still open"),
    "cast_character": pgettext_lazy("entry of the story bible", "Person"),
    "cast_location": pgettext_lazy("entry of the story bible", "Location"),
    "cast_faction": pgettext_lazy("entry of the story bible", "Faction"),
    "cast_item": pgettext_lazy("entry of the story bible", "Item"),
}

_BIBLE: dict[str, str | Promise] = {
    "aliases": _("Also called {names}"),
    "name_separator": pgettext_lazy("between names in a list", ", "),
    "role_main": _("Main character"),
    "role_supporting": _("Supporting character"),
    "role_minor": _("Minor character"),
    "personality": _("Personality"),
    "goals": _("Goals"),
    "abilities": _("Abilities"),
    "states": _("States over time"),
    "mentions": _("{n} mentions"),
    "mentions_one": _("1 mention"),
    "span": _("Chapters {first} to {last}"),
    "kind_ability": _("Ability"),
    "kind_condition": _("Condition"),
    "kind_relation": _("Relation"),
    "kind_location": _("Whereabouts"),
    "kind_possession": _("Possession"),
    "kind_knowledge": _("Knowledge"),
    "kind_mystery": _("Mystery"),
    "kind_prophecy": _("Prophecy"),
    "kind_hint": _("Hint"),
    "kind_setup": _("Setup"),
    "seed_open": pgettext_lazy("foreshadowing", "Open"),
    "seed_advanced": pgettext_lazy("foreshadowing", "Advanced"),
    "seed_paid_off": pgettext_lazy("foreshadowing", "Paid off"),
    "seed_abandoned": pgettext_lazy("foreshadowing", "Abandoned"),
    "suspected": pgettext_lazy("foreshadowing", "Perhaps paid off"),
    "age": _("Planted {n} chapters ago"),
    "age_one": _("Planted 1 chapter ago"),
    "stale": _("Nothing has come of it for long"),
    "tier_marked": pgettext_lazy("finding", "less sure"),
    "tier_marked_hint": _("The analysis was not quite sure of this."),
    "tier_accepted": pgettext_lazy("finding", "accepted"),
    "tier_accepted_hint": _("You accepted this."),
    "tier_writer": pgettext_lazy("finding", "yours"),
    "tier_writer_hint": _("You added this."),
    "colon": pgettext_lazy("between a kind and a name", ": "),
    "notice_dead_acts": _("{subject} is dead, and acts again."),
    "notice_item_in_two_hands": _("{subject} is in two hands: {names}."),
    "notice_same_person": _("Are {subject} and {names} the same person?"),
    "notice_ambiguous_name": _("{subject} might be any of: {names}."),
    "notice_unlinked_payoff": _("This pays off something, but no seed is known: {subject}"),
    "notice_suspected_payoff": _("Does this pay off the earlier passage? {subject}"),
    "decide_accept": _("Accept"),
    "decide_reject": _("Reject"),
    "decide_dismiss": _("Dismiss"),
    "decide_confirm": _("Yes, it does"),
    "decide_not_it": _("No"),
    "decide_same": _("The same person"),
    "decide_different": _("Two people"),
    "decided": _("Done."),
    "undone": _("Taken back."),
    "empty_questions": _("Nothing waits for you."),
    "empty_part": _("Nothing yet."),
    "empty_characters": _("No characters yet. They appear when a chapter has been analysed."),
    "empty_locations": _("No locations yet."),
    "empty_factions": _("No factions yet."),
    "empty_items": _("No items yet."),
    "empty_rules": _("No rules yet."),
    "empty_foreshadowings": _("No foreshadowing yet."),
    "empty_relationships": _("No relationships yet."),
    "nothing_matches": _("Nothing here matches “{words}”."),
    "running": _("{n} chapters are still being analysed. This page fills itself."),
    "running_one": _("1 chapter is still being analysed. This page fills itself."),
    "bible_updated": _("The story bible has been updated."),
}

_NOTIFICATIONS: dict[str, str | Promise] = {
    "told": _("{n} analyses have ended"),
    "told_one": _("1 analysis has ended"),
    "told_of": _("“{novel}”: {results}"),
    "told_count": pgettext_lazy("kind of notification and how many", "{what} {n}"),
    "all_notifications": _("All notifications"),
    "retried": _("Queued again"),
    "arrived": _("Show {n} new notifications"),
    "arrived_one": _("Show 1 new notification"),
    "browser_refused": _("The browser does not allow it for this site."),
    "mark_read": _("Mark as read"),
    "mark_read_of": _("Mark as read: {title}"),
    "no_notifications": _("No notifications yet."),
    "no_unread": _("Everything is read."),
}

_VERSIONS: dict[str, str | Promise] = {
    "versions": _("Versions"),
    "newest": _("Newest"),
    "source_imported": _("Imported"),
    "source_generated": _("Written by the model"),
    "source_draft": _("Draft"),
    "grown": pgettext_lazy("length of a text", "+{n}"),
    "shrunk": pgettext_lazy("length of a text", "−{n}"),
    "compare_from": _("Compare from: {name}"),
    "compare_to": _("Compare to: {name}"),
    "from_to": _("From “{from}” to “{to}”"),
    "changed_places": _("{n} changed paragraphs"),
    "changed_places_one": _("1 changed paragraph"),
    "letters_changed": _("{added} characters added, {removed} removed"),
    "no_difference": _("The two texts are the same."),
    "unchanged": _("{n} unchanged paragraphs"),
    "unchanged_one": _("1 unchanged paragraph"),
    "insert_begins": _("[added: "),
    "insert_ends": _(" end of what was added]"),
    "delete_begins": _("[removed: "),
    "delete_ends": _(" end of what was removed]"),
    "restore": _("Restore…"),
    "restore_this": _("Restore “{name}”…"),
    "restore_question": _("Restore “{name}”?"),
    "restored": _("“{name}” is restored as version {n}."),
    "restore_conflict": _(
        "The chapter was changed elsewhere meanwhile. Look at the newest version before you "
        "restore this one."
    ),
    "impact_loading": _("Looking at what this does to the story bible…"),
    "impact_title": _("If you save this text"),
    "impact_hint": _("Saving changes {n} things in the story bible"),
    "impact_hint_one": _("Saving changes 1 thing in the story bible"),
    "impact_none": _("The story bible stays as it is."),
    "impact_contradictions": _("Contradictions that appear"),
    "impact_orphaned_threads": _("Foreshadowing that loses its seed"),
    "impact_vanishing": _("Facts that vanish"),
    "impact_rest_on_it": _("{n} later passages rest on it:"),
    "impact_rest_on_it_one": _("1 later passage rests on it:"),
    "impact_more": _("{n} more"),
    "impact_more_one": _("1 more"),
    "type_alias": _("Name"),
}

_SEARCH: dict[str, str | Promise] = {
    "palette": _("Go to…"),
    "palette_hint": _("A chapter, a person, a thing, or words of the text"),
    "palette_help": _("Type a name, a number or some words. The arrow keys choose, Enter goes."),
    "palette_list": _("What was found"),
    "palette_chapters": _("Chapters"),
    "palette_entries": _("People and things"),
    "palette_person": _("Person"),
    "palette_passages": _("Passages"),
    "palette_more": _("More"),
    "palette_search": _("Search the whole novel for “{words}”"),
    "palette_found": _("{n} found"),
    "palette_found_one": _("1 found"),
    "search_novel": _("Search the novel"),
    "search_found": _("{n} hits."),
    "search_found_one": _("1 hit."),
    "search_names": _("Also searched for: {names}."),
    "search_more": _("Show more"),
    "find": _("Find"),
    "find_next": _("Next"),
    "find_previous": _("Previous"),
    "find_all": _("All"),
    "find_case": _("Match case"),
    "find_pattern": _("Pattern"),
    "find_word": _("Whole words"),
    "find_current": _("current hit"),
    "find_line": _("in paragraph"),
    "replace_with": _("Replace with"),
    "replace_one": _("Replace"),
    "replace_all": _("Replace all"),
    "replaced_one": _("replaced in paragraph $"),
    "replaced_all": _("$ hits replaced"),
    "replace_do": _("Replace in the chosen chapters"),
    "replace_preview": _("Hits to replace: {hits}, in {n} chapters. Nothing is changed yet."),
    "replace_done": _("Replaced in {n} chapters; each has a new version."),
    "replace_undo": _("Take it back"),
    "replace_undone": _("Taken back: the versions before are restored."),
    "replace_replaced": _("Replaced."),
    "replace_unsaved": _("Something in it is typed and not in a version yet. Save that first."),
    "replace_changed": _("Not replaced: it was changed meanwhile."),
    "replace_draft": _("A draft: finish it first."),
    "replace_none": _("The words are not in it any more."),
    "replace_same": _("Nothing would change."),
    "replace_empty": _("Not replaced: nothing of the text would be left."),
    "replace_too_long": _("Not replaced: the text would be too long."),
    "replace_deleted": _("It was deleted meanwhile."),
}

_FILES: dict[str, str | Promise] = {
    "found_chapters": _("{n} chapters were found in “{title}”."),
    "found_chapters_one": _("1 chapter was found in “{title}”."),
    "found_encoding": _("Encoding: {encoding}"),
    "found_restores": _("This is an archive: the novel becomes what it was, versions and all."),
    "found_nothing_here": pgettext_lazy("chapter of a file", "new"),
    "found_matches": _("{n} of them are in this novel already."),
    "found_matches_one": _("1 of them is in this novel already."),
    "imported_nothing": _("Nothing was new, so nothing was imported."),
    "exported": _("{name} is ready."),
}

SCRIPT_TEXTS: dict[str, str | Promise] = {
    **_COMMON,
    **_STATUS,
    **_NOVELS,
    **_FINDINGS,
    **_DESK,
    **_BIBLE,
    **_NOTIFICATIONS,
    **_VERSIONS,
    **_SEARCH,
    **_FILES,
}


def script_texts() -> dict[str, str | Promise]:
    """``SCRIPT_TEXTS``, and the words of each feature of an analysis and its findings."""
    texts = dict(SCRIPT_TEXTS)
    for feature in FEATURES.values():
        texts[f"feature_{feature.key}"] = feature.doing
    return texts | {f"type_{name}": title for name, title in finding_types().items()}
