"""liqwarn serve whose schedule is due every few seconds, and whose child may be another one.

``python serve_at_once.py SECONDS CHILD WORD…``: CHILD is a JSON list of words to run instead of
liqwarn's own, or null for those.
"""

import json
import sys
from importlib import import_module

from apscheduler.triggers.interval import IntervalTrigger

from liqwarn.cli import main


def due_every(seconds):
    module = import_module("liqwarn.serving.retrain_schedule")
    module.trigger_of = lambda _times: IntervalTrigger(seconds=seconds)


def run_instead(child):
    import_module("liqwarn.cli.live_retrain").CHILD = tuple(child)


if __name__ == "__main__":
    seconds, child, *words = sys.argv[1:]
    due_every(float(seconds))
    if json.loads(child) is not None:
        run_instead(json.loads(child))
    sys.argv = ["liqwarn", *words]
    main()
