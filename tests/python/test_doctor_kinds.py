"""`heed doctor` on data that is no text: which kind it is, what is said, exit codes. What each kind finds:
heed/doctor/data_kind_test.cpp and media_kinds_test.cpp.

Usage: test_doctor_kinds.py HEED_PROGRAM
"""

import json
import random
import shutil
import tempfile
import unittest
from pathlib import Path

from program import heed

WORDS = "rain sun snow wind cloud storm fog hail bread soup cheese rice fish salt plum pear".split()


class Kinds(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="heed-doctor-"))

    def tearDown(self):
        shutil.rmtree(self.folder)

    def write(self, name, content):
        (self.folder / name).write_text(content)

    def doctor(self, *arguments, code=0):
        return heed("doctor", *arguments, cwd=self.folder, code=code)

    def report(self, *arguments, code=0):
        return json.loads(self.doctor(*arguments, "--json", code=code).stdout)

    def test_kinds_of_data_are_told(self):
        """Sound and broken data of each kind: heed_doctor_test. Here: that the program tells which it is."""
        rng = random.Random(12)
        self.write("people.csv", "pay,age,kind\n" + "".join(
            f"{rng.randrange(10**9)},{age},{'old' if age + rng.randrange(40) > 60 else 'young'}\n"
            for age in [rng.randrange(18, 70) for _ in range(100)]))
        self.write("questions.jsonl", "".join(json.dumps(
            {"context": f"{' '.join(rng.choices(WORDS, k=9))} {i}", "question": f"What is {i}?",
             "answers": {"text": [], "answer_start": []}}) + "\n" for i in range(20)))
        self.write("nodes.csv", "node,label\n" + "".join(f"n{i},{'xy'[i % 2]}\n" for i in range(30)))
        self.write("edges.csv", "source,target\n" + "".join(f"n{i},n{(i + 1) % 30}\n" for i in range(30)))
        self.write("taken.csv", "user,item,time\n" + "".join(
            f"u{u},i{(u + k) % 9},{100 * u + k}\n" for u in range(20) for k in range(4)))
        self.write("heat.csv", "date,heat\n" + "".join(f"2026-01-{d:02d},{d * 7 % 11}\n" for d in range(1, 29)))
        for arguments, check, samples in (
                (["people.csv", "--target", "kind"], "columns that tell", {"train": 100}),
                (["questions.jsonl"], "answers", {"train": 20}),
                (["nodes.csv", "--edges", "edges.csv"], "isolated nodes", {"train": 30}),
                (["taken.csv"], "users with one event", {"train": 80}),
                (["heat.csv", "--task", "forecast"], "missing times", None)):
            with self.subTest(arguments):
                report = self.report(*arguments)
                self.assertEqual(report["findings"], [])
                self.assertIn(check, report["checked"])
                self.assertEqual(report.get("samples"), samples)

    def test_a_table_that_gives_itself_away(self):
        rng = random.Random(13)
        self.write("told.csv", "size,code,good\n" + "".join(
            f"{rng.randrange(10**9)},{'AB'[i % 2]},{('yes', 'no')[i % 2]}\n" for i in range(100)))
        result = self.doctor("told.csv", "--target", "good", "--out", "told.html")
        self.assertRegex(result.stdout, r'(?m)^warning: columns that tell: "code" tells "good" by itself \(100\.0 %')
        self.assertIn("columns that tell", (self.folder / "told.html").read_text())
        self.write("bad.csv", (self.folder / "told.csv").read_text() + "inf,A,yes\n")
        self.assertRegex(self.doctor("bad.csv", "--target", "good", code=65).stdout, r"(?m)^stop: rows: ")
        self.assertIn("no column", self.doctor("told.csv", "--target", "other", code=2).stderr)

    def test_what_has_no_meaning_is_refused(self):
        self.write("texts.tsv", "text\tlabel\n" + "".join(f"text {i}\t{i % 2}\n" for i in range(20)))
        for option in ("--target", "--edges"):
            said = self.doctor("texts.tsv", "--task", "classify", option, "texts.tsv", code=2).stderr
            self.assertIn(f"{option}: has no meaning for --task classify", said)


if __name__ == "__main__":
    unittest.main()
