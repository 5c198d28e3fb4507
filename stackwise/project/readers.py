"""The libraries that read environment variables in settings, and what each makes of a variable's text.

What a library does was read in its source: python-decouple 3.8, django-environ 0.14, environs 15, dj-database-url 3,
django-configurations 2.5. Where a library would fail on a text, the answer is UNKNOWN.
"""

from __future__ import annotations

import ast
import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePosixPath
from shlex import shlex
from typing import Final, Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

Reader = Literal["os.environ", "django-environ", "environs", "decouple", "dj-database-url", "django-configurations"]
Caller = Callable[[object, str], object]


class _Unknown(Enum):
    UNKNOWN = "unknown"


# What cannot be said without running the project's code. A member of an enum: a copy of it is still the same.
UNKNOWN: Final = _Unknown.UNKNOWN


class Missing(Exception):  # noqa: N818 - a signal inside this package, not an error of the user
    """A required variable is not set: the settings module would not import."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Something of a library, or a builtin, by its dotted name."""

    name: str


@dataclass(frozen=True, slots=True)
class Read:
    """One reading of a variable. `cast` names what it becomes; `through` is what the project gave to make it."""

    name: str
    reader: Reader
    cast: str
    required: bool
    default: object
    through: object = None


@dataclass(frozen=True, slots=True)
class Environment:
    """An `Env(...)` object of django-environ or environs."""

    reader: Reader
    scheme: dict[str, object] = field(default_factory=dict)
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Decouple:
    """`config` of python-decouple."""


@dataclass(frozen=True, slots=True)
class Csv:
    """`Csv(...)` of python-decouple."""

    delimiter: str = ","
    post_process: str = "list"
    plain: bool = True


_NO_DEFAULT: Final = object()
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})
_ENVIRON_TRUE = frozenset({"true", "on", "ok", "y", "yes", "1"})
_CASTS = {
    "bool": "bool",
    "int": "int",
    "float": "float",
    "str": "str",
    "list": "list",
    "tuple": "tuple",
    "dict": "dict",
    "json.loads": "json",
    "pathlib.Path": "path",
    "dj_database_url.parse": "db-url",
    "decouple.Csv": "csv",
    "distutils.util.strtobool": "strtobool",
}
_ENV_METHODS = {
    "str": "str",
    "bool": "bool",
    "int": "int",
    "float": "float",
    "list": "list",
    "tuple": "tuple",
    "dict": "dict",
    "json": "json",
    "path": "path",
    "url": "url",
    "db": "db-url",
    "db_url": "db-url",
    "dj_db_url": "db-url",
    "cache": "cache-url",
    "cache_url": "cache-url",
    "dj_cache_url": "cache-url",
    "email": "email-url",
    "email_url": "email-url",
    "dj_email_url": "email-url",
    "search_url": "search-url",
}
_DEFAULT_NAMES = {
    "db-url": "DATABASE_URL",
    "cache-url": "CACHE_URL",
    "email-url": "EMAIL_URL",
    "search-url": "SEARCH_URL",
}
_CONFIGURATION_CASTS = {
    "BooleanValue": "configured-bool",
    "ListValue": "configured-list",
    "TupleValue": "configured-tuple",
    "SetValue": "configured-list",
    "BackendsValue": "configured-list",
    "IntegerValue": "int",
    "PositiveIntegerValue": "int",
    "FloatValue": "float",
    "DictValue": "literal",
    "DatabaseURLValue": "db-url-aliases",
    "CacheURLValue": "cache-url-aliases",
    "EmailURLValue": "email-url",
    "Value": "str",
    "SecretValue": "str",
    "PathValue": "path",
}
_CONFIGURATION_NAMES = {"DatabaseURLValue": "DATABASE_URL", "CacheURLValue": "CACHE_URL", "EmailURLValue": "EMAIL_URL"}


def plain(name: str) -> Read:
    """Return the reading of `os.environ[name]`."""
    return Read(name, "os.environ", "str", required=True, default=None)


