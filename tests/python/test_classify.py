"""Classification as a user meets it: one label, several labels, documents; reports and refusals.

Usage: test_classify.py HEED_PROGRAM
"""

import itertools
import json
import random
import shutil
import tempfile
import unittest
from pathlib import Path

from program import heed

SMALL = ["--d-model", 32, "--d-ff", 64, "--num-heads", 2, "--epochs", 6, "--lr", "5e-3",
         "--word-dropout", 0, "--batch-size", 8, "--threads", 1]
WORDS = {"weather": "rain sun snow wind cloud storm".split(),
         "food": "bread soup cheese rice fish salt".split(),
         "sport": "race goal team match ball jump".split()}


def topics(count, seed):
    """(label, text) of each topic by turns."""
    rng = random.Random(seed)
    for label in itertools.islice(itertools.cycle(WORDS), count):
        yield label, " ".join(rng.choices(WORDS[label], k=4) + ["and", str(rng.randrange(1000))])


def several(count, seed):
    """(labels, text) where a text has words of each of its topics."""
    rng = random.Random(seed)
    for _ in range(count):
        labels = [label for label in sorted(WORDS) if rng.random() < 0.4]
        words = [rng.choice(WORDS[label]) for label in labels for _ in range(2)]
        rng.shuffle(words)
        yield labels, " ".join(words + ["and", str(rng.randrange(1000))])


def documents(count, seed):
    """(label, sentences): one sentence among others decides."""
    rng = random.Random(seed)
    for label in itertools.islice(itertools.cycle(["bad", "good"]), count):
        rest = [f"{rng.choice(WORDS['weather'])} and {rng.choice(WORDS['food'])} ."
                for _ in range(rng.randrange(1, 5))]
        sentence = "I loved it ." if label == "good" else "I hated it ."
        rest.insert(rng.randrange(len(rest) + 1), sentence)
        yield label, rest


