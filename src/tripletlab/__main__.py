"""`tripletlab`, and `python -m tripletlab`."""

import signal
import sys

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored, as in nohup
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until `main` hears it: no traceback of an import

from tripletlab.cli import main

if __name__ == "__main__":
    sys.exit(main())
