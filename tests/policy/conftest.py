"""The shipped policy, and small makers of scores and positions."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from liqwarn.decisions import RiskScore
from liqwarn.policy.ladder import parse_policy
from liqwarn.policy.position import first_position

START = datetime(2024, 8, 5, 0, 0, tzinfo=UTC)
POLICY_FILE = Path(__file__).parents[2] / "conf" / "policy.yaml"


@pytest.fixture(scope="session")
def raw_policy():
    return lambda: yaml.safe_load(POLICY_FILE.read_bytes())


@pytest.fixture(scope="session")
def policy(raw_policy):
    return parse_policy(raw_policy(), sha256=hashlib.sha256(POLICY_FILE.read_bytes()).hexdigest())


@pytest.fixture(scope="session")
def make_score():
    def make(now=START, *, multiple=0.0, quantile=0.5, symbol="BTC", side="long", **other):
        p = min(0.01 * multiple, 1.0)
        given = {
            "probability": {1: p * 0.4, 4: p, 24: min(3 * p, 1.0)},
            "base_rate": 0.01,
            "drivers": (),
            "in_progress": False,
            "quality": "ok",
        }
        return RiskScore(
            symbol=symbol, side=side, as_of=now, quantile=quantile, **{**given, **other}
        )

    return make


@pytest.fixture(scope="session")
def make_position(policy):
    def make(symbol="BTC", side="long", now=START, bar=timedelta(hours=1)):
        return first_position(symbol, side, now, bar=bar, policy=policy)

    return make


@pytest.fixture(scope="session")
def start():
    return START
