"""What the tests of the live service's faults stand on: a small market, its model, its bars."""

import runpy
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from liqwarn.config import config_sha256
from liqwarn.data.bars.codec import encode_message
from liqwarn.data.bars.replay_feed import columns_of, messages_of
from liqwarn.decisions import flag_to_dict
from liqwarn.pipelines.live_start import start_live
from liqwarn.serving.live_record import LiveRecord

_MARKET = runpy.run_path(str(Path(__file__).parents[1] / "pipelines" / "conftest.py"))
study, market, given_market, policy, bundle, bundle_folder, now = (
    _MARKET[name]
    for name in ("study", "market", "given_market", "policy", "bundle", "bundle_folder", "now")
)

_CORE = ("close", "open_interest")


def seconds(moment):
    return int(moment.astype("datetime64[s]").astype("int64"))


def at(moment):
    return datetime.fromtimestamp(seconds(moment), tz=UTC)


def lines_of(frame, rng, gap=0.02):
    """The lines of each bar; some values are missing, so that there is something to carry."""
    for column in columns_of(frame):
        told = []
        for message in messages_of(column):
            kept = {k: v for k, v in message.fields.items() if k in _CORE or rng.random() > gap}
            told.append(encode_message(_with(message, kept)))
        yield column.time, b"".join(told)


def _with(message, fields):
    return type(message)(
        symbol=message.symbol, time=message.time, bar_s=message.bar_s, fields=fields
    )


@pytest.fixture(scope="session")
def prepare(study, bundle, policy, given_market, bundle_folder):
    """Fill a folder with all that a service needs whose live bars are the last `bars` ones."""

    def prepared(folder, bars):
        folder.mkdir()
        shutil.copy(given_market.panel, folder / "panel.yaml")
        shutil.copy(given_market.policy_file, folder / "policy.yaml")
        shutil.copytree(bundle_folder, folder / "model")
        n_bars = study.market.frame.shape[1]
        engine = start_live(study, bundle, policy, at=n_bars - bars)
        panel = study.market.panel
        stamp = config_sha256(folder / "panel.yaml")
        record = LiveRecord(folder / "live", panel, panel_sha256=stamp, document=flag_to_dict)
        record.snapshot(engine)
        return study.market.frame.between(n_bars - bars, n_bars)

    return prepared
