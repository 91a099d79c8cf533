"""The commands and the code of README.md work as they stand there.

Usage: test_readme.py HEED_PROGRAM
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HEED = Path(sys.argv.pop(1)).resolve()
README = Path("README.md").read_text(encoding="utf-8")
PAGES = [Path("README.md"), Path("ARCHITECTURE.md"), Path("CONTRIBUTING.md"),
         *sorted(Path("docs").rglob("*.md"))]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def prose(page):
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)


def anchors(page):
    """What a link to a heading of the page may name, as GitHub makes it of the heading."""
    return {re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", prose(page), re.M)}


def squeezed(code):
    return re.sub(r"\s+", " ", code).strip()


class Readme(unittest.TestCase):
    def test_commands(self):
        commands = [shlex.split(line, comments=True)
                    for block in blocks("sh") for line in block.splitlines()
                    if line.startswith("heed ")]
        self.assertGreaterEqual(len(commands), 5)
        with tempfile.TemporaryDirectory() as folder:
            for source, name in (("train.tsv", "train.tsv"), ("valid.tsv", "valid.tsv"),
                                 ("valid.tsv", "test.tsv"), ("unseen.txt", "reviews.txt")):
                shutil.copy(Path("examples/sentiment") / source, Path(folder) / name)
            for words in commands:
                if words[1] == "train":
                    words += ["--epochs", "1"]  # the command as it stands, but sooner
                result = subprocess.run([HEED, *words[1:]], cwd=folder, capture_output=True,
                                        text=True, timeout=300)
                self.assertEqual(result.returncode, 0, f"{words}\n{result.stderr}")
            self.assertTrue(os.path.exists(Path(folder) / "heat.png"))

    def test_make_targets_exist(self):
        help_text = subprocess.run(["make", "help"], capture_output=True, text=True).stdout
        for target in re.findall(r"`?make (\w+)`?", README):
            self.assertIn(target, help_text)

    def test_code_is_that_of_the_example(self):
        example = Path("examples/attention/main.cpp").read_text(encoding="utf-8")
        for block in blocks("cpp"):
            includes = [line for line in block.splitlines() if line.startswith("#include")]
            for line in includes:
                self.assertIn(line, example)
            code = "\n".join(line for line in block.splitlines() if line not in includes)
            self.assertIn(squeezed(code), squeezed(example))

    def test_links_and_pictures_exist(self):
        for page in PAGES:
            text = re.sub(r"`[^`\n]*`", "", prose(page))
            for target, heading in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?[^)]*\)", text):
                if "://" in target:
                    continue
                there = page.parent / target if target else page
                self.assertTrue(there.exists(), f"{page}: {target}")
                if heading and there.suffix == ".md":
                    self.assertIn(heading, anchors(there), f"{page}: {target}#{heading}")

    def test_headings_stand_alone(self):
        for page in PAGES:
            for heading, below in re.findall(r"^(#+ .*)\n(.*)", prose(page), re.M):
                self.assertEqual(below, "", f"{page}: no blank line below {heading!r}")
                self.assertNotRegex(heading, r" `?--\w", f"{page}: a sentence, not a heading")


if __name__ == "__main__":
    unittest.main(verbosity=1)
