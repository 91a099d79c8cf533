"""The site of `make docs` is built: every page has a place in its menu, every link leads somewhere.

Usage: test_site.py; skipped where the packages of tools/lock/docs.txt or Doxygen are missing.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
SITE = ROOT / "build" / "site"


class Site(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        done = subprocess.run([ROOT / "tools" / "docs.sh"], capture_output=True, text=True,
                              timeout=600)
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    def test_links(self):
        pages = [page for page in SITE.rglob("*.html") if SITE / "api" not in page.parents]
        self.assertGreater(len(pages), 20)
        for page in pages:
            for link in re.findall(r'(?:href|src)="([^"]+)"', page.read_text("utf-8")):
                parts = urlsplit(link)
                if parts.scheme or not parts.path or page.name == "404.html":
                    continue
                target = (page.parent / unquote(parts.path)).resolve()
                self.assertTrue(target.exists(), f"{page.relative_to(SITE)} links to {link}")

    def test_reference(self):
        page = (SITE / "api" / "classheed_1_1nn_1_1EncoderLayer.html").read_text("utf-8")
        self.assertIn("forward", page)
        self.assertIn("(B, N, C)", page)


if __name__ == "__main__":
    if not (importlib.util.find_spec("material") and shutil.which("doxygen")):
        print("skipped: `make docs` installs MkDocs Material and Doxygen")
        sys.exit(77)
    unittest.main(verbosity=1)
