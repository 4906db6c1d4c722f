"""The servers of bench_http.py, each a process of its own: ``bench_http_server.py KIND PORT …``."""

import hashlib
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import uvicorn
import yaml

from liqwarn.decisions import Flag, ModelStamp, Restriction, Tier, flag_to_dict, iso_utc
from liqwarn.policy.ladder import parse_policy
from liqwarn.policy.restriction import state_of
from liqwarn.policy.tiers import Policy
from liqwarn.serving.app import create_app
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.flag_file import FlagFile, FlagSet
from liqwarn.serving.flag_routes import ShortWay
from liqwarn.serving.server import FlagServer
from liqwarn.serving.shelf import FlagShelf
from liqwarn.signing import generate_key

POLICY_FILE = Path(__file__).parents[1] / "conf" / "policy.yaml"


def flags_of(policy: Policy, symbols: int, as_of: datetime) -> FlagSet:
    limits = policy.tiers[Tier.T1].threatened
    side = Restriction(
        tier=Tier.T1,
        state=state_of(limits, halted=False),
        limits=limits,
        probability={1: 0.041, 4: 0.112, 24: 0.304},
        reasons=("The probability of a long cascade is raised for this symbol.",),
    )
    flags = [
        Flag(
            symbol=f"S{k:03d}USDT",
            as_of=as_of,
            issued_at=as_of,
            valid_until=as_of + timedelta(hours=2),
            sequence=int(as_of.timestamp()),
            quality="ok",
            sides={"long": side, "short": side},
            model=ModelStamp(version="3", sha256="9f2c" * 16),
            policy=policy.stamp,
            data_sha256="77e0" * 16,
            completeness=1.0,
        )
        for k in range(symbols)
    ]
    return FlagSet(generated_at=as_of, market="simulated", flags={f.symbol: f for f in flags})


def serve(kind: str, port: int, symbols: int) -> None:
    content = POLICY_FILE.read_bytes()
    policy = parse_policy(yaml.safe_load(content), sha256=hashlib.sha256(content).hexdigest())
    flags = flags_of(policy, symbols, datetime.now(UTC))
    shelf = FlagShelf()
    shelf.publish(flags)
    source, key = (written(flags), None) if kind == "file" else (shelf, generate_key())
    if kind == "routed":
        ShortWay.__call__ = lambda self, *connection: self._app(*connection)
    if kind == "busy":
        threading.Thread(target=publish_on, args=(shelf, policy, symbols), daemon=True).start()
    app = create_app(source, policy=policy, clock=SystemClock(), key=key)
    config = uvicorn.Config(app, port=port, log_level="error", access_log=False)
    FlagServer(config, hub=app.state.hub).run()


def publish_on(shelf: FlagShelf, policy: Policy, symbols: int) -> None:
    """Twenty symbols at a time, 5 times a second: 300 symbols anew every 3 s."""
    while True:
        fresh = flags_of(policy, symbols, datetime.now(UTC))
        names = list(fresh.flags)
        for first in range(0, symbols, 20):
            chosen = {name: fresh.flags[name] for name in names[first : first + 20]}
            shelf.publish(
                FlagSet(generated_at=fresh.generated_at, market="simulated", flags=chosen)
            )
            time.sleep(0.2)


def written(flags: FlagSet) -> FlagFile:
    path = Path(tempfile.mkdtemp()) / "flags.json"
    document = {
        "schema": "liqwarn.flags/1",
        "generated_at": iso_utc(flags.generated_at),
        "market": flags.market,
        "flags": [flag_to_dict(flag) for flag in flags.flags.values()],
    }
    path.write_bytes(orjson.dumps(document))
    return FlagFile(path)


def save_mlflow_model(path: str) -> None:
    """The model that ``mlflow models serve`` is given: logistic, two features."""
    import mlflow.sklearn  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    rows = np.random.default_rng(1).normal(size=(200, 2))
    model = LogisticRegression().fit(rows, rows[:, 0] > 0)
    mlflow.sklearn.save_model(model, path)


if __name__ == "__main__":
    if sys.argv[1] == "save":
        save_mlflow_model(sys.argv[3])
    else:
        serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
