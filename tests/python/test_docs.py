"""The commands in docs/*.md work as they stand there.

A block that begins with ```sh run is run by bash, those of a page one after the other in one empty
folder; a ```text block right behind it is what it must print. Of all others, and of commands within a
sentence, the subcommand and the options must be there.

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

SHELL = re.compile(r"^```sh.*?\n(.*?)^```$|`(heed [^`]+)`", re.S | re.M)
PAGES = [Path("README.md"), Path("ARCHITECTURE.md"), *sorted(Path("docs").rglob("*.md"))]


def known_options():
    """Subcommand -> its options, from the completion that the program prints."""
    script = subprocess.run([HEED, "completion", "bash"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r'^    "([a-z0-9 -]+) "\*\)\n      words="([^"]*)"', script, re.M)
    return {command: set(words.split()) | {"--help", "--config"} for command, words in found}


def commands_of(page):
    """Each `heed …` of a page as its words."""
    for block in SHELL.finditer(page.read_text("utf-8")):
        code = (block.group(1) or block.group(2)).replace("\\\n", " ")
        code = re.sub(r"(?<=\s)#.*|'[^']*'", "''", code)
        for part in re.split(r"[|;\n]|&&|\$\(", code if block.group(1) else " ".join(code.split())):
            words = re.search(r"(?:^|\s)(?:\S*/)?heed ((?:\S+ ?)+)", part.replace("  ", " "))
            if words and not part.split()[0].endswith(("python", "python3")):  # of a script's arguments
                yield words.group(1).split()


class Docs(unittest.TestCase):
    def test_options_are_there(self):
        known, count = known_options(), 0
        self.assertGreater(len(known), 30)
        for page in PAGES:
            for words in commands_of(page):
                name = ""  # as many words as begin a subcommand
                for word in words:
                    longer = f"{name} {word}".strip()
                    if not any(f"{command} ".startswith(f"{longer} ") for command in known):
                        break
                    name = longer
                if words[0][0].isalpha() and words[0] != "demo" and not words[0].isupper():
                    self.assertTrue(name, f"{page}: heed {' '.join(words)}")
                for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", " ".join(words)):
                    if name:
                        there = [command for command in known if f"{command} ".startswith(f"{name} ")]
                        self.assertTrue(any(option in known[command] for command in there),
                                        f"{page}: heed {name} has no {option}")
                        count += 1
        self.assertGreater(count, 200)

    def test_adding_an_architecture(self):
        """What the page shows stands in the sources that are built and run."""
        sources = {"cpp": sorted(Path("heed/models/published/architectures").glob("*.cpp")),
                   "python": [Path("tests/python/published_models.py")]}  # fmt: skip
        blocks = re.findall(r"^```(cpp|python)\n(.*?)^```$",
                            Path("docs/adding_an_architecture.md").read_text("utf-8"), re.S | re.M)
        self.assertEqual([language for language, _ in blocks], ["cpp", "cpp", "cpp", "python"])
        for language, block in blocks:
            code = " ".join(block.split())
            self.assertTrue(any(code in " ".join(source.read_text("utf-8").split())
                                for source in sources[language]), block)
        self.assertIn("Architecture mistral();", Path("heed/models/published/architectures/all.h").read_text("utf-8"))

    def test_pages(self):
        count = 0
        for page in sorted(Path("docs").glob("*.md")):
            with self.subTest(page.name), tempfile.TemporaryDirectory() as folder:
                for block in BLOCK.finditer(page.read_text("utf-8")):
                    self.run_block(block.group(1), block.group(2), folder)
                    count += 1
        self.assertGreaterEqual(count, 5)

    def test_the_pages_of_the_readme_are_run(self):
        """Those in its list of what there is, as it says."""
        listed = re.search(r"A test runs the commands of each.*?(?=\n\n\w)", PAGES[0].read_text("utf-8"), re.S)
        pages = re.findall(r"\]\((docs/\w+\.md)\)", listed.group())
        self.assertGreater(len(pages), 15)
        for page in pages:
            if page not in ("docs/published_models.md", "docs/names.md"):  # the latter is a table
                self.assertRegex(Path(page).read_text("utf-8"), BLOCK, page)

    def test_pages_know_errors(self):
        """The page of each task whose adapter declares `--errors`."""
        pages = {"entity_recognition": "ner", "image_classification": "images", "node_classification": "graphs",
                 "object_detection": "detect", "question_answering": "question_answering",
                 "sequence_to_sequence": "translation", "speech_classification": "speech",
                 "speech_recognition": "speech", "table_learning": "tables", "text_classification": "classification"}
        have = {file.stem for file in Path("heed/cli/tasks").glob("*.cpp") if "<ErrorsOption>" in file.read_text()}
        self.assertEqual(have, set(pages))
        for page in pages.values():
            self.assertIn("--errors", (Path("docs") / f"{page}.md").read_text("utf-8"), page)

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
