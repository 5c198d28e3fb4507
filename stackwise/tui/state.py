"""What the walk knows: the answers, and everything that follows from them. No widget and no terminal.

The screens show this and change it by `Design.change`; nothing is decided here either, it all comes from the core.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackwise import events
from stackwise.advice import Advice, Option, advise, options_for
from stackwise.advice.facts import chosen, gather, offer_of, size_of
from stackwise.advice.sizing import option_values
from stackwise.answers import Answers, Choices, checked, choose
from stackwise.answers.check import Places, why_wrong
from stackwise.answers.document import Document, flatten
from stackwise.answers.write import scanned_answers
from stackwise.catalog import Catalog, load_catalog
from stackwise.catalog.model import Category, Question
from stackwise.errors import AnswersError, Fault, InterruptedRunError, StackwiseError, UsageError
from stackwise.job import Job, first_file, make_job, told
from stackwise.journal.record import records
from stackwise.operate.source import source_folder
from stackwise.project import Project, scan
from stackwise.tui.progress import RunProgress

DEFAULT_FILE = "stackwise.yml"


@dataclass(frozen=True, slots=True)
class Scan:
    """What a look at the project gave: the project, or why there is none."""

    source: str
    ref: str | None
    folder: Path
    project: Project | None
    problem: StackwiseError | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a form shows it: the answer in the file, and what stands where the file has none."""

    key: str
    question: Question
    written: Any
    stands: Any
    origin: str
    offered: tuple[tuple[str, str], ...] = ()

    @property
    def shown(self) -> Any:
        """The value that a form begins with: what is written, right or wrong, else what stands."""
        return self.stands if self.written is None else self.written

    def wrong(self, value: object) -> str | None:
        """Return what is wrong with a value, None where it is right or leaves the answer to us."""
        return None if value is None else why_wrong(self.question, value)


@dataclass(frozen=True, slots=True)
class Summary:
    """The line that is always in sight."""

    name: str
    environment: str
    cost: float | None
    currency: str
    needed_mb: int
    memory_mb: int
    conflicts: int
    warnings: int
    faults: int

    def changed_from(self, before: Summary | None) -> frozenset[str]:
        """Return the names of the parts that are not as they were."""
        if before is None:
            return frozenset()
        return frozenset(name for name in self.__slots__ if getattr(self, name) != getattr(before, name))


