"""A ledger's account and a journal of retraining on disk, for tests of what reads them."""

import os
import runpy
from pathlib import Path

import orjson

LEDGERS = runpy.run_path(str(Path(__file__).parents[1] / "reports" / "ledger_documents.py"))


class GivenHome:
    """A home with one panel; every write is a change that a reader must notice."""

    panel = "made_up"

    def __init__(self, folder):
        self.folder = folder
        self.account = folder / "ledger" / self.panel / "account.json"
        self.journal = folder / "retrain" / f"{self.panel}.jsonl"
        self.account.parent.mkdir(parents=True)
        self.journal.parent.mkdir(parents=True)

    def settle(self, **told):
        self.replace(orjson.dumps(LEDGERS["make_account"](**told)))

    def replace(self, content):
        """Put content in the account's place, as settling does."""
        beside = self.account.with_suffix(".new")
        beside.write_bytes(content)
        os.replace(beside, self.account)  # noqa: PTH105  as the store does it

    def run(self, step, at="2025-10-05T03:00:00.000Z", **figures):
        line = {"schema": "liqwarn.retrain/1", "step": step, "run": "r", "at": at,
                "seconds": 1.0, "figures": figures, "reasons": []}  # fmt: skip
        with self.journal.open("ab") as stream:
            stream.write(orjson.dumps(line) + b"\n")
