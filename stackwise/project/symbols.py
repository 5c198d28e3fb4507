"""A module's names, each as an expression that stands alone.

The settings of a project are made step by step (`from .base import *`, `INSTALLED_APPS += [...]`, `if DEBUG:`). Here
each statement is followed without being run, and every name ends as one closed expression: literals, names of libraries
(`os.environ.get`) and nothing else. What cannot be followed becomes `_unknown_`, never a guess.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from stackwise.project.evaluation import ABSENT_NAME, MUTATED_NAME, SET_NAME, UNKNOWN, UNKNOWN_NAME, evaluate

# An expression larger than this is generated or runs in circles; nobody's settings need it.
_LARGEST_EXPRESSION = 4000
_DEEPEST_EXPRESSION = 150
_DEEPEST_CALL = 6
_MUTATING = frozenset({"append", "extend", "insert", "update", "remove", "setdefault"})
_BUILTINS = frozenset(vars(builtins))


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the project: inlined where it is called."""

    node: ast.FunctionDef | ast.Lambda
    scope: Scope


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the project: of interest for django-configurations."""

    node: ast.ClassDef
    scope: Scope


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the project that was imported under a name."""

    scope: Scope


Bound: TypeAlias = ast.expr | Function | Class | Module
Importer: TypeAlias = Callable[[str], "Scope | None"]


@dataclass(slots=True)
class Scope:
    """The names of one module (or one function call) and where their text stands."""

    module: str
    path: str
    importer: Importer
    package: bool = False
    names: dict[str, Bound] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    loose: list[ast.expr] = field(default_factory=list)
    depth: int = 0

    def fork(self) -> Scope:
        """Return a copy for one branch of a condition; what was only noted (`places`, `loose`) is shared."""
        return Scope(
            self.module, self.path, self.importer, self.package, dict(self.names), self.places, self.loose, self.depth
        )


def unknown() -> ast.expr:
    """Return the expression of what cannot be known."""
    return ast.Name(UNKNOWN_NAME, ast.Load())


def follow(statements: Iterable[ast.stmt], scope: Scope) -> None:
    """Follow `statements` in order, binding names in `scope`."""
    for statement in statements:
        try:
            _follow_one(statement, scope)
        except RecursionError:
            _forget([statement], scope)


def _follow_one(statement: ast.stmt, scope: Scope) -> None:  # noqa: C901, PLR0912 - one case for each statement of the language
    match statement:
        case ast.Assign(targets=targets, value=value):
            closed = _close_binding(value, scope)
            for target in targets:
                _bind(target, closed, scope)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            _bind(target, _close_binding(value, scope), scope)
        case ast.AugAssign(target=target, op=op, value=value):
            old = close(_as_load(target), scope)
            _bind(target, _sized(ast.BinOp(old, op, close(value, scope))), scope)
        case ast.Expr(value=value):
            _follow_expression(value, scope)
        case ast.Import(names=names):
            for alias in names:
                _import_module(alias, scope)
        case ast.ImportFrom():
            _import_from(statement, scope)
        case ast.If():
            _follow_if(statement, scope)
        case ast.Try():
            _follow_try(statement, scope)
        case ast.With(body=body):
            _forget(body, scope)
        case ast.For(body=body, orelse=orelse) | ast.While(body=body, orelse=orelse):
            _forget([statement, *body, *orelse], scope)
        case ast.FunctionDef(name=name):
            scope.names[name] = Function(statement, scope)
        case ast.ClassDef(name=name):
            scope.names[name] = Class(statement, scope)
        case ast.Delete(targets=targets):
            for target in targets:
                if isinstance(target, ast.Name):
                    scope.names.pop(target.id, None)


def _close_binding(value: ast.expr, scope: Scope) -> Bound:
    if isinstance(value, ast.Lambda):
        return Function(value, scope)
    if isinstance(value, ast.Name) and isinstance(bound := scope.names.get(value.id), (Function, Class, Module)):
        return bound
    return close(value, scope)


