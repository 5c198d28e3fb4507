"""Every fault of a set of answers, each with its place, what is known, and the nearest right word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from stackwise import shapes
from stackwise.answers.document import Document, flatten
from stackwise.answers.model import AnswersFile
from stackwise.catalog import Catalog, nearest
from stackwise.catalog.model import Category, Question
from stackwise.errors import Fault

Path = tuple[str | int, ...]

# Warnings that come from the table of versions and not from a rule (`stackwise.advice.versions`).
FORESEEN = ("django-and-python", "django-out-of-support")

# Pydantic's kinds of error in our words; the value itself is never repeated, it may be a secret in the wrong place.
_MESSAGES = {
    "missing": "this key is missing",
    "string_type": "text is expected here",
    "int_type": "a whole number is expected here",
    "bool_type": "true or false is expected here",
    "list_type": "a list is expected here",
    "dict_type": "`key: value` pairs are expected here",
    "dataclass_type": "`key: value` pairs are expected here",
    "literal_error": "this file has another schema than this version of stackwise reads (1)",
}


class Places:
    """Where each answer came from: a line of the file, or the command line."""

    def __init__(self, document: Document, overrides: Mapping[str, Any]) -> None:
        """Look places up in `document`, except for the keys in `overrides`."""
        self._document = document
        self._overrides = overrides

    def fault(self, path: Path, message: str, hint: str = "") -> Fault:
        """Return a fault at `path`."""
        dotted = ".".join(str(part) for part in path)
        for key in self._overrides:
            if dotted == key or dotted.startswith(f"{key}."):
                return Fault(f"--set {key}", 0, 0, message, hint, dotted)
        line, column = self._document.place(path)
        return Fault(self._document.file, line, column, f"{dotted}: {message}" if dotted else message, hint, dotted)


def shape_faults(data: Mapping[str, Any], places: Places) -> Iterator[Fault]:
    """Yield what does not fit the model: unknown keys, wrong types, missing keys."""
    try:
        shapes.build(AnswersFile, data)
    except shapes.MisfitError:
        yield from _misfits(data, places)


def _misfits(data: Mapping[str, Any], places: Places) -> Iterator[Fault]:
    from pydantic import ValidationError  # noqa: PLC0415 - only a mistake needs it

    try:
        shapes.check(AnswersFile, data)
    except ValidationError as exc:
        seen: set[Path] = set()
        for error in exc.errors(include_url=False, include_input=False):
            path = _known_part(error["loc"], data)
            if path not in seen:
                seen.add(path)
                yield places.fault(path, *_words(error["type"], path, str(error["msg"])))


def meaning_faults(data: Mapping[str, Any], catalog: Catalog, places: Places) -> Iterator[Fault]:
    """Yield what has the right shape and the wrong value: limits, patterns, things that do not exist."""
    by_key = {category.answer: category for category in catalog.layers}
    for key, value in flatten(data):
        path = tuple(key.split("."))
        if key in by_key:
            yield from _component_faults(path, value, by_key[key], catalog, places)
        elif path[0] == "stack":
            known = [k.removeprefix("stack.") for k in by_key if k.startswith("stack.")]
            yield places.fault(path, "the stack has no such layer", nearest(path[-1], known))
        elif key in catalog.questions:
            yield from _value_faults(path, value, catalog.questions[key], places)
    yield from _option_faults(data.get("options", {}), catalog, places)
    yield from _accepted_faults(data.get("accepted", {}), catalog, places)
    yield from _server_faults(data.get("hosting", {}).get("servers") or {}, catalog, places)


def why_wrong(question: Question, value: object) -> str | None:
    """Return what is wrong with `value` as an answer to `question`, or None where it is right."""
    kinds: dict[str, type | tuple[type, ...]] = {"integer": int, "boolean": bool, "list": list}
    if not isinstance(value, kinds.get(question.type, str)) or (question.type == "integer" and isinstance(value, bool)):
        return {
            "integer": "a whole number is expected here",
            "boolean": "true or false is expected here",
            "list": "a list is expected here",
        }.get(question.type, "text is expected here")
    if isinstance(value, int) and not isinstance(value, bool):
        return _out_of_range(question, value)
    for item in value if isinstance(value, list) else [value]:
        if question.choices and item not in question.choices:
            return f"one of {', '.join(question.choices)} is expected here"
        if question.pattern and not re.fullmatch(question.pattern, str(item)):
            return f"not of the expected form; {question.ask.rstrip('?.').lower()}: for example {_example(question)}"
    return None


def _out_of_range(question: Question, value: int) -> str | None:
    unit = f" {question.unit}" if question.unit else ""
    if question.minimum is not None and value < question.minimum:
        return f"at least {question.minimum}{unit} is expected here"
    if question.maximum is not None and value > question.maximum:
        return f"at most {question.maximum}{unit} is expected here"
    return None


def _example(question: Question) -> str:
    default = question.example or question.default
    return str(default[0] if isinstance(default, list) and default else default)


def _words(kind: str, path: Path, message: str) -> tuple[str, str]:
    if kind == "unexpected_keyword_argument":
        return "this key is not known", nearest(str(path[-1]), _siblings(path))
    if kind == "string_pattern_mismatch" and path[:1] == ("secrets",):
        hint = "a secret never stands in this file; write generate, env:NAME, file:PATH or keyring:NAME"
        return "a reference is expected here, or a name in capitals", hint
    hint = "add `schema: 1` and `name: ...`, or start from: stackwise init" if kind == "missing" else ""
    return _MESSAGES.get(kind, message), hint


def _siblings(path: Path) -> list[str]:
    model: Any = AnswersFile
    for part in path[:-1]:
        model = get_type_hints(model).get(str(part))
        if not is_dataclass(model):
            return []
    return [field.name for field in fields(model)]


def _known_part(loc: Path, data: Mapping[str, Any]) -> Path:
    """Drop what pydantic appends to a place (the branch of a union, `[key]`) and the file does not have."""
    node: Any = data
    kept: list[str | int] = []
    for part in loc:
        inside = isinstance(node, Mapping) or (isinstance(node, list) and isinstance(part, int))
        if not inside or part == "[key]":
            break
        kept.append(part)
        node = node.get(part) if isinstance(node, Mapping) else node[part] if part < len(node) else None  # type: ignore[operator] # an int by the test above
    return tuple(kept)


def _component_faults(
    path: Path, value: object, category: Category, catalog: Catalog, places: Places
) -> Iterator[Fault]:
    ids = value if isinstance(value, list) else [value]
    if isinstance(value, list) and not category.multiple and len(value) != 1:
        yield places.fault(path, f"this layer takes one component, not {len(value)}")
        return
    for word in ids:
        if catalog.in_category(category.id, str(word)) is None:
            known = [component.id for component in catalog.options(category.id)]
            yield places.fault(path, f"{category.name} has no component {word!r}", nearest(str(word), known))


def _value_faults(path: Path, value: object, question: Question, places: Places) -> Iterator[Fault]:
    wrong = why_wrong(question, value)
    if wrong:
        near = nearest(str(value), question.choices) if question.choices and isinstance(value, str) else ""
        yield places.fault(path, wrong, near)


def _option_faults(options: Mapping[str, Any], catalog: Catalog, places: Places) -> Iterator[Fault]:
    for component, values in options.items():
        if component not in catalog.components:
            yield places.fault(
                ("options", component), "there is no such component", nearest(component, catalog.components)
            )
            continue
        questions = {question.id: question for question in catalog.components[component].questions}
        for name, value in values.items():
            path = ("options", component, name)
            if name not in questions:
                yield places.fault(path, f"{component} has no such option", nearest(name, questions))
            else:
                yield from _value_faults(path, value, questions[name], places)


def _accepted_faults(accepted: Mapping[str, str], catalog: Catalog, places: Places) -> Iterator[Fault]:
    warnings = {rule.id for rule in catalog.rules if rule.kind == "warning"} | set(FORESEEN)
    conflicts = {rule.id for rule in catalog.rules if rule.kind == "conflict"}
    for rule, reason in accepted.items():
        if rule in conflicts:
            yield places.fault(
                ("accepted", rule), "this is a conflict, and no reason makes it work", "see: stackwise advise"
            )
        elif rule not in warnings:
            yield places.fault(("accepted", rule), "there is no such warning", nearest(rule, warnings))
        elif not reason.strip():
            yield places.fault(("accepted", rule), "an accepted warning wants its reason, for those who come after you")


def _server_faults(servers: Mapping[str, int], catalog: Catalog, places: Places) -> Iterator[Fault]:
    groups = {category.group for category in catalog.layers if category.group}
    for group, count in servers.items():
        if group not in groups:
            yield places.fault(
                ("hosting", "servers", group), "there is no such group of servers", nearest(group, groups)
            )
        elif count < 1:
            message = "at least one server is expected here"
            yield places.fault(("hosting", "servers", group), message, "leave hosting.servers out")
