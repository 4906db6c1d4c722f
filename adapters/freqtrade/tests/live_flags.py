"""Flags of now, as a serving liqwarn writes them: in a file, on a board, signed or not."""

import hashlib
import time
from datetime import UTC, datetime, timedelta

import orjson
import yaml
from market import SYMBOLS
from runs import POLICY

from liqwarn.decisions import Flag, ModelStamp, Restriction, Tier, flag_to_dict, iso_utc
from liqwarn.policy.ladder import parse_policy
from liqwarn.policy.restriction import state_of
from liqwarn.signing import sign_document

LADDER = parse_policy(
    yaml.safe_load(POLICY.read_bytes()), sha256=hashlib.sha256(POLICY.read_bytes()).hexdigest()
)


def make_flag(symbol, tier="T0", *, valid_minutes=30.0, age_minutes=10.0):
    now = datetime.now(UTC)
    as_of = now - timedelta(minutes=age_minutes)
    limits = LADDER.tiers[Tier[tier]].threatened
    side = Restriction(
        tier=Tier[tier],
        state=state_of(limits, halted=False),
        limits=limits,
        probability={1: 0.1, 4: 0.2, 24: 0.3},
        reasons=(f"The ladder is at {tier}.",),
    )
    return Flag(
        symbol=symbol,
        as_of=as_of,
        issued_at=now,
        valid_until=now + timedelta(minutes=valid_minutes),
        sequence=int(time.time() * 1000) // 1000,
        quality="ok",
        sides={"long": side, "short": side},
        model=ModelStamp(version="1", sha256="m"),
        policy=LADDER.stamp,
        data_sha256="d",
        completeness=1.0,
    )


def make_flags(tier="T0", **options):
    return [make_flag(symbol, tier, **options) for symbol in SYMBOLS]


def flag_set(flags, key=None):
    documents = [flag_to_dict(flag) for flag in flags]
    if key is not None:
        documents = [sign_document(document, key) for document in documents]
    return orjson.dumps(
        {
            "schema": "liqwarn.flags/1",
            "generated_at": iso_utc(datetime.now(UTC)),
            "market": "real",
            "flags": documents,
        }
    )


def write_flags(path, flags, key=None):
    part = path.with_suffix(".part")
    part.write_bytes(flag_set(flags, key))
    part.replace(path)
