"""A policy, flags, a file of them, and a clock that does what it is told."""

import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
import yaml

from liqwarn.decisions import Flag, ModelStamp, Restriction, Tier, flag_to_dict, iso_utc
from liqwarn.policy.ladder import parse_policy
from liqwarn.policy.restriction import state_of

NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)
POLICY_FILE = Path(__file__).parents[2] / "conf" / "policy.yaml"


@pytest.fixture(scope="session")
def policy():
    content = POLICY_FILE.read_bytes()
    return parse_policy(yaml.safe_load(content), sha256=hashlib.sha256(content).hexdigest())


@pytest.fixture(scope="session")
def noon():
    return NOON


class FakeClock:
    """Both clocks run together, until the wall's is set."""

    def __init__(self) -> None:
        self.now = NOON + timedelta(minutes=1)
        self.seconds = 1_000.0

    def wall(self):
        return self.now

    def monotonic(self):
        return self.seconds

    def run(self, **duration):
        self.now += timedelta(**duration)
        self.seconds += timedelta(**duration).total_seconds()

    def set_wall(self, **jump):
        self.now += timedelta(**jump)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(scope="session")
def make_flag(policy):
    def make(symbol="BTCUSDT", tier="T0", *, as_of=NOON, **changes):
        limits = policy.tiers[Tier[tier]].threatened
        side = Restriction(
            tier=Tier[tier],
            state=state_of(limits, halted=False),
            limits=limits,
            probability={1: 0.1, 4: 0.2, 24: 0.3},
            reasons=("No rule asks for a restriction.",),
        )
        flag = Flag(
            symbol=symbol,
            as_of=as_of,
            issued_at=as_of + timedelta(minutes=1),
            valid_until=as_of + timedelta(minutes=70),
            sequence=int(as_of.timestamp()),
            quality="ok",
            sides={"long": side, "short": side},
            model=ModelStamp(version="1", sha256="m"),
            policy=policy.stamp,
            data_sha256="d",
            completeness=1.0,
        )
        return replace(flag, **changes)

    return make


@pytest.fixture
def write_flags(tmp_path):
    """Replace the file of flags, as a scoring does; its mtime is when it says it was made."""

    def write(*flags, generated_at=None, path=None):
        target = path or tmp_path / "flags.json"
        made = generated_at or max((flag.issued_at for flag in flags), default=NOON)
        body = {
            "schema": "liqwarn.flags/1",
            "generated_at": iso_utc(made),
            "market": "real",
            "flags": [flag_to_dict(flag) for flag in flags],
        }
        part = target.with_name("flags.part")
        part.write_bytes(orjson.dumps(body))
        os.utime(part, (made.timestamp(), made.timestamp()))
        part.replace(target)
        return target

    return write