def function(  # noqa: C901, PLR0911 - a table of the library functions, one line or two for each
    name: str, arguments: list[object], named: dict[str, object]
) -> object:
    """Return what calling the library function `name` means: a Read, an object of a reader, or UNKNOWN."""
    if name in {"os.environ.get", "os.getenv", "os.environ.setdefault", "os.environ.pop"}:
        default = _argument(arguments, named, 1, "default", None)
        return _reading(arguments[0], "os.environ", "str", default, required=False)
    if name in {"environ.Env", "environ.FileAwareEnv"}:
        return Environment("django-environ", named, "")
    if name in {"environs.Env", "environs.env"}:
        return Environment("environs", {}, str(named.get("prefix") or ""))
    if name in {"decouple.config", "decouple.Config", "decouple.AutoConfig"}:
        return _decouple(arguments, named) if name == "decouple.config" else Decouple()
    if name == "decouple.Csv":
        return _csv(arguments, named)
    if name == "dj_database_url.config":
        variable = _argument(arguments, named, 0, "env", "DATABASE_URL")
        default = _argument(arguments, named, 1, "default", None)
        return _reading(variable, "dj-database-url", "db-url", default, required=False)
    if name == "dj_database_url.parse" and isinstance(arguments[0], str):
        return database_from_url(arguments[0])
    if name in {"distutils.util.strtobool", "setuptools.distutils.util.strtobool"} and isinstance(arguments[0], str):
        return int(_truth(arguments[0]))
    if name.startswith("environs.env."):
        return method(Environment("environs"), name.removeprefix("environs.env."), arguments, named)
    if name.startswith("configurations.values."):
        return _configured(name.removeprefix("configurations.values."), arguments, named)
    return UNKNOWN


def method(owner: object, name: str, arguments: list[object], named: dict[str, object]) -> object:
    """Return the Read that calling a method of an environment object means, or UNKNOWN."""
    if isinstance(owner, Decouple) and name == "get":
        return _decouple(arguments, named)
    if not isinstance(owner, Environment) or name not in _ENV_METHODS:
        return UNKNOWN
    cast = _ENV_METHODS[name]
    variable = _argument(arguments, named, 0, "var", _DEFAULT_NAMES.get(cast, UNKNOWN))
    variable = named.get("name", variable)
    default = named.get("default", _second(owner, name, arguments))
    if name in {"list", "tuple"} and (named.get("cast") or named.get("subcast")) not in (None, Reference("str")):
        cast = "other"
    return _reading(_prefixed(owner, variable), owner.reader, cast, default, required=default is _NO_DEFAULT)


def _second(owner: Environment, name: str, arguments: list[object]) -> object:
    """Return a default given by position: third in django-environ's `list(var, cast, default)`, else second."""
    index = 2 if owner.reader == "django-environ" and name in {"list", "tuple", "dict"} else 1
    return arguments[index] if len(arguments) > index else _NO_DEFAULT


def called(owner: object, arguments: list[object], named: dict[str, object]) -> object:
    """Return the Read that calling an environment object itself means (`env("NAME")`, `config("NAME")`), or UNKNOWN."""
    if isinstance(owner, Decouple):
        return _decouple(arguments, named)
    if not isinstance(owner, Environment):
        return UNKNOWN
    variable = _prefixed(owner, _argument(arguments, named, 0, "var", UNKNOWN))
    if owner.reader == "environs":
        default = _argument(arguments, named, 1, "default", _NO_DEFAULT)
        return _reading(variable, "environs", "str", default, required=default is _NO_DEFAULT)
    cast, default = _scheme(owner, variable)
    cast = _argument(arguments, named, 1, "cast", cast)
    default = _argument(arguments, named, 2, "default", default)
    required = default is _NO_DEFAULT
    if cast is None and not required and default is not None:
        cast = Reference(type(default).__name__)  # django-environ's "smart cast"
    return _reading(variable, "django-environ", _cast_name(cast), default, required=required, through=cast)


