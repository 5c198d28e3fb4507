"""A closed expression under given environment variables, worked out without running any of the project's code.

Only literals, operators, harmless methods of strings, lists and dictionaries, paths, and the libraries that read the
environment are understood. All else is UNKNOWN, and whatever is made of UNKNOWN is UNKNOWN too: an answer is either
certain or not given.
"""

from __future__ import annotations

import ast
import copy
import json
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, TypeAlias, cast

from stackwise.project import readers
from stackwise.project.readers import UNKNOWN, Missing, Read, Reference

__all__ = ["ABSENT_NAME", "MUTATED_NAME", "ROOT", "SET_NAME", "UNKNOWN", "UNKNOWN_NAME", "evaluate", "record"]

UNKNOWN_NAME = "_unknown_"
ABSENT_NAME = "_absent_"
SET_NAME = "_set_"
MUTATED_NAME = "_mutated_"
# Where the project seems to lie while its paths are worked out: no answer may depend on the real folder.
ABOVE = "/:above:"
ROOT = f"{ABOVE}/:above:/:above:/:project:"

# Bounds on what a settings module can make us do: no honest one comes near them.
_SLOW = 100_000
_LARGEST = 20_000
_DEAREST = 1_000_000
_Scope: TypeAlias = Mapping[str, object]


def evaluate(expression: str | ast.expr, environ: Mapping[str, str] | None) -> object:
    """Return the value of a closed `expression` when exactly the variables of `environ` are set, or UNKNOWN.

    With `environ` None the environment is not known either, and all that depends on it is UNKNOWN.
    """
    try:
        tree = ast.parse(expression, mode="eval").body if isinstance(expression, str) else expression
        value = _Evaluator(environ).value(tree, {})
    except (SyntaxError, RecursionError, Missing):
        return UNKNOWN
    return UNKNOWN if isinstance(value, _INNER) else value


def record(expression: ast.AST, *, live: bool = True) -> list[tuple[Read, str]]:
    """Return each reading of the environment in a closed `expression`, with its place, in the order of the text.

    A reading is required only where it is live: a branch that is taken under some variable does not need what is in it.
    """
    found: list[tuple[Read, str]] = []
    read = read_by(expression)
    if read is not None:
        found.append((read if live else replace(read, required=False), str(vars(expression).get("place", ""))))
    for part, certain in _parts(expression):
        found.extend(record(part, live=live and certain))
    return found


