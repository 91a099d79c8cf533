"""How data gets in and results get out: what a file is, columns, limits, one bad line among others,
tables of answers, lists of mistakes.

Usage: test_data.py HEED_PROGRAM
"""

import csv
import gzip
import io
import json
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from program import HEED, heed

SMALL = ["--d-model", 16, "--num-heads", 2, "--num-layers", 1, "--threads", 1]
FILMS = [("pos", "a fine film"), ("neg", "a dull film"), ("pos", "fine and warm"),
         ("neg", "dull and cold")] * 6


class Data(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-data-"))
        cls.write("films.tsv", "".join(f"{label}\t{text}\n" for label, text in FILMS))
        cls.run_heed("train", "classify", "--train", "films.tsv", "--valid", "films.tsv", "--out",
                     "films", *SMALL, "--epochs", 8, "--lr", "1e-2", "--word-dropout", 0)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def write(cls, name, content):
        path = cls.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    @classmethod
    def run_heed(cls, *arguments, code=0, **options):
        return heed(*arguments, cwd=cls.folder, code=code, **options)

    # --- what a file is ------------------------------------------------------------------------

    def test_every_command_reads_the_same_file_the_same(self):
        lines = "".join(json.dumps({"label": a, "text": b}) + "\n" for a, b in FILMS)
        array = json.dumps([{"label": a, "text": b} for a, b in FILMS])
        files = {
            "a.TSV": "label\ttext\n" + "".join(f"{a}\t{b}\n" for a, b in FILMS),
            "a.txt": "".join(f"{a} {b}\n" for a, b in FILMS),
            "b.csv": "text;label\n" + "".join(f"{b};{a}\n" for a, b in FILMS),
            "c.json": lines,
            "d.json": b"\xef\xbb\xbf" + array.encode(),
            "e": gzip.compress(lines.encode()),
        }
        for name, content in files.items():
            with self.subTest(name):
                self.write(name, content)
                found = json.loads(self.run_heed("eval", "films", name, "--json").stdout)
                self.assertEqual((found["examples"], found["accuracy"]), (len(FILMS), 1))
                answers = self.run_heed("predict", "films", name).stdout.splitlines()
                self.assertEqual([answer.split("\t")[0] for answer in answers],
                                 [label for label, _ in FILMS])

    def test_a_header_names_both_columns(self):
        self.write("acts.tsv", "question\tWhat is it ?\nstatement\tIt is .\n" * 4)
        result = self.run_heed("train", "classify", "--train", "acts.tsv", "--valid", "acts.tsv",
                               "--out", "acts", *SMALL, "--epochs", 1)
        self.assertIn("no header; text in column 2, label in column 1", result.stderr)
        config = json.loads((self.folder / "acts/config.json").read_text())
        self.assertEqual(config["id2label"], {"0": "question", "1": "statement"})
        self.assertEqual(len(self.run_heed("predict", "acts", "acts.tsv").stdout.splitlines()), 8)

    def test_the_model_remembers_its_columns(self):
        rows = "".join(f"{b},{a},7\n" for a, b in FILMS)
        self.write("reviews.csv", "review,stars,text\n" + rows)
        self.run_heed("train", "classify", "--train", "reviews.csv", "--valid", "reviews.csv",
                      "--text-column", "review", "--label-column", "stars", "--out", "reviews",
                      *SMALL, "--epochs", 1)
        self.run_heed("eval", "reviews", "reviews.csv")
        answer = json.loads(self.run_heed("predict", "reviews", "reviews.csv", "--json")
                            .stdout.splitlines()[0])
        self.assertEqual(answer["text"], "a fine film")

    def test_arrays_of_labels_are_not_split_again(self):
        self.write("genres.jsonl",
                   '{"label": ["Action, Adventure", "Drama"], "text": "x y"}\n'
                   '{"label": ["Other (a;b)"], "text": "q"}\n')
        self.run_heed("train", "classify", "--train", "genres.jsonl", "--valid", "genres.jsonl",
                      "--label-separator", ",", "--out", "genres", *SMALL, "--epochs", 1)
        config = json.loads((self.folder / "genres/config.json").read_text())
        self.assertEqual(list(config["id2label"].values()),
                         ["Action, Adventure", "Drama", "Other (a;b)"])

    def test_several_files_and_a_share_for_validation(self):
        self.write("more.jsonl", "".join(json.dumps({"label": "new", "text": f"quite new {i}"}) +
                                         "\n" for i in range(20)))
        rows = "".join(f"{a}\t{b} {i}\n" for i, (a, b) in enumerate(FILMS))
        self.write("numbered.tsv", rows)
        result = self.run_heed("train", "classify", "--train", "numbered.tsv", "--train",
                               "more.jsonl", "--valid-share", 0.25, "--out", "both", *SMALL,
                               "--class-weight", "balanced", "--epochs", 1)
        self.assertIn("no validation data given: 11 of 44 examples are held back", result.stderr)
        self.assertIn("33 training and 11 validation examples, 3 classes", result.stderr)
        found = json.loads(self.run_heed("eval", "both", "numbered.tsv", "more.jsonl", "--json")
                           .stdout)
        self.assertEqual(found["examples"], 44)

    # --- what is wrong -------------------------------------------------------------------------

    def test_one_bad_line_never_loses_the_others(self):
        text = b"a fine film\n\xff\na dull film\n"
        self.write("bad.txt", text)
        result = self.run_heed("predict", "films", "bad.txt", code=65)
        first, bad, last = result.stdout.split("\n")[:3]
        self.assertTrue(first.startswith("pos\t") and last.startswith("neg\t"), result.stdout)
        self.assertEqual(bad, "")
        self.assertIn("bad.txt:2: ", result.stderr)
        self.assertIn("1 input could not be answered", result.stderr)
        result = self.run_heed("predict", "films", "bad.txt", "--json", code=65)
        self.assertIn("error", json.loads(result.stdout.splitlines()[1]))
        self.write("bad.jsonl", '{"text": "a fine film"}\n{"text": 7}\n{"text": "a dull film"}\n')
        result = self.run_heed("predict", "films", "bad.jsonl", code=65)
        self.assertEqual(len(result.stdout.splitlines()), 2)
        self.assertIn("bad.jsonl:2: ", result.stderr)

    def test_one_bad_file_never_loses_the_others(self):
        self.write("bad.txt", b"a fine film\n\xff\n" + b"x" * (17 << 20) + b"\na dull film\n")
        self.write("good.txt", "a fine film\n")
        result = self.run_heed("predict", "films", "none.txt", "bad.txt", "gone.txt", "good.txt", code=66)
        self.assertEqual([line.split("\t")[0] for line in result.stdout.splitlines()],
                         ["pos", "", "", "neg", "pos"])
        for said in ("none.txt: no such file", "gone.txt: no such file", "bad.txt:2: ",
                     "bad.txt:3: the line is longer", "2 inputs could not be answered"):
            self.assertIn(said, result.stderr)

    def test_one_bad_line_of_tokens_never_loses_the_others(self):
        self.write("bad.txt", b"fine film\n\xff\ndull film\n")
        tokenizer = ["--tokenizer", "films/tokenizer.json"]
        result = self.run_heed("tokenize", "encode", *tokenizer, "--tokens", "bad.txt", code=65)
        self.assertEqual(result.stdout, "fine film\n\ndull film\n")
        self.assertIn("bad.txt:2: expected UTF-8", result.stderr)
        self.assertIn("1 input could not be answered", result.stderr)
        result = self.run_heed("tokenize", "encode", *tokenizer, "--json", "bad.txt", code=65)
        first, bad, last = map(json.loads, result.stdout.splitlines())
        self.assertEqual(bad["where"], "bad.txt:2")
        self.assertEqual((first["tokens"], last["offsets"]), (["fine", "film"], [[0, 4], [5, 9]]))
        for form in ([], ["--json"]):
            result = self.run_heed("tokenize", "decode", *tokenizer, *form, text="3\n999\n4 x\n4\n", code=65)
            self.assertEqual(len(result.stdout.splitlines()), 4)
            self.assertIn('standard input:2: expected ids from 0 to', result.stderr)
            self.assertIn('standard input:3: expected ids', result.stderr)

    def test_limits(self):
        self.write("bomb.tsv.gz", gzip.compress(b"pos\ta fine film\n" * 200_000))
        result = self.run_heed("eval", "films", "bomb.tsv.gz", "--max-bytes", "1M", code=65)
        self.assertIn("--max-bytes", result.stderr)
        self.write("many.tsv", "".join(f"label{i}\ttext\n" for i in range(300)))
        result = self.run_heed("train", "classify", "--train", "many.tsv", "--valid", "many.tsv",
                               "--max-classes", 200, "--out", "many", *SMALL, code=65)
        self.assertIn("--max-classes", result.stderr)

    def test_limits_of_every_task(self):
        self.write("lines.txt.gz", gzip.compress(b"a" * 3_000_000))  # a line of 3 MB
        self.write("tags.conll", "".join(f"word B-type{i}\n\n" for i in range(30)))
        self.write("stories.txt", "".join(f"1 He is {i}.\n2 Who?\tanswer{i}\t1\n" for i in range(30)))
        self.write("array.json", json.dumps([{"context": "a b", "question": "c",
                                              "answers": [{"text": "a", "answer_start": 0}]}] * 999))
        for command, file, option in (
                ("lm", "lines.txt.gz", ["--max-bytes", "1M"]),
                ("ner", "tags.conll", ["--max-classes", 20]),
                ("ner", "tags.conll", ["--max-bytes", "1K"]),
                ("qa", "stories.txt", ["--max-classes", 20]),
                ("qa", "stories.txt", ["--max-bytes", "1K"]),
                ("qa", "array.json", ["--max-bytes", "20K"]),
                ("seq2seq", "films.tsv", ["--max-bytes", "100"])):
            result = self.run_heed("train", command, "--train", file, "--valid", file, "--out",
                                   "limited", *option, code=65)
            self.assertIn(option[0], result.stderr)

    def test_many_classes(self):
        self.write("ids.tsv", "".join(f"id{i}\tword{i % 7} of {i % 11}\n" for i in range(12_000)))
        rows = (self.folder / "ids.tsv").read_text().splitlines(keepends=True)
        self.write("some.tsv", "".join(rows[::100]))
        self.run_heed("train", "classify", "--train", "ids.tsv", "--valid", "some.tsv", "--out",
                      "ids", "--max-classes", 20_000, "--max-steps", 2, *SMALL)
        found = json.loads(self.run_heed("eval", "ids", "some.tsv", "--max-classes", 20_000,
                                         "--json").stdout)
        self.assertNotIn("confusion", found)
        self.assertEqual(sum(each["count"] for each in found["confusions"]), 120)
        self.assertEqual(len(found["classes"]), 12_000)
        text = self.run_heed("eval", "ids", "some.tsv", "--max-classes", 20_000).stdout
        self.assertIn("confused most often, of 12000 classes", text)
        answer = json.loads(self.run_heed("predict", "ids", "--json", text="word1 of 2\n").stdout)
        self.assertEqual(len(answer["probabilities"]), 12_000)

    def test_a_hundred_thousand_classes(self):
        ids = [f"id{i}" for i in range(100_000)]
        self.write("huge.tsv", "".join(f"{id}\tword{i % 7}\n" for i, id in enumerate(ids)))
        self.write("few.tsv", "id1\tword1\nid2\tword2\n")
        self.write("huge_nodes.tsv", "node\tlabel\tsplit\tage\n" + "".join(
            f"n{id}\t{id}\t{'train' if i % 2 == 0 else 'valid'}\t{i % 7}\n" for i, id in enumerate(ids)))
        self.write("huge_table.csv", "age,kind\n" + "".join(f"{i % 7},{id}\n" for i, id in enumerate(ids)))
        for task, options in (("classify", ["--train", "huge.tsv", "--valid", "few.tsv"]),
                              ("graph", ["--train", "huge_nodes.tsv"]),
                              ("table", ["--train", "huge_table.csv", "--target", "kind"])):
            result = self.run_heed("train", task, *options, "--out", "refused", code=65)
            self.assertIn("more than 10000 classes", result.stderr)
            self.assertIn("--max-classes", result.stderr)
        # As many nodes, each with what 64 heads say of every class, would take 10 TB.
        result = self.run_heed("train", "graph", "--train", "huge_nodes.tsv", "--max-classes", 200_000,
                               "--num-output-heads", 64, "--out", "refused", code=2)
        self.assertIn("100000 classes of 100000 nodes: takes about", result.stderr)
        self.run_heed("train", "classify", "--train", "huge.tsv", "--valid", "few.tsv", "--out", "huge",
                      "--max-classes", 200_000, "--max-steps", 1, *SMALL)
        answer = json.loads(self.run_heed("predict", "huge", "--json", text="word1\n").stdout)
        self.assertEqual(len(answer["probabilities"]), 100_000)

    def test_what_others_wrote_is_escaped(self):
        self.write("odd.jsonl", json.dumps({"label": "a\nb\u001b[31m", "text": "x"}) + "\n" +
                   json.dumps({"label": "c", "text": "y"}) + "\n")
        self.run_heed("train", "classify", "--train", "odd.jsonl", "--valid", "odd.jsonl", "--out",
                      "odd", *SMALL, "--epochs", 1)
        for arguments in (["predict", "odd", "odd.jsonl"], ["eval", "odd", "odd.jsonl"]):
            self.assertNotIn("\x1b", self.run_heed(*arguments).stdout)
        result = self.run_heed("eval", "odd", "no\u001b[31mfile" + "x" * 3000, code=66)
        self.assertNotIn("\x1b", result.stderr)

    def test_a_reader_that_has_enough_is_no_error(self):
        self.write("long.txt", "a fine film\n" * 20_000)
        for command in (f"'{HEED}' predict films long.txt", f"'{HEED}' help"):
            result = subprocess.run(
                ["bash", "-c", f"set -o pipefail; {command} | head -1 >/dev/null"],
                cwd=self.folder, capture_output=True, text=True, timeout=300)
            self.assertIn(result.returncode, (0, 128 + signal.SIGPIPE))
            self.assertEqual(result.stderr, "")

    # --- how results get out -------------------------------------------------------------------

    def test_tables_of_answers(self):
        result = self.run_heed("predict", "films", "films.tsv", "--columns",
                               "where,text,label,probabilities,top", "--top", 1)
        header, row = result.stdout.splitlines()[:2]
        self.assertEqual(header.split("\t"),
                         ["where", "text", "label", "probabilities.neg", "probabilities.pos",
                          "top.1.label", "top.1.probability"])
        cells = row.split("\t")
        self.assertEqual(cells[:3], ["films.tsv:1", "a fine film", "pos"])
        self.assertAlmostEqual(float(cells[3]) + float(cells[4]), 1, places=6)
        self.assertEqual(cells[5:], ["pos", cells[4]])
        self.write("quoted.jsonl", json.dumps({"text": 'a "fine",\nfilm'}) + "\n")
        out = self.run_heed("predict", "films", "quoted.jsonl", "films.tsv", "--csv").stdout
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual(rows[0]["text"], 'a "fine",\nfilm')
        self.assertEqual(len(rows), 1 + len(FILMS))
        result = self.run_heed("predict", "films", "films.tsv", "--columns", "nothing", code=2)
        self.assertIn("probabilities", result.stderr)

    def test_what_was_wrong_the_most_confident_first(self):
        self.write("wrong.tsv", "neg\ta fine film\nneg\ta dull film\npos\tdull and cold film\n")
        self.run_heed("eval", "films", "wrong.tsv", "--errors", "errors.csv")
        rows = list(csv.DictReader(io.StringIO((self.folder / "errors.csv").read_text())))
        self.assertEqual({row["where"] for row in rows}, {"wrong.tsv:1", "wrong.tsv:3"})
        self.assertEqual([(row["expected"], row["predicted"]) for row in rows
                          if row["where"] == "wrong.tsv:1"], [("neg", "pos")])
        sure = [float(row["probability"]) for row in rows]
        self.assertEqual(sure, sorted(sure, reverse=True))

    def test_score_reads_what_predict_writes(self):
        question = {"context": "In the attic.", "question": "Where?",
                    "answers": [{"text": "attic", "answer_start": 7}]}
        references = self.write("q.ndjson.gz", gzip.compress(json.dumps(question).encode()))
        for answers in ("attic\n", "attic\t0.9812\n", '{"question": "Where?", "answer": "attic"}\n'):
            self.write("answers.txt", answers)
            found = self.run_heed("score", "qa", "answers.txt", "--references", references,
                                  "--json").stdout
            self.assertEqual(json.loads(found)["exact_match"], 1, answers)

    # --- too long ------------------------------------------------------------------------------

    def test_cut_texts_are_counted(self):
        self.write("long.tsv", "pos\ta fine film and more\nneg\tdull\npos\tfine\nneg\tcold\n")
        result = self.run_heed("train", "classify", "--train", "long.tsv", "--valid", "films.tsv",
                               "--max-length", 3, "--out", "short", *SMALL, "--epochs", 1)
        self.assertRegex(result.stderr, r"warning: \d+ of 28 texts have more than 3 tokens")
        result = self.run_heed("eval", "short", "long.tsv")
        self.assertIn("warning: 1 of 4 texts have more than 3 tokens", result.stderr)
        result = self.run_heed("predict", "short", "long.tsv")
        self.assertIn("warning: 1 of 4 texts have more than 3 tokens", result.stderr)

    def test_too_long_is_counted_in_every_task(self):
        self.write("tags.conll", "".join(f"Anna{i} B-per\nvisits O\nConstantinople B-loc\n. O\n\n"
                                         for i in range(9)))
        self.write("stories.txt", "".join(f"1 Anna is in Rome.\n2 Tim is in Oslo.\n3 Where is Anna?\t"
                                          f"{place}\t1\n" for place in ("Rome", "Oslo") * 4))
        self.write("spans.jsonl", json.dumps(
            {"context": "The bag stands in my very old attic.", "question": "Where is the bag?",
             "answers": [{"text": "my very old attic", "answer_start": 18}]}) + "\n")
        self.write("mat.txt", "the cat sat on the mat.\n" * 50)
        small = [*SMALL, "--max-steps", 1]
        tasks = {
            "ner": ("tags.conll", ["--max-length", 3, "--max-word-length", 6],
                    ["sentences have more than 3 words", "words have more than 6 characters"]),
            "qa": ("stories.txt", ["--max-length", 2], ["stories have more than 2 sentences"]),
            "qa ": ("spans.jsonl", ["--max-length", 8, "--max-answer-length", 2],
                    ["texts have more than 8 words", "answers have more than 2 words"]),
            "lm": ("mat.txt", ["--tokenizer", "characters", "--max-length", 16],
                   ["windows of 16 tokens"]),
        }
        for task, (file, options, said) in tasks.items():
            with self.subTest(task):
                out = "long-" + task.strip() + file
                result = self.run_heed("train", task.strip(), "--train", file, "--valid", file,
                                       "--out", out, *options, *small)
                for each in said:
                    self.assertIn(each, result.stderr)
                for command in ("eval", "predict"):
                    again = self.run_heed(command, out, file).stderr
                    expected = said[:1] if task != "lm" else ["more than 17 tokens"]
                    if (task, command) != ("lm", "predict"):
                        for each in expected:
                            self.assertIn(each, again)
        line = self.run_heed("predict", "long-lmmat.txt", text="the cat sat on the mat.\n").stderr
        self.assertIn("1 of 1 texts have more than 17 tokens", line)
        line = self.run_heed("generate", "long-lmmat.txt", "--prompt", "the cat sat on the mat.",
                             "--max-new-tokens", 1).stderr
        self.assertIn("the prompt has 23 tokens, of which the model reads the last 16", line)

    def test_class_weights_of_every_task(self):
        self.write("few.conll", "Anna B-per\nlives O\n\n" * 9 + "Rome B-loc\nis O\n\n" * 2)
        self.write("few.txt", "".join(f"1 It is {place}.\n2 Where?\t{place}\t1\n"
                                      for place in ["Rome"] * 8 + ["Oslo"] * 2))
        for task, file in (("ner", "few.conll"), ("qa", "few.txt")):
            for output in ([], ["--output", "softmax"]) if task == "ner" else ([],):
                self.run_heed("train", task, "--train", file, "--valid", file, "--out", "few", *output,
                              "--class-weight", "balanced", "--overwrite", "--max-steps", 2, *SMALL)
        self.write("span.jsonl", json.dumps({"context": "a b", "question": "c", "answers": []}) + "\n")
        for option, said in ((["--class-weight", "balanced"], "--class-weight: has no meaning"),
                             (["--metric-for-best-model", "loss"], "--metric-for-best-model: loss is not measured")):
            result = self.run_heed("train", "qa", "--train", "span.jsonl", "--out", "none", *option,
                                   code=2)
            self.assertIn(said, result.stderr)
        for task in ("lm", "seq2seq"):
            result = self.run_heed("train", task, "--train", "films.tsv", "--out", "none",
                                   "--class-weight", "balanced", code=2)
            self.assertIn("there is no option --class-weight", result.stderr)

    def test_a_cut_target_keeps_its_end(self):
        self.write("pairs", "abc abc abc abc abc abc abc\n" * 30)
        result = self.run_heed("train", "seq2seq", "--train", "pairs", "pairs", "--valid", "pairs",
                               "pairs", "--tokenizer", "characters", "--max-length", 12,
                               "--d-model", 32,
                               "--num-heads", 2, "--num-layers", 1, "--threads", 1, "--lr", "5e-3",
                               "--epochs", 30, "--out", "copy")
        self.assertIn("60 of 60 targets have more than 11 tokens", result.stderr)
        answer = json.loads(self.run_heed("predict", "copy", "--json", text="abc abc abc\n").stdout)
        self.assertTrue(answer["output"].startswith("abc"), answer)
        self.assertLess(len(answer["tokens"]), 12)  # it has learnt to stop
        result = self.run_heed("generate", "copy", "--prompt", "abc abc abc abc", "--max-new-tokens", 1)
        self.assertIn("1 of 1 sources have more than 11 tokens", result.stderr)

    # --- language models -----------------------------------------------------------------------

    def test_a_character_of_several_tokens(self):
        self.write("mat.txt", "the cat sat on the mat.\n" * 50)
        self.run_heed("train", "lm", "--train", "mat.txt", "--valid", "mat.txt", "--tokenizer",
                      "bytes", "--max-length", 16, "--out", "bytes", *SMALL, "--max-steps", 2,
                      "--eval-steps", 2)
        answers = self.run_heed("predict", "bytes", text="the cat sat\né\nthe mat\n").stdout
        self.assertEqual(len(answers.splitlines()), 3)
        self.write("e.txt", "é\n")
        found = json.loads(self.run_heed("eval", "bytes", "e.txt", "--json").stdout)
        self.assertAlmostEqual(found["bits_per_byte"] * 0.6931471805599453, found["loss"], places=5)


if __name__ == "__main__":
    unittest.main()