@dataclass
class Design:
    """The answers as they stand, with all that follows from them."""

    document: Document
    path: Path
    catalog: Catalog
    scanned: Scan
    new: bool
    """Whether the file is not on disk yet."""
    saved: float | None = None
    faults: tuple[Fault, ...] = ()
    visited: set[str] = field(default_factory=set)
    before: Summary | None = None

    def __post_init__(self) -> None:
        """Work out what follows."""
        self.as_opened = not self.new
        self.stamp = self._stamp()
        self._derive()

    def change(self, key: str, value: object) -> None:
        """Set an answer, or leave it to the scan and the defaults where `value` is None.

        Raises OSError where it cannot be saved, AnswersError where somebody else broke the file meanwhile.
        """
        self._read_again()
        self.before = self.summary
        self.document.change(key, value)
        self._derive()
        self.save()

    def choose(self, category: Category, component: str) -> None:
        """Take a component for a layer; where the layer takes several, take it or leave it. Raises OSError."""
        if not category.multiple:
            self.change(category.answer, component)
            return
        taken = self.choices.components(category.answer)
        self.change(
            category.answer, [c for c in taken if c != component] if component in taken else [*taken, component]
        )

    def save(self) -> None:
        """Write the file in one step. Raises OSError."""
        self.document.write(self.path)
        self.new, self.saved, self.stamp = False, time.time(), self._stamp()

    def _read_again(self) -> None:
        """Take in what an editor wrote meanwhile, so that one change here does not undo it."""
        now = self._stamp()
        if now is not None and now != self.stamp:
            self.document, self.stamp = Document.read(self.path), now

    def _stamp(self) -> tuple[int, int] | None:
        """Return what tells one version of the file from the next; None where there is no file."""
        try:
            state = self.path.stat()
        except OSError:
            return None
        return state.st_mtime_ns, state.st_size

    @property
    def stale(self) -> bool:
        """Whether the answers name another project than the one that was looked at."""
        return (self.scanned.source, self.scanned.ref) != self.source

    @property
    def source(self) -> tuple[str, str | None]:
        """Where the answers say that the project is."""
        return str(self.choices["project.source"]), self.choices.get("project.ref")

    def take(self, scanned: Scan) -> None:
        """Go on with what another look at the project gave."""
        self.scanned = scanned
        self._derive()

    def _derive(self) -> None:
        self.answers, faults = sound_answers(self.document, self.path, self.catalog)
        self.project = self.scanned.project or _stand_in(self.scanned)
        self.choices = choose(self.answers, self._found(), self.catalog)
        found = (*faults, *self._not_sold(), *self._no_project())
        self.faults = tuple(sorted(found, key=lambda fault: (fault.line, fault.column)))
        self.project = told(self.project, self.choices)
        self.advice: tuple[Advice, ...] = advise(self.choices, self.project, self.catalog)
        self.facts: Mapping[str, Any] = gather(self.choices, self.project, self.catalog)
        self.summary = self._summary()

    def _found(self) -> dict[str, Any]:
        return scanned_answers(self.scanned.project) if self.scanned.project else {}

    def _not_sold(self) -> Iterator[Fault]:
        """Yield a fault for a provider or size that is not sold, and count with one that is until it is mended."""
        for key, look in (("hosting.provider", offer_of), ("hosting.size", size_of)):
            try:
                look(self.choices, self.catalog)
            except UsageError as exc:
                yield Places(self.document, {}).fault(tuple(key.split(".")), exc.message, exc.hint)
                self.choices = self._supposing(key)

    def _supposing(self, key: str) -> Choices:
        values = dict(self.choices.values)
        if key == "hosting.provider":
            values[key] = next(c.default for c in self.catalog.layers if c.answer == key)
        else:
            sizes = offer_of(self.choices, self.catalog).sizes
            if not sizes:
                return self._supposing("hosting.provider")
            values[key] = sizes[0].id
        return Choices(values, self.choices.origins, self.choices.folder)

    def _no_project(self) -> Iterator[Fault]:
        if problem := self.scanned.problem:
            yield Places(self.document, {}).fault(("project", "source"), problem.message, problem.hint)

    def _summary(self) -> Summary:
        kinds = [advice.kind for advice in self.advice if not advice.accepted]
        facts = self.facts
        return Summary(
            name=self.choices["name"],
            environment=self.choices["environment"],
            cost=facts["cost.amount"],
            currency=facts["cost.currency"],
            needed_mb=facts["memory.needed_mb"],
            memory_mb=facts["memory_mb"],
            conflicts=kinds.count("conflict"),
            warnings=kinds.count("warning"),
            faults=len(self.faults),
        )

    def job(self) -> Job:
        """Return what can be planned and run. Raises AnswersError while there are faults."""
        if self.faults:
            raise AnswersError(self.faults)
        return Job(self.answers, self.choices, self.project, self.scanned.folder, self.catalog)

    def fresh_job(self) -> Job:
        """Return what can be run, of the project's files as they are now. Raises AnswersError, ProjectError."""
        return make_job(self.job().answers, self.catalog)

    def options(self, category: Category) -> tuple[Option, ...]:
        """Return the options of a layer, each with the reason why it cannot be taken."""
        try:
            return options_for(category, self.choices, self.project, self.catalog)
        except UsageError:
            # Beside another provider the chosen size may not exist; that is no reason against the provider.
            taken = self.choices.components(category.answer)
            return tuple(
                Option(component, component.id in taken, component.id == category.default, "")
                for component in self.catalog.options(category.id)
            )

    def advised(self, width: int) -> list[str]:
        """Return the whole advice, as `stackwise advise` prints it."""
        from stackwise.advice.report import report  # noqa: PLC0415 - only who asks for it waits for it
        from stackwise.render.advice_text import report_document, report_lines  # noqa: PLC0415 - as above

        found = report(self.choices, self.project, self.catalog)
        return list(report_lines(report_document(found), str(self.facts["budget.currency"]), width=width))

    def asked(self, key: str) -> Asked:
        """Return the question of a dotted key with its answer."""
        if key.startswith("options."):
            return self._asked_option(key)
        question = self.catalog.questions[key]
        written = self._written(key)
        origin = self.choices.origins.get(key, "default")
        return Asked(key, question, written, self.choices.get(key), origin, self._offered(key, question))

    def option_keys(self, component: str) -> tuple[str, ...]:
        """Return the keys of a component's own questions."""
        return tuple(f"options.{component}.{question.id}" for question in self.catalog.component(component).questions)

    def _asked_option(self, key: str) -> Asked:
        _, component, name = key.split(".", 2)
        question = next(q for q in self.catalog.component(component).questions if q.id == name)
        written = self._written(key)
        values = option_values(chosen(self.choices, self.catalog), self.choices.under("options"), self.facts)
        value = next((v for v in values if v.component == component and v.question.id == name), None)
        stands = value.value if value else question.default
        offered = tuple((choice, choice) for choice in question.choices)
        return Asked(key, question, written, stands, value.because if value else "the default", offered)

    def _written(self, key: str) -> Any:
        return dict(flatten(self.document.plain())).get(key)

    def faults_of(self, keys: Iterable[str]) -> tuple[Fault, ...]:
        """Return the faults of what is written under some keys."""
        return tuple(f for f in self.faults if any(f.key == key or f.key.startswith(f"{key}.") for key in keys))

    def _offered(self, key: str, question: Question) -> tuple[tuple[str, str], ...]:
        """Return the values to choose from, with their words: of the question, or what the provider sells."""
        offer = offer_of(self.choices, self.catalog)
        if key == "hosting.region":
            return tuple((place, place) for place in offer.locations)
        if key == "hosting.size":
            return tuple(
                (
                    size.id,
                    f"{size.id}: {size.cpus} CPU, {size.memory_mb} MiB, {size.disk_gb} GB, "
                    f"{price(size.price, offer.currency)}",
                )
                for size in offer.sizes
            )
        return tuple((choice, choice) for choice in question.choices)


