"""Whether answers of ours have the shape of those that libcloud recorded of the real providers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libcloud
import requests

from tests.cloud.apis.server import Api

_FIXTURES = Path(libcloud.__file__).parent / "test" / "compute" / "fixtures"


def recorded_text(name: str) -> str:
    return (_FIXTURES / name).read_text(encoding="utf-8")


def recorded(name: str) -> Any:
    return json.loads(recorded_text(name))


def fetched(api: Api, path: str) -> Any:
    """Return what an API on loopback answers to a GET with the right token."""
    answer = requests.get(f"{api.url}{path}", headers={"Authorization": f"Bearer {api.token}"}, timeout=20)
    assert answer.status_code == 200
    return answer.json()


def unlike(real: Any, ours: Any, at: str = "") -> list[str]:
    """Return where ours has another type than the real answer, at every key that both have; none says nothing."""
    return list(_unlike(real, ours, at))


def _unlike(real: Any, ours: Any, at: str) -> Iterator[str]:
    if real is None or ours is None:
        return
    if isinstance(real, dict) and isinstance(ours, dict):
        for key in real.keys() & ours.keys():
            yield from _unlike(real[key], ours[key], f"{at}.{key}")
    elif isinstance(real, list) and isinstance(ours, list):
        for one in ours:
            # Any of the recorded ones may be the pattern: an item's parts differ with what it is.
            found = [list(_unlike(each, one, f"{at}[]")) for each in real]
            yield from min(found, key=len, default=[])
    elif _kind(real) is not _kind(ours):
        yield f"{at}: {type(real).__name__} there, {type(ours).__name__} here"


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def missing(real: Any, ours: Any, at: str = "") -> list[str]:
    """Return the keys that ours has and no real answer: such a key is a mistake of ours, or newer than the record."""
    return list(_missing(real, ours, at))


def _missing(real: Any, ours: Any, at: str) -> Iterator[str]:
    if isinstance(real, dict) and isinstance(ours, dict):
        for key in ours:
            if key not in real:
                yield f"{at}.{key}"
            else:
                yield from _missing(real[key], ours[key], f"{at}.{key}")
    elif isinstance(real, list) and isinstance(ours, list) and real:
        for one in ours:
            yield from min(([*_missing(each, one, f"{at}[]")] for each in real), key=len)
