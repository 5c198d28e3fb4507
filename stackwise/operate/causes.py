"""What most likely lies behind a failure: the catalog's causes, held against what was said."""

from __future__ import annotations

import re

from stackwise.catalog import Catalog
from stackwise.catalog.tables import Cause

# The end of a long text says why; a pattern need not be tried on megabytes of what led there.
_LONGEST = 20_000


def likely_cause(catalog: Catalog, *words: str) -> Cause | None:
    """Return the first cause that fits the words of a failure, None where none of them is known."""
    text = "\n".join(words)[-_LONGEST:]
    return next((cause for cause in catalog.causes.values() if re.search(cause.pattern, text)), None)