def price(amount: float | None, currency: str) -> str:
    """Return a price a month in words; an unknown one is said to be unknown."""
    return "price unknown" if amount is None else f"{amount:g} {currency} a month"


def look_at(source: str, ref: str | None, folder: Path) -> Scan:
    """Look at a project without running it; that there is none is an answer too."""
    try:
        place = source_folder(source, ref, folder)
        return Scan(source, ref, place, scan(place))
    except StackwiseError as exc:
        return Scan(source, ref, folder, None, exc)


def open_design(path: Path) -> Design:
    """Open an answers file, or make one in memory for the project in its folder.

    Raises AnswersError for a file that cannot be read as pairs, ProjectError for a folder without a project.
    """
    catalog, folder = load_catalog(), path.resolve().parent
    if path.exists():
        document = Document.read(path)
        choices = choose(sound_answers(document, path, catalog)[0], {}, catalog)
        scanned = look_at(str(choices["project.source"]), choices.get("project.ref"), folder)
        return Design(document, path, catalog, scanned, new=False)
    scanned = look_at(".", None, folder)
    if scanned.project is None:
        raise scanned.problem or UsageError(f"{folder} holds no project")
    text = first_file(scanned.project, catalog, {}, ".", folder)
    return Design(Document.parse(text, str(path)), path, catalog, scanned, new=True)


def sound_answers(document: Document, path: Path, catalog: Catalog) -> tuple[Answers, tuple[Fault, ...]]:
    """Return the answers that are right, and the faults of the others, which stay in the document as they are."""
    try:
        return checked(document, path, catalog), ()
    except AnswersError as exc:
        faults = exc.faults
    for whole in (False, True):
        sound = Document.parse(document.text(), document.file)
        for fault in faults:
            _leave_out(sound, fault.key.partition(".")[0] if whole else fault.key)
        sound.change("schema", 1)
        if not sound.data.get("name"):
            sound.change("name", catalog.questions["name"].default)
        try:
            return Answers(path, checked(sound, path, catalog).written), faults
        except AnswersError:
            continue
    only_name = {"schema": 1, "name": catalog.questions["name"].default}
    return Answers(path, only_name), faults


def _leave_out(document: Document, key: str) -> None:
    """Remove what stands at a dotted key; of a list, the whole list."""
    node: Any = document.data
    *parents, last = key.split(".")
    for place, parent in enumerate(parents):
        below = node.get(parent) if isinstance(node, Mapping) else None
        if not isinstance(below, Mapping):
            document.change(".".join(parents[: place + 1]), None)
            return
        node = below
    if last in node:
        document.change(key, None)


def _stand_in(scanned: Scan) -> Project:
    """Return the plainest project, to count with while the real one cannot be read."""
    return Project(root=str(scanned.folder), name="unknown", framework="django", wsgi="unknown.wsgi:application")


def value_of(question: Question, text: str) -> Any:
    """Return what somebody typed as the kind of value that the question takes; nothing typed is None."""
    text = text.strip()
    if not text:
        return None
    if question.type == "integer":
        return int(text) if text.removeprefix("-").isdecimal() else text
    if question.type == "list":
        return [part for part in (piece.strip() for piece in text.split(",")) if part]
    return text


def text_of(value: object) -> str:
    """Return a value as somebody would type it."""
    if value is None:
        return ""
    return ", ".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)


def last_run(folder: Path, name: str, environment: str) -> RunProgress | None:
    """Return the last run on record of this name and environment, None where there is none. Raises OSError."""
    for record in reversed(records(folder)):
        progress, ours = RunProgress(), False
        for event in record.events():
            if isinstance(event, events.RunStarted):
                ours = (event.name, event.environment) == (name, environment)
            progress.take(event)
        if ours:
            if progress.running:
                progress.fail(InterruptedRunError("it did not come to an end", hint="go on with: stackwise up"))
            return progress
    return None
