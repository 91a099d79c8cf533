"""Each program of examples/tutorial prints what docs/tutorial.md shows, and the page shows each.

In the page a program is a heading, `## name`, and its output a block ```text. Code in a block
```cpp has lines of the program as they stand there. Numbers with a point may differ by 1 in their last
place, because other processors round otherwise.

Usage: test_tutorial.py FOLDER_OF_THE_PROGRAMS
"""

import re
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SECTION = re.compile(r"^## .*?\(`(\w+)\.cpp`\)$", re.M)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.S | re.M)
NUMBER = re.compile(r"-?\d+\.\d+")


def sections():
    page = Path("docs/tutorial.md").read_text("utf-8")
    parts = SECTION.split(page)[1:]
    return dict(zip(parts[::2], parts[1::2]))


def free_port():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return str(opened.getsockname()[1])


class Tutorial(unittest.TestCase):
    def test_the_page_shows_every_program(self):
        programs = {path.stem for path in Path("examples/tutorial").glob("*.cpp")}
        self.assertEqual(set(sections()), programs)
        self.assertGreaterEqual(len(programs), 16)

    def test_code_is_that_of_the_programs(self):
        pages = [*sections().items(), ("heat_map", Path("docs/attention_pages.md").read_text("utf-8"))]
        for name, section in pages:
            code = [line.strip() for line in
                    Path(f"examples/tutorial/{name}.cpp").read_text("utf-8").splitlines()]
            for language, block in BLOCK.findall(section):
                for line in block.splitlines() if language == "cpp" else ():
                    self.assertIn(line.strip(), code, name)

    def test_output(self):
        arguments = {"two_processes": [free_port()]}
        for name, section in sections().items():
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                done = subprocess.run([PROGRAMS / f"heed_tutorial_{name}", *arguments.get(name, [])],
                                      cwd=folder, capture_output=True, text=True, timeout=300)
                self.assertEqual(done.returncode, 0, done.stderr)
                shown = [block for language, block in BLOCK.findall(section) if language == "text"]
                self.assertEqual(len(shown), 1, "expected one block of output")
                self.compare(shown[0], done.stdout)

    def compare(self, shown, printed):
        self.assertEqual(NUMBER.sub("#", self.words(shown)), NUMBER.sub("#", self.words(printed)),
                         f"the program printed:\n{printed}")
        for expected, number in zip(NUMBER.findall(shown), NUMBER.findall(printed)):
            last = 10.0 ** -len(number.partition(".")[2])
            self.assertLessEqual(abs(float(expected) - float(number)), 1.01 * last,
                                 f"the program printed:\n{printed}")

    def words(self, text):
        """Columns move where a number gets a sign."""
        return re.sub(r" +", " ", text)


if __name__ == "__main__":
    PROGRAMS = Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=1)
