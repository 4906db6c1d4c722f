"""An event in words: what happened, whether it was warned of, and if not, why.

Made from the document of ``event.json`` alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from liqwarn.decisions import Tier
from liqwarn.policy.restriction import TIER_NAMES
from liqwarn.reports.formats import DASH, compact, finite, number, percent, signed, utc

__all__ = [
    "catalogue_text",
    "event_lines",
    "event_title",
    "happened_line",
    "model_line",
    "probability_line",
    "reason_lines",
    "verdict_line",
]

_CALM: Final = 0.5
_VIOLENT: Final = 0.9
_MUCH: Final = 0.2
"""Log-odds: a feature that takes a fifth of the odds away."""

Document = Mapping[str, Any]


def event_lines(document: Document) -> list[str]:
    """Everything to say about an event, one sentence or two a line."""
    lines = [
        event_title(document),
        happened_line(document),
        verdict_line(document),
        probability_line(document),
        *_pushes(document),
        *reason_lines(document),
        _tiers(document),
        model_line(document),
        *_choice(document),
    ]
    return [line for line in lines if line]


def event_title(document: Document) -> str:
    """What, where and when, in a line."""
    event = document["event"]
    simulated = " (SIMULATED market)" if document["market"] == "simulated" else ""
    severe = "severe " if "severe" in event["flags"] else ""
    return (
        f"{event['symbol']}{simulated}: {severe}{event['side']} cascade, onset "
        f"{utc(event['onset'])} UTC"
    )


def happened_line(document: Document) -> str:
    """How far price and open interest went, and when."""
    event = document["event"]
    fell = "fell" if event["side"] == "long" else "rose"
    liquidated = [
        f"${compact(event[f'{side}_liq_usd'])} of {side}s"
        for side in ("long", "short")
        if finite(event[f"{side}_liq_usd"]) is not None
    ]
    told = f" and published liquidations of {' and '.join(liquidated)}" if liquidated else ""
    return (
        f"The price {fell} by {percent(abs(event['move']))} to its peak at "
        f"{_time(event['peak'], event)}, with an open interest loss of "
        f"{percent(event['oi_loss'])}{told}; confirmed at {_time(event['confirmed'], event)}, "
        f"over at {_time(event['end'], event)}. Severity {number(event['severity'], 1)}."
    )


def _time(moment: str, event: Mapping[str, Any]) -> str:
    """Hours and minutes, with the date where it is not that of the onset."""
    text, onset = utc(moment), utc(event["onset"])
    return text[11:] if text[:10] == onset[:10] else text


def verdict_line(document: Document) -> str:
    """Warned, and how long before; or missed; at each share of time in alarm."""
    budgets = document["warning"]["budgets"]
    verdicts = {one["verdict"] for one in budgets.values()}
    shares = {name: percent(float(name), 0) for name in budgets}
    if verdicts == {"no early warning"}:
        return "No early warning could exist."
    if verdicts == {"missed"}:
        return f"Missed, at {' and at '.join(shares.values())} time in alarm."
    ahead: dict[str, list[str]] = {}
    for name, one in reversed(budgets.items()):
        if one["verdict"] == "warned":
            ahead.setdefault(f"{one['lead_minutes']:.0f} min ahead", []).append(shares[name])
    told = [f"{lead} at {' and '.join(at)}" for lead, at in ahead.items()]
    missed = [shares[name] for name, one in budgets.items() if one["verdict"] == "missed"]
    told += [f"missed at {' and '.join(missed)}"] if missed else []
    return f"Warned {', '.join(told)} time in alarm."


def probability_line(document: Document) -> str:
    """The highest 4-h probability before the onset, beside what an alarm asks."""
    warning, event = document["warning"], document["event"]
    peak = warning["peak"]
    if peak is None:
        return f"No probability was known in the {warning['horizon_h']} h before the onset."
    asked = " and ".join(
        f"{percent(one['threshold'], 2)} ({percent(float(name), 0)} time in alarm)"
        for name, one in warning["budgets"].items()
    )
    high = peak["probability"][f"{warning['horizon_h']}h"]
    rate = finite(peak["base_rate"])
    times = f", {high / rate:.1f} times its base rate" if rate else ""
    return (
        f"In the {warning['horizon_h']} h before the onset the {event['side']} side's "
        f"{warning['horizon_h']}-h probability was highest at {_time(peak['time'], event)}: "
        f"{percent(high, 2)}{times}, {_rank(peak['quantile'])} of its last 180 days. "
        f"An alarm asks for {asked}."
    )


def _rank(share: object) -> str:
    """A percentile in words.

    >>> _rank(0.934), _rank(float("nan"))
    ('percentile 93', 'percentile unknown')
    """
    found = finite(share)
    return "percentile unknown" if found is None else f"percentile {int(100 * found)}"


def _pushes(document: Document) -> Iterator[str]:
    peak = document["warning"]["peak"]
    if peak is None:
        return
    for way, word in (("raised", "Raised"), ("lowered", "Lowered")):
        if peak[way]:
            yield f"{word} most, in log-odds, by {_drivers(peak[way])}."


def _drivers(drivers: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(
        f"{one['feature']} = {_value(one['value'])} ({_rank(one['percentile'])}, "
        f"{signed(one['contribution'], 2)})"
        for one in drivers
    )


def _value(value: object) -> str:
    found = finite(value)
    return "missing" if found is None else f"{found:.3g}".replace("-", "−")


def reason_lines(document: Document) -> list[str]:
    """Why it was not warned of, from facts; nothing for an event warned of at every budget."""
    warning = document["warning"]
    verdicts = [one["verdict"] for one in warning["budgets"].values()]
    if all(verdict == "warned" for verdict in verdicts):
        return []
    if "no early warning" in verdicts:
        return [*_impossible(document), *_running(document)]
    return [
        *_short_of(warning),
        *_volatility(warning),
        *_running(document),
        *_inputs(warning),
        *_otherwise(document),
    ]


def _impossible(document: Document) -> Iterator[str]:
    """No bar before the onset was one at which an early warning could be given."""
    warning, event = document["warning"], document["event"]
    hours = warning["horizon_h"]
    if not warning["bars"]:
        yield "Why: the data begin too late before the onset."
    elif warning["judged_bars"]:
        yield (
            f"Why: nothing could be scored in the {hours} h before the onset; data quality was "
            f"{warning['inputs']['quality']}: price or open interest was missing."
        )
    else:
        yield (
            f"Why: all of the {hours} h before the onset lay in an event of the {event['side']} "
            "side or in the quiet time after it. A running cascade is the detector's to report, "
            "not the forecast's."
        )


def _running(document: Document) -> Iterator[str]:
    for other in document["warning"]["running_before"]:
        yield (
            f"A {other['side']} cascade ran before: {utc(other['onset'])} to "
            f"{_time(other['end'], document['event'])}."
        )


def _short_of(warning: Mapping[str, Any]) -> Iterator[str]:
    peak = warning["peak"]
    missed = {n: one for n, one in warning["budgets"].items() if one["verdict"] == "missed"}
    if peak is None or not missed:
        return
    high = peak["probability"][f"{warning['horizon_h']}h"]
    parts = [
        f"{percent(high / one['threshold'], 0)} of what {percent(float(name), 0)} asks"
        for name, one in missed.items()
    ]
    yield f"Why: the probability reached {' and '.join(parts)}."
    if peak["lowered"]:
        held = _drivers(peak["lowered"][:1])
        much = peak["lowered"][0]["contribution"] <= -_MUCH
        lead = "What held it down most was" if much else "No feature held it down by much; most did"
        yield f"{lead} {held}."


def _volatility(warning: Mapping[str, Any]) -> Iterator[str]:
    found = finite(warning["inputs"].get("volatility", {}).get("percentile"))
    if found is None:
        return
    level = f"1-day volatility stood at {_rank(found)} of its last 180 days"
    if found < _CALM:
        yield f"The market was calm before: {level}. A cascade out of calm looks like news."
    elif found >= _VIOLENT:
        yield f"The market was violent already: {level}; calm is not why it was missed."
    else:
        yield f"The market was neither calm nor violent before: {level}."


def _inputs(warning: Mapping[str, Any]) -> Iterator[str]:
    inputs = warning["inputs"]
    missing = ", ".join(inputs["missing_fields"])
    if inputs["quality"] != "ok":
        yield f"Data quality was {inputs['quality']}: {missing or 'an input'} was missing."
    elif missing:
        yield (
            f"Not in the data at that time: {missing}; "
            f"{inputs['unknown_features']} of {inputs['features']} features were unknown."
        )


def _otherwise(document: Document) -> Iterator[str]:
    """Alarms that do not count: too early, or only with the onset."""
    told = {
        "earlier": "It had been above a threshold before, too early to count: last at",
        "late": "From the onset on it was above a threshold: at",
    }
    for when, words in told.items():
        moments = _alarms(document, when)
        if moments:
            yield f"{words} {moments}."


def _alarms(document: Document, when: str) -> str:
    found: dict[str, list[str]] = {}
    for name, one in reversed(document["warning"]["budgets"].items()):
        if one["verdict"] == "missed" and one[when]:
            moment = _time(one[when], document["event"])
            found.setdefault(moment, []).append(percent(float(name), 0))
    return ", ".join(f"{moment} ({' and '.join(at)} time in alarm)" for moment, at in found.items())


def _tiers(document: Document) -> str:
    tiers, event = document["tiers"], document["event"]
    start = tiers["at_onset"]
    held = "" if tiers["before"] == start else f" ({_tier(start)} as the onset bar began)"
    return (
        f"Tier of the {event['side']} side: {_tier(tiers['before'])} at most in the 4 h before"
        f"{held}, {_tier(tiers['during'])} at most during, {_tier(tiers['after'])} at the end "
        "of the picture."
    )


def _tier(tier: int | None) -> str:
    return DASH if tier is None else f"T{tier} {TIER_NAMES[Tier(tier)]}"


def model_line(document: Document) -> str:
    """Whether the probabilities are out of sample."""
    model = document["model"]
    until = utc(model["trained_until"])
    if model["seen_event"]:
        return (
            f"THE MODEL HAS SEEN THIS EVENT: version {model['version']} was trained on outcomes "
            f"known until {until} UTC, so its probabilities here prove nothing."
        )
    if model["seen_bars"]:
        return (
            f"The model ({model['version']}) has not seen this event, but was trained on outcomes "
            f"known until {until} UTC, and so on the first {model['seen_bars']} bars shown."
        )
    return (
        f"Out of sample: the model knew outcomes until {until} UTC ({model['rows']:,} rows, "
        f"{model['events']:,} events), none of this event and none of the bars shown."
    )


def _choice(document: Document) -> Iterator[str]:
    choice = document["choice"]
    if not choice["exact"]:
        yield f"No event ran on {choice['asked']}; this is the nearest one."
    if choice["others"]:
        told = ", ".join(
            f"{one['symbol']} {one['side']} {utc(one['onset'])} ({signed(100 * one['move'], 1)} %)"
            for one in choice["others"]
        )
        yield f"Also that day: {told}."


def catalogue_text(table: pd.DataFrame) -> str:
    """The catalogue for a terminal, one line an event.

    Parameters
    ----------
    table : DataFrame
        As :func:`liqwarn.models.events.event_table` gives it.
    """
    head = f"{'onset (UTC)':16s}  {'symbol':12s} {'side':5s} {'move':>8s} {'OI loss':>8s} severity"
    lines = [_listed(row) for row in table.to_dict("records")]
    return "\n".join([head, *lines, f"{len(lines)} events"])


def _listed(row: Mapping[Any, Any]) -> str:
    flags = str(row["flags"]).replace(";", ", ").replace("_", " ")
    return (
        f"{utc(row['onset'])}  {row['symbol']:12s} {row['side']:5s} "
        f"{signed(100 * row['move'], 1):>6s} % {percent(row['oi_loss']):>8s} "
        f"{number(row['severity'], 1):>8s}  {flags}"
    ).rstrip()
