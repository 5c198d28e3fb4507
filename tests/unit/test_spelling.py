"""One spelling, the British one, in all that a user reads."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
AMERICAN = re.compile(
    r"\b(colors?|colored|behaviou?rally|behavior|favorites?|honor|neighbors?|analyze[ds]?|optimize[ds]?|organize[ds]?|"
    r"recognize[ds]?|customize[ds]?|initialize[ds]?|canceled|fulfill|gray|centers?|labeled|modeled|traveled)\b",
    re.IGNORECASE,
)
# Names of commands and options of others, and what a link is called, are as they are.
NOT_OURS = re.compile(r"`[^`]*`|https?://\S+|--no-color|NO_COLOR|systemd-analyze")


def _texts() -> list[Path]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [*pages, *(ROOT / "catalog").rglob("*.yml")]


def test_all_that_is_read_is_spelt_in_one_way() -> None:
    texts = _texts()
    assert len(texts) > 250
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in texts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for match in AMERICAN.finditer(NOT_OURS.sub("", line))
    ]
    assert found == []
