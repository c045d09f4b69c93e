"""What one event of a streamed answer says: text, thinking, why it ends, tokens, or an error."""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from arboris.llm import errors
from arboris.llm.accounting.admission import Usage

MOST_TOKENS = 1_000_000_000  # an endpoint that reports more is not believed

# Why an answer ends. "done": the endpoint says that it is over, and not why.
Finish = Literal["stop", "length", "done"]

_LENGTH = {
    "length", "max_tokens", "max_output_tokens", "max_length", "model_length", "token_limit",
    "model_context_window_exceeded", "context_length_exceeded", "repetition_truncation",
}  # fmt: skip
_FAILED: dict[str, type[errors.LLMError]] = {
    "error": errors.ServerFailed,
    "network_error": errors.ServerFailed,
    "abort": errors.ServerFailed,
    "insufficient_system_resource": errors.Overloaded,
    **dict.fromkeys(
        ("content_filter", "content_filtered", "sensitive", "safety", "prohibited_content",
         "blocklist", "spii", "recitation", "refusal", "content_policy", "risk"),
        errors.Filtered,
    ),
}  # fmt: skip
# A text that a piece repeats from its start: so long, of so many different characters among those
# that are looked at.
_LONG, _DIFFERENT, _LONGEST_TOLD = 40, 4, 400
_SAYS_NOTHING = frozenset(" \n\t\r，。！？…,.!?—-~～")
_THINKING = ("reasoning_content", "reasoning", "thinking", "thoughts", "thought")
_THINKING_PARTS = {"thinking", "reasoning", "reasoning_content", "thought", "reasoning_text"}


class Piece(NamedTuple):
    text: str
    finish_reason: Finish | None = None  # with the last piece, if the endpoint tells
    thinking: str = ""  # where the endpoint sends it apart from the text


def last_word(reason: Finish | None, piece: Piece) -> Finish | None:
    """Why the answer ends, after one more piece: that it is over says less than why."""
    return piece.finish_reason or reason if reason in (None, "done") else reason


class Chunks:
    """Reads the events of one answer in their order."""

    def __init__(self) -> None:
        self._began = self._in_messages = False
        self._text, self._thinking = Growing(), Growing()

    def end(self) -> Piece | None:
        """What was held back, if anything, once the last event is read."""
        rest = Piece(self._text.finish(), None, self._thinking.finish())
        return rest if rest.text or rest.thinking else None

    def piece(self, event: dict[str, Any]) -> Piece:
        """Return what the event says. Raises LLMError: Filtered, BadAnswer, …"""
        choices = event.get("choices")
        if choices is None:
            choices = []
        if not isinstance(choices, list) or not all(isinstance(one, dict) for one in choices):
            raise errors.BadAnswer("the endpoint's answer is no chat")
        pieces = [self._choice(choice) for choice in choices]
        reason = next((one.finish_reason for one in pieces if one.finish_reason), None)
        if not choices and isinstance(event.get("usage"), dict):
            reason = "done"  # the count of tokens comes last, after all choices
        text = self._text.feed("".join(one.text for one in pieces))
        thinking = self._thinking.feed("".join(one.thinking for one in pieces))
        return Piece(text, reason, thinking)

    def _choice(self, choice: dict[str, Any]) -> Piece:
        said = choice.get("delta") or {}
        if not isinstance(said, dict):
            raise errors.BadAnswer("the endpoint's answer is no chat")
        # An answer that is not streamed, or whose pieces are messages; at the end of one that was,
        # a few endpoints repeat the whole of it.
        if not said and (not self._began or self._in_messages):
            said = choice.get("message") or {}
            self._in_messages = bool(said)
        if said.get("refusal"):
            raise errors.Filtered("the model or its filter refused to answer")
        text, thinking = _texts(said.get("content") or choice.get("text"))
        text = text or _called(said) or _as_json(said.get("parsed"))
        thinking += next((_flat(said[name]) for name in _THINKING if said.get(name)), "")
        self._began = self._began or bool(text)
        return Piece(text, _finish(choice.get("finish_reason")), thinking)


