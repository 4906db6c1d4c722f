import json

import numpy as np

from liqwarn.data.quarantine import Rejects


def test_refusals_are_counted_and_kept_with_their_place(tmp_path):
    rejects = Rejects()
    rejects.add(np.array([3, 9]), "close", np.array([0.0, np.inf]), "zero price")
    rejects.add(np.array([5]), "t", np.array(["soon"], dtype=object), "unreadable time")

    rejects.write(tmp_path / "q" / "a.jsonl", "klines.csv")

    lines = [json.loads(line) for line in (tmp_path / "q" / "a.jsonl").read_text().splitlines()]
    assert rejects.by_reason() == {"unreadable time": 1, "zero price": 2}
    assert lines[1] == {
        "file": "klines.csv", "row": 9, "field": "close", "value": "inf", "reason": "zero price",
    }  # fmt: skip


def test_nothing_refused_leaves_no_file(tmp_path):
    Rejects().write(tmp_path / "a.jsonl", "klines.csv")

    assert list(tmp_path.iterdir()) == []
