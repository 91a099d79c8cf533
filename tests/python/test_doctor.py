"""`heed doctor`: data before training, models after it.

Usage: test_doctor.py HEED_PROGRAM
"""

import json
import math
import random
import shutil
import struct
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
        self.write("chosen.tsv", table(list(rows(90, 3)) + list(rows(100, 2))[:10]))
        found = self.report("train.tsv", "--valid", "valid.tsv", "--test", "chosen.tsv", code=65)["findings"]
        self.assertEqual([each["summary"] for each in found],
                         ["test: 10 of 100 texts (10.0 %) also stand in valid"])
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

    def test_sound_data_of_other_tasks(self):
        rng = random.Random(8)
        texts = [text for _, text in rows(60, 4)]
        self.write("plain.txt", "".join(f"{text}\n" for text in texts))
        self.write("pairs.tsv", "source\ttarget\n" + "".join(f"{text}\t{text.title()}\n" for text in texts))
        names, towns, verbs = "Ann Bob Eve Tim".split(), "Rome Oslo Lima Bonn".split(), "lives works sleeps".split()
        words = [word for group in WORDS.values() for word in group]
        self.write("tagged.conll", "\n".join(
            f"{rng.choice(names)} B-PER\n{rng.choice(verbs)} O\n"
            + "".join(f"{word} O\n" for word in rng.choices(words, k=6)) + f"in O\n{rng.choice(towns)} B-LOC\n"
            for _ in range(60)))
        for file, options in (("plain.txt", ["--task", "lm"]), ("pairs.tsv", []), ("tagged.conll", [])):
            with self.subTest(file):
                report = self.report(file, *options)
                self.assertEqual((report["findings"], report["samples"]), ([], {"train": 60}))

    def test_rows_and_classes_that_are_broken(self):
        sound = table(rows(60, 3))
        few, many = table(rows(60, 3)).splitlines(True), table(rows(400, 3)).splitlines(True)
        cases = {
            "a NUL byte": (sound + "food\tbread\0butter\n", ("stop", "encoding"), 65, "NUL byte"),
            "a column too many": (sound + "food\tbread\tand butter\n", ("stop", "rows"), 65, "columns"),
            "no text": (sound + "food\t\n", ("warning", "missing values"), 0, "empty"),
            "look-alike labels": (sound + "food\u200b\tbread with butter\n",
                                  ("warning", "labels"), 0, "look"),
            "one class in a hundred": ("".join(many[:1] + many[1::2] + many[2:40:2]),
                                       ("warning", "class balance"), 0, "times the samples of the smallest"),
        }
        for name, (data, expected, code, words) in cases.items():
            with self.subTest(name):
                self.write("broken.tsv", data)
                found = [each for each in self.report("broken.tsv", code=code)["findings"]
                         if (each["severity"], each["check"]) == expected]
                self.assertTrue(found, self.doctor("broken.tsv", code=code).stdout)
                self.assertIn(words, found[0]["summary"])
        self.write("one.tsv", "".join(few[:1] + few[1::2]))
        found = self.report("train.tsv", "--valid", "one.tsv")["findings"]
        self.assertIn(("class balance", "valid: classes without an example"),
                      [(each["check"], each["summary"]) for each in found])
        self.write("tags.conll", "\n".join(sentences(60, 1)) + "\nRome I-LOC\n")
        self.assertIn(("stop", "rows"), self.findings("tags.conll", code=65))

    def test_tokens_that_a_tokenizer_does_not_know(self):
        heed("tokenize", "train", "train.tsv", "--out", "words.json", "--kind", "words", cwd=self.folder, code=0)
        self.write("other.tsv", table((label, text.replace("a", "u")) for label, text in rows(60, 5)))
        found = self.report("other.tsv", "--tokenizer", "words.json")
        self.assertEqual([each["check"] for each in found["findings"]], ["unknown tokens"])
        self.assertIn("unknown to the tokenizer", found["findings"][0]["summary"])
        self.assertEqual(self.findings("valid.tsv", "--tokenizer", "words.json"), [])

    def test_refusals(self):
        self.doctor(code=2)
        self.doctor("train.tsv", "--task", "poetry", code=2)
        self.doctor("train.tsv", "--max-length", 0, code=2)
        self.assertIn("nowhere.tsv", self.doctor("nowhere.tsv", code=66).stderr)

    def test_page(self):
        self.doctor("train.tsv", "--out", "page.html")
        page = (self.folder / "page.html").read_text()
        self.assertIn("<h1>heed doctor train.tsv</h1>", page)
        self.assertIn("Nothing here speaks against going on.", page)
        self.assertIn('<th scope="row">weather</th>', page)
        self.assertNotRegex(page, r"https?:|@import|url\(")