class Growing:
    """Reads a stream whose every piece repeats all before it; one that does not stays as it is.

    Text that repeats itself ("哈", "哈哈", "哈哈哈") looks alike at first. A piece that might be
    either is held back until the text tells: so many different characters nobody repeats from the
    first one on.
    """

    def __init__(self) -> None:
        self._taken = ""
        self._whole = ""  # if the pieces that are held back repeat what was before them
        self._held: list[str] = []
        self._grew = 0  # pieces that had all before them and more
        self._repeats: bool | None = None

    def feed(self, piece: str) -> str:
        """Return what is new in the piece, as far as that is certain."""
        if not piece:
            return ""
        if self._repeats is None:
            return self._undecided(piece)
        # Also of a stream that does not repeat itself: a few endpoints end with the whole.
        if (self._repeats or _tells(self._taken, _LONG)) and piece.startswith(self._taken):
            piece = piece[len(self._taken) :]
        elif self._repeats and self._taken.startswith(piece):
            piece = ""
        self._taken += piece
        return piece

    def finish(self) -> str:
        return self._decide(repeats=False) if self._held else ""

    def _undecided(self, piece: str) -> str:
        before = self._whole
        if not before:
            self._whole = self._taken = piece
            return piece
        if not piece.startswith(before):
            return self._decide(repeats=False) + self.feed(piece)
        self._held.append(piece)
        self._whole = piece
        self._grew += len(piece) > len(before)
        sure = self._grew > 1 and _tells(before)
        return self._decide(repeats=True) if sure or (self._grew and _tells(before, _LONG)) else ""

    def _decide(self, *, repeats: bool) -> str:
        held, self._held = self._held, []
        new = self._whole[len(self._taken) :] if repeats else "".join(held)
        self._repeats = repeats
        self._taken += new
        return new


def _tells(text: str, least: int = 0) -> bool:
    return len(text) >= least and len(set(text[:_LONGEST_TOLD]) - _SAYS_NOTHING) >= _DIFFERENT


def _finish(reason: Any) -> Finish | None:
    if not reason:
        return None
    word = str(reason).lower()
    if kind := _FAILED.get(word):
        raise kind("the endpoint ended the answer" if kind is not errors.Filtered else
                   "the model or its filter refused to answer")  # fmt: skip
    return "length" if word in _LENGTH else "stop"


def _texts(content: Any) -> tuple[str, str]:
    """The text and the thinking in a message's content, which may be a list of parts."""
    if not isinstance(content, list):
        return _flat(content) or _as_json(content), ""
    text = thinking = ""
    for part in content:
        if isinstance(part, dict) and part.get("type") in _THINKING_PARTS:
            thinking += _flat(part)
        else:
            text += _flat(part)
    return text, thinking


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_flat, value))
    if isinstance(value, dict):
        names = ("text", "thinking", "reasoning", "content", "summary")
        return next((_flat(value[name]) for name in names if value.get(name)), "")
    return ""


def _as_json(value: Any) -> str:
    """An answer that is not written out as text."""
    return json.dumps(value, ensure_ascii=False) if value and isinstance(value, dict) else ""


def _called(said: dict[str, Any]) -> str:
    """What a model wrote as the arguments of a function that nobody offered it."""
    calls = said.get("tool_calls") or [{"function": said.get("function_call")}]
    functions = [one.get("function") for one in calls if isinstance(one, dict)]
    return "".join(_flat(f.get("arguments")) for f in functions if isinstance(f, dict))


def count_reported(event: dict[str, Any], usage: Usage) -> None:
    """Adopt the endpoint's own count, which comes with the last event or grows with each.

    Thinking is part of the answer's tokens, also where the endpoint counts it apart.
    """
    told = event.get("usage")
    if not isinstance(told, dict):
        return
    prompt = told.get("prompt_tokens", told.get("input_tokens"))
    completion = told.get("completion_tokens", told.get("output_tokens"))
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return
    total, details = told.get("total_tokens"), told.get("completion_tokens_details")
    thinking = details.get("reasoning_tokens") if isinstance(details, dict) else 0
    if isinstance(total, int):
        completion = max(completion, total - prompt)
    usage.prompt, usage.completion = _bounded(prompt), _bounded(completion)
    usage.thinking = min(_bounded(thinking), usage.completion)


def _bounded(count: Any) -> int:
    return min(max(0, count), MOST_TOKENS) if isinstance(count, int) else 0


def opened(event: dict[str, Any]) -> dict[str, Any]:
    """The event as OpenAI's protocol has it, where another one is around it or in its place."""
    if "choices" in event:
        return event
    for name in ("data", "output", "result", "response"):
        inner = event.get(name)
        if isinstance(inner, dict) and "choices" in inner:
            return {"usage": event.get("usage"), **inner}
    if isinstance(event.get("message"), dict) and "done" in event:  # Ollama's own
        reason = event.get("done_reason") or "stop" if event["done"] else None
        return {**event, "choices": [{"delta": event["message"], "finish_reason": reason}]}
    return event


def error_in(event: dict[str, Any]) -> Any:
    """What an event says went wrong, in whatever dress; None where it is part of an answer."""
    if event.get("error"):
        return event["error"]
    base = event.get("base_resp")
    if isinstance(base, dict) and base.get("status_code"):
        return {"code": base["status_code"], "message": base.get("status_msg")}
    if "choices" not in event and (event.get("message") or event.get("msg")):
        return event
    return None
