"""The plan before anything is made: what speaks against it, what will exist, and the answers as they are saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import OptionList, TabbedContent, TabPane
from textual.widgets.option_list import Option as Row
from textual.worker import get_current_worker

from stackwise.advice import Advice
from stackwise.errors import AnswersError, Fault, ImpossibleError, StackwiseError
from stackwise.render.documents import plan_document
from stackwise.tui.messages import Planned
from stackwise.tui.screens.dialogs import Reason, Sure
from stackwise.tui.screens.export import ExportScreen
from stackwise.tui.screens.file import FileScreen
from stackwise.tui.screens.step import KEYS_HELP, StepScreen
from stackwise.tui.widgets.form import show_question
from stackwise.tui.widgets.plan_view import PlanView
from stackwise.tui.widgets.source import SourceView, coloured
from stackwise.walk.planned import plan_nodes
from stackwise.walk.steps import step_for

if TYPE_CHECKING:
    pass

_LOOK = {"conflict": ("✗", "$text-error"), "warning": ("!", "$text-warning"), "note": ("i", "$text-accent")}
_TABS = {"advice": "Advice", "plan": "Plan", "answers": "Answers"}
_FOCUSED = {"advice": "#said", "plan": "PlanTree", "answers": "#answers-source"}


class ReviewScreen(StepScreen):
    """Advice, plan and answers."""

    CSS_PATH = ["step.tcss", "review.tcss"]  # noqa: RUF012 - Textual reads it from the class
    AUTO_FOCUS = "#said"
    HELP = f"""# Review

Everything that will be made, before it is made. **Advice** has faults and conflicts first: `enter` goes to the answer
that settles one, or offers to take out a key that nobody asks for. A conflict cannot work and is never overruled; a
warning is a judgement, and `a` accepts it with a reason that is kept in the answers file. **Plan** is a tree of what
`stackwise plan --json` prints, down to every file: the right arrow opens a line, the left one closes it, `enter` shows
a file on the whole screen. **Answers** is the file as it is saved.

