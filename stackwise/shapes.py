"""The shapes of files that people write: frozen dataclasses that say what a file may hold.

One definition serves three. `check` lets pydantic find what is wrong and say where, `build` makes the same objects from
what is right without loading pydantic, which takes as long as all the rest of a short command, and `json_schema` is
what editors read. `build` refuses whatever it is not sure of: then `check` has the word.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import types
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_T = TypeVar("_T")
_Converter = Callable[[Any], Any]


class MisfitError(ValueError):
    """The data does not have the shape, or may not have it."""


class Shape:
    """A frozen dataclass that refuses keys it does not know."""

    __slots__ = ()
    __pydantic_config__ = {"extra": "forbid", "hide_input_in_errors": True}  # noqa: RUF012 - pydantic asks for a dict


@dataclasses.dataclass(frozen=True, slots=True)
class Where:
    """What holds of a value beside its type: `Annotated[str, Where(pattern=...)]`. `check` raises ValueError."""

    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    strict: bool | None = None
    """Whether no value of another type is bent into this one; `build` never does that."""
    check: Callable[[Any], None] | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Tell pydantic the same."""
        from pydantic_core import core_schema  # noqa: PLC0415 - pydantic is there where it asks

        names = ("pattern", "min_length", "max_length", "ge", "gt", "le", "strict")
        said = {name: value for name in names if (value := getattr(self, name)) is not None}
        schema = {**handler(source), **said}
        return core_schema.no_info_after_validator_function(self._checked, schema) if self.check else schema

    def _checked(self, value: Any) -> Any:
        if self.check:
            self.check(value)
        return value

    def admits(self, value: Any) -> bool:
        """Whether it holds. Raises ValueError where `check` does."""
        self._checked(value)
        return not (
            (self.pattern is not None and not re.search(self.pattern, value))
            or (self.min_length is not None and len(value) < self.min_length)
            or (self.max_length is not None and len(value) > self.max_length)
            or (self.ge is not None and value < self.ge)
            or (self.gt is not None and value <= self.gt)
            or (self.le is not None and value > self.le)
        )


def said(description: str, **default: Any) -> Any:
    """Return a dataclass field with its meaning; `default` or `default_factory` as for dataclasses.field."""
    return dataclasses.field(metadata={"description": description}, **default)


def check(shape: Callable[..., _T], data: object) -> _T:
    """Return the object that `data` describes. Raises pydantic.ValidationError with every fault."""
    checked: _T = adapter(shape).validate_python(data)
    return checked


def json_schema(shape: type) -> dict[str, Any]:
    """Return the JSON Schema of a shape, for editors."""
    return adapter(shape).json_schema()


@functools.cache
def adapter(shape: Any) -> TypeAdapter[Any]:
    """Return what checks a shape."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - see the head of this module

    return TypeAdapter(shape)


def build(shape: Callable[..., _T], data: object, *, trust: bool = False) -> _T:
    """Return the object that `data` describes, without pydantic. Raises MisfitError where that is not certain.

    `trust` leaves out what `Where` says, for data that was checked before.
    """
    built: _T = _converter(shape, trust)(data)
    return built


@functools.cache
def _converter(hint: Any, trust: bool) -> _Converter:  # noqa: PLR0911 - one return a kind of type
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return functools.partial(_object, hint, trust)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        plain = _converter(arguments[0], trust)
        limits = tuple(limit for limit in arguments[1:] if isinstance(limit, Where))
        return plain if trust else functools.partial(_limited, plain, limits)
    if origin in (tuple, list):
        return functools.partial(_sequence, origin, _converter(arguments[0], trust))
    if origin is dict:
        return functools.partial(_mapping, _converter(arguments[0], trust), _converter(arguments[1], trust))
    if origin in (Union, types.UnionType):
        return functools.partial(_one_of, tuple(_converter(argument, trust) for argument in arguments))
    if origin is Literal:
        return functools.partial(_literal, arguments)
    return _plain[hint]


@functools.cache
def _parts(shape: type, trust: bool) -> tuple[dict[str, _Converter], frozenset[str]]:
    hints = get_type_hints(shape, include_extras=True)
    fields = dataclasses.fields(shape)
    missing = dataclasses.MISSING
    needed = (f.name for f in fields if f.default is missing and f.default_factory is missing)
    return {field.name: _converter(hints[field.name], trust) for field in fields}, frozenset(needed)


def _object(shape: type, trust: bool, data: Any) -> Any:
    converters, needed = _parts(shape, trust)
    _require(isinstance(data, dict) and needed <= data.keys() <= converters.keys())
    try:
        return shape(**{name: converters[name](value) for name, value in data.items()})
    except ValueError as exc:
        raise MisfitError from exc


def _limited(convert: _Converter, limits: tuple[Where, ...], data: Any) -> Any:
    value = convert(data)
    try:
        _require(all(limit.admits(value) for limit in limits))
    except ValueError as exc:
        raise MisfitError from exc
    return value


def _sequence(kind: Callable[[Any], Any], convert: _Converter, data: Any) -> Any:
    _require(isinstance(data, list | tuple))
    return kind(convert(item) for item in data)


def _mapping(key: _Converter, value: _Converter, data: Any) -> dict[Any, Any]:
    _require(isinstance(data, dict))
    return {key(k): value(v) for k, v in data.items()}


def _one_of(converters: tuple[_Converter, ...], data: Any) -> Any:
    for convert in converters:
        try:
            return convert(data)
        except MisfitError:
            continue
    raise MisfitError


def _literal(words: tuple[Any, ...], data: Any) -> Any:
    _require(data in words and type(data) in {type(word) for word in words})
    return data


def _of(*kinds: type) -> _Converter:
    def convert(data: Any) -> Any:
        _require(type(data) in kinds)
        return data

    return convert


def _date(data: Any) -> date:
    if isinstance(data, str):
        try:
            return date.fromisoformat(data)
        except ValueError as exc:
            raise MisfitError from exc
    _require(type(data) is date)
    return data  # type: ignore[no-any-return]


def _require(holds: object) -> None:
    if not holds:
        raise MisfitError


_plain: dict[Any, _Converter] = {
    str: _of(str),
    int: _of(int),
    float: _of(int, float),
    bool: _of(bool),
    type(None): _of(type(None)),
    date: _date,
    Any: lambda data: data,
}
