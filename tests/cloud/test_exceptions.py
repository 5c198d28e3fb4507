"""Nothing that libcloud's drivers raise is forgotten: their sources are read, and each class must be one of ours."""

from __future__ import annotations

import ast
import builtins
import importlib
import socket
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from stackwise.provision.clouds.faults import RAISED

DRIVERS = ("digitalocean", "ec2", "linode", "openstack", "vultr")
COMMON = ("aws", "base", "digitalocean", "exceptions", "linode", "openstack", "openstack_identity", "types", "vultr")
MODULES = (
    *(f"libcloud.compute.drivers.{name}" for name in DRIVERS),
    *(f"libcloud.common.{name}" for name in COMMON),
    "libcloud.compute.base",
    "libcloud.compute.types",
    "libcloud.http",
    "libcloud.utils.iso8601",
    "libcloud.utils.networking",
    "libcloud.utils.xml",
    "stackwise.provision.clouds.hetzner_driver",
)
# What is raised under a name of the function's own: each is one of the classes that the module defines or maps to.
VARIABLES = {"exception_from_message", "exceptionCls", "_make_excp"}
# What stands in a driver and no call of ours reaches.
NEVER_ASKED = {
    ("libcloud.compute.drivers.ec2", "Exception"),  # importing a snapshot
    ("libcloud.compute.base", "RuntimeError"),  # deploy_node, which is never used
}


def _source(module: ModuleType) -> ast.Module:
    assert module.__file__
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


def _raised(module: ModuleType, tree: ast.Module) -> Iterator[tuple[str, object]]:
    """Yield what is raised, by name: `raise X`, `raise X(...)`, `raise module.X(...)`; not what is raised again."""
    for found in ast.walk(tree):
        if not isinstance(found, ast.Raise) or found.exc is None:
            continue
        what = found.exc.func if isinstance(found.exc, ast.Call) else found.exc
        if isinstance(what, ast.Attribute):
            owner = what.value.id if isinstance(what.value, ast.Name) else ""
            yield what.attr, getattr(getattr(module, owner, None), what.attr, None)
        elif isinstance(what, ast.Name) and (what.id[0].isupper() or what is not found.exc):
            yield what.id, getattr(module, what.id, None) or getattr(builtins, what.id, None)


def _defined(module: ModuleType, tree: ast.Module) -> Iterator[type[Exception]]:
    for found in ast.walk(tree):
        known = getattr(module, found.name, None) if isinstance(found, ast.ClassDef) else None
        if isinstance(known, type) and issubclass(known, Exception):
            yield known


@pytest.mark.parametrize("name", MODULES)
def test_each_class_that_a_driver_raises_is_one_that_we_catch(name: str) -> None:
    module = importlib.import_module(name)
    tree = _source(module)
    raised = dict(_raised(module, tree))
    # What cannot be told from the name would go unseen.
    assert {each for each, known in raised.items() if not isinstance(known, type)} <= VARIABLES
    classes = {each for each in raised.values() if isinstance(each, type)} | set(_defined(module, tree))
    forgotten = {each.__name__ for each in classes if not issubclass(each, RAISED)}
    assert {(name, each) for each in forgotten} <= NEVER_ASKED


def test_the_sources_are_really_read() -> None:
    for name, classes in (("linode", {"LinodeException", "LinodeExceptionV4"}), ("vultr", {"VultrException"})):
        module = importlib.import_module(f"libcloud.common.{name}")
        assert {each.__name__ for each in _defined(module, _source(module))} == classes
    identity = importlib.import_module("libcloud.common.openstack_identity")
    raised = dict(_raised(identity, _source(identity)))
    assert {"InvalidCredsError", "MalformedResponseError", "LibcloudError"} <= set(raised)
    base = importlib.import_module("libcloud.common.base")
    assert dict(_raised(base, _source(base)))["gaierror"] is socket.gaierror
