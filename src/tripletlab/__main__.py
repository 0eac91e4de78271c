"""`python -m tripletlab`."""

import sys

from tripletlab.cli import main

sys.exit(main())
