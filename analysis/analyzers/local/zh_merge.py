"""Which Chinese forms name the same person: strong grounds only."""

from __future__ import annotations

import re
from collections import defaultdict

from . import zh_words as w
from .entities import Draft
from .zh_names import _CJK, _is_full, plausible, surname_of, titled_parts

_CALLED = re.compile(
    rf"(?P<who>[{_CJK}·]{{2,6}})[，,]?(?:[^。！？；“”]{{0,6}}?)"
    rf"(?:人称|江湖人称|人送外号|人送绰号|绰号|外号|诨名|诨号|表字|字|别号|道号|法号|法名|号|又名|别名|化名|自称|小名|乳名)"
    rf"(?:叫做|叫作|唤作|唤做|叫|作|为|是|曰)?[“「『‘\"]?(?P<alias>[{_CJK}]{{2,5}})(?=[”」』’\"，,。；;！!、\s])"
)


class Merger:
    """Groups of forms, with the bible's names as groups that exist already."""

    def __init__(self, persons: dict[str, float], known: list[Draft]) -> None:
        self.persons = dict(persons)
        self.drafts: list[Draft] = list(known)
        self._owner: dict[str, Draft] = {f: d for d in known for f in sorted(d.forms)}

    def run(self, text: str) -> list[Draft]:
        called = self._called(text)
        fresh = [f for f in self.persons if f not in self._owner]
        # Full names first, then what may be short for one of them, longest first.
        fresh.sort(key=lambda f: (not (_is_full(f) and not titled_parts(f)), -len(f), f))
        for form in fresh:
            owner = self._short_for(form) or self._titled(form) or self._honoured(form)
            self._adopt(form, owner)
        for who, alias in called:
            if who in self._owner and alias not in self._owner:
                self._adopt(alias, self._owner[who])
        return self.drafts

    def _adopt(self, form: str, owner: Draft | None) -> None:
        certainty = self.persons.get(form, 0.7)
        if owner is None:
            owner = Draft("person", form, certainty=certainty)
            self.drafts.append(owner)
        else:
            owner.aliases.add(form)
            owner.certainty = max(owner.certainty, certainty)
        self._owner[form] = owner

    def _only(self, owners: list[Draft]) -> Draft | None:
        different = {id(d): d for d in owners}
        return next(iter(different.values())) if len(different) == 1 else None

    def _short_for(self, form: str) -> Draft | None:
        """"砚秋" for the only "?砚秋"; "小板儿" and "阿宝" for "板儿" and "宝"."""
        longer = [
            d for f, d in self._owner.items() if _is_full(f) and f[len(surname_of(f)) :] == form and len(form) >= 2
        ]
        if longer:
            return self._only(longer)
        if form[0] in "小阿老" and len(form) >= 3 and form[1:] in self._owner:
            return self._owner[form[1:]]
        for prefix in "小阿老":
            if len(form) >= 2 and prefix + form in self._owner:
                return self._owner[prefix + form]
        return None

    def _titled(self, form: str) -> Draft | None:
        parts = titled_parts(form)
        if parts is None or parts[1] not in w.OFFICE_SET:
            return None
        bearers = [
            d
            for f, d in self._owner.items()
            if surname_of(f) == parts[0] and _is_full(f) and titled_parts(f) is None
        ]
        return self._only(bearers)

    def _honoured(self, form: str) -> Draft | None:
        """"葛洪" and "葛洪真人"."""
        for honorific in w.HONORIFICS:
            if form.endswith(honorific) and form.removesuffix(honorific) in self._owner:
                return self._owner[form.removesuffix(honorific)]
        longer = [d for f, d in self._owner.items() if f.startswith(form) and f.removeprefix(form) in w.HONORIFICS]
        return self._only(longer) if longer else None

    def _called(self, text: str) -> list[tuple[str, str]]:
        pairs = []
        forms = sorted({*self.persons, *self._owner}, key=len, reverse=True)
        for found in _CALLED.finditer(text):
            who = next((f for f in forms if f in found["who"]), None)
            if who and plausible(found["alias"]):
                pairs.append((who, found["alias"]))
        return pairs


def ambiguous_titles(drafts: list[Draft]) -> dict[str, int]:
    """How many people share a surname, by surname."""
    count: dict[str, int] = defaultdict(int)
    for draft in drafts:
        count[surname_of(draft.name)] += 1
    return count