def _parts(expression: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """Return the parts of `expression`, each with whether it is worked out when no variable is set."""
    if isinstance(expression, ast.IfExp):
        test = evaluate(expression.test, {})
        yield expression.test, True
        yield expression.body, test is not UNKNOWN and bool(test)
        yield expression.orelse, test is not UNKNOWN and not test
    elif isinstance(expression, ast.BoolOp):
        reached = True
        for part in expression.values:
            yield part, reached
            value = evaluate(part, {})
            reached = reached and value is not UNKNOWN and bool(value) == isinstance(expression.op, ast.And)
    else:
        for child in ast.iter_child_nodes(expression):
            yield child, True


def read_by(node: ast.AST) -> Read | None:
    """Return the reading that `node` itself is, or None when it reads nothing, or only its parts do."""
    if not isinstance(node, (ast.Call, ast.Subscript, ast.Compare)):
        return None
    evaluator = _Evaluator(None)
    try:
        evaluator.value(node, {})
    except (RecursionError, Missing):
        return None
    return evaluator.reads[-1] if evaluator.reader is node else None


@dataclass(slots=True)
class _Closure:
    """A lambda with the names around it."""

    node: ast.Lambda
    scope: _Scope


@dataclass(slots=True)
class _Method:
    """A method on its way to being called."""

    owner: object
    name: str


# What stands for something while an expression is worked out, and is no value that settings could have.
_INNER = (_Closure, _Method, Reference, readers.Environment, readers.Decouple, readers.Csv)
_BINARY: dict[type[ast.operator], Callable[[Any, Any], object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.truediv,
    ast.BitOr: operator.or_,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], object]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
_STRING_METHODS = frozenset(
    [
        "split",
        "rsplit",
        "strip",
        "lstrip",
        "rstrip",
        "lower",
        "upper",
        "casefold",
        "title",
        "capitalize",
        "startswith",
        "endswith",
        "replace",
        "join",
        "splitlines",
        "partition",
        "rpartition",
        "removeprefix",
        "removesuffix",
        "isdigit",
        "format",
    ]
)
_LIST_METHODS = frozenset({"copy", "index", "count"})
_DICT_METHODS = frozenset({"get", "copy", "keys", "values", "items"})
_METHODS: dict[type, frozenset[str]] = {
    str: _STRING_METHODS,
    list: _LIST_METHODS,
    tuple: _LIST_METHODS,
    dict: _DICT_METHODS,
}
_SAFE_BUILTINS: dict[str, Callable[..., object]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "len": len,
    "sorted": sorted,
    "any": any,
    "all": all,
    "max": max,
    "min": min,
}
# A project that asks how it was started is told what is true in production: by a server, not by its test runner.
_FACTS: dict[str, object] = {
    "dj_database_url.DEFAULT_ENV": "DATABASE_URL",
    "os.name": "posix",
    "os.sep": "/",
    "sys.argv": ["gunicorn"],
    "sys.platform": "linux",
}


@dataclass(slots=True)
class _Evaluator:
    environ: Mapping[str, str] | None
    reads: list[Read] = field(default_factory=list)
    steps: int = 0
    # The expression that made the last of `reads`, without anything around it.
    reader: ast.expr | None = None

    def value(self, node: ast.expr, scope: _Scope) -> object:
        """Return the value of `node`, or UNKNOWN. Raises Missing when a required variable is not set."""
        self.steps += 1
        if self.steps > _SLOW:
            return UNKNOWN
        handler = getattr(self, f"_{type(node).__name__.lower()}", None)
        if handler is None:
            return UNKNOWN
        try:
            made = cast("object", handler(node, scope))
            return UNKNOWN if isinstance(made, (str, bytes, list, tuple, set, dict)) and len(made) > _LARGEST else made
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError, MemoryError):
            # What the project's own code would answer here is an error; whether it is reached is not for us to say.
            return UNKNOWN

    def _constant(self, node: ast.Constant, _scope: _Scope) -> object:
        return node.value

    def _name(self, node: ast.Name, scope: _Scope) -> object:
        if node.id in scope:
            return scope[node.id]
        return UNKNOWN if node.id in (UNKNOWN_NAME, ABSENT_NAME) else Reference(node.id)

    def _attribute(self, node: ast.Attribute, scope: _Scope) -> object:
        owner = self.value(node.value, scope)
        if isinstance(owner, Reference):
            full = f"{owner.name}.{node.attr}"
            return copy.copy(_FACTS[full]) if full in _FACTS else Reference(full)
        if isinstance(owner, PurePosixPath) and node.attr in {"parent", "parents", "name", "stem", "suffix", "parts"}:
            return getattr(owner, node.attr)
        return UNKNOWN if owner is UNKNOWN else _Method(owner, node.attr)

    def _list(self, node: ast.List, scope: _Scope) -> object:
        return self._elements(node.elts, scope)

    def _tuple(self, node: ast.Tuple, scope: _Scope) -> object:
        elements = self._elements(node.elts, scope)
        return tuple(elements) if isinstance(elements, list) else UNKNOWN

    def _set(self, node: ast.Set, scope: _Scope) -> object:
        elements = self._elements(node.elts, scope)
        return set(elements) if isinstance(elements, list) and UNKNOWN not in elements else UNKNOWN

    def _elements(self, nodes: list[ast.expr], scope: _Scope) -> object:
        values: list[object] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                inner = self.value(node.value, scope)
                if not isinstance(inner, (list, tuple, set)):
                    return UNKNOWN
                values.extend(inner)
            else:
                values.append(self.value(node, scope))
        return values

    def _dict(self, node: ast.Dict, scope: _Scope) -> object:
        made: dict[object, object] = {}
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.value(item, scope)
            if key is None:
                if not isinstance(value, dict):
                    return UNKNOWN
                made.update(value)
            else:
                name = self.value(key, scope)
                if name is UNKNOWN:
                    return UNKNOWN
                made[name] = value
        return made

    def _joinedstr(self, node: ast.JoinedStr, scope: _Scope) -> object:
        parts = [self.value(part, scope) for part in node.values]
        return UNKNOWN if UNKNOWN in parts else "".join(str(part) for part in parts)

    def _formattedvalue(self, node: ast.FormattedValue, scope: _Scope) -> object:
        value = self.value(node.value, scope)
        plain = node.format_spec is None and node.conversion == -1
        return value if plain and isinstance(value, (str, int, float, PurePosixPath)) else UNKNOWN

    def _binop(self, node: ast.BinOp, scope: _Scope) -> object:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if left is UNKNOWN or right is UNKNOWN:
            return UNKNOWN
        if isinstance(node.op, ast.Sub) and isinstance(left, PurePosixPath) and isinstance(right, int):
            return left.parents[right - 1]  # environ.Path(__file__) - 3
        if isinstance(node.op, ast.Mult) and not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            return UNKNOWN  # "x" * 10**9 would fill the memory
        if isinstance(node.op, ast.Mod) and not isinstance(left, int):
            right = right if isinstance(right, tuple) else (right,)
            if _cost(str(left), right) > _DEAREST:
                return UNKNOWN
            return (
                UNKNOWN if "*" in str(left) or any(c.isdigit() for c in str(left)) else _operate(node.op, left, right)
            )
        return _operate(node.op, left, right)

    def _unaryop(self, node: ast.UnaryOp, scope: _Scope) -> object:
        value = self.value(node.operand, scope)
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(node.op, ast.Not):
            return not value
        return -value if isinstance(node.op, ast.USub) and isinstance(value, (int, float)) else UNKNOWN

    def _boolop(self, node: ast.BoolOp, scope: _Scope) -> object:
        wants_true = isinstance(node.op, ast.Or)
        value: object = UNKNOWN
        for part in node.values:
            value = self.value(part, scope)
            if value is UNKNOWN or bool(value) == wants_true:
                return value
        return value

    def _compare(self, node: ast.Compare, scope: _Scope) -> object:
        left = self.value(node.left, scope)
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node, scope)
            if isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, Reference) and right.name == "os.environ":
                self.reader = node
                right = self._environ_keys(left)
            if left is UNKNOWN or right is UNKNOWN or (isinstance(right, (list, tuple, dict)) and UNKNOWN in right):
                return UNKNOWN
            if not _COMPARE[type(op)](left, right):
                return False
            left = right
        return True

    def _environ_keys(self, name: object) -> object:
        self.reads.append(Read(str(name), "os.environ", "present", required=False, default=None))
        return UNKNOWN if self.environ is None else list(self.environ)

    def _ifexp(self, node: ast.IfExp, scope: _Scope) -> object:
        test = self.value(node.test, scope)
        if test is not UNKNOWN:
            return self.value(node.body if test else node.orelse, scope)
        one, two = self.value(node.body, scope), self.value(node.orelse, scope)
        return one if type(one) is type(two) and one == two else UNKNOWN

    def _subscript(self, node: ast.Subscript, scope: _Scope) -> object:
        owner = self.value(node.value, scope)
        key = self._slice(node.slice, scope) if isinstance(node.slice, ast.Slice) else self.value(node.slice, scope)
        if owner is UNKNOWN or key is UNKNOWN:
            return UNKNOWN
        if isinstance(owner, Reference) and owner.name == "os.environ" and isinstance(key, str):
            self.reader = node
            return self._read(readers.plain(key))
        return cast("dict[object, object]", owner)[key]

    def _slice(self, node: ast.Slice, scope: _Scope) -> object:
        parts = [self.value(part, scope) if part else None for part in (node.lower, node.upper, node.step)]
        return UNKNOWN if UNKNOWN in parts else slice(*parts)

    def _lambda(self, node: ast.Lambda, scope: _Scope) -> object:
        return _Closure(node, scope)

    def _listcomp(self, node: ast.ListComp, scope: _Scope) -> object:
        return self._comprehension(node.elt, node.generators, scope)

    def _generatorexp(self, node: ast.GeneratorExp, scope: _Scope) -> object:
        return self._comprehension(node.elt, node.generators, scope)

    def _setcomp(self, node: ast.SetComp, scope: _Scope) -> object:
        made = self._comprehension(node.elt, node.generators, scope)
        return set(made) if isinstance(made, list) else UNKNOWN

    def _comprehension(self, element: ast.expr, generators: list[ast.comprehension], scope: _Scope) -> object:
        part = generators[0]
        many = self.value(part.iter, scope)
        if len(generators) > 1 or not isinstance(part.target, ast.Name) or not isinstance(many, (list, tuple, str)):
            return UNKNOWN
        made: list[object] = []
        for item in many:
            inner = {**scope, part.target.id: item}
            tests = [self.value(test, inner) for test in part.ifs]
            if UNKNOWN in tests:
                return UNKNOWN
            if all(tests):
                made.append(self.value(element, inner))
        return made

    def _call(self, node: ast.Call, scope: _Scope) -> object:
        function = self.value(node.func, scope)
        if function is UNKNOWN or any(keyword.arg is None for keyword in node.keywords):
            return UNKNOWN
        arguments = self._elements(node.args, scope)
        if not isinstance(arguments, list):
            return UNKNOWN
        named = {str(keyword.arg): self.value(keyword.value, scope) for keyword in node.keywords}
        before = len(self.reads)
        result = self.call(function, arguments, named)
        if len(self.reads) > before and not isinstance(function, _Closure):
            self.reader = node
        return result

    def call(self, function: object, arguments: list[object], named: dict[str, object]) -> object:
        """Return what calling `function` gives, if it is one of those we know."""
        if isinstance(function, _Closure):
            names = [argument.arg for argument in function.node.args.args]
            return self.value(function.node.body, {**function.scope, **dict(zip(names, arguments, strict=True))})
        if isinstance(function, Reference):
            return self._call_reference(function.name, arguments, named)
        if isinstance(function, PurePosixPath):
            return str(_path_method(function, "joinpath", arguments))  # environ.Path("...")("media")
        if isinstance(function, _Method):
            found = readers.method(function.owner, function.name, arguments, named)
            return self._read(found) if isinstance(found, Read) else self._call_method(function, arguments, named)
        found = readers.called(function, arguments, named)
        return self._read(found) if isinstance(found, Read) else found

    def _call_reference(self, name: str, arguments: list[object], named: dict[str, object]) -> object:
        found = readers.function(name, arguments, named)
        if found is not UNKNOWN:
            return self._read(found) if isinstance(found, Read) else found
        if name in {SET_NAME, MUTATED_NAME}:
            return _changed(name, arguments)
        if UNKNOWN in arguments or UNKNOWN in named.values():
            return UNKNOWN
        if name in {"map", "filter"}:
            return self._mapped(name, arguments)
        if name in _SAFE_BUILTINS and not any(isinstance(argument, Reference) for argument in arguments):
            return _SAFE_BUILTINS[name](*arguments, **named)
        return _library(name, arguments)

    def _mapped(self, name: str, arguments: list[object]) -> object:
        function, many = arguments[0], list(cast("list[object]", arguments[1]))
        if isinstance(function, Reference) and function.name.startswith("str."):
            results = [self.call(_Method(item, function.name[4:]), [], {}) for item in many]
        elif function is None:
            results = many
        else:
            results = [self.call(function, [item], {}) for item in many]
        if UNKNOWN in results:
            return UNKNOWN
        return results if name == "map" else [item for item, keep in zip(many, results, strict=True) if keep]

    def _call_method(self, method: _Method, arguments: list[object], named: dict[str, object]) -> object:
        owner, name = method.owner, method.name
        if UNKNOWN in arguments or UNKNOWN in named.values():
            return UNKNOWN
        if isinstance(owner, PurePosixPath):
            return _path_method(owner, name, arguments)
        if isinstance(owner, str) and _cost(owner, arguments) > _DEAREST:
            return UNKNOWN
        if name not in _METHODS.get(type(owner), ()) or (
            name == "format" and any(character in str(owner) for character in ":!.[")
        ):
            return UNKNOWN
        made = getattr(owner, name)(*arguments, **named)
        return list(made) if name in {"keys", "values", "items"} else made

    def _read(self, read: Read) -> object:
        self.reads.append(read)
        if self.environ is None:
            return UNKNOWN
        return readers.convert(read, self.environ, lambda function, text: self.call(function, [text], {}))