def _scheme(owner: Environment, variable: object) -> tuple[object, object]:
    """Return cast and default that `Env(NAME=(cast, default))` gives a variable."""
    known = owner.scheme.get(str(variable), None)
    if isinstance(known, tuple) and len(known) == 2:  # noqa: PLR2004 - a pair
        return known[0], known[1]
    return known, _NO_DEFAULT


def _decouple(arguments: list[object], named: dict[str, object]) -> object:
    variable = _argument(arguments, named, 0, "option", UNKNOWN)
    default = _argument(arguments, named, 1, "default", _NO_DEFAULT)
    cast = _argument(arguments, named, 2, "cast", None)
    return _reading(variable, "decouple", _cast_name(cast), default, required=default is _NO_DEFAULT, through=cast)


def _csv(arguments: list[object], named: dict[str, object]) -> Csv:
    cast = _argument(arguments, named, 0, "cast", Reference("str"))
    post = _argument(arguments, named, 3, "post_process", Reference("list"))
    delimiter = str(_argument(arguments, named, 1, "delimiter", ","))
    plain_text = cast == Reference("str") and "strip" not in named and isinstance(post, Reference)
    return Csv(delimiter, post.name if isinstance(post, Reference) else "", plain_text)


def _configured(kind: str, arguments: list[object], named: dict[str, object]) -> object:
    """Return the Read of a `values.*Value` of django-configurations; `setting_name` was added on reading the class."""
    if kind not in _CONFIGURATION_CASTS or "setting_name" not in named or named.get("environ") is False:
        return UNKNOWN
    default = _argument(arguments, named, 0, "default", None)
    name = str(named.get("environ_name") or _CONFIGURATION_NAMES.get(kind) or named["setting_name"])
    prefix = named.get("environ_prefix", None if kind in _CONFIGURATION_NAMES else "DJANGO")
    full = f"{str(prefix).rstrip('_')}_{name}" if prefix else name
    required = kind == "SecretValue" or named.get("environ_required") is True
    cast = _CONFIGURATION_CASTS[kind] if "separator" not in named and "converter" not in named else "other"
    return _reading(full, "django-configurations", cast, default, required=required)


def _reading(  # noqa: PLR0913 - the fields of a Read
    variable: object, reader: Reader, cast: str, default: object, *, required: bool, through: object = None
) -> object:
    if not isinstance(variable, str):
        return UNKNOWN
    return Read(variable, reader, cast, required, None if required else default, through)


def _argument(arguments: list[object], named: dict[str, object], index: int, name: str, otherwise: object) -> object:
    return arguments[index] if len(arguments) > index else named.get(name, otherwise)


def _prefixed(owner: Environment, variable: object) -> object:
    return f"{owner.prefix}{variable}" if isinstance(variable, str) else UNKNOWN


def _cast_name(cast: object) -> str:
    if cast is None:
        return "str"
    if isinstance(cast, Csv):
        return "csv" if cast.plain else "other"
    return _CASTS.get(cast.name, "other") if isinstance(cast, Reference) else "other"


def convert(read: Read, environ: Mapping[str, str], call: Caller) -> object:
    """Return what the project gets for `read` when exactly `environ` is set.

    Raises Missing when the settings could not be imported.
    """
    if read.name not in environ:
        if read.required:
            raise Missing(read.name)
        return _converted_default(read, call)
    text = str(environ[read.name])
    if read.cast == "other":
        return call(read.through, text) if read.through is not None else UNKNOWN
    if read.cast == "csv":
        return _split_csv(text, read.through if isinstance(read.through, Csv) else Csv())
    try:
        return _converted(text, read)
    except (ValueError, SyntaxError):
        return UNKNOWN


