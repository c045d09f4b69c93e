"""The parts of an English name: title, given name, surname; and whether two names may be one's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from . import words as w

# "Mr. Reed" gives a surname, "Aunt Clara" a given name; "Lord", "Doctor" and the like either.
_BEFORE_SURNAMES = frozenset(
    "mr mister mrs dr doctor professor prof captain capt colonel col major general gen lieutenant"
    " lieut lt sergeant sgt corporal inspector detective constable judge senator governor lady miss"
    " mlle mademoiselle fraulein signorina senorita mme madame frau signora senora cap'n".split()
)
_BEFORE_GIVEN_NAMES = frozenset("sir dame king queen prince princess".split())
_BEFORE_MARRIED = frozenset({"mrs", "mme", "madame", "frau", "signora", "senora"})
_BEFORE_UNMARRIED = frozenset({"miss", "mlle", "mademoiselle", "fraulein", "signorina", "senorita"})
# Titles of women of which a person has one: Miss Lucas is not Lady Lucas.
_OF_STANDING = _BEFORE_MARRIED | _BEFORE_UNMARRIED | {"lady", "queen", "princess", "duchess"}


@dataclass(frozen=True, slots=True)
class Parts:
    """A name taken apart, in lower case. A bare word may be either: then it is ``either``."""

    title: str
    given: str
    surname: str
    either: str
    sex: str  # "m", "f" or ""
    married: bool

    @property
    def of_surname_alone(self) -> bool:
        """ "Miss Lucas": a woman of that family."""
        return self.title in _OF_STANDING and not self.given and not self.either

    @property
    def words(self) -> frozenset[str]:
        return frozenset(filter(None, (self.given, self.surname, self.either)))


@lru_cache(maxsize=16_384)
def parts_of(form: str) -> Parts:
    words = form.lower().replace(".", "").split(" ")
    title = ""
    while len(words) > 1 and words[0] in w.TITLES:
        title = title if title and words[0] in w.EPITHETS else words[0]
        words = words[1:]
    given = surname = either = ""
    if len(words) > 1:
        given, surname = words[0], words[-1]
    elif title in _BEFORE_GIVEN_NAMES:
        given = words[0]
    elif title in _BEFORE_SURNAMES and words[0] not in w.GIVEN_NAMES - w.WORD_NAMES:
        surname = words[0]
    else:
        either = words[0]
    if title in _BEFORE_MARRIED and (given or either) in w.MALE_NAMES:
        given, either = f"{title} {given or either}", ""  # "Mrs. Joe Gargery": Joe is the husband
    married = title in _BEFORE_MARRIED or (title == "lady" and not given)
    return Parts(title, given, surname, either, _sex(title, given), married)


def _sex(title: str, given: str) -> str:
    if title in w.MALE_TITLES:
        return "m"
    if title in w.FEMALE_TITLES:
        return "f"
    if given in w.MALE_NAMES ^ w.FEMALE_NAMES:
        return "m" if given in w.MALE_NAMES else "f"
    return ""


def clash(one: Parts, other: Parts) -> bool:
    """Whether no one person bears both: another sex, given name, surname or rank."""
    if {one.sex, other.sex} == {"m", "f"}:
        return True
    if one.title != other.title and {one.title, other.title} <= _OF_STANDING:
        return not {one.title, other.title} <= _BEFORE_MARRIED
    if one.given and other.given and not same_given(one.given, other.given):
        return True
    if one.surname and other.surname and one.surname != other.surname:
        return True
    for this, that in ((one, other), (other, one)):
        if this.of_surname_alone and that.title == this.title and that.given and that.surname:
            return True  # "Miss Pinkerton" is the eldest, not "Miss Jemima Pinkerton"
        # "Colonel Ashdown" is not "Lady Harriet Ashdown"; "Mrs. Reed" is no daughter of the house.
        if this.sex == "f" and this.title and that.title in w.OTHER_TITLES - w.EPITHETS:
            return True
        if this.of_surname_alone and this.married and that.given and not that.title:
            return True
    return False


def covers(full: Parts, short: Parts) -> bool:
    """Whether ``short`` is said of whoever bears ``full``, and tells no more than it."""
    if short.either:
        return short.either in full.words or same_given(short.either, full.given or full.either)
    if short.given and not same_given(short.given, full.given or full.either):
        return False
    return not (short.surname and short.surname not in (full.surname, full.either))


def same_given(one: str, other: str) -> bool:
    """Tom is Thomas, Lizzy is Eliza."""
    if not one or not other:
        return False
    return w.NICKNAMES.get(one, one) == w.NICKNAMES.get(other, other)