def _cost(text: str, arguments: Iterable[object]) -> int:
    """Return how long a text could become: `replace` and `join` multiply."""
    sizes = [len(argument) for argument in arguments if isinstance(argument, (str, list, tuple))]
    parts = [
        len(part) for each in arguments if isinstance(each, (list, tuple)) for part in each if isinstance(part, str)
    ]
    return (len(text) + 1) * (1 + sum(sizes) + sum(parts))


def _operate(op: ast.operator, left: object, right: object) -> object:
    function = _BINARY.get(type(op))
    return function(left, right) if function else UNKNOWN


def _changed(name: str, arguments: list[object]) -> object:
    if name == SET_NAME:
        return _with_item(arguments[0], cast("tuple[object, ...]", arguments[1]), arguments[2])
    return _mutated(str(arguments[0]), arguments[1], arguments[2:])


def _with_item(base: object, keys: tuple[object, ...], value: object) -> object:
    """Return a copy of `base` in which the item at `keys` is `value`."""
    if base is UNKNOWN:
        return UNKNOWN
    made = copy.deepcopy(base)
    inner: Any = made
    for key in keys[:-1]:
        inner = inner[key]
    if inner is UNKNOWN:
        return UNKNOWN
    inner[keys[-1]] = value
    return made


def _mutated(method: str, base: object, arguments: list[object]) -> object:
    if not isinstance(base, (list, dict)) or (method == "extend" and arguments[0] is UNKNOWN):
        return UNKNOWN
    made = copy.deepcopy(base)
    getattr(made, method)(*arguments)
    return made


