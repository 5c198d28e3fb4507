"""Why an option of a layer is recommended or not, as text: the sum of its fit, what was close, what would tip it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from stackwise.advice.ranking import Reason
from stackwise.advice.report import Layer
from stackwise.advice.why import Why
from stackwise.catalog import Catalog


def why_lines(why: Why, name: str, catalog: Catalog, width: int) -> Iterator[str]:
    """Yield why the layer's best is recommended, and what the fit of the option `name` is made of."""
    layer = why.layer
    if layer is None:
        yield "There is nothing to recommend here."
    elif layer.recommended is None:
        yield from _wrapped(f"This design does without: {layer.category.without}", width)
    else:
        yield from _recommended(layer, why, width)
    if name in why.fits and (layer is None or name != layer.best):
        yield ""
        yield from _sum(catalog.component(name).name, why.fits[name], width)


def _recommended(layer: Layer, why: Why, width: int) -> Iterator[str]:
    assert layer.recommended is not None, "asked only where something is"  # noqa: S101 - an invariant of the caller
    yield f"Recommended: {layer.recommended.name}"
    yield ""
    yield from _sum(layer.recommended.name, why.fits[layer.best], width)
    yield ""
    if layer.better:
        yield from _wrapped(
            f"{layer.better.name} would fit better, by {-layer.behind:g}; stackwise does not install it.", width
        )
    elif layer.runner_up:
        yield from _wrapped(f"Close: {layer.runner_up.name}, {layer.behind:g} behind.", width)
    if layer.tips:
        yield "What would tip it:"
        yield from (f"  {tip}  makes it {tip.component}" for tip in layer.tips)
    else:
        yield "No single other answer would tip it."


def _sum(name: str, fit: tuple[float, Sequence[Reason]], width: int) -> Iterator[str]:
    total, reasons = fit
    yield f"{name} fits by {total:+g}, which is the sum of"
    for reason in reasons:
        yield from textwrap.wrap(
            f"{reason.weight:+6.1f}  {reason.says}", width, subsequent_indent=" " * 8, break_long_words=False
        )
    if not reasons:
        yield "     0  nothing that weighs for this team"


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False)
