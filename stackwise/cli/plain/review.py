"""The review: what speaks against the answers, what will be made, and the question whether it shall be."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from stackwise.cli.plain.choosing import NotOneError, pick
from stackwise.cli.plain.forms import ask_truth
from stackwise.cli.plain.session import Quit, Session
from stackwise.cli.plain.talk import UNBROKEN
from stackwise.cli.plain.words import summary_line
from stackwise.errors import AnswersError, Fault, ImpossibleError, StackwiseError
from stackwise.render.documents import advice_document, advice_lines, plan_document, plan_text
from stackwise.walk.questions import count
from stackwise.walk.steps import step_for

if TYPE_CHECKING:
    from stackwise.advice import Advice
    from stackwise.job import Job
    from stackwise.walk.steps import Step


def review(session: Session, step: Step) -> None:
    """Say all of it, and ask whether it shall be made; go to the run where it shall. Raises as `Session.ask` does."""
    session.look_again(always=True)
    session.heading(step)
    _say_faults(session)
    _say_advice(session)
    job = _say_plan(session)
    if job is None:
        _mend(session)
    elif not ask_truth(session, "Shall it be made? [y/N] ", {"a": partial(_accept, session)}):
        session.talk.say("Nothing is made.")
        raise Quit


def _say_faults(session: Session) -> None:
    for fault in session.design.faults:
        session.talk.say(f"fault: {fault.place}: {fault.message}. {fault.hint}".rstrip())
        _say_where(session, fault)


def _say_advice(session: Session) -> None:
    for advice in session.design.advice:
        session.talk.lines(advice_lines([advice_document(advice)]))
        _say_where(session, advice)
    if not session.design.faults and not session.design.advice:
        session.talk.say("Nothing speaks against it.")


def _say_where(session: Session, piece: Fault | Advice) -> None:
    step = step_for(piece, session.steps, session.design)
    if step is not None and not getattr(piece, "accepted", ""):
        session.talk.say(f"that is asked in step {session.steps.index(step) + 1}, {step.title}: g {step.id}", 2)


def _say_plan(session: Session) -> Job | None:
    """Say what will exist, and return the job; say why there is none where it cannot be made."""
    from stackwise.render import file_names

    try:
        job = session.design.fresh_job()
        plan = job.outline()
        job.admin_keys()  # a key that cannot be read is better known before anybody says yes
    except (AnswersError, ImpossibleError):
        session.talk.say("No plan can be made before that is settled.")
        return None
    except StackwiseError as exc:
        session.talk.say(f"No plan can be made: {exc.message}. {exc.hint}".rstrip())
        return None
    session.talk.say()
    # What speaks for and against it was said above.
    session.talk.say(plan_text({**plan_document(plan, file_names(plan)), "advice": []}, UNBROKEN).rstrip())
    session.talk.say()
    session.talk.say(summary_line(session.design.summary))
    if warnings := [a.id for a in session.design.advice if a.kind == "warning" and not a.accepted]:
        session.talk.say(f"There is {count(len(warnings), 'warning')}. To accept one: a {warnings[0]} REASON")
    return job


def _mend(session: Session) -> None:
    """Lead to the first step that can settle what stands against it. Raises Turn."""
    pieces: list[Fault | Advice] = [*session.design.faults, *(a for a in session.design.advice if a.kind == "conflict")]
    found = next(
        (step for piece in pieces if (step := step_for(piece, session.steps, session.design))), session.steps[0]
    )
    session.talk.say(f"Enter goes to {found.title}, where it can be settled.")
    while session.ask(f"[go {found.id}] ", {}):
        session.talk.say(f"Possible is Enter, or any command; g {found.id} goes there too.")
    session.go(found.id)


def _accept(session: Session, text: str) -> None:
    """Accept a warning, with the team's reason."""
    name, _, reason = text.partition(" ")
    warnings = [advice for advice in session.design.advice if advice.kind == "warning"]
    try:
        warning = warnings[pick(name, [(advice.id, advice.id) for advice in warnings])]
    except NotOneError as exc:
        session.talk.say(str(exc))
        return
    if not reason.strip():
        session.talk.say(f"Say why that is all right here: a {warning.id} REASON")
        return
    key, said = f"accepted.{warning.id}", f"{warning.id} is accepted. "
    session.change(lambda: session.design.change(key, reason.strip()), said=lambda: said)
