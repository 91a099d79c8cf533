"""The commands in docs/*.md work as they stand there.

A block that begins with ```sh run is run by bash, those of a page one after the other in one empty
folder; a ```text block right behind it is what it must print.

Usage: test_docs.py HEED_PROGRAM
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BLOCK = re.compile(r"^```sh run\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", re.S | re.M)


class Docs(unittest.TestCase):
    def test_pages(self):
        count = 0
        for page in sorted(Path("docs").glob("*.md")):
            with self.subTest(page.name), tempfile.TemporaryDirectory() as folder:
                for block in BLOCK.finditer(page.read_text("utf-8")):
                    self.run_block(block.group(1), block.group(2), folder)
                    count += 1
        self.assertGreaterEqual(count, 5)

    def run_block(self, commands, expected, folder):
        path = os.pathsep.join([str(HEED.parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path}
        if "WORLD_SIZE" not in commands:  # processes of one training share the cores among them
            environment.setdefault("OMP_NUM_THREADS", "1")  # see program.py
        result = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=folder,
                                env=environment, capture_output=True, text=True, timeout=600)
        self.assertEqual(result.returncode, 0, f"{commands}\n{result.stderr}")
        if expected is not None:
            self.assertEqual(result.stdout, expected, commands)


if __name__ == "__main__":
    HEED = Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=1)