def _converted_default(read: Read, call: Caller) -> object:
    """Return the default as the library does it: decouple casts it, dj-database-url parses it, the rest leave it."""
    default = read.default
    if isinstance(default, str) and (read.cast in {"db-url", "db-url-aliases", "csv"} or read.reader == "decouple"):
        return convert(Read(read.name, read.reader, read.cast, False, None, read.through), {read.name: default}, call)
    if read.cast == "db-url" and not default:
        return {}
    return default


def _converted(text: str, read: Read) -> object:  # noqa: C901, PLR0911 - one answer for each kind of value
    match read.cast:
        case "str" | "path":
            return PurePosixPath(text) if read.cast == "path" else text
        case "bool":
            return _boolean(text, read.reader)
        case "strtobool":
            return int(_truth(text))
        case "configured-bool":
            return _configured_boolean(text)
        case "int" | "float":
            return int(text) if read.cast == "int" else float(text)
        case "list" | "tuple":
            return _sequence(text, read)
        case "configured-list" | "configured-tuple":
            parts = [part.strip() for part in text.strip().split(",") if part.strip()]
            return parts if read.cast == "configured-list" else tuple(parts)
        case "json":
            return json.loads(text)
        case "literal":
            return ast.literal_eval(text)
        case "db-url":
            return database_from_url(text)
        case "db-url-aliases":
            return {"default": database_from_url(text)}
        case _:
            return UNKNOWN


def _boolean(text: str, reader: Reader) -> bool:
    if reader == "django-environ":
        try:
            return int(text) != 0
        except ValueError:
            return text.lower().strip() in _ENVIRON_TRUE
    return bool(text) if text == "" and reader == "decouple" else _truth(text)


def _truth(text: str) -> bool:
    lowered = text.lower()
    if lowered not in _TRUE | _FALSE:
        raise ValueError(text)
    return lowered in _TRUE


def _configured_boolean(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered not in {"yes", "y", "true", "1", "no", "n", "false", "0", ""}:
        raise ValueError(text)
    return lowered in {"yes", "y", "true", "1"}


def _sequence(text: str, read: Read) -> object:
    if read.reader == "decouple":
        return list(text) if read.cast == "list" else tuple(text)
    inner = text.strip("(").strip(")") if read.cast == "tuple" and read.reader == "django-environ" else text
    parts = [part for part in inner.split(",") if part]
    if read.reader == "environs":
        parts = [part.strip() for part in parts]
    return parts if read.cast == "list" else tuple(parts)


def _split_csv(text: str, csv: Csv) -> object:
    splitter = shlex(text, posix=True)
    splitter.whitespace = csv.delimiter
    splitter.whitespace_split = True
    parts = [part.strip(string.whitespace) for part in splitter]
    return {"list": parts, "tuple": tuple(parts)}.get(csv.post_process, UNKNOWN)


_SCHEMES = {
    "postgres": "django.db.backends.postgresql",
    "postgresql": "django.db.backends.postgresql",
    "pgsql": "django.db.backends.postgresql",
    "postgis": "django.contrib.gis.db.backends.postgis",
    "mysql": "django.db.backends.mysql",
    "sqlite": "django.db.backends.sqlite3",
    "spatialite": "django.contrib.gis.db.backends.spatialite",
}


def database_from_url(url: str) -> object:
    """Return the database that dj-database-url and django-environ both make of `url`, or UNKNOWN where they differ."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or "%" in (parts.hostname or "") or "+" in parts.path:
        return UNKNOWN
    name = unquote(parts.path[1:])
    if name.startswith("/") and "sqlite" not in _SCHEMES[parts.scheme] and "spatialite" not in parts.scheme:
        return UNKNOWN  # django-environ takes the folder for the host, dj-database-url does not
    return {**_address(parts), "ENGINE": _SCHEMES[parts.scheme], "NAME": name}


def _address(parts: SplitResult) -> dict[str, object]:
    made: dict[str, object] = {
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
    }
    options = {key: values[0] for key, values in parse_qs(parts.query).items()}
    return {**made, "OPTIONS": options} if options else made
