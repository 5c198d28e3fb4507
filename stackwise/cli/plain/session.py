"""What every question of a plain walk shares: the commands that any prompt takes, and how a change is made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from stackwise.cli.plain.choosing import NotOneError, pick
from stackwise.cli.plain.talk import Talk
from stackwise.cli.plain.words import moved_line, summary_line
from stackwise.errors import StackwiseError
from stackwise.walk.design import Design
from stackwise.walk.scanning import look_at
from stackwise.walk.steps import Step, standing

Command = Callable[[str], None]

# What can be typed at any prompt, each with its long form and what it does.
COMMANDS = {
    "?": ("what", "say what this is"),
    "w": ("why", "w N: say why the recommended one is, and what speaks for and against option N"),
    "c": ("compare", "c N M: compare two to four options"),
    "n": ("notes", "n N: read the notes and sources of option N"),
    "o": ("settings", "o N: answer the component's own settings; o alone: of the one that is taken"),
    "b": ("back", "go back to the question before"),
    "g": ("go", "g NAME: go to a step; g alone: list them all"),
    "u": ("undo", "take the last change back"),
    "redo": ("redo", "make the change again that was taken back"),
    "r": ("review", "go to the review"),
    "a": ("accept", "a ID REASON, at the review: accept a warning, with the team's reason"),
    "s": ("summary", "say how the whole design stands"),
    "q": ("quit", "quit; everything is saved"),
    "h": ("help", "list these"),
}
_LONG = {long: short for short, (long, _) in COMMANDS.items()}


class Turn(Exception):  # noqa: N818 - nothing went wrong: somebody goes to another step than the next one
    """Go to the step at `place`."""

    def __init__(self, place: int) -> None:
        """Keep the place."""
        super().__init__()
        self.place = place


class Back(Exception):  # noqa: N818 - as above
    """Go to the question before."""


class Quit(Exception):  # noqa: N818 - as above
    """Leave the walk."""


@dataclass
class Session:
    """The answers, the talk about them, and the step that it is at."""

    design: Design
    talk: Talk
    steps: tuple[Step, ...]
    place: int = 0
    failure: StackwiseError | None = None
    """What ended the last run, where one failed."""

    def ask(self, prompt: str, here: Mapping[str, Command], *, words: Collection[str] = (), free: bool = False) -> str:
        """Ask until something is typed that is no command, and return it; `here` are the commands of this prompt.

        `words` are answers, even where a command is called so; where the answer is any text (`free`), only the short
        commands are commands, and `=` before a text makes it one in any case.
        Raises Turn, Back and Quit for the commands that lead away, EndOfInputError.
        """
        while True:
            line = self.talk.ask(prompt)
            if line.startswith("="):
                return line[1:].strip()
            command, _, rest = line.partition(" ")
            name = command.casefold() if free else _LONG.get(command.casefold(), command.casefold())
            if name not in COMMANDS or line.casefold() in words or (free and rest and name != "g"):
                return line
            self._obey(name, rest.strip(), here)

    def _obey(self, name: str, rest: str, here: Mapping[str, Command]) -> None:
        if name in here:
            here[name](rest)
            return
        common: dict[str, Command] = {
            "b": self._back,
            "g": self._go,
            "u": lambda _: self._step_back(self.design.undo, "Taken back"),
            "redo": lambda _: self._step_back(self.design.redo, "Made again"),
            "r": lambda _: self.go("review"),
            "s": lambda _: self.talk.say(summary_line(self.design.summary)),
            "q": self._quit,
            "h": lambda _: self._help(),
        }
        if name in common:
            common[name](rest)
        else:
            self.talk.say("There is nothing of that kind here. h lists the commands.")

    def _back(self, _: str) -> None:
        raise Back

    def _quit(self, _: str) -> None:
        raise Quit

    def _help(self) -> None:
        self.talk.say("Enter takes what stands. A number, an id or the beginning of one takes that.")
        for short, (long, does) in COMMANDS.items():
            self.talk.say(f"{short} or {long}: {does}" if short != long else f"{short}: {does}", 2)
        self.talk.say(
            "- leaves an answer to the scan or the usual value; = before a text keeps it from being a command.", 2
        )

    def _go(self, name: str) -> None:
        if not name:
            for number, step in enumerate(self.steps, start=1):
                self.talk.say(f"{number}. {step.title} ({step.id}): {standing(step, self.design)}", 2)
            return
        try:
            raise Turn(pick(name, [(step.id, step.title) for step in self.steps]))
        except NotOneError as exc:
            self.talk.say(str(exc))

    def go(self, step: str) -> None:
        """Go to a step by its id. Raises Turn."""
        raise Turn(next(place for place, known in enumerate(self.steps) if known.id == step))

    def _step_back(self, take: Callable[[], Sequence[str]], words: str) -> None:
        """Undo or redo, and ask again, since what was asked may stand otherwise now."""
        keys: list[str] = []
        if (
            self.change(lambda: keys.extend(take()), said=lambda: f"{words}: {', '.join(keys)}. " if keys else "")
            and keys
        ):
            raise Turn(self.place)

    def change(self, change: Callable[[], object], said: Callable[[], str] = lambda: "") -> bool:
        """Make a change, and say what it moved, or why it could not be saved; return whether it was."""
        try:
            change()
        except OSError as exc:
            self.talk.say(f"Not saved: {self.design.path} could not be written: {exc.strerror}.")
            return False
        except StackwiseError as exc:
            self.talk.say(f"Not saved: {exc.message}. {exc.hint}".rstrip())
            return False
        self.look_again()
        self.talk.say(f"{said()}{moved_line(self.design)}")
        return True

    def look_again(self, *, always: bool = False) -> None:
        """Look at the project again where the answers name another one, or its files may have changed."""
        if self.design.stale or always:
            self.talk.say("Reading the project.")
            self.design.take(look_at(*self.design.source, self.design.path.resolve().parent))

    def heading(self, step: Step) -> None:
        """Say which step this is, and what is wrong with its answers."""
        self.talk.say()
        self.talk.say(f"Step {self.place + 1} of {len(self.steps)}, {step.title}")
        for fault in self.design.faults_of(step.keys):
            self.talk.say(f"fault: {fault.place}: {fault.message}. {fault.hint}".rstrip(), 2)
