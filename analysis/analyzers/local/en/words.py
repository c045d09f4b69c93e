"""The English word lists, in the form in which the rules use them."""

from __future__ import annotations

from ..words import word_lists, word_table

_PEOPLE, _PLACES = word_lists("en_people"), word_lists("en_places")
_THINGS = word_lists("en_things")

MALE_TITLES = frozenset(_PEOPLE["male_titles"])
FEMALE_TITLES = frozenset(_PEOPLE["female_titles"])
OTHER_TITLES = frozenset(_PEOPLE["other_titles"])
TITLES = MALE_TITLES | FEMALE_TITLES | OTHER_TITLES
CROWNS = frozenset(_PEOPLE["crowns"])
EPITHETS = frozenset(_PEOPLE["epithets"])
OFFICES = frozenset(_PEOPLE["offices"])
MALE_NAMES = frozenset(_PEOPLE["male_names"])
FEMALE_NAMES = frozenset(_PEOPLE["female_names"])
GIVEN_NAMES = MALE_NAMES | FEMALE_NAMES
WORD_NAMES = frozenset(_PEOPLE["word_names"])
NICKNAMES = {
    nickname: name
    for name, nicknames in word_table("en_people", "nicknames").items()
    for nickname in nicknames
}
SPEECH = frozenset(_PEOPLE["speech"])
ACTS = SPEECH | frozenset(_PEOPLE["acts"])
PERSON_NOUNS = frozenset(_PEOPLE["person_nouns"])
RELATIONS = frozenset(_PEOPLE["relations"])
AFTER_PERSON = frozenset(_PEOPLE["after_person"])
KIN = "|".join(_PEOPLE["kin"])
PAIRS = "|".join(_PEOPLE["pairs"])

# How much a preposition before a name speaks for a place.
PLACE_PREPOSITIONS = {
    **dict.fromkeys(("in", "near", "through", "across", "throughout", "around"), 1.5),
    **dict.fromkeys(
        ("at", "from", "into", "towards", "toward", "outside", "inside", "beyond", "over"), 0.8
    ),
    **dict.fromkeys(("to", "of", "for"), 0.3),
}
MOTION = frozenset(_PLACES["motion"])
# "looked at", "a letter from": what comes then is somebody as often as a place.
BEFORE_SOMEBODY = frozenset(_PLACES["before_somebody"])
BEFORE_OF = frozenset(_PLACES["before_of"])
REACHING = frozenset(_PLACES["reaching"])
LINKING = frozenset(_PLACES["linking"])
PLACE_HEADS = frozenset(_PLACES["place_heads"])
SURNAME_HEADS = frozenset(_PLACES["surname_heads"])
PLACE_FIRST = frozenset(_PLACES["place_first"])
PLACE_OF = frozenset(_PLACES["place_of"])
FACTION_HEADS = frozenset(_PLACES["faction_heads"])
FACTION_SURE = FACTION_HEADS - frozenset(_PLACES["doubtful_faction_heads"])
PLACES = frozenset(_PLACES["places"])
MULTI_PLACES = _PLACES["places_of_several_words"]
PLACE_ENDINGS = _PLACES["place_endings"]

ITEM_HEADS = "|".join(_THINGS["item_heads"])
HANDLED_HEADS = "|".join(_THINGS["handled_heads"])
EMPTY_ADJECTIVES = frozenset(_THINGS["empty_adjectives"])
NO_NAMES = frozenset(_THINGS["no_names"])
FUNCTION = frozenset(_THINGS["function_words"])
EMPTY_NOUNS = FUNCTION | frozenset(_THINGS["empty_nouns"])
# Words that are in any passage.
COMMON = (
    EMPTY_NOUNS
    | ACTS
    | EMPTY_ADJECTIVES
    | PERSON_NOUNS
    | RELATIONS
    | frozenset(_THINGS["common_words"])
)
FINITE_VERBS = ACTS | frozenset(_THINGS["past_tenses"])
