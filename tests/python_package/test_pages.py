"""The code in docs/python/*.md runs: the blocks of a page one after the other.

usage: test_pages.py LIBHEED
"""

import contextlib
import importlib.util
import io
import re
import unittest

import package

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)
NEEDS = {"transformers.md": "transformers", "geometric.md": "torch_geometric"}


class Pages(unittest.TestCase):
    def test_run(self):
        count = 0
        for page in sorted((package.ROOT / "docs" / "python").glob("*.md")):
            text = page.read_text("utf-8")
            needed = NEEDS.get(page.name)
            if needed and importlib.util.find_spec(needed) is None:
                print(f"{page.name}: skipped, {needed} is not installed")
                continue
            with self.subTest(page.name), contextlib.redirect_stdout(io.StringIO()):
                names = {}
                for block in BLOCK.finditer(text):
                    line = text[: block.start(1)].count("\n")
                    code = compile("\n" * line + block.group(1), str(page), "exec")
                    exec(code, names)
                    count += 1
        self.assertGreaterEqual(count, 7)


if __name__ == "__main__":
    unittest.main()