`1`, `2` and `3` change between them; `e` writes the plan for the team, the answers or the Ansible project somewhere;
`ctrl+n` goes on to the run.
{KEYS_HELP}"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "accept", "Accept", id="review.accept", tooltip="Accept the highlighted warning, with a reason"),
        Binding(
            "e", "export", "Export", id="review.export", tooltip="Write plan, answers or Ansible project somewhere"
        ),
        *(
            Binding(key, f"tab('{tab}')", f"Show {title}", show=False, id=f"review.{tab}", tooltip=f"Show {title}")
            for key, (tab, title) in zip("123", _TABS.items(), strict=True)
        ),
        Binding("ctrl+n", "next", "Run", id="step.next", tooltip="Go on to the run"),
        Binding("ctrl+g", "goto", "Go to", show=False, id="step.goto", tooltip="Choose a step from the whole walk"),
        Binding("ctrl+r", "review", "Review", show=False, id="step.review", tooltip="This is the review"),
    ]

    class AnswersColoured(Message):
        """The answers have their colours."""

        def __init__(self, text: Content) -> None:
            """Carry the `text`."""
            super().__init__()
            self.text = text

    def compose_step(self) -> Iterator[Widget]:
        """Make the three tabs."""
        with TabbedContent(id="tabs"):
            with TabPane(_TABS["advice"], id="advice"):
                yield OptionList(id="said", markup=False, compact=True)
            with TabPane(_TABS["plan"], id="plan"):
                yield PlanView()
            with TabPane(_TABS["answers"], id="answers"):
                yield SourceView(id="answers-source")

    def heading(self) -> str:
        """Return what this is about."""
        return "What will be made, and what speaks against it"

    def on_mount(self) -> None:
        """Look at the file and at the project again, so that the review is of both as they are now."""
        super().on_mount()
        self.walk.read_again()
        self.walk.look_again()

    def refresh_facts(self) -> None:
        """Show everything as it is now."""
        super().refresh_facts()
        self.pieces: list[Fault | Advice] = [*self.design.faults, *self.design.advice]
        said = self.query_one("#said", OptionList)
        here = said.highlighted
        said.clear_options()
        said.add_options(Row(_piece(piece)) for piece in self.pieces)
        if not self.pieces:
            said.add_option(Row(Content("Nothing speaks against it."), disabled=True))
        said.highlighted = here if here is not None and here < len(self.pieces) else 0
        self._colour(self.design.document.text())
        self._make_plan()

    @work(thread=True, exclusive=True, exit_on_error=False, group="plan")
    def _make_plan(self) -> None:
        try:
            job = self.design.fresh_job()
            files = job.rendered()
            planned = Planned(plan_nodes(plan_document(job.plan(), files)), files)
            if not get_current_worker().is_cancelled:
                self.post_message(planned)
        except StackwiseError as exc:
            self.post_message(Planned((), {}, _no_plan(exc)))
        except Exception as exc:  # noqa: BLE001 - the top of a thread: Textual would print it with its variables
            words = f"the plan cannot be made: {type(exc).__name__}; see more with: stackwise --debug plan"
            self.post_message(Planned((), {}, words))

    @work(thread=True, exclusive=True, exit_on_error=False, group="colours")
    def _colour(self, text: str) -> None:
        self.post_message(self.AnswersColoured(coloured(text.encode(), "stackwise.yml")))

    @on(AnswersColoured)
    def _coloured(self, message: AnswersColoured) -> None:
        if self.here:
            self.query_one("#answers-source", SourceView).show(message.text, again=True)

    @on(Planned)
    def _planned(self, message: Planned) -> None:
        if not self.here:
            return
        if message.why_not:
            self.query_one(PlanView).show_why_not(message.why_not)
        else:
            self.query_one(PlanView).show(message.nodes, message.files)

    @on(PlanView.Opened)
    def _read(self, message: PlanView.Opened) -> None:
        """Show a file on the whole screen."""
        self.app.push_screen(FileScreen(message.file, self.query_one(PlanView).files[message.file]))

    @on(OptionList.OptionSelected, "#said")
    def _settle(self, event: OptionList.OptionSelected) -> None:
        """Go to the answer that settles it."""
        piece = self.pieces[event.option_index]
        if step := step_for(piece, self.walk.steps, self.design):
            self.walk.go(step.id)
            key = piece.key if isinstance(piece, Fault) else piece.settle.partition(":")[0]
            self.walk.call_after_refresh(show_question, self.walk.screen, (key,))
        elif isinstance(piece, Fault) and piece.key:
            self._offer_to_take_out(piece.key)
        else:
            self.notify("Nothing in the walk settles this one; see what it says.", markup=False)

    def _offer_to_take_out(self, key: str) -> None:
        """Ask whether a key that no step asks for shall go, since nothing else here can mend it."""

        def decided(yes: bool | None) -> None:
            if yes:
                self.walk.answer(key, None)

        question = f"No step asks for {key}. Take it out of {self.design.path}? What stands there is lost."
        self.app.push_screen(Sure(question, "Take it out", "Leave it"), decided)

    def action_tab(self, tab: str) -> None:
        """Show one of the three."""
        self.query_one(TabbedContent).active = tab
        self.call_after_refresh(self.query_one(_FOCUSED[tab]).focus)

    def action_export(self) -> None:
        """Ask what to write and where."""

        def written(said: str | None) -> None:
            if said:
                self.notify(said, title="Exported", markup=False)

        self.app.push_screen(ExportScreen(self.design), written)

    def action_accept(self) -> None:
        """Accept the highlighted warning, with a reason."""
        here = self.query_one("#said", OptionList).highlighted
        piece = self.pieces[here] if here is not None and here < len(self.pieces) else None
        if not isinstance(piece, Advice) or piece.kind != "warning":
            self.notify("Only a warning can be accepted: highlight one first.", markup=False)
            return

        def given(reason: str | None) -> None:
            if reason is not None:
                self.walk.answer(f"accepted.{piece.id}", reason or None)

        self.app.push_screen(Reason(f"{piece.says} Why is that all right here?", piece.accepted), given)


def _piece(piece: Fault | Advice) -> Content:
    if isinstance(piece, Fault):
        hint = (f"\n{piece.hint}", "dim") if piece.hint else ""
        return Content.assemble(("✗ fault  ", "bold $text-error"), f"{piece.place}: {piece.message}", hint)
    mark, style = ("✓", "$text-success") if piece.accepted else _LOOK[piece.kind]
    below = (
        f"accepted: {piece.accepted}" if piece.accepted else f"settle it with: {piece.settle}" if piece.settle else ""
    )
    return Content.assemble(
        (f"{mark} {piece.kind}  ", f"bold {style}"),
        piece.says,
        (f"\n{piece.because}", "dim"),
        f"\n{below}" if below else "",
    )


def _no_plan(exc: StackwiseError) -> str:
    if isinstance(exc, AnswersError):
        return "No plan while there are faults:\n\n" + "\n".join(f"{f.place}: {f.message}" for f in exc.faults)
    if isinstance(exc, ImpossibleError):
        return "It cannot be made:\n\n" + "\n".join(f"- {conflict}" for conflict in exc.conflicts) + f"\n\n{exc.hint}"
    return f"No plan: {exc.message}\n\n{exc.hint}"
