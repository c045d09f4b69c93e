"""The parts of an English name: title, given name, surname; and whether two names may be one's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from . import words as w

# "Mr. Reed" gives a surname, "Aunt Clara" a given name; "Lord", "Doctor" and the like either.
BEFORE_SURNAMES = frozenset(
    "mr mister mrs ms dr doctor professor prof captain capt colonel col major general gen"
    " lieutenant lieut lt sergeant sgt corporal inspector detective constable superintendent judge"
    " senator governor lady miss mlle mademoiselle fraulein signorina senorita mme madame frau"
    " signora senora cap'n".split()
)
_OF_CROWNS = frozenset("king queen prince princess pope emperor empress tsar czar saint".split())
_BEFORE_GIVEN_NAMES = _OF_CROWNS | {"sir", "dame"}
_BEFORE_MARRIED = frozenset({"mrs", "mme", "madame", "frau", "signora", "senora"})
_BEFORE_UNMARRIED = frozenset({"miss", "mlle", "mademoiselle", "fraulein", "signorina", "senorita"})
# Titles of women of which a person has one: Miss Lucas is not Lady Lucas.
_OF_STANDING = _BEFORE_MARRIED | _BEFORE_UNMARRIED | {"ms", "lady", "queen", "princess", "duchess"}
_OF_SOLDIERS = frozenset(
    "captain capt cap'n colonel col major general gen admiral commodore lieutenant lieut".split()
)
# Whoever is called by one of them is hardly "Mr." as well.
_NEVER_MR = frozenset("dr doctor sir lord father".split())
_MR = frozenset(("mr", "mister"))
_PET_ENDING = re.compile(r"(?<=[^y])(?:y|ie|ey|ee)$")

Link = Literal["given", "nickname", "surname", ""]


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
    def unmarried(self) -> bool:
        return self.title in _BEFORE_UNMARRIED

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
    elif title in BEFORE_SURNAMES and words[0] not in w.GIVEN_NAMES - w.WORD_NAMES:
        surname = words[0]
    else:
        either = words[0]
    if title in _BEFORE_MARRIED and (given or either) in w.MALE_NAMES:
        given, either = f"{title} {given or either}", ""  # "Mrs. Joe Gargery": Joe is the husband
    married = title in _BEFORE_MARRIED or (title == "lady" and not given)
    return Parts(title, given, surname, either, sex_of(title, given or either), married)


def sex_of(title: str, given: str = "") -> str:
    """ "m", "f", or "" where neither tells."""
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
    return _outranks(one, other) or _outranks(other, one)


def _outranks(this: Parts, that: Parts) -> bool:
    """Whether the title of the one is none that the other could have."""
    if this.title in _OF_CROWNS and that.title != this.title:
        return bool(that.surname or that.title)  # "King George" is not George Merry
    if this.of_surname_alone and that.title == this.title and that.given and that.surname:
        return True  # "Miss Pinkerton" is the eldest, not "Miss Jemima Pinkerton"
    # "Colonel Ashdown" is not "Harriet Ashdown"; "Mrs. Reed" is no daughter of the house.
    if this.sex == "f" and that.title in _OF_SOLDIERS and not that.given:
        return True
    if this.sex == "f" and this.title and that.title in w.OTHER_TITLES - w.EPITHETS:
        return True
    return this.of_surname_alone and this.married and bool(that.given) and not that.title


def covers(full: Parts, short: Parts) -> bool:
    """Whether ``short`` is said of whoever bears ``full``, and tells no more than it."""
    if short.either:
        return short.either in full.words or same_given(short.either, full.given or full.either)
    if short.given and not same_given(short.given, full.given or full.either):
        return False
    return not (short.surname and short.surname not in (full.surname, full.either))


def same_given(one: str, other: str) -> bool:
    """Tom is Thomas, Lizzy is Eliza, Bram is Bramwell."""
    if not one or not other:
        return False
    if w.NICKNAMES.get(one, one) == w.NICKNAMES.get(other, other):
        return True
    return _shortens(one, other) or _shortens(other, one)


def _shortens(pet: str, full: str) -> bool:
    """Whether the one, no common name itself, is the beginning of the other, its ending aside."""
    if pet in w.GIVEN_NAMES:
        return False
    stem = _stem(pet)
    if len(stem) < 3 or not full.startswith(stem) or full == pet:
        return False
    return len(full) > len(stem) if stem == pet else len(full) <= len(stem) + 2


def is_near(one: str, other: str) -> bool:
    """Whether a pet name shows the name it stands for: Ben and Lizzy do, Jack and Polly do not."""
    pet, full = sorted((one, other), key=len)
    return _stem(pet) in full


def _stem(pet: str) -> str:
    """ "liz" of Lizzy, "rat" of Ratty; a name without such an ending as it is."""
    stem = _PET_ENDING.sub("", pet)
    return stem[:-1] if stem != pet and len(stem) > 3 and stem[-1] == stem[-2] else stem


def are_two_ranks(names: Iterable[Parts], parts: Parts) -> bool:
    """ "Mr. Craven" and "Dr. Craven" are rather two of one family."""
    titles = {name.title for name in names}
    if parts.title in _MR:
        return bool(titles & _NEVER_MR) and not titles & _MR
    return parts.title in _NEVER_MR and bool(titles & _MR) and not titles & _NEVER_MR


def link(names: Iterable[Parts], parts: Parts) -> Link:
    """By which part somebody who bears ``names`` may be called so; the strongest counts."""
    found: Link = ""
    given = parts.given or parts.either
    for name in names:
        own = name.given or name.either
        if given and given == own:
            return "given"
        if given and same_given(given, own):
            found = "nickname"
        elif not found and {parts.surname, parts.either} & {name.surname, name.either} - {""}:
            found = "surname"
    return found
