"""The program of docs/cpp.md is the compiled one, and classifies with a trained model.

Usage: test_cpp.py HEED_PROGRAM EXAMPLE_PROGRAM
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path


class Cpp(unittest.TestCase):
    def test_the_page_shows_the_example(self):
        code = Path("examples/classify/main.cpp").read_text("utf-8")
        self.assertIn(f"```cpp\n{code}```", Path("docs/cpp.md").read_text("utf-8"))

    def test_it_says_what_the_program_says(self):
        with tempfile.TemporaryDirectory() as name:
            table = Path(name) / "table.tsv"
            table.write_text("label\ttext\n" + "".join(
                f"weather\train and wind {i}\nfood\tbread or soup {i}\n" for i in range(8)))
            model = Path(name) / "model"
            self.run_program(HEED, "train", "classify", "--train", table, "--valid", table, "--out",
                             model, "--d-model", 32, "--d-ff", 64, "--epochs", 8, "--lr", "5e-3",
                             "--batch-size", 4)
            texts = "wind and rain\nsoup\n"
            lines = self.run_program(EXAMPLE, model, input=texts).splitlines()
            labels = self.run_program(HEED, "predict", model, input=texts).split()
            self.assertEqual([line.split("\t")[0] for line in lines], ["weather", "food"])
            self.assertEqual([line.split("\t")[2] for line in lines], texts.splitlines())
            self.assertEqual([label for label in labels if label in ("weather", "food")],
                             ["weather", "food"])

    def test_a_missing_model_is_said(self):
        done = subprocess.run([EXAMPLE, "/nowhere"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere", done.stderr)

    def run_program(self, *words, **settings):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                              timeout=300, **settings)
        self.assertEqual(done.returncode, 0, f"{words}\n{done.stderr}")
        return done.stdout


if __name__ == "__main__":
    EXAMPLE = Path(sys.argv.pop(2)).resolve()
    HEED = Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=1)
