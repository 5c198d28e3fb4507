"""The advice for readers: as one JSON document, as text, and as what has changed between two of them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from stackwise.advice.cost import MEGABYTES_A_REQUEST, PEAK_TO_AVERAGE, Quote
from stackwise.advice.failures import PointOfFailure
from stackwise.advice.hosting import Kind
from stackwise.advice.limits import Limit
from stackwise.advice.report import Layer, Report
from stackwise.render.documents import advice_document, advice_lines

_WIDTH = 100
_MARKS = {"good": "✓", "enough": "○", "short": "✗"}
# What is weighed of a kind of hosting, by degrees, with the word for each.
DEGREES = {"effort": "effort", "lock_in": "lock-in", "control": "control", "ceiling": "ceiling"}
_DEGREES = "▁▂▄▆█"
# So many columns the table of the kinds of hosting takes.
_TABLE_WIDTH = 95


def report_document(report: Report) -> dict[str, Any]:
    """Return the whole advice as JSON-like data."""
    facts = report.facts
    return {
        "hosting": [kind_document(kind) for kind in report.hosting],
        "layers": [_layer(layer) for layer in report.layers],
        "sizing": {
            "cpus": facts["cpus"],
            "memory_mb": facts["memory_mb"],
            "needed_mb": facts["memory.needed_mb"],
            "memory": [asdict(share) for share in report.memory],
            "formulas": report.formulas,
            "page_cpu_ms": facts["page.cpu_ms"],
            "wanted": facts["needs.requests_per_minute"],
            "limits": [_limit(limit) for limit in report.limits],
            "enough": {"size": report.enough.size, "servers": report.enough.servers} if report.enough else None,
        },
        "market": [_quote(quote) for quote in report.market],
        "properties": [
            {"property": v.property, "verdict": v.verdict, "because": v.because, "settle": v.settle}
            for v in report.verdicts
        ],
        "failures": [_failure(point) for point in report.failures],
        "advice": [advice_document(piece) for piece in report.advice],
    }


def kind_document(kind: Kind) -> dict[str, Any]:
    """Return a kind of hosting as JSON-like data."""
    hosting = kind.hosting
    degrees = {name: asdict(getattr(hosting, name)) for name in DEGREES}
    return {
        "id": kind.component.id,
        "name": kind.component.name,
        "today": _quote(kind.today) if kind.today else None,
        "tenfold": _quote(kind.tenfold) if kind.tenfold else None,
        "hours": kind.hours,
        **degrees,
    }


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "category": layer.category.id,
        "answer": layer.category.answer,
        "chosen": list(layer.chosen),
        "recommended": layer.best,
        "comes_by": layer.recommended.comes_by if layer.recommended else None,
        "choose_when": layer.recommended.choose_when if layer.recommended else layer.category.without,
        "fit": layer.fit,
        "because": [{"weight": reason.weight, "says": reason.says, "rule": reason.rule} for reason in layer.reasons],
        "runner_up": layer.runner_up.id if layer.runner_up else None,
        "behind": layer.behind,
        "tips": [{"question": tip.question, "answer": tip.answer, "component": tip.component} for tip in layer.tips],
        "better": layer.better.id if layer.better else None,
    }


def _limit(limit: Limit) -> dict[str, Any]:
    return {**asdict(limit), "from": limit.band[0], "to": limit.band[1]}


def _quote(quote: Quote) -> dict[str, Any]:
    return {**asdict(quote), "priced": quote.priced.isoformat(), "total": _rounded(quote.total)}


def _failure(point: PointOfFailure) -> dict[str, Any]:
    failure = point.failure
    return {
        "id": failure.id,
        "name": failure.name,
        "says": failure.says,
        "remove": failure.remove,
        "money": _rounded(point.money),
        "hours": failure.hours,
    }


def _rounded(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 2)


def report_lines(
    document: Mapping[str, Any], currency: str, *, explain: bool = False, width: int = _WIDTH
) -> Iterator[str]:
    """Yield the advice as text for a terminal that is `width` columns wide; `explain` shows every sum."""
    yield from _title("Hosting, for this team")
    table = _hosting_table if width >= _TABLE_WIDTH else _hosting_pairs
    yield from table(document["hosting"], currency)
    yield from _wrapped(
        "Hours are the team's own, a month, by our estimate; degrees go from 1 (hardly any) to 5.", width
    )
    yield from _title("Layer by layer")
    for layer in document["layers"]:
        yield from _layer_lines(layer, width, explain=explain)
    yield from _title("What it carries")
    yield from _sizing_lines(document["sizing"], width, explain=explain)
    yield from _title(f"What it would cost a month ({currency}, without tax; the cheapest size that carries it)")
    yield from _market_lines(document["market"], width, explain=explain)
    yield from _title("The five properties of a production environment")
    for verdict in document["properties"]:
        yield from _wrapped(
            f"{_MARKS[verdict['verdict']]} {verdict['property']}: {verdict['verdict']}. {verdict['because']}", width
        )
    yield from _title("Single points of failure")
    for point in document["failures"]:
        yield from _failure_lines(point, currency, width)
    performance = [piece for piece in document["advice"] if piece["topic"] == "performance"]
    other = [piece for piece in document["advice"] if piece["topic"] != "performance"]
    if performance:
        yield from _title("Quicker pages")
        yield from _advice(performance, width)
    yield from _title("What speaks for and against it")
    yield from _advice(other, width) if other else ["  nothing to say against it"]


def _title(text: str) -> Iterator[str]:
    yield from ("", text)


def _advice(advice: Sequence[Mapping[str, Any]], width: int) -> Iterator[str]:
    for line in advice_lines(advice):
        yield from _wrapped(line, width)


def _hosting_pairs(kinds: Sequence[Mapping[str, Any]], currency: str) -> Iterator[str]:
    """Yield two lines for each kind, where the table has no room."""
    for kind in kinds:
        today, later = (money(kind[when], currency) for when in ("today", "tenfold"))
        yield f"  {kind['name']}: {today} today, {later} tenfold, {kind['hours']:g} h"
        degrees = (f"{word} {degree_words(kind[name]['degree'])}" for name, word in DEGREES.items())
        yield f"    {', '.join(degrees)}"


def _hosting_table(kinds: Sequence[Mapping[str, Any]], currency: str) -> Iterator[str]:
    yield f"  {'':<24}{'today':>14}{'tenfold':>14}{'hours':>7}  effort lock-in control ceiling"
    for kind in kinds:
        degrees = "".join(f"{degree_words(kind[name]['degree']):<8}" for name in DEGREES)
        sums = "".join(f"{money(kind[when], currency):>14}" for when in ("today", "tenfold"))
        yield f"  {kind['name']:<24}{sums}{kind['hours']:>7g}  {degrees}".rstrip()


def degree_words(degree: int) -> str:
    """Return how much of something, from 1 to 5, with a mark that shows it."""
    return f"{_DEGREES[degree - 1]} {degree}"


def money_words(quote: Quote | None, currency: str) -> str:
    """Return what a quote comes to; "from" where part of it is not known."""
    return money(_quote(quote) if quote else None, currency)


def money(quote: Mapping[str, Any] | None, currency: str) -> str:
    """Return what a quote comes to, in words; an unknown price is said to be unknown."""
    if quote is None or quote["total"] is None:
        return "unknown"
    return f"{'from ' if quote['unknown'] else ''}{quote['total']:.0f} {currency}"


def _layer_lines(layer: Mapping[str, Any], width: int, *, explain: bool) -> Iterator[str]:
    chosen = ", ".join(layer["chosen"])
    ours = layer["comes_by"] == "role"
    mark = "" if ours or not layer["answer"] else " (advice only)"
    head = f"{layer['category']}: {layer['recommended']}{mark}"
    if chosen and chosen != layer["recommended"]:
        head += f"; chosen is {chosen}"
    yield from _wrapped(f"{head}. {_why(layer)}", width)
    if explain and layer["because"]:
        yield f"    fit {layer['fit']:g} = " + " ".join(_term(reason) for reason in layer["because"])
    if layer["better"]:
        yield from _wrapped(
            f"  {layer['better']} would fit better, by {-layer['behind']:g}; stackwise does not install it", width
        )
    elif layer["runner_up"]:
        tip = next((tip for tip in layer["tips"] if tip["component"] == layer["runner_up"]), None)
        tipped = (
            f"; `{tip['question']}: {_answer(tip['answer'])}` would tip it" if tip else "; no single answer tips it"
        )
        yield from _wrapped(f"  runner-up {layer['runner_up']}, {layer['behind']:g} behind{tipped}", width)


def _why(layer: Mapping[str, Any]) -> str:
    """Return the rule that speaks for it most, else when one would take it."""
    rules = (reason["says"] for reason in layer["because"] if reason["weight"] > 0 and reason["rule"])
    return str(next(rules, layer["choose_when"]))


def _term(reason: Mapping[str, Any]) -> str:
    name = reason["rule"] or reason["says"].partition(":")[0]
    return f"{reason['weight']:+g} ({name})"


def _answer(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _sizing_lines(sizing: Mapping[str, Any], width: int, *, explain: bool) -> Iterator[str]:
    parts = ", ".join(f"{share['component']} {share['memory_mb']}" for share in sizing["memory"])
    yield from _wrapped(f"memory: {sizing['needed_mb']} of {sizing['memory_mb']} MiB ({parts})", width)
    if sizing["enough"]:
        several = f"{sizing['enough']['servers']} x " if sizing["enough"]["servers"] > 1 else ""
        yield from _wrapped(f"the smallest that carries it here: {several}{sizing['enough']['size']}", width)
    else:
        yield from _wrapped("no size of this provider is known to carry it", width)
    if explain:
        for name, formula in sizing["formulas"].items():
            what = name if "." in name else f"{name}, memory in MiB ="
            yield from _wrapped(f"  {what} {formula}", width)
    for number, limit in enumerate(sizing["limits"]):
        first = "what gives first: " if number == 0 else "then "
        yield from _wrapped(
            f"{first}{limit['what']}, at {limit['requests_per_minute']:,} requests a minute"
            f" ({limit['from']:,} to {limit['to']:,}, as a page costs more or less); {sizing['wanted']:,} are wanted",
            width,
        )
        if explain:
            yield from _wrapped(f"  = {limit['formula']}", width)
        if number == 0:
            yield from _wrapped(f"  after that: {limit['remedy']}", width)


def _market_lines(quotes: Sequence[Mapping[str, Any]], width: int, *, explain: bool) -> Iterator[str]:
    if not quotes:
        yield "  unknown: no price list of a provider that could carry it was read"
    for quote in quotes if explain else quotes[:6]:
        several = f"{quote['servers']} x " if quote["servers"] > 1 else ""
        total = "unknown" if quote["total"] is None else f"{quote['total']:.2f}"
        lacking = f"; without {', '.join(quote['unknown'])}, whose price is unknown" if quote["unknown"] else ""
        yield from _wrapped(
            f"{total:>9}  {quote['provider']}, {several}{quote['size']}, prices of {quote['priced']}{lacking}", width
        )
        if explain:
            for line in quote["lines"]:
                amount = "unknown" if line["amount"] is None else f"{line['amount']:.2f} {quote['currency']}"
                yield f"             {line['what']}: {amount}"
    if explain:
        yield from _wrapped(
            f"traffic: requests a minute / {PEAK_TO_AVERAGE} (the busiest minute to the average one)"
            f" x {60 * 24 * 30:,} minutes x {MEGABYTES_A_REQUEST} MB a request, by our estimate",
            width,
        )


def _failure_lines(point: Mapping[str, Any], currency: str, width: int) -> Iterator[str]:
    yield from _wrapped(f"{point['name']}: {point['says']}", width)
    money = "unknown money" if point["money"] is None else f"{point['money']:.0f} {currency}"
    yield from _wrapped(
        f"  to remove it: {point['remove']} It costs some {money} and {point['hours']:g} hours a month.", width
    )


def _wrapped(line: str, width: int) -> list[str]:
    indent = "  " + " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line.lstrip(),
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield what differs between two documents of advice, one line each."""
    yield from _layer_changes(before, after)
    for kind, other in zip(before["hosting"], after["hosting"], strict=True):
        for when in ("today", "tenfold"):
            old, new = (quote[when]["total"] if quote[when] else None for quote in (kind, other))
            if old != new:
                yield f"{kind['name']}, {when}: {_shown(old)} -> {_shown(new)}"
    old, new = (document["sizing"]["limits"][:1] for document in (before, after))
    if old != new and old and new:
        yield f"what gives first: {_first(old)} -> {_first(new)}"
    if before["sizing"]["enough"] != after["sizing"]["enough"]:
        yield f"the smallest that carries it here: {_size(before)} -> {_size(after)}"
    if before["sizing"]["needed_mb"] != after["sizing"]["needed_mb"]:
        yield f"memory: {before['sizing']['needed_mb']} -> {after['sizing']['needed_mb']} MiB"
    for old, new in zip(before["properties"], after["properties"], strict=True):
        if old["verdict"] != new["verdict"]:
            yield f"{old['property']}: {old['verdict']} -> {new['verdict']}: {new['because']}"
    yield from _said(before, after, "advice", "says")
    yield from _said(before, after, "failures", "says")


def _layer_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old = {layer["category"]: layer for layer in before["layers"]}
    for layer in after["layers"]:
        was = old.get(layer["category"])
        if was and was["recommended"] != layer["recommended"]:
            yield f"{layer['category']}: {was['recommended']} -> {layer['recommended']}. {_why(layer)}"
        if was and was["better"] != layer["better"] and layer["better"]:
            yield f"{layer['category']}: {layer['better']} would now fit better, and stackwise does not install it"


def _size(document: Mapping[str, Any]) -> str:
    enough = document["sizing"]["enough"]
    return f"{enough['servers']} x {enough['size']}" if enough else "none"


def _first(limits: Sequence[Mapping[str, Any]]) -> str:
    return f"{limits[0]['what']} at {limits[0]['requests_per_minute']:,}"


def _shown(amount: object) -> str:
    return "unknown" if amount is None else f"{amount}"


def _said(before: Mapping[str, Any], after: Mapping[str, Any], key: str, words: str) -> Iterator[str]:
    old, new = ({piece["id"]: piece for piece in document[key]} for document in (before, after))
    yield from (f"+ {name}: {new[name][words]}" for name in new if name not in old)
    yield from (f"- {name}: {old[name][words]}" for name in old if name not in new)
