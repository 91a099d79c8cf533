"""Recommendations as a user meets them: training with names, best items for users and histories, those who
are not known, and what is wrong in a table.

Usage: test_recommend.py HEED_PROGRAM
"""

import json
import os
import tempfile
import unittest
from pathlib import Path

from program import heed

SMALL = ["--d-model", 32, "--d-ff", 32, "--num-layers", 1, "--num-heads", 1, "--dropout", 0,
         "--attention-dropout", 0, "--embedding-dropout", 0, "--num-negatives", 0, "--epochs", 40,
         "--lr", 0.01, "--batch-size", 16, "--threads", 1]
ITEMS = 25


def walks(users=50, length=8):
    """Every user walks on around a circle of items."""
    lines = ["user,item,time"]
    for user in range(users):
        for t in range(length):
            lines.append(f"u{user},i{(user + t) % ITEMS},{t}")
    return "\n".join(lines) + "\n"


class Recommendations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-recommend-"))
        cls.table = cls.folder / "walks.csv"
        cls.table.write_text(walks())
        names = cls.folder / "names.csv"
        names.write_text("item,title\n" + "".join(f"i{i},\"Number {i}, it is\"\n" for i in range(ITEMS)))
        cls.model = cls.folder / "model"
        cls.trained = heed("train", "recommend", "--train", cls.table, "--item-names", names, "--out",
                           cls.model, *SMALL, code=0)

    def rows(self, *arguments):
        lines = heed("recommend", self.model, *arguments, code=0).stdout.splitlines()
        heading = lines[0].split("\t")
        return [dict(zip(heading, line.split("\t"))) for line in lines[1:]]

    def test_baselines_stand_beside_the_model(self):
        for name in ["this model", "popularity", "item neighbours", "50 users, 25 items"]:
            self.assertIn(name, self.trained.stderr)

    def test_the_best_items_of_a_user(self):
        rows = self.rows("--user", "u3", "--top", 4)
        self.assertEqual(len(rows), 4)
        self.assertEqual(rows[0]["item"], "i11")  # behind i3 … i10
        self.assertEqual(rows[0]["name"], "Number 11, it is")
        self.assertEqual([row["rank"] for row in rows], ["1", "2", "3", "4"])
        seen = {f"i{i}" for i in range(3, 11)}
        self.assertFalse(seen & {row["item"] for row in self.rows("--user", "u3", "--top", 100)})
        everything = self.rows("--user", "u3", "--top", 100, "--with-seen")
        self.assertTrue(seen <= {row["item"] for row in everything})
        self.assertAlmostEqual(sum(float(row["probability"]) for row in everything), 1, 4)

    def test_a_history(self):
        self.assertEqual(self.rows("--history", "i20,i21,i22")[0]["item"], "i23")
        result = heed("recommend", self.model, "--history", "i20,none,i21", "--json", code=0)
        self.assertIn("not known and left out: none", result.stderr)
        answer = json.loads(result.stdout)
        self.assertTrue(answer["known"])
        self.assertEqual(answer["items"][0]["item"], "i22")

    def test_who_is_not_known(self):
        result = heed("recommend", self.model, "--user", "nobody,u1", "--json", code=0)
        nobody, known = map(json.loads, result.stdout.splitlines())
        self.assertIn("nobody is not known", result.stderr)
        self.assertFalse(nobody["known"])
        self.assertEqual(len(nobody["items"]), 10)
        self.assertEqual(known["user"], "u1")
        heed("recommend", self.model, code=2)
        heed("recommend", self.model, "--user", "u1", "--history", "i1", code=2)

    def test_evaluation_and_lists(self):
        scores = json.loads(heed("eval", self.model, self.table, "--json", code=0).stdout)
        self.assertGreater(scores["hr@10"], 0.9)
        self.assertGreater(scores["ndcg@10"], scores["baselines"]["popularity"]["ndcg@10"])
        self.assertEqual(scores["examples"], 50)
        self.assertEqual(scores["cutoffs"]["10"]["hr"], scores["hr@10"])
        other = heed("eval", self.model, "-", text="a i1\na new\nb new\n", code=0)
        self.assertIn("2 interactions with items that the model does not know", other.stderr)
        self.assertIn("1 users left out", other.stderr)
        heed("eval", self.model, "-", text="a new\n", code=65)
        lists = heed("predict", self.model, "-", "--top", 2, text="x i5\nx i6\ny i9\n", code=0)
        self.assertEqual([line.split("\t")[:2] for line in lists.stdout.splitlines()],
                         [["x", "Number 7, it is"], ["y", "Number 10, it is"]])
        lists = heed("predict", self.model, "-", "--top", 1, text="x i5\nx\nx i6\ny i9\n", code=65)
        self.assertEqual(len(lists.stdout.splitlines()), 2)
        self.assertIn("standard input:2: expected 2 columns", lists.stderr)

    def test_the_columns_of_training_are_remembered(self):
        header, *rows = walks().splitlines()
        named = self.folder / "named.csv"
        named.write_text("watcher,page,moment\n" + "\n".join(reversed(rows)) + "\n")
        chosen = ["--user-column", "watcher", "--item-column", "page", "--time-column", "moment"]
        model = self.folder / "named"
        heed("train", "recommend", "--train", named, "--out", model, *SMALL, "--epochs", 2, *chosen, code=0)
        self.assertEqual(json.loads((model / "config.json").read_text())["data_columns"],
                         {"user": "watcher", "item": "page", "time": "moment"})

        def scores(*options):
            return json.loads(heed("eval", model, named, "--json", *options, code=0).stdout)
        self.assertEqual(scores(), scores(*chosen))
        self.assertNotEqual(scores()["loss"], scores("--time-column", "none")["loss"])  # an option wins
        lists = heed("predict", model, named, code=0).stdout.splitlines()
        self.assertEqual({line.split("\t")[0] for line in lists}, {f"u{i}" for i in range(50)})
        lost = self.folder / "lost.csv"
        for header, column, option in [("user,page,moment", "watcher", "--user-column"),
                                       ("watcher,item,moment", "page", "--item-column"),
                                       ("watcher,page,other", "moment", "--time-column")]:
            lost.write_text(header + "\n" + "\n".join(rows) + "\n")
            refused = heed("predict", model, lost, code=2).stderr
            self.assertIn(f'no column "{column}", which the model was trained with', refused)
            self.assertIn(option, refused)
        self.assertEqual(heed("predict", model, "-", text="x i5\nx i6\n", code=0).stdout.count("\n"), 1)

    def test_attention_and_settings(self):
        view = json.loads(heed("attend", self.model, "i4,i5,i6", "--json", code=0).stdout)
        self.assertEqual(view["tokens"][0], "Number 4, it is")
        weights = view["attention"][0]["weights"]
        self.assertEqual(weights[0], [1, 0, 0])
        self.assertEqual(len(json.loads(
            heed("attend", self.model, "u1", "--json", code=0).stdout)["tokens"]), 8)
        heed("attend", self.model, "nothing", code=2)
        self.assertIn("num_items", heed("inspect", self.model, code=0).stdout)

    def test_refusals(self):
        lines = walks(5).splitlines()
        bad = self.folder / "bad.csv"
        for row, what in [("u1,,3", "expected an item"), ("u1,i1,inf", "a number as a time"),
                          ("u1,i1,soon", "a number as a time"), ("u1,i1", "columns")]:
            bad.write_text("\n".join(lines[:8] + [row] + lines[9:]) + "\n")
            errors = heed("train", "recommend", "--train", bad, "--out", self.folder / "no", *SMALL,
                          code=65).stderr
            self.assertIn("bad.csv:9", errors)
            self.assertIn(what, errors)
        self.assertIn("1 rows left out",
                      heed("eval", self.model, bad, "--skip-bad", code=0).stderr)
        bad.write_text("u1 i1\nu2 i2\n")
        self.assertIn("found none", heed("train", "recommend", "--train", bad, "--out",
                                         self.folder / "no", *SMALL, code=65).stderr)
        heed("train", "recommend", "--train", self.table, "--user-column", "who", "--out",
             self.folder / "no", *SMALL, code=2)
        self.assertFalse((self.folder / "no").exists())

    def test_a_damaged_model_is_named(self):
        damaged = self.folder / "damaged"
        damaged.mkdir(exist_ok=True)
        for file in self.model.iterdir():
            (damaged / file.name).write_bytes(file.read_bytes())
        (damaged / "histories.tsv").write_text("u0\t99\n")
        self.assertIn("histories.tsv:1",
                      heed("recommend", damaged, "--user", "u0", code=65).stderr)
        (damaged / "histories.tsv").unlink()
        os.mkfifo(damaged / "histories.tsv")
        self.assertIn("histories.tsv: expected a regular file",
                      heed("recommend", damaged, "--user", "u0", code=65).stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
