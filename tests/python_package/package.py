"""What the tests of the Python package share. The library under test is the first argument of the
command line of a test; a package that a test needs and that is missing skips it (exit status 77)."""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ["HEED_LIBRARY"] = str(Path(sys.argv.pop(1)).resolve())
os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(ROOT / "python"))


def need(*packages):
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        print(f"skipped: {', '.join(missing)} is not installed in {sys.prefix}")
        sys.exit(77)
