"""What a team answered: the file, `--set`, what the scan found and the defaults, in one precedence."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackwise.answers.check import Places, meaning_faults, shape_faults
from stackwise.answers.document import Document, flatten
from stackwise.catalog import Catalog
from stackwise.catalog.model import Category
from stackwise.errors import AnswersError

__all__ = ["Answers", "Choices", "Origin", "answers_text", "choose", "load_answers", "parse_answers"]

Origin = str


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered, by dotted key: `given` on the command line or in the TUI, `written` in the file."""

    path: Path
    written: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder of the answers file; relative paths in it start there."""
        return self.path.resolve().parent


@dataclass(frozen=True, slots=True)
class Choices:
    """Every answer, whoever gave it: the value by dotted key, and where it came from."""

    values: Mapping[str, Any]
    origins: Mapping[str, Origin]
    folder: Path

    def __getitem__(self, key: str) -> Any:
        """Return the answer to a dotted key. Raises KeyError."""
        return self.values[key]

    def get(self, key: str, default: Any = None) -> Any:
        """Return the answer to a dotted key, or `default`."""
        return self.values.get(key, default)

    def under(self, prefix: str) -> dict[str, Any]:
        """Return the answers below `prefix`, without it: `under("secrets")`."""
        start = f"{prefix}."
        return {key.removeprefix(start): value for key, value in self.values.items() if key.startswith(start)}

    def components(self, answer: str) -> tuple[str, ...]:
        """Return the component ids chosen under an answer key such as `stack.cache`."""
        value = self.values.get(answer)
        if value is None:
            return ()
        return tuple(value) if isinstance(value, list | tuple) else (value,)


def load_answers(path: Path, catalog: Catalog, overrides: Mapping[str, Any] | None = None) -> Answers:
    """Read and check an answers file, `overrides` (dotted keys, from `--set`) included.

    Raises AnswersError with every fault at once.
    """
    return checked(Document.read(path), path, catalog, overrides)


def parse_answers(text: str, path: Path, catalog: Catalog) -> Answers:
    """Check answers that are not written to `path` yet. Raises AnswersError."""
    return checked(Document.parse(text, str(path)), path, catalog)


def checked(document: Document, path: Path, catalog: Catalog, overrides: Mapping[str, Any] | None = None) -> Answers:
    """Return the answers of a document that has no fault. Raises AnswersError with every fault at once."""
    given = dict(overrides or {})
    places = Places(document, given)
    faults = list(shape_faults(_merge(document.plain(), given), places))
    sound = _merge(document.plain(), given)
    for fault in faults:
        # What has the wrong shape can't be asked for its meaning.
        _drop(sound, fault.key.split("."))
    faults += meaning_faults(sound, catalog, places)
    if faults:
        raise AnswersError(tuple(sorted(faults, key=lambda fault: (fault.line, fault.column))))
    return Answers(path, dict(flatten(document.plain())), given)


def answers_text(answers: Answers) -> str:
    """Return the answers as a file that says the same: what was given on the command line is written into it."""
    document = Document.read(answers.path)
    for key, value in answers.given.items():
        document.change(key, value)
    return document.text()


def choose(answers: Answers, scanned: Mapping[str, Any], catalog: Catalog) -> Choices:
    """Return every answer.

    The precedence, said once: what was given, what is written, what was scanned, the defaults.
    """
    layers: dict[Origin, Mapping[str, Any]] = {
        "given": answers.given,
        "written": answers.written,
        "scanned": scanned,
        "default": _defaults(catalog),
    }
    values = dict(ChainMap(*(dict(layer) for layer in layers.values())))
    for category in catalog.layers:
        values[category.answer] = _ids(values[category.answer], category, catalog)
    values |= _usual_at(values["hosting.provider"], layers, catalog)
    origins = {key: next(name for name, layer in layers.items() if key in layer) for key in values}
    return Choices(values, origins, answers.folder)


def _usual_at(provider: str, layers: Mapping[Origin, Mapping[str, Any]], catalog: Catalog) -> dict[str, Any]:
    """Return region and size of a provider where nobody answered them: its first ones, for another's are not there."""
    offer = catalog.components[provider].offer if provider in catalog.components else None
    answered = {key for origin, layer in layers.items() if origin != "default" for key in layer}
    usual = {
        "hosting.region": [*offer.locations] if offer else [],
        "hosting.size": [size.id for size in offer.sizes] if offer else [],
    }
    return {key: names[0] for key, names in usual.items() if names and key not in answered}


def _ids(value: Any, category: Category, catalog: Catalog) -> Any:
    """Replace aliases by ids. A word that is no component stays as it is; `check` has said so already."""
    words = list(value) if isinstance(value, list | tuple) else [value]
    found = [catalog.in_category(category.id, word) for word in words]
    ids = [component.id if component else word for component, word in zip(found, words, strict=True)]
    return ids if category.multiple else ids[0]


def _defaults(catalog: Catalog) -> dict[str, Any]:
    components = {category.answer: category.default for category in catalog.layers}
    questions = {key: question.default for key, question in catalog.questions.items() if question.default is not None}
    return {**components, **questions}


def _merge(data: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in given.items():
        *parents, last = key.split(".")
        node = data
        for parent in parents:
            below = node.setdefault(parent, {})
            if not isinstance(below, dict):
                # The file has a plain value where the override needs pairs; keep it, and the model will say what is
                # wrong.
                break
            node = below
        else:
            node[last] = value
    return data


def _drop(data: dict[str, Any], path: list[str]) -> None:
    *parents, last = path
    for parent in parents:
        below = data.get(parent)
        if not isinstance(below, dict):
            return
        data = below
    data.pop(last, None)
