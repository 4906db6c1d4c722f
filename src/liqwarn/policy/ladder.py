"""The ladder of the circuit breaker, read from a policy file with every fault named at once."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from liqwarn.decisions import Tier
from liqwarn.errors import ConfigError
from liqwarn.policy.limits import HOUSE_LIMITS, at_least_as_strict
from liqwarn.policy.shape import PolicyShape, TierShape
from liqwarn.policy.tiers import BookRules, Enter, Policy, TierRule

__all__ = ["Policy", "parse_policy"]


def parse_policy(raw: Mapping[str, object], *, sha256: str) -> Policy:
    """Check a policy whole and freeze it.

    Parameters
    ----------
    raw : mapping
        Content of the YAML file.
    sha256 : str
        Hash of the file's bytes; goes into every flag and audit line.

    Raises
    ------
    ConfigError
        With all faults, one a line: unknown keys (with the nearest known one), wrong types, and
        what makes no sense as a ladder: `enter` not rising, `exit` not below `enter`, a tier whose
        limits are looser than the one below it.

    Examples
    --------
    >>> try:
    ...     parse_policy({"schema": "liqwarn.policy/1", "versio": "1.0.0"}, sha256="")
    ... except ConfigError as error:
    ...     print(str(error).splitlines()[1])
    - versio: unknown key, did you mean 'version'?
    """
    shape, faults = _shaped(raw)
    if shape is not None:
        faults += [*_ladder_faults(shape), *_rule_faults(shape)]
    if shape is None or faults:
        count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
        raise ConfigError(f"policy has {count}:\n" + "\n".join(f"- {fault}" for fault in faults))
    return _frozen(shape, sha256)


def _shaped(raw: Mapping[str, object]) -> tuple[PolicyShape | None, list[str]]:
    """The content in its declared shape, unknown keys left out so that the rest is checked too."""
    try:
        return PolicyShape.model_validate(raw), []
    except ValidationError as error:
        problems = error.errors()
    known = [p for p in problems if p["type"] != "extra_forbidden"]
    unknown = [p for p in problems if p["type"] == "extra_forbidden"]
    faults = [_unknown_key(p["loc"]) for p in unknown] + [_fault(p) for p in known]
    if known:
        return None, faults
    return PolicyShape.model_validate(_without(raw, {p["loc"] for p in unknown})), faults


def _without(raw: object, locations: set[tuple[int | str, ...]], at: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - a tree of plain YAML values
    if not isinstance(raw, Mapping):
        return raw
    kept = {key: value for key, value in raw.items() if (*at, key) not in locations}
    return {key: _without(value, locations, (*at, key)) for key, value in kept.items()}


def _fault(problem: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails is not exported
    where = ".".join(str(part) for part in problem["loc"]) or "policy"
    if problem["type"] == "missing":
        return f"{where}: missing"
    return f"{where}: found {problem['input']!r}. {problem['msg'].removeprefix('Value error, ')}"


def _unknown_key(location: tuple[int | str, ...]) -> str:
    shape: type[BaseModel] | None = PolicyShape
    for part in location[:-1]:
        shape = _shape_of(shape.model_fields[str(part)].annotation) if shape else None
    names = [f.alias or name for name, f in shape.model_fields.items()] if shape else []
    near = get_close_matches(str(location[-1]), names, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(names)}"
    return f"{'.'.join(str(part) for part in location)}: unknown key, {hint}"


def _shape_of(annotation: object) -> type[BaseModel] | None:
    for found in (annotation, *get_args(annotation)):
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    return None


def _ladder_faults(shape: PolicyShape) -> Iterator[str]:
    rungs = [(tier, shape.tiers.of(tier)) for tier in Tier]
    for tier, rung in rungs:
        yield from _rung_faults(tier, rung)
    for (lower, under), (upper, over) in pairwise(rungs):
        for column in ("threatened", "other"):
            if not at_least_as_strict(
                getattr(over, column).value(), getattr(under, column).value()
            ):
                yield (
                    f"tiers.{upper.name}.{column} is looser than {lower.name}'s, "
                    "expected stricter or equal"
                )
    yield from _rising(
        "enter.quantile", [(t, r.enter.quantile if r.enter else None) for t, r in rungs]
    )
    yield from _rising(
        "enter.base_multiple", [(t, r.enter.base_multiple if r.enter else None) for t, r in rungs]
    )
    yield from _rising("exit_quantile", [(t, r.exit_quantile) for t, r in rungs])


def _rising(name: str, column: Iterable[tuple[Tier, float | None]]) -> Iterator[str]:
    given = [(tier, value) for tier, value in column if value is not None]
    for (lower, low), (upper, high) in pairwise(given):
        if high <= low:
            yield f"tiers.{upper.name}.{name} is {high}, expected above {lower.name}'s {low}"


def _rung_faults(tier: Tier, rung: TierShape) -> Iterator[str]:
    where = f"tiers.{tier.name}"
    if tier in (Tier.T0, Tier.T5):
        if rung.enter is not None or rung.exit_quantile is not None:
            yield f"{where} has an enter or exit, expected none: no score enters or leaves it"
        if tier is Tier.T0 and rung.threatened.value() != HOUSE_LIMITS:
            yield "tiers.T0.threatened has limits, expected the house limits alone"
        return
    if rung.enter is None or rung.exit_quantile is None:
        yield f"{where} lacks enter or exit_quantile, expected both"
    elif rung.exit_quantile >= rung.enter.quantile:
        yield (
            f"{where}.exit_quantile is {rung.exit_quantile}, "
            f"expected below its enter.quantile {rung.enter.quantile}"
        )


def _rule_faults(shape: PolicyShape) -> Iterator[str]:
    least = {
        "expired.tier": (shape.expired.tier, Tier.T2),
        "expired.later_tier": (shape.expired.later_tier, shape.expired.tier),
        "degraded.tier": (shape.degraded.tier, Tier.T2),
        "cascade.tier": (shape.cascade.tier, Tier.T4),
        "book.company.tier": (shape.book.company.tier, shape.book.company.at),
        "manual.release_to": (shape.manual.release_to, Tier.T3),
    }
    for where, (found, floor) in least.items():
        if found < floor:
            yield f"{where} is {found.name}, expected {floor.name} or higher"
        if found is Tier.T5:
            yield f"{where} is T5, which only an integrity failure or a human may set"
    if shape.book.whole_book.tier is Tier.T5:
        yield "book.whole_book.tier is T5, which only an integrity failure or a human may set"


def _rung(tier: Tier, shape: TierShape) -> TierRule:
    enter = None if shape.enter is None else Enter(**shape.enter.model_dump())
    return TierRule(
        tier=tier,
        enter=enter,
        exit_quantile=shape.exit_quantile,
        dwell=timedelta(minutes=shape.dwell_minutes),
        quiet=timedelta(minutes=shape.quiet_minutes),
        threatened=shape.threatened.value(),
        other=shape.other.value(),
        block_opposite_adds=timedelta(minutes=shape.block_opposite_adds_minutes),
    )


def _frozen(shape: PolicyShape, sha256: str) -> Policy:
    book = shape.book
    return Policy(
        version=shape.version,
        sha256=sha256,
        tiers=tuple(_rung(tier, shape.tiers.of(tier)) for tier in Tier),
        valid_bars=shape.validity.bars,
        grace=timedelta(minutes=shape.validity.grace_minutes),
        expired_tier=shape.expired.tier,
        expired_later_tier=shape.expired.later_tier,
        expired_after=timedelta(minutes=shape.expired.after_minutes),
        degraded_tier=shape.degraded.tier,
        cascade_tier=shape.cascade.tier,
        max_transitions_per_day=shape.max_transitions_per_day,
        book=BookRules(
            core_symbols=frozenset(book.core_symbols),
            core_needed=book.core_needed,
            company_at=book.company.at,
            company_tier=book.company.tier,
            whole_book_at=book.whole_book.at,
            whole_book_tier=book.whole_book.tier,
        ),
        max_loosening=timedelta(hours=shape.manual.max_loosening_hours),
        release_to=shape.manual.release_to,
    )
