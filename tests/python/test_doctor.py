"""`heed doctor`: data before training.

Usage: test_doctor.py HEED_PROGRAM
"""

import json
import random
import shutil
import tempfile
import unittest
from pathlib import Path

from program import heed

WORDS = {"weather": "rain sun snow wind cloud storm fog hail frost thaw".split(),
         "food": "bread soup cheese rice fish salt plum pear bean leek".split()}


def rows(count, seed):
    rng = random.Random(seed)
    for i in range(count):
        label = ("weather", "food")[i % 2]
        yield label, " ".join(rng.choices(WORDS[label], k=8))


def table(pairs):
    return "label\ttext\n" + "".join(f"{label}\t{text}\n" for label, text in pairs)


class Doctor(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="heed-doctor-"))
        self.write("train.tsv", table(rows(400, 1)))
        self.write("valid.tsv", table(rows(100, 2)))

    def tearDown(self):
        shutil.rmtree(self.folder)

    def write(self, name, content):
        (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    def doctor(self, *arguments, code=0):
        return heed("doctor", *arguments, cwd=self.folder, code=code)

    def report(self, *arguments, code=0):
        return json.loads(self.doctor(*arguments, "--json", code=code).stdout)

    def findings(self, *arguments, code=0):
        return [(each["severity"], each["check"])
                for each in self.report(*arguments, code=code)["findings"]]

    def test_sound_data(self):
        report = self.report("train.tsv", "--valid", "valid.tsv")
        self.assertEqual(report["findings"], [])
        self.assertTrue(report["go_on"])
        self.assertEqual(report["samples"], {"train": 400, "valid": 100})
        self.assertEqual(report["classes"], {"food": 200, "weather": 200})
        self.assertEqual(report["lengths"]["train"]["median"], 8)
        self.assertIn("surely wrong labels", report["checked"])
        text = self.doctor("train.tsv", "--valid", "valid.tsv").stdout
        self.assertRegex(text, r"^train: 400 samples\nvalid: 100 samples\nnothing found: encoding, ")

    def test_what_stops_has_an_exit_code(self):
        self.write("latin.tsv", table(rows(60, 3)).encode() + b"food\tcaf\xe9\n")
        result = self.doctor("latin.tsv", code=65)
        self.assertRegex(result.stdout, r"(?m)^stop: encoding: .*\n  latin\.tsv:62: ")
        self.assertIn("marked 'stop'", result.stderr)
        self.assertFalse(self.report("latin.tsv", code=65)["go_on"])

    def test_leaks_and_duplicates(self):
        train = list(rows(400, 1))
        self.write("leaky.tsv", table(list(rows(90, 2)) + train[:10]))
        self.assertEqual(self.findings("train.tsv", "--test", "leaky.tsv", code=65),
                         [("stop", "leaks between splits")])
        self.write("twice.tsv", table(train + train[:3]))
        self.assertEqual(self.findings("twice.tsv"), [("warning", "duplicates")])

    def test_wrong_labels_are_listed_unless_the_model_is_left_out(self):
        train = list(rows(400, 1))
        train[7] = ("weather", train[7][1])
        self.write("wrong.tsv", table(train))
        report = self.report("wrong.tsv")
        self.assertEqual([f["check"] for f in report["findings"]], ["surely wrong labels"])
        self.assertEqual(report["suspect_labels"][0]["where"], "wrong.tsv:9")
        self.assertEqual(report["suspect_labels"][0]["likelier"], "food")
        self.assertNotIn("suspect_labels", self.report("wrong.tsv", "--no-model"))

    def test_lengths_by_a_tokenizer(self):
        heed("tokenize", "train", "train.tsv", "--out", "tokenizer.json", "--vocab-size", 200,
             cwd=self.folder, code=0)
        found = self.report("train.tsv", "--tokenizer", "tokenizer.json", "--max-length", 4)
        self.assertEqual([each["check"] for each in found["findings"]], ["lengths"])
        self.assertEqual(found["lengths"]["train"]["cut"], 400)

    def test_tasks(self):
        self.write("plain.txt", "".join(f"{text}\n" for _, text in rows(50, 4)))
        self.assertNotIn("class balance", self.report("plain.txt", "--task", "lm")["checked"])
        self.write("pairs.tsv", "source\ttarget\n" + "".join(
            f"{text}\t{text[::-1]}\n" for _, text in rows(50, 5)))
        self.assertEqual(self.report("pairs.tsv")["samples"], {"train": 50})

    def test_refusals(self):
        self.doctor(code=2)
        self.doctor("train.tsv", "--task", "poetry", code=2)
        self.doctor("train.tsv", "--max-length", 0, code=2)
        self.assertIn("nowhere.tsv", self.doctor("nowhere.tsv", code=66).stderr)


if __name__ == "__main__":
    unittest.main()