def _bind(target: ast.expr, value: Bound, scope: Scope) -> None:
    if isinstance(target, ast.Name):
        scope.names[target.id] = value
        scope.places[target.id] = f"{scope.path}:{getattr(target, 'lineno', 0)}"
    elif isinstance(target, (ast.Tuple, ast.List)):
        for index, element in enumerate(target.elts):
            part = ast.Subscript(_expression(value), ast.Constant(index), ast.Load())
            _bind(element, _sized(part), scope)
    elif isinstance(target, ast.Subscript):
        _bind_item(target, _expression(value), scope)


def _bind_item(target: ast.Subscript, value: ast.expr, scope: Scope) -> None:
    """Follow `NAME[key]...[key] = value`."""
    keys: list[ast.expr] = []
    base: ast.expr = target
    while isinstance(base, ast.Subscript):
        keys.insert(0, close(base.slice, scope))
        base = base.value
    if isinstance(base, ast.Name) and base.id in scope.names:
        old = _expression(scope.names[base.id])
        call = ast.Call(ast.Name(SET_NAME, ast.Load()), [old, ast.Tuple(keys, ast.Load()), value], [])
        scope.names[base.id] = _sized(call)


def _follow_expression(value: ast.expr, scope: Scope) -> None:
    """Follow a bare call: one that changes a list or a dictionary of ours, or one that may read the environment."""
    closed = close(value, scope)
    scope.loose.append(closed)
    if not (isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _MUTATING):
        return
    if isinstance(value.func.value, (ast.Name, ast.Subscript)):
        old = close(value.func.value, scope)
        arguments = [close(argument, scope) for argument in value.args]
        call = ast.Call(ast.Name(MUTATED_NAME, ast.Load()), [ast.Constant(value.func.attr), old, *arguments], [])
        if all(isinstance(node, (ast.Name, ast.Subscript, ast.Constant)) for node in _chain(value.func.value)):
            _bind(value.func.value, _sized(call), scope)


def _chain(node: ast.expr) -> Iterable[ast.expr]:
    while isinstance(node, ast.Subscript):
        yield node
        node = node.value
    yield node


def _import_module(alias: ast.alias, scope: Scope) -> None:
    found = scope.importer(alias.name) if alias.asname else None
    if found is not None:
        scope.names[alias.asname or alias.name] = Module(found)
    else:
        full = alias.name if alias.asname else alias.name.partition(".")[0]
        scope.names[alias.asname or full] = _dotted(full)


def _import_from(statement: ast.ImportFrom, scope: Scope) -> None:
    source = absolute_name(statement, scope.module, package=scope.package)
    found = scope.importer(source)
    for alias in statement.names:
        if alias.name == "*":
            if found is not None:
                public = {name: bound for name, bound in found.names.items() if not name.startswith("_")}
                scope.names.update(public)
                scope.places.update({name: found.places[name] for name in public if name in found.places})
            continue
        scope.names[alias.asname or alias.name] = _imported(source, alias.name, found, scope)


def _imported(source: str, name: str, found: Scope | None, scope: Scope) -> Bound:
    if found is not None and name in found.names:
        return found.names[name]
    inner = scope.importer(f"{source}.{name}")
    if inner is not None:
        return Module(inner)
    return unknown() if found is not None else _dotted(f"{source}.{name}")


def absolute_name(statement: ast.ImportFrom, module: str, *, package: bool) -> str:
    """Return the absolute name of the module that `statement`, standing in `module`, imports from."""
    if not statement.level:
        return statement.module or ""
    parts = module.split(".")
    keep = len(parts) - statement.level + (1 if package else 0)
    base = parts[: max(keep, 0)]
    return ".".join([*base, *([statement.module] if statement.module else [])])