SMALL = ["--d-model", 32, "--num-heads", 2, "--num-layers", 1, "--threads", 1, "--lr", "5e-3"]


def sentences(count, seed):
    """CoNLL lines: a name is a person, a town follows "in"."""
    rng = random.Random(seed)
    for _ in range(count):
        name, town = rng.choice(["Ann", "Bob", "Eve"]), rng.choice(["Rome", "Oslo", "Lima"])
        verb = rng.choice(["lives", "works", "sleeps", "reads"])
        yield f"{name} B-PER\n{verb} O\nquietly O\nin O\n{town} B-LOC\n. O\n"


class Models(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-doctor-models-"))
        for name, count, seed in (("train", 400, 1), ("valid", 200, 2), ("test", 200, 3)):
            (cls.folder / f"{name}.tsv").write_text(table(rows(count, seed)))
            (cls.folder / f"{name}.conll").write_text("\n".join(sentences(count, seed)))
            (cls.folder / f"{name}.txt").write_text("".join(
                f"{text}\n" for _, text in rows(count, seed)))
        for task, end, options in (("classify", "tsv", ["--epochs", 6]),
                                   ("ner", "conll", ["--epochs", 6]),
                                   ("lm", "txt", ["--max-steps", 150, "--eval-steps", 30])):
            cls.run_heed("train", task, "--train", f"train.{end}", "--valid", f"valid.{end}",
                         "--out", task, *SMALL, *options)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def run_heed(cls, *arguments, code=0):
        return heed(*arguments, cwd=cls.folder, code=code)

    def report(self, *arguments, code=0):
        return json.loads(self.run_heed("doctor", *arguments, "--json", code=code).stdout)

    def broken(self, change):
        """A copy of the classifier whose parameters `change` replaced: name, floats -> floats."""
        copy = self.folder / "broken"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.folder / "classify", copy)
        file = copy / "model.safetensors"
        raw = file.read_bytes()
        start = 8 + struct.unpack("<Q", raw[:8])[0]
        header, data = json.loads(raw[8:start]), bytearray(raw[start:])
        for name, tensor in header.items():
            if name == "__metadata__":
                continue
            begin, end = tensor["data_offsets"]
            count = (end - begin) // 4
            values = struct.unpack(f"<{count}f", data[begin:end])
            data[begin:end] = struct.pack(f"<{count}f", *change(name, values))
        file.write_bytes(raw[:start] + data)
        return "broken"

    def test_sound_models(self):
        for task, end in (("classify", "tsv"), ("ner", "conll"), ("lm", "txt")):
            with self.subTest(task):
                report = self.report(task, f"test.{end}")
                self.assertEqual(report["findings"], [])
                for check in ("parameters", "training", "gradients", "attention", "heads", "padding",
                              "outputs of layers", "gradients of layers", "speed and memory"):
                    self.assertIn(check, report["checked"])
                self.assertGreater(report["parameters"], 1000)
                self.assertIn("loss" if task != "ner" else "f1", report["metrics"])

    def test_gradients_outputs_and_speed(self):
        report = self.report("classify", "test.tsv")
        names = [each["layer"] for each in report["layers"]]
        self.assertTrue(any("feed_forward" in name for name in names), names)
        self.assertTrue(any("query_key_value" in name for name in names), names)
        for layer in report["layers"]:
            self.assertGreater(layer["output"], 0)
            self.assertGreater(layer["gradient"], 0)
        self.assertGreater(report["speed"]["tokens_per_second"], 0)
        self.assertGreater(report["speed"]["gflops_of_the_machine"], 0.1)
        self.assertGreater(report["speed"]["parameters_of_a_token"], 1000)

    def test_outputs_that_are_too_large(self):
        """The feed-forward network of its layer gives a million times as much."""
        model = self.broken(lambda name, values: tuple(
            1e6 * v if "feed_forward" in name else v for v in values))
        found = [each["check"] for each in self.report(model, "test.tsv")["findings"]]
        self.assertIn("outputs of layers", found)

    def test_a_layer_that_is_dead(self):
        """The first matrix of its feed-forward network is lost; what comes out is always the same."""
        def change(name, values):
            return (0.0,) * len(values) if "feed_forward" in name and "weight" in name else values
        found = {each["check"]: each for each in self.report(self.broken(change), "test.tsv")["findings"]}
        self.assertIn("give the same whatever they get", found["outputs of layers"]["summary"])

    def test_accuracy_by_further_columns(self):
        """Of one source the labels are wrong."""
        other = {"food": "weather", "weather": "food"}
        lines = [f"{other[label] if i % 5 == 0 else label}\t{'phone' if i % 5 == 0 else 'web'}\t{text}\n"
                 for i, (label, text) in enumerate(rows(400, 4))]
        (self.folder / "sources.tsv").write_text("label\tsource\ttext\n" + "".join(lines))
        found = {each["check"]: each for each in self.report("classify", "sources.tsv")["findings"]}
        self.assertIn('where "source" is "phone", 0 % are right', found["accuracy by column"]["summary"])

    def test_what_a_classifier_is_like(self):
        report = self.report("classify", "test.tsv")
        self.assertEqual(report["accuracy_by_class"]["food"]["samples"], 100)
        self.assertEqual(sum(each["samples"] for each in report["accuracy_by_length"]), 200)
        self.assertEqual(sum(each["samples"] for each in report["calibration"]["reliability"]), 200)
        self.run_heed("doctor", "classify", "test.tsv", "--out", "page.html")
        page = (self.folder / "page.html").read_text()
        self.assertIn("Reliability", page)
        self.assertIn("data:image/svg+xml;base64,", page)

    def test_without_data(self):
        report = self.report("classify")
        self.assertEqual(report["checked"], ["parameters", "training", "gradients"])

    def test_parameters_that_are_no_numbers_stop(self):
        model = self.broken(lambda name, values: (math.nan, *values[1:]))
        report = self.report(model, "test.tsv", code=65)
        self.assertEqual([each["check"] for each in report["findings"]], ["parameters"])
        self.assertIn("the model should not be used",
                      self.run_heed("doctor", model, code=65).stderr)

    def test_heads_that_give_nothing_on(self):
        """One whose values are all zero."""
        def change(name, values):
            if "query_key_value" not in name:
                return values
            row = len(values) // 96  # of three times 32 outputs; a head has 16
            return tuple(0.0 if 64 * row <= i < 80 * row else v for i, v in enumerate(values))
        report = self.report(self.broken(change), "test.tsv")
        self.assertIn("give nothing on", report["findings"][0]["summary"])
        self.assertIn("layer 1, head 1", report["findings"][0]["examples"][0])

    def test_a_model_that_is_too_sure(self):
        """Its output layer is a hundred times as large, and a fifth of the labels are wrong."""
        model = self.broken(lambda name, values: tuple(
            100 * v if name.startswith("classifier") else v for v in values))
        rng = random.Random(5)
        other = {"food": "weather", "weather": "food"}
        (self.folder / "noisy.tsv").write_text(table(
            (other[label] if rng.random() < 0.2 else label, text) for label, text in rows(400, 4)))
        found = self.report(model, "noisy.tsv")["findings"]
        self.assertEqual([each["check"] for each in found], ["calibration"])
        self.assertIn("too sure", found[0]["summary"])

    def test_stories(self):
        """Who is where: questions about stories, whose attention and padding are looked at, too."""
        rng = random.Random(6)
        lines = []
        for _ in range(120):
            places = {}
            for number in range(1, rng.randrange(5, 9)):
                name = rng.choice("Mary John Sandra Daniel".split())
                places[name] = rng.choice("bathroom garden office".split())
                lines.append(f"{number} {name} went to the {places[name]}.\n")
            name = rng.choice(sorted(places))
            lines.append(f"{number + 1} Where is {name}?\t{places[name]}\t1\n")
        (self.folder / "stories.txt").write_text("".join(lines))
        self.run_heed("train", "qa", "--train", "stories.txt", "--out", "qa", "--d-model", 32,
                      "--num-heads", 2, "--threads", 1, "--epochs", 2)
        report = self.report("qa", "stories.txt")
        self.assertFalse([each for each in report["findings"] if each["severity"] == "stop"], report)
        for check in ("attention", "heads", "padding"):
            self.assertIn(check, report["checked"])
        self.assertIn("outputs and gradients of layers", report["not_checked"])

    def test_what_makes_no_sense_is_told(self):
        rng = random.Random(7)
        (self.folder / "taken.tsv").write_text("user\titem\n" + "".join(
            f"u{u}\ti{(u + k * rng.choice((1, 1, 2))) % 12}\n" for u in range(60) for k in range(8)))
        self.run_heed("train", "recommend", "--train", "taken.tsv", "--out", "recommend", "--d-model",
                      16, "--num-heads", 2, "--num-layers", 1, "--threads", 1, "--epochs", 2)
        report = self.report("recommend", "taken.tsv")
        self.assertIn("attention", report["checked"])
        self.assertEqual(report["not_checked"]["padding"], "each user is answered alone")
        (self.folder / "series.csv").write_text("time,power\n" + "".join(
            f"2024-01-{1 + i // 24:02}T{i % 24:02}:00,{10 + 5 * math.sin(i / 24 * 6.283):.3f}\n"
            for i in range(24 * 28)))
        self.run_heed("train", "forecast", "--train", "series.csv", "--horizon", 12, "--context-length",
                      48, "--out", "forecast", "--d-model", 16, "--num-heads", 2, "--num-layers", 1,
                      "--threads", 1, "--epochs", 1)
        report = self.report("forecast", "series.csv")
        self.assertIn("attention", report["checked"])
        self.assertIn("all of one length", report["not_checked"]["padding"])
        text = self.run_heed("doctor", "forecast", "series.csv").stdout
        self.assertIn("\nnot checked: padding: the windows", text)

    def test_a_graph(self):
        nodes = "".join(f"n{i}\t{'ab'[i % 2]}\t{i % 2 + 0.1 * (i % 7)}\n" for i in range(60))
        (self.folder / "nodes.tsv").write_text("node\tclass\tsize\n" + nodes)
        (self.folder / "edges.tsv").write_text("source\ttarget\n" + "".join(
            f"n{i}\tn{(i + 2) % 60}\n" for i in range(60)))
        self.run_heed("train", "graph", "--train", "nodes.tsv", "--edges", "edges.tsv", "--out", "graph",
                      "--threads", 1, "--epochs", 5)
        report = self.report("graph", "nodes.tsv", "--edges", "edges.tsv")
        self.assertEqual({"attention", "padding"} - set(report["not_checked"]), set())
        refused = self.run_heed("doctor", "train.tsv", "--node-column", "node", code=2)
        self.assertIn("--node-column: has no meaning for data", refused.stderr)

    def test_options_of_data_are_refused(self):
        refused = self.run_heed("doctor", "classify", "test.tsv", "--max-length", 7, code=2)
        self.assertIn("--max-length: has no meaning for a model", refused.stderr)


if __name__ == "__main__":
    unittest.main()
