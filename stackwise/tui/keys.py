"""Every key of the walk with what it does, and keys of one's own: checked, so that none is lost by a mistake."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, KEY_TO_UNICODE_NAME, Keys
from textual.screen import Screen

from stackwise.catalog import nearest
from stackwise.tui import screens, widgets

_MODIFIERS = {"ctrl", "shift", "alt", "super", "hyper", "meta"}
# What Textual itself does everywhere.
_TEXTUALS = {"ctrl+p": "the palette of all actions", "ctrl+c": "to copy, and to stop a run"}
_SHOWN_FIRST = ("walk", "start", "step")


@dataclass(slots=True)
class Known:
    """Something that a key does: its id, its keys, what it is, and the screens or widgets that have it."""

    id: str
    keys: tuple[str, ...]
    does: str
    where: set[type[DOMNode]] = field(default_factory=set)


def known_keys() -> dict[str, Known]:
    """Return everything that a key of ours does, by id, as it is without changes."""
    # A class is known once its module is loaded, and most are not before their screen is shown.
    for package in (screens, widgets):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found: dict[str, Known] = {}
    for kind in _kinds():
        for binding in kind.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id:
                does = binding.tooltip or binding.description
                known = found.setdefault(binding.id, Known(binding.id, _long(binding.key), does))
                known.where.add(kind)
    return dict(sorted(found.items(), key=lambda pair: (_place(pair[0]), pair[0])))


def _place(name: str) -> int:
    group = name.partition(".")[0]
    return _SHOWN_FIRST.index(group) if group in _SHOWN_FIRST else len(_SHOWN_FIRST)


def _kinds() -> Iterator[type[DOMNode]]:
    waiting: list[type[DOMNode]] = [DOMNode]
    seen: set[type[DOMNode]] = set()
    while waiting:
        kind = waiting.pop()
        if kind not in seen:
            seen.add(kind)
            waiting += kind.__subclasses__()
            if kind.__module__.startswith("stackwise."):
                yield kind


def checked(wanted: Mapping[str, str], known: Mapping[str, Known]) -> tuple[dict[str, str], list[str]]:
    """Return the keys that can be taken, by id, and a line for each that cannot, with what to write instead."""
    taken: dict[str, str] = {}
    said: list[str] = []
    for name, keys in wanted.items():
        if name not in known:
            near = nearest(name, known)
            said.append(f"{name}: no such id; {near if near.startswith('did') else 'all ids: the palette, Keys'}")
        elif wrong := next((key for key in keys.split(",") if not _is_key(key.strip())), None):
            said.append(f"{name}: {wrong.strip() or 'nothing'} is no key; for example f5, ctrl+t or question_mark")
        else:
            taken[name] = ",".join(_long(keys))
    for name, key, other in list(_clashes(taken, known)):
        if taken.pop(name, None) is not None:
            said.append(f"{name}: {key} is {other} already; give one of them another key")
    return taken, said


def _clashes(taken: Mapping[str, str], known: Mapping[str, Known]) -> Iterator[tuple[str, str, str]]:
    """Yield the id, the key and the other id, for each changed key that does something else in the same place."""
    now = {name: set(taken[name].split(",")) if name in taken else set(it.keys) for name, it in known.items()}
    for name in taken:
        yield from ((name, key, use) for key, use in _TEXTUALS.items() if key in now[name])
        for other, keys in now.items():
            if other != name and _meet(known[name], known[other]):
                yield from ((name, key, other) for key in sorted(now[name] & keys))


def _meet(one: Known, other: Known) -> bool:
    """Whether both can be wanted at the same time: one screen has both, or one of them is there everywhere."""
    everywhere = any(known.id.startswith("walk.") for known in (one, other))
    shown = [kind for kind in _kinds() if issubclass(kind, Screen)]
    return everywhere or any(_has(screen, one) and _has(screen, other) for screen in [*shown, *one.where, *other.where])


def _has(kind: type[DOMNode], known: Known) -> bool:
    return any(issubclass(kind, where) for where in known.where)


def _long(keys: str) -> tuple[str, ...]:
    """Return keys by the names that Textual gives them: `?` is question_mark."""
    return tuple(binding.key for binding in Binding.make_bindings([Binding(keys, "")]))


def _is_key(key: str) -> bool:
    *modifiers, last = key.split("+")
    names = {str(name.value) for name in Keys} | {*KEY_TO_UNICODE_NAME, *KEY_NAME_REPLACEMENTS.values()}
    return set(modifiers) <= _MODIFIERS and (len(last) == 1 or bool({key, last} & names))
