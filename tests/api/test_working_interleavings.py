"""Three clients edit, lose calls and answers, try again and meet: no sentence is ever lost."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arboris.novels.models import Chapter
from tests.factories import JsonClient, client_of, make_chapter, make_project, make_user

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]

START = "0"
CLIENTS = 3
_numbers = itertools.count(1)
_sentences = itertools.count(1)

who = st.integers(0, CLIENTS - 1)
steps = st.one_of(
    st.tuples(st.just("write"), who),
    st.tuples(st.just("write"), who),
    st.tuples(st.sampled_from(["send", "lose_call", "lose_answer", "late"]), who),
    st.tuples(st.just("send"), who),
    st.tuples(st.sampled_from(["cut", "lose_cut", "patch", "merge", "reopen"]), who),
)


@dataclass
class Client:
    """What docs/working-copy.md asks of a client; a text is lines of one sentence each."""

    api: JsonClient
    url: str
    text: str = START
    base: str = START  # what the text was made from
    version: int = 1
    seen: str | None = None
    name: str = ""
    seq: int = 0
    conflict: dict[str, Any] | None = None
    sent: list[dict[str, Any]] = field(default_factory=list)  # to come once more, late

    def reopen(self) -> None:
        """The page is loaded anew; what it has kept is sent before, or stays a conflict."""
        if self.text != self.base:
            self.send()
        if self.conflict:
            return
        found = self.api.get(f"{self.url}/working").json()
        self.text = self.base = found["content"]
        self.version, self.seen = found["base_version"], found["saved_at"]
        self.name, self.seq = f"page{next(_numbers)}", 0

    def write(self) -> None:
        self.text += f"\n{next(_sentences)}"
        self.seq += 1

    def body(self) -> dict[str, Any]:
        body = {"content": self.text, "base_version": self.version, "client": self.name}
        return body | {"seq": self.seq, "seen": self.seen}

    def call(self) -> Any:
        self.sent.append(self.body())
        return self.api.put(f"{self.url}/working", self.sent[-1])

    def send(self) -> None:
        while not self.conflict and self.text != self.base:
            answer = self.call()
            if answer.status_code == 200:
                self.base, self.seen = self.text, answer.json()["saved_at"]
                return
            assert answer.status_code == 409
            self.meet(answer.json())

    def meet(self, answer: dict[str, Any]) -> None:
        """Go on alone where nothing is in doubt, else leave it to the writer."""
        current, working = answer["current"], answer["working"]
        theirs = (working or current)["content"]
        if theirs not in {self.text, self.base}:
            self.conflict = answer
            return
        self.take(current, working)

    def take(self, current: dict[str, Any], working: dict[str, Any] | None) -> None:
        self.base, self.version = (working or current)["content"], current["version"]
        self.seen = working["saved_at"] if working else None
        self.seq += 1

    def merge(self) -> None:
        """By hand: all of both."""
        if not self.conflict:
            return
        current, working = self.conflict["current"], self.conflict["working"]
        theirs = (working or current)["content"].split("\n")
        mine = [line for line in self.text.split("\n") if line not in theirs]
        self.take(current, working)
        self.text, self.conflict = "\n".join([*theirs, *mine]), None
        self.send()

    def cut(self, heard: bool = True) -> None:
        self.send()
        if self.conflict:
            return
        body = self.api.post(f"{self.url}/versions", {}).json()
        if heard:
            self.version, self.base, self.seen = body["version"], body["content"], None
            if self.text not in {self.base, ""}:  # somebody else's, which came in between
                self.text = self.base

    def step(self, name: str) -> None:
        if name in {"write", "send", "merge", "reopen", "cut"}:
            getattr(self, name)()
        elif name == "lose_call" and not self.conflict:
            self.sent.append(self.body())  # on its way, and comes late if at all
        elif name == "lose_answer" and not self.conflict:
            self.call()
        elif name == "late" and self.sent:
            self.api.put(f"{self.url}/working", self.sent[len(self.sent) // 2])
        elif name == "lose_cut":
            self.cut(heard=False)
        elif name == "patch":  # a client that knows of no working copies
            newest = self.api.get(self.url).json()["content"]
            self.api.patch(self.url, {"content": f"{newest}\n{next(_sentences)}"})


@settings(
    max_examples=25 if connection.vendor == "sqlite" else 6,  # what locks differs, not what is said
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(steps, min_size=4, max_size=30))
def test_every_sentence_is_in_the_copy_a_version_or_a_conflict(plan: list[Any]) -> None:
    writer = make_user(f"writer{next(_numbers)}")
    chapter: Chapter = make_chapter(make_project(writer), START)
    url = f"/api/chapters/{chapter.pk}"
    clients = [
        Client(client_of(writer), url, name=f"page{next(_numbers)}") for _each in range(CLIENTS)
    ]
    first = next(_sentences)
    for name, number in plan:
        clients[number].step(name)
    last = next(_sentences)
    for client in clients:  # each line is back
        client.send()
    texts = [client.text for client in clients if client.conflict]
    texts += [clients[0].api.get(f"{url}/working").json()["content"]]
    texts += chapter.versions.values_list("content", flat=True)
    written = set(range(first + 1, last))
    assert written <= {int(line) for text in texts for line in text.split("\n")}
