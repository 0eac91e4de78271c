"""Settings of the environment: how much is tried."""

import os

SEED = int(os.environ.get("TORTURE_SEED", "1"))
KILLS = int(os.environ.get("TORTURE_KILLS", "50"))  # of each command
SIGNALS = max(1, KILLS // 5)  # of each command and kind
SECONDS = float(os.environ.get("TORTURE_SECONDS", "60"))  # that a database or a server is away