class Classify(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-classify-"))
        for name, count, seed in (("train", 90, 1), ("valid", 30, 2)):
            cls.write(f"{name}.tsv", (f"{a}\t{b}" for a, b in topics(count, seed)))
            cls.write(f"{name}.csv", ["label,text"] + [f"{';'.join(a)},{b}"
                                                       for a, b in several(2 * count, seed)])
            cls.write(f"{name}_labels.jsonl", (json.dumps({"label": a, "text": b})
                                               for a, b in several(2 * count, seed)))
            cls.write(f"{name}_documents.jsonl", (json.dumps({"label": a, "text": b})
                                                  for a, b in documents(count, seed)))
        cls.train("one", "train.tsv", "valid.tsv")
        cls.train("several", "train.csv", "valid.csv", "--label-separator", ";")
        cls.train("documents", "train_documents.jsonl", "valid_documents.jsonl", "--documents",
                  "lines", "--epochs", 12)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def write(cls, name, lines):
        path = cls.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    @classmethod
    def train(cls, out, train, valid, *options, code=0):
        result = heed("train", "classify", "--train", train, "--valid", valid, "--out", out, *SMALL,
                      *options, cwd=cls.folder)
        assert result.returncode == code, result.stderr
        return result

    def heed(self, *arguments, text="", code=0):
        result = heed(*arguments, text=text, cwd=self.folder)
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stderr if code else result.stdout

    def json(self, *arguments, text=""):
        return json.loads(self.heed(*arguments, "--json", text=text))

    # --- one label a text ----------------------------------------------------------------------

    def test_report_and_confusion(self):
        found = self.json("eval", "one", "valid.tsv")
        self.assertEqual(found["labels"], ["food", "sport", "weather"])
        self.assertGreater(found["accuracy"], 0.9)
        confusion = found["confusion"]
        right = sum(confusion[i][i] for i in range(3))
        self.assertAlmostEqual(found["accuracy"], right / 30)
        for i, label in enumerate(found["labels"]):
            score = found["classes"][label]
            self.assertEqual(score["support"], sum(confusion[i]))
            self.assertAlmostEqual(score["recall"], confusion[i][i] / sum(confusion[i]))
        self.assertAlmostEqual(found["averages"]["macro"]["f1"], found["macro_f1"])
        shown = self.heed("eval", "one", "valid.tsv")
        self.assertRegex(shown, r"(?m)^accuracy\t")
        self.assertRegex(shown, r"(?m)^ +precision +recall +f1 +support$")
        self.assertRegex(shown, r"(?m)^weather +[01]\.\d{4} .* 10$")

    # Answers that are wrong on purpose: rows are what is true, columns what was said.
    def test_confusion_has_the_truth_in_its_rows(self):
        self.write("wrong.tsv", ["food\train snow wind", "food\tbread soup", "sport\tstorm sun"])
        confusion = self.json("eval", "one", "wrong.tsv")["confusion"]
        self.assertEqual(confusion, [[1, 0, 1], [0, 0, 1], [0, 0, 0]])

    def test_threshold_is_not_for_one_label(self):
        self.assertIn("--threshold", self.heed("eval", "one", "valid.tsv", "--threshold", 0.4,
                                               code=2))
        self.assertIn("separator", self.train("no", "train.tsv", "valid.tsv", "--threshold", 0.4,
                                              code=2).stderr)

    # --- several labels ------------------------------------------------------------------------

    def test_several_labels(self):
        found = self.json("eval", "several", "valid.csv")
        self.assertGreater(found["micro_f1"], 0.9)
        self.assertNotIn("confusion", found)
        self.assertEqual(set(found["averages"]), {"micro", "macro", "weighted"})
        shown = self.heed("eval", "several", "valid.csv")
        self.assertRegex(shown, r"(?m)^micro +[01]\.\d{4}")
        self.assertRegex(shown, r"(?m)^subset accuracy [01]\.\d{4}$")
        # The same from JSON, where labels are an array.
        self.assertEqual(self.json("eval", "several", "valid_labels.jsonl"), found)

    def test_predict_gives_any_number_of_labels(self):
        text = "rain wind goal team\nsoup bread\n"
        both, food = self.heed("predict", "several", text=text).splitlines()
        self.assertEqual({part for part in both.split("\t") if part[0].isalpha()},
                         {"weather", "sport"})
        self.assertRegex(food, r"^food\t0\.\d{4}$")
        answers = [json.loads(line) for line in
                   self.heed("predict", "several", "--json", text=text).splitlines()]
        self.assertEqual(answers[0]["labels"], ["sport", "weather"])
        self.assertEqual(answers[1]["labels"], ["food"])
        self.assertEqual(set(answers[0]["probabilities"]), set(WORDS))
        nothing = self.heed("predict", "several", "--threshold", 1, "--unknown", "none", text=text)
        self.assertEqual(nothing, "none\nnone\n")
        all_three = self.heed("predict", "several", "--threshold", 0, text=text).splitlines()
        self.assertEqual([line.count("\t") for line in all_three], [5, 5])

    def test_thresholds_are_saved_and_can_be_given(self):
        shown = self.json("inspect", "several")
        self.assertEqual(shown["label_separator"], ";")
        self.assertEqual(len(shown["thresholds"]), 3)
        every = self.json("eval", "several", "valid.csv", "--threshold", 0)
        self.assertEqual({score["recall"] for score in every["classes"].values()}, {1.0})
        self.train("fixed", "train.csv", "valid.csv", "--label-separator", ";", "--threshold", 0.3,
                   "--epochs", 1)
        self.assertEqual(self.json("inspect", "fixed")["thresholds"], [0.3] * 3)

    def test_a_label_that_is_not_known_is_named_with_its_line(self):
        self.write("label.csv", ["label,text", "food,soup", "food;opera,bread"])
        error = self.heed("eval", "several", "label.csv", code=65)
        self.assertIn("label.csv:3", error)
        self.assertIn("opera", error)

    # --- documents -----------------------------------------------------------------------------

    def test_documents(self):
        found = self.json("eval", "documents", "valid_documents.jsonl")
        self.assertGreater(found["accuracy"], 0.9)
        shown = self.json("inspect", "documents")
        self.assertEqual((shown["documents"], shown["num_sentence_layers"]), ("lines", 1))
        self.assertTrue(any(tensor["name"].startswith("documents.sentence_pooling")
                            for tensor in shown["tensors"]))

    def test_attend_shows_the_sentences(self):
        text = "rain and fish .\nI loved it .\nsnow and salt ."
        shown = self.json("attend", "documents", text)
        sentences = shown["sentences"]
        self.assertEqual([s["tokens"][0] for s in sentences], ["rain", "I", "snow"])
        self.assertAlmostEqual(sum(s["weight"] for s in sentences), 1, places=5)
        for sentence in sentences:
            self.assertAlmostEqual(sum(sentence["weights"]), 1, places=5)
        lines = self.heed("attend", "documents", text).splitlines()
        self.assertRegex(lines[1], r"^ *\d+\.\d %  ")
        self.heed("attend", "documents", text, "--out", "document.svg")
        self.assertIn("<title>good", (self.folder / "document.svg").read_text())
        # As a matrix: a row for each sentence, in which only its own words have weights.
        rows = shown["attention"][0]["weights"]
        self.assertEqual([len(row) for row in rows], [12] * 3)
        self.assertEqual([sum(weight > 0 for weight in row) for row in rows], [4] * 3)
        self.assertAlmostEqual(sum(map(sum, rows)), 1, places=5)

    # --- settings ------------------------------------------------------------------------------

    def test_any_score_and_pattern(self):
        options = ["--score", "additive", "--pattern", "window:2:2|global:1", "--positions",
                   "rotary", "--num-key-value-heads", 1, "--softcap", 30, "--norm", "rms",
                   "--activation",
                   "swiglu", "--epochs", 2]
        self.train("any", "train.tsv", "valid.tsv", *options)
        shown = self.json("inspect", "any")
        self.assertEqual((shown["score"], shown["pattern"], shown["positions"]),
                         ("additive", "window:2:2|global:1", "rotary"))
        self.assertGreater(self.json("eval", "any", "valid.tsv")["accuracy"], 0.5)
        self.assertIn("tokens", self.json("attend", "any", "rain and snow"))

    def test_malformed_files_are_named_with_their_line(self):
        self.write("bad.csv", ["label,text", "food;sport,soup", "x", 'food,"soup'])
        error = self.train("no", "bad.csv", "valid.csv", "--label-separator", ";", code=65).stderr
        self.assertIn("bad.csv:3", error)
        self.assertIn("bad.csv:4", error)
        self.write("bad.jsonl", ['{"label": ["food"], "text": "soup"}',
                                 '{"label": [["food"]], "text": "soup"}',
                                 '{"label": "food", "text": ["soup", 7]}', '{"label": "food"'])
        error = self.train("no", "bad.jsonl", "valid.csv", "--label-separator", ";", code=65).stderr
        for line in (2, 3, 4):
            self.assertIn(f"bad.jsonl:{line}", error)


if __name__ == "__main__":
    unittest.main(verbosity=1)
