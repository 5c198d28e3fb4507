"""The server that is bought: provider, region and size, of which only what is really sold together can be taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stackwise.cli.plain.choosing import NotOneError, pick
from stackwise.cli.plain.layers import commands_for, find, option_line
from stackwise.cli.plain.session import Back, Session
from stackwise.walk.questions import price

if TYPE_CHECKING:
    from stackwise.advice import Option
    from stackwise.advice.offers import Sold
    from stackwise.walk.steps import Step


def ask_server(session: Session, step: Step) -> None:
    """Ask for the provider, then for the region where there are several, then for the size.

    They are answered together, since only together they are sold. Raises as `Session.ask` does.
    """
    session.heading(step)
    while True:
        provider = _ask_provider(session, step)
        offers = [offer for offer in session.design.sold(provider) if offer.provider.id == provider]
        try:
            offer = _ask_size(session, _ask_region(session, offers))
        except Back:
            session.talk.say("Back to the provider.")
            continue
        if (offer.chosen and not session.design.faults_of(step.keys)) or _take(session, offer):
            return


def _take(session: Session, offer: Sold) -> bool:
    said = f"{offer.provider.name}, {offer.region}, {offer.size.id}. "
    return session.change(lambda: session.design.change_all(offer.answers), said=lambda: said)


def _ask_provider(session: Session, step: Step) -> str:
    design, talk = session.design, session.talk
    category = design.catalog.categories[step.category]
    options, offers = design.options(category), design.sold()
    talk.say(category.ask)
    for number, option in enumerate(options, start=1):
        talk.say(option_with_offer(number, option, offers), 2)
        talk.say(_refused(option, offers) or option.because, 5)
    taken = next((option.component.id for option in options if option.chosen), "nothing")
    while True:
        text = session.ask(f"[{taken}] ", commands_for(session, category, options))
        found = find(session, options, text or taken)
        if found is None:
            continue
        if not (refused := _refused(found, offers)):
            return found.component.id
        talk.say(f"{found.component.name} cannot be taken: {refused}")


def option_with_offer(number: int, option: Option, offers: Sequence[Sold]) -> str:
    """Return a provider with its number, its marks, and the best that it sells for this design."""
    line = option_line(number, option)
    fitting = [offer for offer in offers if offer.provider.id == option.component.id and offer.fits]
    known = [offer for offer in fitting if offer.size.price is not None]
    if not known:
        return line
    best = min(known, key=lambda offer: offer.size.price or 0.0)
    return f"{line}; {best.size.id} fits, {price(best.size.price, best.currency)}"


def _refused(option: Option, offers: Sequence[Sold]) -> str:
    """Return why nothing of a provider can be taken; nothing where something can."""
    reasons = [offer.why_not for offer in offers if offer.provider.id == option.component.id]
    if not reasons:
        return option.why_not or "Nothing that it sells is known."
    return "" if "" in reasons else option.why_not or reasons[0]


def _ask_region(session: Session, offers: Sequence[Sold]) -> Sequence[Sold]:
    """Return the offers of one region."""
    regions = list(dict.fromkeys(offer.region for offer in offers))
    stands = next((offer.region for offer in offers if offer.chosen), regions[0])
    if len(regions) > 1:
        session.talk.say("In which region?")
        for number, region in enumerate(regions, start=1):
            session.talk.say(f"{number}. {region}{' (stands)' if region == stands else ''}", 2)
        place = _picked(session, stands, regions)
        return [offer for offer in offers if offer.region == regions[place]]
    return offers


def _ask_size(session: Session, offers: Sequence[Sold]) -> Sold:
    session.talk.say("Which size?")
    for number, offer in enumerate(offers, start=1):
        session.talk.say(offer_line(number, offer), 2)
        if offer.why_not:
            session.talk.say(offer.why_not, 5)
    stands = next((offer for offer in offers if offer.chosen), None)
    stands = stands or next(
        (offer for offer in offers if offer.recommended or (offer.fits and not offer.why_not)), offers[0]
    )
    sizes = [offer.size.id for offer in offers]
    while True:
        offer = offers[_picked(session, stands.size.id, sizes)]
        if not offer.why_not:
            return offer
        session.talk.say(f"{offer.size.id} cannot be taken: {offer.why_not}")


def offer_line(number: int, offer: Sold) -> str:
    """Return a size with its price, what the design takes of it, and its marks, in words."""
    size = offer.size
    marks = ("taken", offer.chosen), ("recommended", offer.recommended), ("cannot be taken", bool(offer.why_not))
    said = "".join(f", {mark}" for mark, holds in marks if holds)
    return (
        f"{number}. {size.id}: {size.cpus:g} CPU, {size.memory_mb} MiB, {size.disk_gb} GB, "
        f"{price(size.price, offer.currency)} (price of {offer.priced}); {'fits' if offer.fits else 'too small'}: "
        f"{offer.needed_mb} of {offer.memory_mb} MiB, {offer.carries:,} requests a minute of {offer.wanted:,}{said}"
    )


def _picked(session: Session, stands: str, names: Sequence[str]) -> int:
    """Ask for one of some names and return its place."""
    while True:
        text = session.ask(f"[{stands}] ", {"?": lambda _: session.talk.say("What is sold, and how the design fits.")})
        try:
            return pick(text or stands, [(name, name) for name in names])
        except NotOneError as exc:
            session.talk.say(str(exc))
