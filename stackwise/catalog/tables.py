"""What the catalog knows beside its components: verdicts, points of failure, rates, prices and versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from stackwise.catalog.model import Expression, Sentence, Slug, Source
from stackwise.shapes import Shape, Where, said


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Shape):
    """One judgement on a property of a production environment. The first one that holds is the verdict."""

    property: Literal["available", "resilient", "secure", "responsive", "capacity"]
    verdict: Literal["good", "enough", "short"]
    when: Expression
    because: Sentence
    settle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Shape):
    """A single point of failure, and what removing it takes."""

    id: Slug
    name: str
    when: Expression
    says: Sentence = said("What happens when it fails")
    remove: Sentence = said("What takes it away")
    servers: int = said("How many servers more that takes", default=0)
    hours: float = said("Hours of work more in a month, as an estimate of ours", default=0)


def _is_pattern(text: str) -> None:
    try:
        re.compile(text)
    except re.error as exc:
        msg = f"this is no regular expression: {exc}"
        raise ValueError(msg) from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause(Shape):
    """What most likely lies behind the words of a failure, and what mends it. The first that fits is named."""

    id: Slug
    pattern: Annotated[str, Where(check=_is_pattern)] = said("A regular expression, searched in what was said")
    says: Sentence = said("What happened, in a sentence or two")
    do: Sentence = said("What mends it, and what to type")
    examples: Annotated[tuple[str, ...], Where(min_length=1)] = said("Words of real programs that it has to know")
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency(Shape):
    """What a unit of a currency is worth, on a day."""

    id: Annotated[str, Where(pattern=r"^[A-Z]{3}$")]
    usd: Annotated[float, Where(gt=0)] = said("US dollars for one unit")
    day: date
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Shape):
    """The price of something that no provider of servers sells, a month."""

    id: Slug
    what: str
    amount: float
    currency: Annotated[str, Where(pattern=r"^[A-Z]{3}$")]
    priced: date
    sources: Annotated[tuple[Source, ...], Where(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Shape):
    """A version of Django, of Python or of a system, and what it can meet; what no source gave is absent."""

    version: str
    released: date | None = None
    until: date | None = None
    lts: bool = False
    python: str | tuple[str, ...] = said("The Pythons it runs on, or (a system) the one it brings", default=())
    postgresql: str = said("The oldest it works with, or (a system) the one it brings; so the others", default="")
    mariadb: str = ""
    mysql: str = ""
    sqlite: str = ""
    redis: str = ""
    nginx: str = ""
    psycopg: str = ""
    psycopg2: str = ""
    mysqlclient: str = ""
    sources: Annotated[tuple[Source, ...], Where(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheels(Shape):
    """From which release on a package with C code comes ready-made, and for which Pythons."""

    package: str
    since: str = said("The first release of which this holds; `0` is all")
    python: tuple[str, ...] = said("Pythons for which a Linux wheel was published; none means a compiler")
    instead: str = said("What to take in its place, or from which release on", default="")
    command: str = said("The command that shows it", default="")
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions(Shape):
    """Which versions can meet."""

    django: tuple[Release, ...]
    python: tuple[Release, ...]
    systems: tuple[Release, ...]
    wheels: tuple[Wheels, ...]
