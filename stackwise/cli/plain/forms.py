"""Questions in plain words, one after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stackwise.cli.plain.choosing import NotOneError, pick
from stackwise.cli.plain.session import Back, Command, Session
from stackwise.walk.questions import Asked, count, text_of, value_of
from stackwise.walk.steps import Step

_TRUTH = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}
# What gives an answer back to the scan and the defaults.
_LEAVE = "-"


def ask_form(session: Session, step: Step) -> None:
    """Ask the questions of a step; those that most teams leave as they are, only where somebody wants to see them."""
    session.heading(step)
    folded = [key for key in step.keys if _is_folded(session, key)]
    ask_questions(session, [key for key in step.keys if key not in folded])
    if folded:
        session.talk.say(f"There are {count(len(folded), 'more question')} here, which most teams leave as they are.")
        if ask_truth(session, "more questions? [n] "):
            ask_questions(session, folded)


def _is_folded(session: Session, key: str) -> bool:
    return session.design.asked(key).question.more and not session.design.faults_of([key])


def ask_questions(session: Session, keys: Sequence[str]) -> None:
    """Ask some questions; back goes to the one before. Raises as `Session.ask` does."""
    place = 0
    while place < len(keys):
        try:
            _ask_one(session, keys[place], f"Question {place + 1} of {len(keys)}")
            place += 1
        except Back:
            if place == 0:
                raise
            place -= 1


def ask_truth(session: Session, prompt: str, here: Mapping[str, Command] | None = None) -> bool:
    """Ask for yes or no; nothing typed is no. `here` are commands of this prompt. Raises as `Session.ask` does."""
    while True:
        text = session.ask(prompt, here or {}, words=_TRUTH).casefold()
        if not text:
            return False
        if text in _TRUTH:
            return _TRUTH[text]
        session.talk.say(f"{text} is neither. Possible is y or n.")


def _ask_one(session: Session, key: str, count_of: str) -> None:
    asked = session.design.asked(key)
    question, talk = asked.question, session.talk
    talk.say(f"{count_of}: {question.ask}{f' ({question.unit})' if question.unit else ''}")
    talk.say(question.why, 2)
    offered = asked.offered
    for number, (value, words) in enumerate(offered, start=1):
        said = words if words.startswith(value) else f"{value}: {words}"
        talk.say(f"{number}. {said}{' (stands)' if value == asked.shown else ''}", 2)
    while True:
        text = session.ask(
            f"[{_shown(asked)}] ",
            {"?": lambda _: talk.say(f"{question.why} {_possible(asked)} {_origin(asked)}")},
            words=_TRUTH if question.type == "boolean" else [value for value, _ in offered],
            free=question.type in ("string", "list"),
        )
        if _settled(session, asked, offered, text):
            return


def _settled(session: Session, asked: Asked, offered: Sequence[tuple[str, str]], text: str) -> bool:
    """Take what was typed, and return whether the question is answered; say what is possible where it is not."""
    try:
        value = None if text == _LEAVE else asked.written if not text else _read(asked, offered, text)
    except NotOneError as exc:
        session.talk.say(str(exc))
        return False
    if wrong := asked.wrong(value):
        session.talk.say(f"That cannot be: {wrong}. {_possible(asked)}")
        return False
    new = value != (asked.written if text == _LEAVE or asked.key.startswith("options.") else asked.shown)
    if not text or not new:
        return True
    return session.change(lambda: session.design.change(asked.key, value))


def _read(asked: Asked, offered: Sequence[tuple[str, str]], text: str) -> Any:
    """Return what was typed as the kind of value that the question takes. Raises NotOneError."""
    if asked.question.type == "boolean":
        if text.casefold() not in _TRUTH:
            raise NotOneError(f"{text} is neither. Possible is y or n.")
        return _TRUTH[text.casefold()]
    if offered:
        try:
            return offered[pick(text, [(value, value) for value, _ in offered])][0]
        except NotOneError:
            # Where the question takes any text, what is offered is only the nearest at hand.
            if asked.closed or text.isdecimal():
                raise
    return value_of(asked.question, text)


def _shown(asked: Asked) -> str:
    value = asked.shown
    if isinstance(value, bool):
        return "yes" if value else "no"
    return text_of(value) or "nothing"


def _possible(asked: Asked) -> str:
    question = asked.question
    if question.type == "integer":
        unit = f" {question.unit}" if question.unit else ""
        low = "" if question.minimum is None else f" from {question.minimum}{unit}"
        high = "" if question.maximum is None else f" to {question.maximum}{unit}"
        return f"Possible is a whole number{low}{high}."
    kinds = {"boolean": "y or n", "list": "several words with commas between them", "string": "a text"}
    return f"Possible is {kinds.get(question.type) or ', '.join(question.choices)}."


def _origin(asked: Asked) -> str:
    if asked.written is not None:
        return "What stands is written in the answers file."
    return (
        f"What stands comes from {asked.origin}."
        if asked.key.startswith("options.")
        else (f"What stands comes from the {asked.origin}.")
    )