def _path_method(owner: PurePosixPath, name: str, arguments: list[object]) -> object:
    texts = [str(argument) for argument in arguments if isinstance(argument, (str, PurePosixPath))]
    match name:
        case "resolve" | "absolute" | "expanduser":
            return owner
        case "joinpath" | "path" | "__call__":
            return owner.joinpath(*texts)
        case "as_posix":
            return str(owner)
        case "with_name":
            return owner.with_name(texts[0])
        case _:
            return UNKNOWN


def _normal(path: str) -> str:
    """Resolve `..` and `.` in a path by its text alone."""
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return str(PurePosixPath(*parts))


def _path(*parts: str) -> PurePosixPath:
    return PurePosixPath(*parts)


_LIBRARY: dict[str, Callable[..., object]] = {
    "pathlib.Path": _path,
    "pathlib.PurePath": _path,
    "unipath.Path": _path,
    "environ.Path": _path,
    "django.utils.translation.gettext_lazy": str,
    "django.utils.translation.gettext": str,
    "os.fspath": str,
    "os.path.abspath": _normal,
    "os.path.realpath": _normal,
    "os.path.normpath": _normal,
    "os.path.dirname": lambda path: str(PurePosixPath(path).parent),
    "os.path.basename": lambda path: PurePosixPath(path).name,
    "os.path.join": lambda *parts: _normal(str(PurePosixPath(*parts))),
    "json.loads": json.loads,
    "ast.literal_eval": ast.literal_eval,
}


def _library(name: str, arguments: list[object]) -> object:
    """Return what a harmless library function gives; all of them take texts."""
    known = _LIBRARY.get(name)
    return known(*[str(argument) for argument in arguments]) if known else UNKNOWN
