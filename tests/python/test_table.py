"""Tables as a user meets them: classes and numbers told from columns of numbers, categories and gaps, which
columns matter, and what is wrong in a table.

Usage: test_table.py HEED_PROGRAM
"""

import json
import math
import tempfile
import unittest
from pathlib import Path

from program import heed

SMALL = ["--d-model", 16, "--num-heads", 2, "--num-layers", 1, "--dropout", 0, "--attention-dropout", 0,
         "--num-bins", 8, "--epochs", 30, "--lr", 0.01, "--threads", 1]
ROWS = 200


def rows():
    """A fee that rises with age and doubles in the city; a number that says nothing; gaps."""
    for i in range(ROWS):
        age, town = (i * 37) % 61 + 18, ["city", "village", "coast"][i % 3]
        fee = 100 + 2 * age + (80 if town == "city" else 0)
        shown = "" if i % 20 == 0 else f"{age}"
        yield shown, "NA" if i % 17 == 0 else town, f"{(i * i * 7919) % 101 / 7:.3f}", fee


def table(target):
    lines = ["id,age,town,noise,fee"]
    lines += [f"{i},{age},{town},{noise},{target(fee)}" for i, (age, town, noise, fee) in enumerate(rows())]
    return "\n".join(lines) + "\n"


class Tables(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-table-"))
        cls.classes, cls.numbers = cls.folder / "classes.csv", cls.folder / "numbers.csv"
        cls.classes.write_text(table(lambda fee: "high" if fee > 210 else "low"))
        cls.numbers.write_text(table(str))
        cls.classifier, cls.regressor = cls.folder / "classifier", cls.folder / "regressor"
        cls.trained = heed("train", "table", "--train", cls.classes, "--target", "fee", "--out",
                           cls.classifier, *SMALL, code=0)
        cls.fitted = heed("train", "table", "--train", cls.numbers, "--target", "fee", "--out", cls.regressor,
                          "--scaling", "standard", *SMALL, code=0)

    def refused(self, text, *arguments, code=65):
        bad = self.folder / "bad.csv"
        bad.write_text(text)
        return heed("train", "table", "--train", bad, "--target", "fee", "--out", self.folder / "no", *SMALL,
                    *arguments, code=code).stderr

    def test_kinds_are_said(self):
        for said in ['column "id" counts the rows, and is left out', "numbers age, noise; categories town (3)",
                     "target fee, 2 classes", "160 rows train, 40 validate", "this model", "constant", "linear"]:
            self.assertIn(said, self.trained.stderr)
        self.assertIn("target fee, a number", self.fitted.stderr)
        self.assertIn("r2", self.fitted.stderr)

    def test_evaluation(self):
        scores = json.loads(heed("eval", self.classifier, self.classes, "--json", code=0).stdout)
        self.assertEqual(scores["examples"], ROWS)
        self.assertGreater(scores["accuracy"], 0.9)
        self.assertEqual(scores["labels"], ["high", "low"])
        scores = json.loads(heed("eval", self.regressor, self.numbers, "--json", code=0).stdout)
        self.assertGreater(scores["r2"], 0.8)
        self.assertLess(scores["mae"], scores["rmse"])

    def test_errors_are_listed(self):
        weak, wrong = self.folder / "weak", self.folder / "wrong.csv"
        heed("train", "table", "--train", self.classes, "--target", "fee", "--out", weak, *SMALL, "--epochs", 1,
             "--lr", 1e-6, code=0)
        scores = json.loads(heed("eval", weak, self.classes, "--json", "--errors", wrong, code=0).stdout)
        header, *rows = [line.split(",") for line in wrong.read_text().splitlines()]
        self.assertEqual(header, ["where", "expected", "predicted", "probability"])
        self.assertEqual(len(rows), round(ROWS * (1 - scores["accuracy"])))
        self.assertGreater(len(rows), 0)
        given = [line.split(",")[-1] for line in self.classes.read_text().splitlines()]
        for where, expected, predicted, _ in rows:
            self.assertEqual(expected, given[int(where.rsplit(":", 1)[1]) - 1])
            self.assertNotEqual(expected, predicted)
        probabilities = [float(row[3]) for row in rows]
        self.assertEqual(probabilities, sorted(probabilities, reverse=True))
        self.assertIn("--errors: has no meaning", heed("eval", self.regressor, self.numbers, "--errors", wrong,
                                                       code=2).stderr)

    def test_importance(self):
        told = json.loads(heed("eval", self.regressor, self.numbers, "--importance", "--json", code=0).stdout)
        columns = {each["column"]: each for each in told["importance"]}
        self.assertEqual(list(columns), ["age", "noise", "town"])
        self.assertAlmostEqual(sum(each["attention"] for each in columns.values()), 1, 5)
        self.assertGreater(columns["age"]["permutation"], 0.3)
        self.assertGreater(columns["town"]["permutation"], 10 * abs(columns["noise"]["permutation"]))
        shown = heed("eval", self.regressor, self.numbers, "--importance", code=0).stdout
        self.assertIn("lost r2 when shuffled", shown)
        self.assertLess(shown.index("age"), shown.index("noise"))

    def test_answers(self):
        new = "noise,town,age\n1.5,city,70\n1.5,village,20\n1.5,moon,\n"
        result = heed("predict", self.classifier, "-", text=new, code=0)
        lines = [line.split("\t") for line in result.stdout.splitlines()]
        self.assertEqual([line[0] for line in lines[:2]], ["high", "low"])
        self.assertIn("1 cells hold categories that were not", result.stderr)
        one = json.loads(heed("predict", self.classifier, "-", "--json", text=new, code=0).stdout.splitlines()[0])
        self.assertEqual(one["row"], 1)
        self.assertAlmostEqual(sum(one["probabilities"].values()), 1, 5)
        self.assertEqual(one["probability"], one["probabilities"]["high"])
        numbers = heed("predict", self.regressor, "-", text=new, code=0).stdout.split()
        self.assertGreater(float(numbers[0]), 280)
        self.assertLess(float(numbers[1]), 200)
        csv = heed("predict", self.regressor, "-", "--csv", text=new, code=0).stdout.splitlines()
        self.assertEqual(len(csv), 4)
        self.assertIn("prediction", csv[0])

    def test_attention_of_a_row(self):
        view = json.loads(heed("attend", self.classifier, self.classes, "--row", 2, "--json", code=0).stdout)
        self.assertEqual(view["tokens"], ["[CLS]", "age = 55", "noise = 5.857", "town = village"])
        self.assertIn(view["label"], ["high", "low"])
        for head in view["attention"]:
            self.assertAlmostEqual(sum(head["weights"][0]), 1, 5)
        page = self.folder / "row.html"
        heed("attend", self.regressor, self.numbers, "--out", page, code=0)
        self.assertIn("age = ?", page.read_text())
        self.assertIn("expected a number from 1 to 200",
                      heed("attend", self.classifier, self.classes, "--row", 201, code=2).stderr)

    def test_a_model_tells_of_itself(self):
        shown = heed("inspect", self.classifier, code=0).stdout
        for said in ["num_bins", "high, low", "age, noise"]:
            self.assertIn(said, shown)
        report = heed("doctor", self.classifier, self.classes)
        self.assertIn(report.returncode, (0, 1))
        self.assertIn("accuracy", report.stdout)
        card = (self.classifier / "README.md").read_text()
        self.assertIn("train table", card)

    def test_validation_file_and_options(self):
        result = heed("train", "table", "--train", self.classes, "--valid", self.classes, "--target", "fee",
                      "--categories", "id,age", "--ignore", "noise", "--class-weight", "balanced", "--out",
                      self.folder / "other", *SMALL, "--epochs", 2, "--num-bins", 0, code=0)
        self.assertIn("categories id (200), age (61), town (3)", result.stderr)
        forced = heed("train", "table", "--train", self.numbers, "--target", "fee", "--problem-type",
                      "classification", "--out", self.folder / "many", *SMALL, "--epochs", 1, code=0)
        self.assertIn("classes", forced.stderr)

    def test_refusals(self):
        lines = table(str).splitlines()
        for bad, what in [("3,inf,city,1,150", 'column "age": expected a finite number, found "inf"'),
                          ("3,1e999,city,1,150", "finite number"),
                          ("3,old,city,1,150", 'found "old"'),
                          ("3,20,city,1,", "expected the target"),
                          ("3,20,city,1", "expected 5 columns, found 4"),
                          ('3,20,"city,1,150', "quoted cell")]:
            text = "\n".join(lines[:4] + [bad] + lines[5:]) + "\n"
            errors = self.refused(text)
            self.assertIn("bad.csv:5", errors)
            self.assertIn(what, errors)
        self.assertFalse((self.folder / "no").exists())
        self.assertIn("--target", self.refused("a,b\n1,2\n", code=2))
        self.assertIn("expected rows", self.refused("age,fee\n"))
        self.assertIn("two columns", self.refused("a,a,fee\n1,2,3\n"))
        bad = self.folder / "half.csv"
        bad.write_text("\n".join(lines[:40] + ["3,inf,city,1,150", "3,20"] + lines[40:]) + "\n")
        result = heed("eval", self.regressor, bad, "--skip-bad", "--json", code=0)
        self.assertIn("2 rows left out", result.stderr)
        self.assertEqual(json.loads(result.stdout)["examples"], ROWS)
        result = heed("predict", self.regressor, bad, code=65)
        self.assertIn("half.csv:41", result.stderr)
        self.assertIn("2 inputs could not be answered", result.stderr)
        self.assertEqual(len(result.stdout.splitlines()), ROWS)
        errors = heed("eval", self.classifier, "-", text="age,noise,town,fee\n1,2,city,middling\n", code=65).stderr
        self.assertIn("middling", errors)
        errors = heed("predict", self.classifier, "-", text="age,noise\n1,2\n", code=65).stderr
        self.assertIn('"town"', errors)
        self.assertTrue(math.isfinite(float(heed("predict", self.regressor, "-",
                                                 text="age,noise,town\n,,\n", code=0).stdout)))


if __name__ == "__main__":
    unittest.main(verbosity=1)
