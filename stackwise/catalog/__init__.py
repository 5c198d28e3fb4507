"""The catalog: every component that can be chosen, with its trade-offs, rules and questions.

Pure data, read once from YAML files that people edit. `load_catalog()` reads and checks all of them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from stackwise import paths
from stackwise.catalog.model import Category, Component, Model, Question, Rule, Tradeoff
from stackwise.errors import CatalogError, UsageError

_M = TypeVar("_M", bound=Model)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All that can be chosen. The mappings keep the order of the walk."""

    categories: Mapping[str, Category]
    components: Mapping[str, Component]
    tradeoffs: Mapping[str, Tradeoff]
    rules: tuple[Rule, ...]
    questions: Mapping[str, Question]

    @property
    def layers(self) -> tuple[Category, ...]:
        """The categories that are asked for, in the order of the walk; on the others stackwise only advises."""
        return tuple(category for category in self.categories.values() if category.answer)

    def component(self, name: str) -> Component:
        """Return the component with this id or alias. Raises UsageError that names the nearest one."""
        found = self.components.get(name) or next((c for c in self.components.values() if name in c.aliases), None)
        if found is None:
            raise UsageError(f"the catalog has no component {name!r}", hint=nearest(name, self.components))
        return found

    def in_category(self, category: str, word: str) -> Component | None:
        """Return the component of a category with this id or alias; `none` may mean another one in each category."""
        return next((c for c in self.options(category) if word == c.id or word in c.aliases), None)

    def options(self, category: str) -> tuple[Component, ...]:
        """Return the components of a category, those that stackwise installs first, then by name."""
        members = [c for c in self.components.values() if category in c.categories]
        return tuple(sorted(members, key=lambda c: (not c.installable, c.name.lower())))


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
    """Read and check the catalog. Raises CatalogError with the file and the field that is wrong."""
    root = directory or paths.catalog_dir()
    categories = _keyed(_read_list(root / "categories.yml", Category))
    components = _keyed(_read_one(path, Component) for path in sorted(root.glob("components/*/*.yml")))
    position = {category: place for place, category in enumerate(categories)}
    ordered = sorted(components.values(), key=lambda c: (min(position.get(g, 99) for g in c.categories), c.id))
    return Catalog(
        categories=categories,
        components={c.id: c for c in ordered},
        tradeoffs=_keyed(_read_list(root / "tradeoffs.yml", Tradeoff)),
        rules=tuple(rule for path in sorted(root.glob("rules/*.yml")) for rule in _read_list(path, Rule)),
        questions=_keyed(_read_list(root / "questions.yml", Question)),
    )


def _keyed(items: Iterable[Any]) -> dict[str, Any]:
    keyed: dict[str, Any] = {}
    for item in items:
        if item.id in keyed:
            raise CatalogError(f"the catalog has {item.id!r} twice")
        keyed[item.id] = item
    return keyed


def _read_list(path: Path, model: type[_M]) -> list[_M]:
    document = _load(path)
    if not isinstance(document, list):
        raise CatalogError(f"{path}: a list is expected")
    return [_validated(path, model, entry) for entry in document]


def _read_one(path: Path, model: type[_M]) -> _M:
    return _validated(path, model, _load(path))


def _load(path: Path) -> Any:
    # The C loader reads the whole catalog in a fraction of the pure Python one's time; libyaml comes with every PyYAML
    # wheel.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - both are safe loaders
    except (OSError, yaml.YAMLError) as exc:
        raise CatalogError(f"{path}: {exc}") from exc


def _validated(path: Path, model: type[_M], entry: object) -> _M:
    try:
        return model.model_validate(entry)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CatalogError(f"{path}: {where}: {first['msg']}") from exc