def _follow_if(statement: ast.If, scope: Scope) -> None:
    test = close(statement.test, scope)
    known = evaluate(test, None)
    scope.loose.append(test)
    if known is not UNKNOWN:
        follow(statement.body if known else statement.orelse, scope)
        return
    then, other = scope.fork(), scope.fork()
    then.loose, other.loose = [], []
    follow(statement.body, then)
    follow(statement.orelse, other)
    nothing = ast.Constant(None)
    scope.loose.extend(_sized(ast.IfExp(test, expression, nothing)) for expression in then.loose)
    scope.loose.extend(_sized(ast.IfExp(test, nothing, expression)) for expression in other.loose)
    _merge(test, then, other, scope)


def _merge(test: ast.expr, then: Scope, other: Scope, scope: Scope) -> None:
    for name in [*then.names, *(name for name in other.names if name not in then.names)]:
        first, second = then.names.get(name), other.names.get(name)
        if first is second and first is not None:
            scope.names[name] = first
        elif isinstance(first or second, (Function, Class, Module)):
            scope.names[name] = first or second or unknown()
        else:
            scope.names[name] = _sized(ast.IfExp(test, _expression(first), _expression(second)))


def _follow_try(statement: ast.Try, scope: Scope) -> None:
    """Follow the body as if it went well; a handler only adds names that the body does not bind."""
    before = scope.fork()
    follow([*statement.body, *statement.orelse], scope)
    for handler in statement.handlers:
        branch = before.fork()
        follow(handler.body, branch)
        for name, bound in branch.names.items():
            scope.names.setdefault(name, bound)
    follow(statement.finalbody, scope)


def _forget(nodes: Sequence[ast.stmt], scope: Scope) -> None:
    """Mark everything that `nodes` bind as unknown: loops and context managers are not followed."""
    for node in nodes:
        for child in ast.walk(node):
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                scope.names[child.id] = unknown()
            elif isinstance(child, ast.Subscript) and isinstance(child.ctx, ast.Store):
                base = list(_chain(child))[-1]
                if isinstance(base, ast.Name) and base.id in scope.names:
                    scope.names[base.id] = unknown()


def close(node: ast.expr, scope: Scope, bound: frozenset[str] = frozenset()) -> ast.expr:
    """Return `node` with each name replaced by what it stands for; `bound` are names of a comprehension or lambda."""
    match node:
        case ast.Name(id=name):
            return node if name in bound else _named(name, scope)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name not in bound:
            owner = scope.names.get(name)
            if isinstance(owner, Module):
                return _expression(owner.scope.names.get(attribute))
        case ast.Call(func=ast.Name(id=name)) if name not in bound:
            function = scope.names.get(name)
            if isinstance(function, Function):
                return _inline(function, node, scope, bound)
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
            bound = bound | _comprehension_names(node.generators)
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            closed = close(value, scope, bound)
            scope.names[name] = closed
            return closed
        case ast.Lambda(args=arguments):
            bound = bound | {argument.arg for argument in arguments.args}
        case _:
            pass
    return _copy(node, scope, bound)


def _named(name: str, scope: Scope) -> ast.expr:
    if name in scope.names:
        return _expression(scope.names[name])
    if name == "__file__":
        return ast.Constant(scope.path)
    return ast.Name(name, ast.Load()) if name in _BUILTINS else unknown()


def _comprehension_names(generators: Iterable[ast.comprehension]) -> set[str]:
    return {node.id for part in generators for node in ast.walk(part.target) if isinstance(node, ast.Name)}


def _copy(node: ast.expr, scope: Scope, bound: frozenset[str]) -> ast.expr:
    """Copy `node`, closing its parts; remember where it stood."""
    fields: dict[str, Any] = {name: _copy_field(value, scope, bound) for name, value in ast.iter_fields(node)}
    copied = type(node)(**fields)
    vars(copied)["place"] = f"{scope.path}:{getattr(node, 'lineno', 0)}"
    return _sized(copied)


def _copy_field(value: object, scope: Scope, bound: frozenset[str]) -> object:
    if isinstance(value, ast.expr):
        return close(value, scope, bound)
    if isinstance(value, list):
        return [_copy_field(item, scope, bound) for item in value]
    if isinstance(value, (ast.keyword, ast.comprehension)):
        fields: dict[str, Any] = {name: _copy_field(item, scope, bound) for name, item in ast.iter_fields(value)}
        return type(value)(**fields)
    return value


