"""The programs of docs/cpp.md are the compiled ones, and do what the page says.

Usage: test_cpp.py HEED_PROGRAM CLASSIFY LAYERS TRAIN
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path


class Cpp(unittest.TestCase):
    def test_the_page_shows_the_examples(self):
        page = Path("docs/cpp.md").read_text("utf-8")
        for name in ("classify", "layers", "train"):
            code = Path(f"examples/{name}/main.cpp").read_text("utf-8")
            self.assertIn(f"```cpp\n{code}```", page, name)

    def test_layers_learn_what_the_page_says(self):
        lines = self.run_program(LAYERS).splitlines()
        losses = [float(line.rpartition(" ")[2]) for line in lines[:-1]]
        self.assertLess(losses[-1], 0.2)
        self.assertEqual(lines[-1], "3 1 4 1 5 7 -> 7 5 1 4 1 3")

    def test_what_it_trains_the_program_and_the_other_example_use(self):
        with tempfile.TemporaryDirectory() as name:
            table = self.table(Path(name))
            model = Path(name) / "model"
            self.assertRegex(self.run_program(TRAIN, table, table, model),
                             r"^accuracy 1 after \d+ steps$")
            labels = self.run_program(HEED, "predict", model, input="wind and rain\nsoup\n")
            self.assertEqual([word for word in labels.split() if word in ("weather", "food")],
                             ["weather", "food"])
            lines = self.run_program(CLASSIFY, model, input="soup\n").splitlines()
            self.assertEqual(lines[0].split("\t")[0], "food")

    def table(self, folder):
        table = folder / "table.tsv"
        table.write_text("label\ttext\n" + "".join(
            f"weather\train and wind {i}\nfood\tbread or soup {i}\n" for i in range(8)))
        return table

    def test_it_says_what_the_program_says(self):
        with tempfile.TemporaryDirectory() as name:
            table = self.table(Path(name))
            model = Path(name) / "model"
            self.run_program(HEED, "train", "classify", "--train", table, "--valid", table, "--out",
                             model, "--d-model", 32, "--d-ff", 64, "--epochs", 8, "--lr", "5e-3",
                             "--batch-size", 4)
            texts = "wind and rain\nsoup\n"
            lines = self.run_program(CLASSIFY, model, input=texts).splitlines()
            labels = self.run_program(HEED, "predict", model, input=texts).split()
            self.assertEqual([line.split("\t")[0] for line in lines], ["weather", "food"])
            self.assertEqual([line.split("\t")[2] for line in lines], texts.splitlines())
            self.assertEqual([label for label in labels if label in ("weather", "food")],
                             ["weather", "food"])

    def test_a_missing_model_is_said(self):
        done = subprocess.run([CLASSIFY, "/nowhere"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere", done.stderr)

    def run_program(self, *words, **settings):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                              timeout=300, **settings)
        self.assertEqual(done.returncode, 0, f"{words}\n{done.stderr}")
        return done.stdout


if __name__ == "__main__":
    HEED, CLASSIFY, LAYERS, TRAIN = (Path(name).resolve() for name in sys.argv[1:5])
    del sys.argv[1:5]
    unittest.main(verbosity=1)
