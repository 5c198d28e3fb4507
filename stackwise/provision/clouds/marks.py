"""How our marks are written where a provider's tags are single words, and what else the adapters share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from stackwise.catalog import nearest
from stackwise.catalog.model import Component
from stackwise.errors import NotSoldError
from stackwise.provision.cloud import TOKEN, Node

# How the names of our tags begin.
OURS = "stackwise-"
# How long the part of the token is that tells the keys and groups of two records apart.
_SHORT = 12


def as_words(tags: Mapping[str, str]) -> list[str]:
    """Return tags as words: stackwise-name:superbook."""
    return [f"{name}:{value}" for name, value in tags.items()]


def short(text: str, longest: int) -> str:
    """Return a text that a provider takes, and that stays apart from every other: what is cut is told by a hash."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def from_words(words: Iterable[str]) -> dict[str, str]:
    """Return our own tags among a server's words; what others put there is theirs."""
    pairs = (word.split(":", 1) for word in words if ":" in word)
    return {name: value for name, value in pairs if name.startswith(OURS)}


def carrying(nodes: Iterable[Node], tags: Mapping[str, str]) -> tuple[Node, ...]:
    """Return the servers that carry all of `tags`; with none, those that carry any of ours."""
    return tuple(node for node in nodes if TOKEN in node.tags and tags.items() <= dict(node.tags).items())


def own_name(tags: Mapping[str, str]) -> str:
    """Return the name of what is made beside the servers of one record: no other record's has it."""
    return f"stackwise-{tags[TOKEN][:_SHORT]}"


def material(key: str) -> str:
    """Return what makes a public key the same key, whatever comment it has."""
    return " ".join(key.split()[:2])


def not_sold(provider: Component, what: str, wanted: str, known: Iterable[str]) -> NotSoldError:
    """Return the error for something that is not for sale, with the nearest that is."""
    names = sorted(known)
    key = {"size": "hosting.size", "region": "hosting.region", "image": "stack.os"}[what]
    hint = nearest(wanted, names) or f"see what is: stackwise providers show {provider.id}"
    return NotSoldError(f"{provider.name} sells no {what} {wanted!r} there", hint=f"{hint} ({key})")


class Named:
    """What most of libcloud's drivers take of a size, an image, a place or a server: the id, which is also the name."""

    def __init__(self, word: str) -> None:
        """Keep the word."""
        self.id = self.name = word