def _inline(function: Function, call: ast.Call, scope: Scope, bound: frozenset[str]) -> ast.expr:
    """Return what `call` of a function of the project comes to."""
    if scope.depth >= _DEEPEST_CALL or function.node.args.vararg or function.node.args.kwarg:
        return unknown()
    inner = function.scope.fork()
    inner.depth = scope.depth + 1
    if not _bind_arguments(function, call, scope, inner, bound):
        return unknown()
    if isinstance(function.node, ast.Lambda):
        return close(function.node.body, inner)
    return _returned(function.node.body, inner)


def _bind_arguments(function: Function, call: ast.Call, scope: Scope, inner: Scope, bound: frozenset[str]) -> bool:
    """Bind the parameters in `inner`; say whether each got a value."""
    parameters = function.node.args
    positional = [*parameters.posonlyargs, *parameters.args]
    missing: dict[str, ast.expr | None] = {parameter.arg: None for parameter in [*positional, *parameters.kwonlyargs]}
    if parameters.defaults:
        for parameter, default in zip(positional[-len(parameters.defaults) :], parameters.defaults, strict=True):
            missing[parameter.arg] = close(default, function.scope)
    for parameter, keyword_default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
        missing[parameter.arg] = close(keyword_default, function.scope) if keyword_default else None
    for parameter, argument in zip(positional, call.args, strict=False):
        missing[parameter.arg] = close(argument, scope, bound)
    for keyword in call.keywords:
        if keyword.arg in missing:
            missing[keyword.arg] = close(keyword.value, scope, bound)
    for name, value in missing.items():
        if value is not None:
            inner.names[name] = value
    return all(value is not None for value in missing.values())


def _returned(statements: Sequence[ast.stmt], scope: Scope) -> ast.expr:
    """Return the expression that a function body returns: conditions become `a if test else b`."""
    for index, statement in enumerate(statements):
        rest = statements[index + 1 :]
        match statement:
            case ast.Return(value=value):
                return close(value, scope) if value else ast.Constant(None)
            case ast.Raise():
                return unknown()
            case ast.If(test=test, body=body, orelse=orelse):
                then = _returned([*body, *rest], scope.fork())
                other = _returned([*orelse, *rest], scope.fork())
                return _sized(ast.IfExp(close(test, scope), then, other))
            case ast.Try(body=body):
                return _returned([*body, *rest], scope)
            case ast.For() | ast.While() | ast.With():
                return unknown()
            case _:
                _follow_one(statement, scope)
    return ast.Constant(None)


def _expression(bound: Bound | None) -> ast.expr:
    if bound is None:
        return ast.Name(ABSENT_NAME, ast.Load())
    return bound if isinstance(bound, ast.expr) else unknown()


def _dotted(name: str) -> ast.expr:
    first, *rest = name.split(".")
    expression: ast.expr = ast.Name(first, ast.Load())
    for part in rest:
        expression = ast.Attribute(expression, part, ast.Load())
    return expression


def _as_load(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Name):
        return ast.copy_location(ast.Name(node.id, ast.Load()), node)
    if isinstance(node, ast.Subscript):
        return ast.Subscript(_as_load(node.value), node.slice, ast.Load())
    return node


def _sized(node: ast.expr) -> ast.expr:
    """Note the size of `node`, counted as a tree; one that is too large becomes unknown, for shared parts add up."""
    size, depth = _measure(node)
    if size > _LARGEST_EXPRESSION or depth > _DEEPEST_EXPRESSION:
        return unknown()
    vars(node)["measured"] = (size, depth)
    return node


def _measure(node: ast.AST) -> tuple[int, int]:
    """Return how many nodes a tree has, and how deep it is."""
    size, depth = 1, 0
    for child in ast.iter_child_nodes(node):
        inner_size, inner_depth = vars(child).get("measured") or _measure(child)
        size, depth = size + inner_size, max(depth, inner_depth)
    return size, depth + 1
