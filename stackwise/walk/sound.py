"""What of an answers file is right, while the rest of it is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stackwise.answers import Answers, checked
from stackwise.answers.document import Document
from stackwise.catalog import Catalog
from stackwise.errors import AnswersError, Fault


def sound_answers(document: Document, path: Path, catalog: Catalog) -> tuple[Answers, tuple[Fault, ...]]:
    """Return the answers that are right, and the faults of the others, which stay in the document as they are."""
    try:
        return checked(document, path, catalog), ()
    except AnswersError as exc:
        faults = exc.faults
    for whole in (False, True):
        sound = Document.parse(document.text(), document.file)
        for fault in faults:
            _leave_out(sound, fault.key.partition(".")[0] if whole else fault.key)
        sound.change("schema", 1)
        if not sound.data.get("name"):
            sound.change("name", catalog.questions["name"].default)
        try:
            return Answers(path, checked(sound, path, catalog).written), faults
        except AnswersError:
            continue
    only_name = {"schema": 1, "name": catalog.questions["name"].default}
    return Answers(path, only_name), faults


def _leave_out(document: Document, key: str) -> None:
    """Remove what stands at a dotted key; of a list, the whole list."""
    node: Any = document.data
    *parents, last = key.split(".")
    for place, parent in enumerate(parents):
        below = node.get(parent) if isinstance(node, Mapping) else None
        if not isinstance(below, Mapping):
            document.change(".".join(parents[: place + 1]), None)
            return
        node = below
    if last in node:
        document.change(key, None)
