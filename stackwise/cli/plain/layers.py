"""One decision: the options of a layer with their reasons, and all that can be asked about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from stackwise.cli.plain.choosing import NotOneError, pick
from stackwise.cli.plain.forms import ask_questions
from stackwise.cli.plain.session import Back, Command, Session
from stackwise.cli.plain.talk import UNBROKEN
from stackwise.errors import UsageError

if TYPE_CHECKING:
    from stackwise.advice import Option
    from stackwise.advice.report import Layer
    from stackwise.catalog.model import Category, Component
    from stackwise.walk.steps import Step

More = Mapping[str, str]
"""One more line on an option, by the component's id."""


def ask_layer(session: Session, step: Step) -> None:
    """Ask which option of a layer is taken; of a layer that takes several, ask until there is enough."""
    decide(session, step, lambda: {})


def decide(session: Session, step: Step, more: Callable[[], More]) -> None:
    """Ask for a decision; `more` gives another line on each option. Raises as `Session.ask` does."""
    category = session.design.catalog.categories[step.category]
    session.heading(step)
    session.talk.say(category.ask)
    while True:
        options = session.design.options(category)
        _say_options(session, category, options, more())
        if not _taken(session, category, options) or not category.multiple:
            return


def _taken(session: Session, category: Category, options: tuple[Option, ...]) -> bool:
    """Ask until something can be taken, and take it; return whether anything was typed."""
    stands = ", ".join(option.component.id for option in options if option.chosen) or "nothing"
    commands = commands_for(session, category, options)
    while text := session.ask(f"[{stands}] ", commands):
        if _take(session, category, options, text):
            return True
    return False


def _say_options(session: Session, category: Category, options: tuple[Option, ...], more: More) -> None:
    for number, option in enumerate(options, start=1):
        session.talk.say(option_line(number, option), 2)
        session.talk.say(option.why_not or option.because, 5)
        if option.component.id in more:
            session.talk.say(more[option.component.id], 5)
    if category.multiple:
        session.talk.say("Several can be taken: a number takes one or leaves it, Enter goes on.")


def option_line(number: int, option: Option) -> str:
    """Return an option with its number and its marks, in words."""
    component = option.component
    marks = [
        "taken" if option.chosen else "",
        "recommended" if option.recommended else "",
        "cannot be taken" if option.why_not else "",
        component.state.state if component.state.state != "current" else "",
    ]
    said = ", ".join(mark for mark in marks if mark)
    return f"{number}. {component.name} ({component.id}){f': {said}' if said else ''}"


def _take(session: Session, category: Category, options: tuple[Option, ...], text: str) -> bool:
    """Take an option; say why where it cannot be taken. Return whether it is taken."""
    option = find(session, options, text)
    if option is None:
        return False
    if option.why_not:
        session.talk.say(f"{option.component.name} cannot be taken: {option.why_not}")
        return False
    if option.chosen and not category.multiple and not session.design.faults_of([category.answer]):
        return True
    return session.change(
        lambda: session.design.choose(category, option.component.id), said=lambda: f"{option.component.name}. "
    )


def find(session: Session, options: tuple[Option, ...], text: str) -> Option | None:
    """Return the option that was meant; say what is possible where there is none."""
    try:
        return options[pick(text, [(option.component.id, option.component.name) for option in options])]
    except NotOneError as exc:
        session.talk.say(str(exc))
        return None


def commands_for(session: Session, category: Category, options: tuple[Option, ...]) -> dict[str, Command]:
    """Return what can be asked about the options of a layer."""
    return {
        "?": lambda _: session.talk.say(category.beginner),
        "w": partial(_why, session, category, options),
        "c": partial(_compare, session, options),
        "n": partial(_notes, session, options),
        "o": partial(_settings, session, options),
    }


def _why(session: Session, category: Category, options: tuple[Option, ...], text: str) -> None:
    option = find(session, options, text) if text else None
    if text and option is None:
        return
    try:
        found = session.design.why(category)
    except UsageError as exc:
        session.talk.say(f"Nothing can be weighed: {exc.message}. {exc.hint}")
        return
    if found.layer is not None:
        session.talk.lines(_recommendation(found.layer, session.design.catalog.components))
    if option is not None:
        fit, reasons = found.fits[option.component.id]
        session.talk.say(f"{option.component.name} has a fit of {fit:g}, which is made of:")
        session.talk.lines((f"{reason.weight:+g}: {reason.says}" for reason in reasons), 2)
        if option.why_not:
            session.talk.say(f"It cannot be taken: {option.why_not}")


def _recommendation(layer: Layer, components: Mapping[str, Component]) -> Iterator[str]:
    if layer.recommended is None:
        yield layer.category.without
        return
    yield f"{layer.recommended.name} is recommended, with a fit of {layer.fit:g}, which is made of:"
    yield from (f"  {reason.weight:+g}: {reason.says}" for reason in layer.reasons)
    if layer.better:
        yield f"{layer.better.name} would fit better, by {-layer.behind:g}; stackwise does not install it."
    elif layer.runner_up:
        yield f"Close to it is {layer.runner_up.name}, {layer.behind:g} behind."
    for tip in layer.tips:
        yield f"With {tip}, {components[tip.component].name} would be the best."


def _compare(session: Session, options: tuple[Option, ...], text: str) -> None:
    from stackwise.render.comparison import MOST_COMPARED, comparison_document

    found = [find(session, options, word) for word in text.replace(",", " ").split()]
    components = list({option.component.id: option.component for option in found if option}.values())
    if None in found:
        return
    if len(components) not in range(2, MOST_COMPARED + 1):
        session.talk.say(f"Two to {MOST_COMPARED} can be compared; for example: c 1 2")
        return
    document = comparison_document(components, session.design.catalog)
    for word in document["tradeoffs"]:
        side = "good at" if word["side"] == "good_at" else "costs"
        session.talk.say(f"{side} {word['word']} ({word['says']}) {', '.join(word['of'])}")
    for name, facts in document["facts"].items():
        session.talk.say(f"{name}:")
        session.talk.lines((f"{fact}: {words}" for fact, words in facts.items()), 2)


def _notes(session: Session, options: tuple[Option, ...], text: str) -> None:
    from stackwise.cli.catalog import page

    chosen = next((option.component.id for option in options if option.chosen), "")
    option = find(session, options, text or chosen)
    if option is not None:
        session.talk.lines(page(option.component, session.design.catalog, UNBROKEN))


def _settings(session: Session, options: tuple[Option, ...], text: str) -> None:
    wanted = [find(session, options, text)] if text else [option for option in options if option.chosen]
    keys = [key for option in wanted if option for key in session.design.option_keys(option.component.id)]
    if not keys:
        session.talk.say("There is nothing to set here.")
        return
    try:
        ask_questions(session, keys)
    except Back:
        session.talk.say("Back to the options.")
