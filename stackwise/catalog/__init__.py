"""The catalog: every component that can be chosen, with its trade-offs, rules and questions.

Pure data from YAML files that people edit. `load_catalog()` checks all of them when one has changed; after that a
component is made from its document when somebody asks for it, so that a plan does not pay for the whole catalog.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from stackwise import paths, shapes
from stackwise.catalog import files
from stackwise.catalog.model import Category, Component, Question, Rule, Tradeoff
from stackwise.catalog.tables import Cause, Currency, Failure, Price, Verdict, Versions
from stackwise.errors import CatalogError, UsageError

_M = TypeVar("_M", bound=shapes.Shape)
_LAST = 10_000


class Components(Mapping[str, Component]):
    """The components by id, in the order of the walk; each is made from its document at the first look."""

    def __init__(
        self, documents: Mapping[str, tuple[Path, Any]], categories: Mapping[str, Category], *, trust: bool
    ) -> None:
        """Keep the `documents` by id, each with its file; `trust` those that were checked before."""
        self._trust = trust
        order = {category: place for place, category in enumerate(categories)}
        self._documents = dict(
            sorted(documents.items(), key=lambda item: (min(_places(item[1][1], order), default=_LAST), item[0]))
        )
        self._made: dict[str, Component] = {}

    def __getitem__(self, name: str) -> Component:
        """Return a component. Raises KeyError, CatalogError."""
        if name not in self._made:
            path, document = self._documents[name]
            self._made[name] = _validated(path, (), Component, document, trust=self._trust)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the ids in the order of the walk."""
        return iter(self._documents)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._documents)

    def of(self, category: str) -> tuple[Component, ...]:
        """Return the components of a category."""
        return tuple(
            self[name] for name, (_, document) in self._documents.items() if category in document["categories"]
        )

    def called(self, word: str, category: str = "") -> Component | None:
        """Return the component of this id or alias, of one category where it is said."""
        return next((self[name] for name in self._names(word, category)), None)

    def _names(self, word: str, category: str) -> Iterator[str]:
        for name, (_, document) in self._documents.items():
            is_called = word == name or word in document.get("aliases", ())
            if is_called and (not category or category in document["categories"]):
                yield name


def _places(document: Any, order: Mapping[str, int]) -> list[int]:
    return [order.get(category, _LAST) for category in document["categories"]]


