"""``python -m heed``."""

import sys

from heed_program import main

sys.exit(main())
