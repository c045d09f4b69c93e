"""The Chinese word lists, in the form in which the rules use them."""

from __future__ import annotations

from ..words import word_lists

_PEOPLE, _PLACES = word_lists("zh_people"), word_lists("zh_places")
_THINGS = word_lists("zh_things")


def _characters(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset("".join(words))


SURNAMES = _characters(_PEOPLE["surnames"])
COMPOUND_SURNAMES = frozenset(_PEOPLE["compound_surnames"])
JAPANESE_SURNAMES = _PEOPLE["japanese_surnames"]
WEAK_SURNAMES = _characters(_PEOPLE["weak_surnames"])
SOUNDS = _characters(_PEOPLE["foreign_sounds"])
FOREIGN_TITLES = _PEOPLE["foreign_titles"]
# Longest first: a regular expression takes the first that fits.
TITLES = tuple(
    sorted({*_PEOPLE["offices"], *_PEOPLE["kin_titles"]}, key=lambda title: (-len(title), title))
)
OFFICES = frozenset(_PEOPLE["offices"]) | {"某"}
INTRODUCERS = OFFICES | frozenset(FOREIGN_TITLES)
HONORIFICS = _PEOPLE["honorifics"]
PERSON_ENDINGS = _PEOPLE["person_endings"]
PEOPLE_ENDINGS = _PEOPLE["people_endings"]
REVERED = _PEOPLE["revered"]
ROLES = frozenset(_PEOPLE["roles"])
SPEECH = frozenset(_PEOPLE["speech"])
SPEECH_TAILS = _PEOPLE["speech_tails"]
LIKE = frozenset(_PEOPLE["like"])
OWN_KIN = frozenset(_PEOPLE["own_kin"])
KIN = "|".join(sorted(set(_PEOPLE["kin"]), key=lambda word: (-len(word), word)))
NEAR_KIN = "|".join(_PEOPLE["near_kin"])
# One's own kin, in speech, where shorter words do too: "我爹", "我哥".
OWN_KIN_RELATIONS = f"{KIN}|爹|娘|哥|姐|妹|弟"
PAIRS = "|".join(_PEOPLE["pairs"])
HUMBLE = dict(pair.split("=") for pair in _PEOPLE["humble"])

PLACE_ENDINGS = _PLACES["place_endings"]
FACTION_ENDINGS = _PLACES["faction_endings"]
FACTION_FIRST = frozenset(_PLACES["group_rather_than_place"])
FIRM_PLACE_ENDINGS = _PLACES["firm_endings"]
LONG_ENDINGS = _PLACES["long_endings"]
SORTS = frozenset(_PLACES["sorts"])
MEMBERS = _PLACES["members"]
GROUP_ENDINGS = frozenset(_PLACES["group_endings"])
PLACE_OR_NAME = _characters(_PLACES["place_or_name"])
DIRECTIONS = _characters(_PLACES["directions"])
PLAIN_PLACES = frozenset(_PLACES["plain_places"])
BARE_PLACES = frozenset(_PLACES["bare_places"])
MOTION = frozenset(_PLACES["motion"])

ITEM_ENDINGS = _THINGS["item_endings"]
ITEM_MEASURES = frozenset(_THINGS["item_measures"])
ITEM_HANDLING = frozenset(_THINGS["item_handling"])
COMMON_ITEMS = frozenset(_THINGS["common_items"])
NOT_NAMES = frozenset(_THINGS["not_names"])
EMPTY_NOUNS = frozenset(_THINGS["empty_nouns"])
NOUN_MODIFIERS = _characters(_THINGS["noun_modifiers"])
