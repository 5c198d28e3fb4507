"""What the walk knows: the answers, and everything that follows from them. No widget and no terminal.

The screens show this and change it by `Design.change`; nothing is decided here either, it all comes from the core.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stackwise.advice import Advice, Option, advise, options_for
from stackwise.advice.facts import chosen, gather, is_found, offer_of, size_of
from stackwise.advice.failures import failures
from stackwise.advice.hosting import Kind, hours_of, kinds
from stackwise.advice.limits import limits
from stackwise.advice.offers import Sold, sold
from stackwise.advice.sizing import option_values
from stackwise.answers import Choices, choose
from stackwise.answers.check import Places
from stackwise.answers.document import Document, flatten
from stackwise.answers.write import TOLD_OF_A_FOUND_SERVER, scanned_answers
from stackwise.catalog import Catalog, load_catalog
from stackwise.catalog.model import Category, Question
from stackwise.errors import AnswersError, Fault, UsageError
from stackwise.job import Job, first_file, make_job, told
from stackwise.project import stand_in
from stackwise.provision.keys import own_keys
from stackwise.walk.questions import Asked, price
from stackwise.walk.scanning import Scan, look_at
from stackwise.walk.sound import sound_answers

if TYPE_CHECKING:
    from stackwise.advice.why import Why


@dataclass(frozen=True, slots=True)
class Summary:
    """What is always in sight: money a month, memory in MiB, requests a minute, the team's own hours a month."""

    name: str
    environment: str
    cost: float | None
    currency: str
    needed_mb: int
    memory_mb: int
    carries: int
    wanted: int
    gives_first: str
    failures: tuple[str, ...]
    hours: float
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
        self._past: list[str] = []
        self._future: list[str] = []
        self.unsaved = self.new
        """Whether the file does not say what is shown here: it is not written yet, or could not be."""
        self.stamp = self._stamp()
        self._derive()

    def change(self, key: str, value: object) -> None:
        """Set an answer, or leave it to the scan and the defaults where `value` is None. Raises as `change_all`."""
        self.change_all({key: value})

    def change_all(self, values: Mapping[str, object]) -> None:
        """Set several answers in one step, which is taken back in one step.

        Raises OSError where they cannot be saved, AnswersError where somebody else broke the file meanwhile.
        """
        self._read_again()
        self.before = self.summary
        text = self.document.text()
        for key, value in values.items():
            self.document.change(key, value)
        self._past.append(text)
        self._future.clear()
        self.unsaved = True
        self._derive()
        self.save()

    def undo(self) -> tuple[str, ...]:
        """Take the last change back, and return the keys that are as they were. Raises as `change` does."""
        return self._step_back(self._past, self._future)

    def redo(self) -> tuple[str, ...]:
        """Make the change again that was taken back last, and return its keys. Raises as `change` does."""
        return self._step_back(self._future, self._past)

    def _step_back(self, source: list[str], other: list[str]) -> tuple[str, ...]:
        if self._read_again():
            self._derive()
        if not source:
            return ()
        self.before = self.summary
        text, old = self.document.text(), dict(flatten(self.document.plain()))
        other.append(text)
        self.document = Document.parse(source.pop(), self.document.file)
        now = dict(flatten(self.document.plain()))
        self.unsaved = True
        self._derive()
        self.save()
        return tuple(key for key in {**old, **now} if old.get(key) != now.get(key))

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
        self.new, self.unsaved, self.saved, self.stamp = False, False, time.time(), self._stamp()

    def catch_up(self) -> bool:
        """Make sure that the file says what is shown here, since a run reads the file.

        What an editor wrote meanwhile is shown from now on: return whether there was any. What is not saved is written.
        Raises OSError where it cannot be, AnswersError where somebody else broke the file.
        """
        if self._read_again():
            self._derive()
            return True
        if self.unsaved or self._stamp() is None:
            self.save()
        return False

    def _read_again(self) -> bool:
        """Take in what an editor wrote meanwhile, so that one change here does not undo it."""
        now = self._stamp()
        if now is None or now == self.stamp:
            return False
        self.document, self.stamp, self.unsaved = Document.read(self.path), now, False
        # A step back would undo what somebody else wrote.
        self._past.clear()
        self._future.clear()
        return True

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
        self.project = self.scanned.project or stand_in(self.scanned.folder)
        self.choices = choose(self.answers, self._found(), self.catalog)
        found = (*faults, *self._not_sold(), *self._no_project())
        self.faults = tuple(sorted(found, key=lambda fault: (fault.line, fault.column)))
        self.project = told(self.project, self.choices)
        self.advice: tuple[Advice, ...] = advise(self.choices, self.project, self.catalog)
        self.facts: Mapping[str, Any] = gather(self.choices, self.project, self.catalog)
        self.summary = self._summary(self.choices, self.facts, self.advice)

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

    def would_be(self, values: Mapping[str, object]) -> Summary | None:
        """Return the summary with other answers, without giving them; None where they are not sold together."""
        supposed = Choices({**self.choices.values, **values}, self.choices.origins, self.choices.folder)
        try:
            facts = gather(supposed, self.project, self.catalog)
            return self._summary(supposed, facts, advise(supposed, self.project, self.catalog))
        except UsageError:
            return None

    def _summary(self, choices: Choices, facts: Mapping[str, Any], said: tuple[Advice, ...]) -> Summary:
        kinds = [advice.kind for advice in said if not advice.accepted]
        first = next(iter(limits(facts)), None)
        return Summary(
            name=choices["name"],
            environment=choices["environment"],
            cost=facts["cost.amount"],
            currency=facts["cost.currency"],
            needed_mb=facts["memory.needed_mb"],
            memory_mb=facts["memory_mb"],
            carries=first.requests_per_minute if first else 0,
            wanted=facts["needs.requests_per_minute"],
            gives_first=first.what if first else "",
            failures=tuple(failure.name for failure in failures(self.catalog, facts)),
            hours=hours_of(self.catalog.component(choices["hosting.kind"]), facts),
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
        """Return the options of a layer, those that can be taken first, the best fitting at the front of each."""
        return tuple(sorted(self._options(category), key=lambda o: (bool(o.why_not), -(o.fit or 0.0))))

    def _options(self, category: Category) -> tuple[Option, ...]:
        try:
            return options_for(category, self.choices, self.project, self.catalog)
        except UsageError:
            # Beside another provider the chosen size may not exist; that is no reason against the provider.
            taken = self.choices.components(category.answer)
            return tuple(
                Option(component, component.id in taken, component.id == category.default, "")
                for component in self.catalog.options(category.id)
            )

    def sold(self, everywhere: str = "") -> tuple[Sold, ...]:
        """Return what can be bought, and how the design fits on it: of `everywhere`, a provider, in all its regions."""
        return sold(self.choices, self.project, self.catalog, everywhere)

    def kinds(self) -> tuple[Kind, ...]:
        """Return the kinds of hosting beside each other."""
        return kinds(self.choices, self.project, self.catalog)

    def why(self, category: Category) -> Why:
        """Return why a layer's option is recommended."""
        from stackwise.advice.why import why  # noqa: PLC0415 - only who asks for it waits for it

        return why(category, self.choices, self.project, self.catalog)

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
        if is_found(self.choices) and key in TOLD_OF_A_FOUND_SERVER:
            question = replace(question, more=False)
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
        if key == "access.ssh_key":
            return (("generate", "one made for this site"), *((place, place) for place in own_keys()))
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
