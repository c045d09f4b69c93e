"""One question to a model, answered with an instance of a pydantic model.

The answer is read leniently (``json_recovery``, ``normalise``) and checked strictly. One that does
not fit is sent back once, with what is wrong about it; one that thinking has eaten is asked for
again with less thinking. A question whose answer was cut off is never sent again as it was: whoever
asks about a text that can be halved asks about its halves, others let the model ``go_on``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from arboris.llm import client, continuing, errors, json_recovery, response_limits
from arboris.llm.accounting.admission import Usage
from arboris.llm.answer_schema import form_of
from arboris.llm.chunks import Finish, last_word
from arboris.llm.client import Call
from arboris.llm.endpoint_profile import profile_of
from arboris.llm.fallback import Turns
from arboris.llm.normalise import Fitted, fit, sentence
from arboris.llm.thoughts import without_thoughts

if TYPE_CHECKING:  # see client.py
    import openai

AnswerModel = TypeVar("AnswerModel", bound=BaseModel)
Heard = Callable[[int], None]

_SHOWN_AGAIN = 20_000  # characters of a wrong answer
_FENCE = re.compile(r"\A```\w*\s*|\s*```\Z")
_DECLINED = re.compile(
    r"\W*(抱歉|对不起|很遗憾|我(无法|不能)|作为(一个)?(AI|人工智能)|i['’]?m (very )?sorry"
    r"|sorry,|i can(no|['’])t|i am (unable|not able)|as an ai)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Answer(Generic[AnswerModel]):
    """``came``: entries in the answer, of which ``dropped`` could not be read."""

    value: AnswerModel
    truncated: bool  # its end was missing; ``value`` holds only what was complete
    came: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class _Reply:
    text: str
    thinking: str
    reason: Finish | None

    @property
    def cut_off(self) -> bool:
        """Whether it may have ended too early: where the endpoint says so, or does not say."""
        return self.reason != "stop" or json_recovery.ends_open(self.text)

    def ends_early(self, told: str) -> errors.Truncated:
        """The next answer to the same question would, too, unless it merely broke off."""
        return errors.Truncated(told) if self.reason is None else errors.CutOff(told)

    @property
    def answer(self) -> str:
        """The text; where there is none, thinking that is nothing but the answer."""
        thought = _FENCE.sub("", self.thinking.strip())
        ended = self.reason in ("stop", "done")
        if not self.text.strip() and ended and thought[:1] in ("{", "["):
            return thought
        return self.text

    @property
    def said_nothing(self) -> bool:
        return not without_thoughts(self.answer)


async def ask(
    connection: openai.AsyncOpenAI,
    call: Call,
    model: type[AnswerModel],
    usage: Usage,
    heard: Heard = lambda characters: None,
    *,
    go_on: bool = False,
) -> Answer[AnswerModel]:
    """Ask, check the answer, and ask once more where it does not fit.

    ``go_on``: one that is cut off is gone on with, where it was cut off.
    Where the model cannot be asked, the next one of the call's route is.
    ``heard`` is told of each piece of an answer as it comes, how many characters it has. ``usage``
    grows by the tokens of every request, whether this returns, raises or is cancelled.
    Raises LLMError; BadAnswer or a class below it where the second answer does not fit either.
    """
    turns = Turns(replace(call, form=form_of(model)))
    question = _Question(connection, model, usage, heard, go_on)
    while True:
        try:
            return await _ask(question, turns.call)
        except errors.LLMError as error:
            turns.go_on(error)


async def _ask(question: _Question[AnswerModel], call: Call) -> Answer[AnswerModel]:
    """One target's answer."""
    reply = await question.put(call)
    try:
        return question.read(reply, call, last=False)
    except errors.Truncated as cut:
        if response_limits.ends_in_blanks(reply.text) and _leave_out_form(call):
            return question.read(await question.put(call), call, last=True)
        if call.effort == "none" or not (reply.said_nothing or reply.thinking):
            # The next answer would end at the same place.
            if question.go_on and isinstance(cut, errors.CutOff) and not reply.said_nothing:
                return await _rest(question, call, reply)
            raise
        again = replace(call, effort="none")
    except errors.Empty as wrong:
        again = replace(_repaired(call, reply, wrong), effort="none")
    except errors.BadAnswer as wrong:
        again = _repaired(call, reply, wrong)
    second = await question.put(again)
    answer = question.read(second, again, last=True)
    if again.effort != call.effort:
        # So many tokens went into thoughts that none were left: do not begin that way again.
        profile_of(call).efforts[call.payer.purpose] = "none"
    return answer


def _leave_out_form(call: Call) -> bool:
    """Hold the answer to less of a form from now on; False where it is held to none."""
    assert call.form is not None
    left_out = profile_of(call).left_out
    for part in ("json_schema", "json_object"):
        if (held := f"{part}:{call.form.name}") not in left_out:
            left_out.add(held)
            return True
    return False


