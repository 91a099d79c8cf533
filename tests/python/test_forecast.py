"""Forecasts of time series as a user meets them: the next of five numbers, training, intervals, what is
wrong in a table.

Usage: test_forecast.py HEED_PROGRAM
"""

import csv
import io
import json
import math
import tempfile
import unittest
from pathlib import Path

from program import heed

SMALL = ["--context-length", 24, "--horizon", 6, "--patch-length", 6, "--patch-stride", 6,
         "--num-layers", 1, "--d-ff", 32, "--dropout", 0, "--embedding-dropout", 0, "--epochs", 6,
         "--threads", 1]


def waves(rows):
    lines = ["time,a,b"]
    for t in range(rows):
        angle = t * 2 * math.pi / 12
        lines.append(f"{t},{10 + 3 * math.sin(angle):.4f},{-math.cos(angle):.4f}")
    return "\n".join(lines) + "\n"


class Forecasts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-forecast-"))
        cls.table = cls.folder / "waves.csv"
        cls.table.write_text(waves(240))
        cls.model = cls.folder / "model"
        cls.trained = heed("train", "forecast", "--train", cls.table, "--out", cls.model, *SMALL,
                           code=0)

    def refused(self, text, *arguments, code):
        bad = self.folder / "bad.csv"
        bad.write_text(text)
        return heed("train", "forecast", "--train", bad, "--out", self.folder / "no", *SMALL,
                    *arguments, code=code).stderr

    def test_five_numbers(self):
        result = heed("forecast", "-", text="2,5,10,6,8\n", code=0)
        name, time, value, low, high = result.stdout.split("\t")
        self.assertEqual((name, time), ("value", "6"))
        self.assertTrue(float(low) < float(value) < float(high))
        self.assertIn("80 %", result.stderr)
        self.assertIn("5 numbers tell little", result.stderr)
        row = json.loads(heed("forecast", "-", "--json", text="2 5 10 6 8\n", code=0).stdout)
        self.assertEqual(row["coverage"], 0.8)
        self.assertEqual(row["numbers"], 5)

    def test_a_second_table_is_not_dropped(self):
        said = heed("train", "forecast", "--train", self.table, "--train", self.table, "--out",
                    self.folder / "no", *SMALL, code=2).stderr
        self.assertIn("--train", said)

    def test_baselines_stand_beside_the_model(self):
        for name in ["this model", "last value", "linear", "intervals of 80"]:
            self.assertIn(name, self.trained.stderr)

    def test_the_future_with_intervals(self):
        result = heed("forecast", self.model, self.table, "--plot", self.folder / "next.svg", code=0)
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        self.assertEqual([row["time"] for row in rows], [str(t) for t in range(240, 246)])
        for row in rows:
            low, high = map(float, row["a 95 %"].split())
            self.assertTrue(low <= float(row["a"]) <= high)
        self.assertTrue((self.folder / "next.svg").exists())
        same = heed("predict", self.model, self.table, "--json", code=0).stdout.splitlines()
        self.assertAlmostEqual(json.loads(same[0])["a"], float(rows[0]["a"]), 4)

    def test_evaluation(self):
        scores = json.loads(heed("eval", self.model, self.table, "--json", code=0).stdout)
        self.assertLess(scores["mse"], 1)
        self.assertEqual(set(scores["series"]), {"a", "b"})
        self.assertIn("last value", scores["baselines"])
        heed("eval", self.model, self.folder / "none.csv", code=66)

    def test_where_it_looks(self):
        last = heed("attend", self.model, self.table, code=0).stdout
        self.assertRegex(last, r"234: a( -?[\d.e-]+){5} …, b( -?[\d.e-]+){5} …")
        self.assertEqual(last, heed("attend", self.model, self.table, "--row", 235, code=0).stdout)
        view = json.loads(heed("attend", self.model, self.table, "--row", 25, "--json", code=0).stdout)
        self.assertEqual(view["tokens"], ["0", "6", "12", "18"])
        for row in (24, 236):
            self.assertIn("expected a number from 25 to 235", heed(
                "attend", self.model, self.table, "--row", row, code=2).stderr)

    def test_what_is_missing_is_said(self):
        table = self.folder / "gaps.csv"
        lines = self.table.read_text().splitlines()
        lines[5] = "4,,1"
        del lines[10:12]
        table.write_text("\n".join(lines) + "\n")
        errors = heed("eval", self.model, table, code=0).stderr
        self.assertIn("2 times were missing", errors)
        self.assertIn("5 missing values were filled", errors)

    def test_a_bad_row_does_not_end_the_forecast(self):
        lines = self.table.read_text().splitlines()
        bad = self.folder / "bad_rows.csv"
        bad.write_text("\n".join([*lines[:8], "7,inf,1", "8", "8.5,1,1", *lines[10:]]) + "\n")
        good = self.folder / "good_rows.csv"
        good.write_text("\n".join(lines[:8] + lines[10:]) + "\n")
        for command in (["predict", "--json"], ["forecast"]):
            there = heed(command[0], self.model, bad, *command[1:], code=65)
            for line in (9, 10, 11):
                self.assertIn(f"bad_rows.csv:{line}:", there.stderr)
            self.assertEqual(there.stdout, heed(command[0], self.model, good, *command[1:], code=0).stdout)
        done = heed("predict", self.model, bad, self.table, code=65)
        self.assertEqual(len(done.stdout.splitlines()), 12)
        self.assertIn("3 inputs could not be answered", done.stderr)
        heed("predict", self.model, bad, "--skip-bad", code=0)

    def test_refusals(self):
        lines = self.table.read_text().splitlines()
        for bad, what in [("7,inf,1", "finite number"), ("7,x,1", "finite number"),
                          ("3,1,1", "after"), ("soon,1,1", "whole number"), ("7,1", "columns")]:
            text = "\n".join(lines[:8] + [bad] + lines[9:])
            errors = self.refused(text, code=65)
            self.assertIn("bad.csv:9", errors)
            self.assertIn(what, errors)
        self.assertIn("2 rows left out", heed(
            "eval", self.model, "-", "--skip-bad",
            text="\n".join(lines[:8] + ["7,inf,1", "8,x,1"] + lines[10:]), code=0).stderr)
        self.refused("\n".join(lines[:20]), code=2)  # too short for a forecast
        self.refused("\n".join(lines), "--covariates", "none", code=2)
        self.refused("\n".join(lines), "--split", "1,2", code=2)
        self.assertFalse((self.folder / "no").exists())
        heed("forecast", self.model, code=2)
        heed("forecast", "-", text="1,2\n", code=65)


if __name__ == "__main__":
    unittest.main(verbosity=1)
