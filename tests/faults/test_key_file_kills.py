"""kill -9 while keys are changed: the file is always whole, and no shown token is ever lost."""

import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

from liqwarn.serving.key_file import read_keys
from liqwarn.serving.keys import ApiKey

COUNT = 200 if os.environ.get("LIQWARN_FAULTS") == "full" else 3

PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from liqwarn.serving.key_file import change_keys
from liqwarn.serving.keys import KeySet, new_key

def change(keys):
    key, token = new_key("desk", ("read",), now=datetime.now(UTC))
    return KeySet([*list(keys.keys.values())[-200:], key]), token

while True:
    sys.stdout.write(change_keys(Path(sys.argv[1]), change) + "\\n")
    sys.stdout.flush()
"""


def killed(path, after_s):
    """Tokens shown by a process that was killed so long after its first."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE)
    shown = [process.stdout.readline().decode().strip()]
    rest = threading.Thread(
        target=lambda: shown.extend(line.decode().strip() for line in process.stdout), daemon=True
    )
    rest.start()
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    rest.join()
    process.stdout.close()
    return [token for token in shown if len(token) == 60]


def test_no_kill_tears_the_file_or_loses_a_token(tmp_path):
    path, dice = tmp_path / "keys.json", random.Random(6)
    for _ in range(COUNT):
        shown = killed(path, dice.uniform(0, 0.05))
        keys = read_keys(path)

        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert shown
        newest = shown[-100:]
        found = [keys.check(token, datetime.now(UTC)) for token in newest]
        assert all(isinstance(key, ApiKey) for key in found)