async def _rest(question: _Question[AnswerModel], call: Call, reply: _Reply) -> Answer[AnswerModel]:
    """The answer with the rest of it; or the one that a model writes anew in place of the rest.

    Raises CutOff where it is not over after MOST requests, BadAnswer where it does not fit.
    """
    wrong: errors.BadAnswer = errors.CutOff("the answer does not end")
    for _ in range(continuing.MOST):
        text = without_thoughts(reply.answer)
        asked = replace(call, messages=continuing.continued(call.messages, text))
        rest = await question.put(asked)
        more = without_thoughts(rest.answer)
        reply = _Reply(continuing.joined(text, more), "", rest.reason)
        for answer in (rest, reply):
            try:
                return question.read(answer, asked, last=True)
            except errors.BadAnswer as error:
                wrong = error
        if rest.reason != "length" or reply.text == text:
            break
    raise wrong


def _repaired(call: Call, reply: _Reply, wrong: errors.BadAnswer) -> Call:
    # Some endpoints refuse an empty message of the model.
    shown = without_thoughts(reply.answer)[:_SHOWN_AGAIN] or "{}"
    told = (
        f"This answer cannot be used: {wrong}\n"
        "Answer the question again, completely, with one JSON object of the required form and "
        "nothing else."
    )
    messages: list[client.Message] = [
        *call.messages,
        {"role": "assistant", "content": shown},
        {"role": "user", "content": told},
    ]
    return replace(call, messages=messages)


@dataclass(frozen=True, slots=True)
class _Question(Generic[AnswerModel]):
    connection: openai.AsyncOpenAI
    model: type[AnswerModel]
    usage: Usage
    heard: Heard
    go_on: bool

    async def put(self, call: Call) -> _Reply:
        texts: list[str] = []
        thoughts: list[str] = []
        reason: Finish | None = None
        try:
            async with aclosing(client.pieces(self.connection, call, self.usage)) as answer:
                async for piece in answer:
                    texts.append(piece.text)
                    thoughts.append(piece.thinking)
                    self.heard(len(piece.text))
                    reason = last_word(reason, piece)
        except errors.Unreachable:
            if not any(texts):
                raise
            # The connection broke, perhaps behind the answer's end: an end without a reason.
        return _Reply(_paired("".join(texts)), _paired("".join(thoughts)), reason)

    def read(self, reply: _Reply, call: Call, *, last: bool) -> Answer[AnswerModel]:
        """Return what the reply says. Raises BadAnswer with what is wrong."""
        if reply.said_nothing:
            if reply.reason in ("length", None):
                raise reply.ends_early("the answer ends before it begins")
            raise errors.Empty("the answer is empty")
        best, cut_off, wrong = _best(reply, self.model)
        held = f"json_schema:{self.model.__name__}"
        if (best is None or not best.literal) and not (reply.cut_off or wrong):
            # An endpoint that holds its model to the schema cannot send this: it ignores it.
            profile_of(call).left_out.add(held)
        if best is not None and (last or best.literal) and (best.kept or not best.came):
            return Answer(best.value, cut_off, best.came, best.dropped)
        if reply.cut_off and json_recovery.ends_open(reply.answer):
            raise reply.ends_early("the answer ends in the middle")
        if best is None and last and _DECLINED.match(reply.answer):
            raise errors.Filtered("the model declined to answer")
        wrong = wrong or (best.wrong if best else "") or json_recovery.flaw(reply.answer)
        lacks = f"the object does not have these fields: {', '.join(self.model.model_fields)}"
        bad = errors.BadAnswer(wrong or lacks)
        bad.cause = "form"  # what is wrong about each answer is another thing
        raise bad


def _paired(text: str) -> str:
    """The text with the halves of a character together that came in two pieces."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _best(reply: _Reply, model: type[AnswerModel]) -> tuple[Fitted[AnswerModel] | None, bool, str]:
    """Of all that can be read as the form: what holds most, the last among equals.

    With it, whether it is cut off, and why what was meant for the form does not fit. What is whole
    goes first, then what is complete of an answer that was cut off, then what was repaired.
    """
    wrong = ""
    best: Fitted[AnswerModel] | None = None
    for way in (
        json_recovery.whole,
        json_recovery.complete if reply.cut_off else json_recovery.repaired,
    ):
        for found in way(reply.answer):
            try:
                fitted = fit(found.value, model, bare=not found.fragment)
            except ValidationError as error:
                wrong = wrong or sentence(error)
                continue
            if fitted is not None and (best is None or fitted.kept >= best.kept):
                best = fitted
        if best is not None and (best.kept or not best.came):
            return best, way is json_recovery.complete, wrong
    return best, False, wrong
