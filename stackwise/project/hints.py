"""What the code tells of its own speed, as far as it can be seen without running it.

A hint is given where the evidence is in the code itself, with its place; what is not seen is not said.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stackwise.errors import ProjectError
from stackwise.project import layout
from stackwise.project.source import read_python, read_text, relative

_RELATIONS = frozenset({"ForeignKey", "OneToOneField"})
_UPLOADS = frozenset({"FileField", "ImageField"})
_INDEXED = frozenset({"AutoField", "BigAutoField", "SlugField", "UUIDField"}) | _RELATIONS
_LISTING = frozenset({"all", "filter", "exclude", "order_by"})
# What brings the relations along, or brings no rows whose relations a template could read.
_ENOUGH = frozenset(
    {"select_related", "prefetch_related", "values", "values_list", "only", "count", "exists", "get", "first", "last"}
    | {"aggregate", "update", "delete", "in_bulk", "iterator"}
)
_CACHING = frozenset(
    {"cache_page", "cache_control", "UpdateCacheMiddleware", "get_or_set", "cached_property_from_cache"}
)
# A module without any of these words has nothing to tell, and need not be read closely.
_TELLING = re.compile(r"models\.|\bobjects\b|cache_page|UpdateCacheMiddleware|get_or_set|cache_control")
# A project with more templates or modules than this is looked at as far as this.
_MOST_FILES = 2000


@dataclass(slots=True)
class _Model:
    relations: set[str] = field(default_factory=set)
    plain: set[str] = field(default_factory=set)
    uploads: bool = False


def find_hints(root: Path, files: Sequence[Path], templates: object, place: str) -> dict[str, str]:
    """Return the hints by name, each with its place. `templates` is the setting TEMPLATES, where it is known."""
    trees = list(_trees(root, files))
    if not trees:
        return {}
    models = {name: model for _, tree in trees for name, model in _models(tree)}
    found: dict[str, str] = {}
    if _loads_uncached(templates):
        found["uncached"] = place
    if any(model.uploads for model in models.values()):
        found["uploads"] = "yes"
    if any(_names(tree) & _CACHING for _, tree in trees):
        found["caches"] = "yes"
    read = _read_in_templates(root)
    for path, tree in trees:
        for call, model in _queries(tree, models):
            lists = bool(_calls(call) & _LISTING) and not _calls(call) & _ENOUGH
            if models[model].relations & read and "queries" not in found and lists:
                found["queries"] = f"{relative(path, root)}:{call.lineno}"
            if _fields_in(call) & models[model].plain and "unindexed" not in found:
                name = sorted(_fields_in(call) & models[model].plain)[0]
                found["unindexed"] = f"{relative(path, root)}:{call.lineno} ({model}.{name})"
    return found


def _trees(root: Path, files: Sequence[Path]) -> Iterator[tuple[Path, ast.Module]]:
    for path in files[:_MOST_FILES]:
        # What no visitor waits for does not count.
        if {"migrations", "tests", "management"} & set(path.parts) or path.name.startswith("test"):
            continue
        try:
            if _TELLING.search(read_text(path, root)):
                yield path, read_python(path, root)
        except (ProjectError, OSError):
            continue


def _models(tree: ast.Module) -> Iterator[tuple[str, _Model]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("Model" in ast.unparse(base) for base in node.bases):
            yield node.name, _model(node)


def _model(node: ast.ClassDef) -> _Model:
    model = _Model()
    indexed = _indexed_in_meta(node)
    for statement in node.body:
        if not (isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)):
            continue
        kind = ast.unparse(statement.value.func).rpartition(".")[2]
        name = ast.unparse(statement.targets[0])
        model.uploads |= kind in _UPLOADS
        if kind in _RELATIONS:
            model.relations.add(name)
        elif kind.endswith("Field") and kind not in _INDEXED and name not in indexed:
            on = {word.arg for word in statement.value.keywords if ast.unparse(word.value) == "True"}
            if not on & {"db_index", "unique", "primary_key"}:
                model.plain.add(name)
    return model


def _indexed_in_meta(node: ast.ClassDef) -> set[str]:
    """Return the fields that the class Meta names in its indexes and constraints."""
    meta = [inner for inner in node.body if isinstance(inner, ast.ClassDef) and inner.name == "Meta"]
    named = ("indexes", "constraints", "unique_together", "index_together")
    lists = [s for m in meta for s in m.body if isinstance(s, ast.Assign) and ast.unparse(s.targets[0]) in named]
    words = (inner.value for s in lists for inner in ast.walk(s) if isinstance(inner, ast.Constant))
    return {word.lstrip("-") for word in words if isinstance(word, str)}


def _queries(tree: ast.Module, models: dict[str, _Model]) -> Iterator[tuple[ast.Call, str]]:
    """Yield the outermost call of each chain that begins with `Model.objects`, and the model's name."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in inner:
            chain = list(_chain(node))
            inner |= {id(part) for part in chain}
            last = chain[-1]
            if (
                isinstance(last, ast.Name)
                and last.id in models
                and any(isinstance(part, ast.Attribute) and part.attr == "objects" for part in chain)
            ):
                yield node, last.id


def _chain(node: ast.expr) -> Iterator[ast.expr]:
    while True:
        yield node
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            node = node.value
        else:
            return


def _calls(call: ast.Call) -> set[str]:
    return {part.attr for part in _chain(call) if isinstance(part, ast.Attribute)}


def _fields_in(call: ast.Call) -> set[str]:
    """Return the fields that a chain filters or orders by, at the first level."""
    found: set[str] = set()
    for part in _chain(call):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            if part.func.attr in ("filter", "exclude", "get"):
                found |= {(word.arg or "").partition("__")[0] for word in part.keywords}
            elif part.func.attr == "order_by":
                words = (argument.value for argument in part.args if isinstance(argument, ast.Constant))
                found |= {word.lstrip("-") for word in words if isinstance(word, str)}
    return found


def _names(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }


def _read_in_templates(root: Path) -> set[str]:
    """Return the names that templates read of the rows of a loop: `author`, where a row is `post.author`."""
    found: set[str] = set()
    for path in layout.template_files(root)[:_MOST_FILES]:
        text = read_text(path, root)
        for row in re.findall(r"{%-?\s*for\s+(\w+)\s+in", text):
            found |= set(re.findall(rf"{{[{{%][^}}]*\b{row}\.(\w+)", text))
    return found


def _loads_uncached(templates: object) -> bool:
    """Whether TEMPLATES names its loaders and the cached one is not among them."""
    engines = templates if isinstance(templates, list | tuple) else ()
    options = [
        engine["OPTIONS"] for engine in engines if isinstance(engine, dict) and isinstance(engine.get("OPTIONS"), dict)
    ]
    return any("loaders" in option and "cached.Loader" not in str(option["loaders"]) for option in options)