class Catalog:
    """All that can be chosen. The mappings keep the order of the walk; each part is made at the first look."""

    def __init__(self, root: Path, documents: files.Documents, *, trust: bool = False) -> None:
        """Keep the `documents` of the folder `root`, by file name; `trust` those that were checked before."""
        self._root = root
        self._trust = trust
        self._documents = documents

    @cached_property
    def categories(self) -> Mapping[str, Category]:
        """The kinds of component, by id."""
        return _keyed(self._list("categories.yml", Category))

    @cached_property
    def components(self) -> Components:
        """The components, by id."""
        documents = _component_documents(self._root, self._documents)
        return Components(documents, self.categories, trust=self._trust)

    @cached_property
    def tradeoffs(self) -> Mapping[str, Tradeoff]:
        """The closed vocabulary, by word."""
        return _keyed(self._list("tradeoffs.yml", Tradeoff))

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, in the order of their files."""
        names = [name for name in self._documents if name.startswith("rules/")]
        return tuple(_keyed(rule for name in names for rule in self._list(name, Rule)).values())

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """What is asked of every team, by the key of the answer."""
        return _keyed(self._list("questions.yml", Question))

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The judgements on the five properties, in their order."""
        return tuple(self._list("verdicts.yml", Verdict))

    @cached_property
    def failures(self) -> Mapping[str, Failure]:
        """The single points of failure, by id."""
        return _keyed(self._list("failures.yml", Failure))

    @cached_property
    def causes(self) -> Mapping[str, Cause]:
        """What lies behind the words of a failure, by id, in the order in which they are tried."""
        return _keyed(self._list("causes.yml", Cause))

    @cached_property
    def currencies(self) -> Mapping[str, Currency]:
        """The currencies, by their code."""
        return _keyed(self._list("currencies.yml", Currency))

    def convert(self, amount: float, source: str, target: str) -> float | None:
        """Return an amount in another currency, None where a rate is not known."""
        if source == target:
            return amount
        rates = self.currencies
        return amount * rates[source].usd / rates[target].usd if source in rates and target in rates else None

    @cached_property
    def prices(self) -> Mapping[str, Price]:
        """What no provider of servers sells, by id."""
        return _keyed(self._list("prices.yml", Price))

    @cached_property
    def versions(self) -> Versions:
        """Which versions can meet."""
        return _validated(
            self._root / "versions.yml", (), Versions, self._documents.get("versions.yml"), trust=self._trust
        )

    def _list(self, name: str, shape: type[_M]) -> list[_M]:
        document, path = self._documents.get(name), self._root / name
        if name not in self._documents:
            raise CatalogError(f"{path} is missing", hint="put the file back, or install stackwise anew")
        if not isinstance(document, list):
            raise _wrong(path, (), "a list is expected")
        return [_validated(path, (number,), shape, entry, trust=self._trust) for number, entry in enumerate(document)]

    def check(self) -> None:
        """Look at every part of it. Raises CatalogError with the first fault."""
        lists = (self.categories, self.tradeoffs, self.rules, self.questions, self.verdicts, self.failures)
        for part in (*lists, self.causes, self.currencies, self.prices, self.versions.django):
            len(part)
        for name in self.components:
            self.components[name]

    @property
    def layers(self) -> tuple[Category, ...]:
        """The categories that are asked for, in the order of the walk; on the others stackwise only advises."""
        return tuple(category for category in self.categories.values() if category.answer)

    def component(self, name: str) -> Component:
        """Return the component with this id or alias. Raises UsageError that names the nearest one."""
        found = self.components.get(name) or self.components.called(name)
        if found is None:
            raise UsageError(f"the catalog has no component {name!r}", hint=nearest(name, self.components))
        return found

    def in_category(self, category: str, word: str) -> Component | None:
        """Return the component of a category with this id or alias; `none` may mean another one in each category."""
        return self.components.called(word, category)

    def options(self, category: str) -> tuple[Component, ...]:
        """Return the components of a category, those that stackwise installs first, then by name."""
        return tuple(sorted(self.components.of(category), key=lambda c: (not c.installable, c.name.lower())))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known word, or all of them where nothing is near and they are few."""
    import difflib  # noqa: PLC0415 - only a mistake needs it

    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1)
    if close:
        return f"did you mean {close[0]}?"
    few = 12
    return f"known: {', '.join(words)}" if len(words) <= few else "see them all: stackwise catalog list"


@functools.cache
def load_catalog(directory: Path | None = None) -> Catalog:
    """Read and check the catalog. Raises CatalogError with the file, the line and the field that is wrong."""
    root = directory or paths.catalog_dir()
    documents = files.kept(root)
    if documents is not None:
        return Catalog(root, documents, trust=True)
    # Taken before the files are read: one that is written meanwhile makes the copy old, and not wrong.
    mark = files.fingerprint(root)
    documents = files.read(root)
    catalog = Catalog(root, documents)
    catalog.check()
    files.keep(root, documents, mark)
    return catalog


def _component_documents(root: Path, documents: files.Documents) -> dict[str, tuple[Path, Any]]:
    """Return the components' documents by id; what the order of the walk needs of each is looked at here."""
    found: dict[str, tuple[Path, Any]] = {}
    for name, document in documents.items():
        if not name.startswith("components/"):
            continue
        path = root / name
        if not isinstance(document, dict) or not isinstance(document.get("categories"), list) or "id" not in document:
            _validated(path, (), Component, document)
        if document["id"] in found:
            raise _wrong(path, ("id",), f"the catalog has {document['id']!r} twice")
        found[document["id"]] = (path, document)
    return found


def _keyed(items: Iterable[Any]) -> dict[str, Any]:
    keyed: dict[str, Any] = {}
    for item in items:
        if item.id in keyed:
            raise CatalogError(f"the catalog has {item.id!r} twice", hint="give one of them another id")
        keyed[item.id] = item
    return keyed


def _validated(path: Path, place: tuple[str | int, ...], model: type[_M], entry: object, *, trust: bool = False) -> _M:
    try:
        return shapes.build(model, entry, trust=trust)
    except shapes.MisfitError:
        return _checked(path, place, model, entry)


def _checked(path: Path, place: tuple[str | int, ...], model: type[_M], entry: object) -> _M:
    from pydantic import ValidationError  # noqa: PLC0415 - only a mistake needs it

    try:
        return shapes.check(model, entry)
    except ValidationError as exc:
        # A key that is not known says more than the one that is missing because of it, and has a line.
        first = min(exc.errors(include_url=False), key=lambda fault: fault["type"] == "missing")
        raise _wrong(path, (*place, *first["loc"]), first["msg"]) from exc


def _wrong(path: Path, where: tuple[str | int, ...], message: str) -> CatalogError:
    field = ".".join(str(part) for part in where)
    place = f"{path}:{files.line_of(path, where)}"
    hint = "mend it, then: stackwise catalog list; every field is in `stackwise schema component`"
    return CatalogError(f"{place}: {field}: {message}" if field else f"{place}: {message}", hint=hint)
