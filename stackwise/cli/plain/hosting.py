"""The kinds of hosting, each with what it costs and what it asks of the team."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stackwise.cli.plain.layers import decide
from stackwise.cli.plain.session import Session
from stackwise.render.advice_text import DEGREES, kind_document, money

if TYPE_CHECKING:
    from stackwise.walk.steps import Step


def ask_hosting(session: Session, step: Step) -> None:
    """Ask which kind of hosting it is, each with its money, hours and degrees."""
    decide(session, step, lambda: _kinds(session))


def _kinds(session: Session) -> Mapping[str, str]:
    currency = str(session.design.facts["budget.currency"])
    documents = [kind_document(kind) for kind in session.design.kinds()]
    return {document["id"]: kind_line(document, currency) for document in documents}


def kind_line(document: Mapping[str, Any], currency: str) -> str:
    """Return a kind of hosting in one line: money today and at ten times the need, hours a month, degrees."""
    degrees = ", ".join(f"{words} {document[name]['degree']} of 5" for name, words in DEGREES.items())
    today, tenfold = (money(document[when], currency) for when in ("today", "tenfold"))
    return f"a month {today} today, {tenfold} at ten times the need; hours a month: {document['hours']:g}; {degrees}"
