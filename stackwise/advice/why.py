"""Why a layer's option is recommended: what every option's fit is made of, what was close, what would tip it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from stackwise.advice.facts import gather
from stackwise.advice.ranking import Reason, Scale
from stackwise.advice.report import Layer, recommend
from stackwise.answers import Choices
from stackwise.catalog import Catalog
from stackwise.catalog.model import Category
from stackwise.project import Project


@dataclass(frozen=True, slots=True)
class Why:
    """The recommendation for a layer, None where the design does without; and each option's fit with its reasons."""

    layer: Layer | None
    fits: dict[str, tuple[float, tuple[Reason, ...]]]


def why(category: Category, choices: Choices, project: Project, catalog: Catalog) -> Why:
    """Return why a layer's option is recommended.

    Raises UsageError for a provider or a size that does not exist.
    """
    layer = next((found for found in recommend(choices, project, catalog) if found.category.id == category.id), None)
    scale = Scale(catalog, gather(choices, project, catalog))
    options = catalog.options(category.id)
    return Why(layer, {c.id: (round(scale.fit(c), 2), scale.reasons(c)) for c in options})
