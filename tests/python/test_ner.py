"""Named entities as a user meets them: training, measures (those of `heed score ner`, which
test_metrics.py compares with seqeval), answers with offsets, attention, malformed files, Ctrl-C.

Usage: test_ner.py HEED_PROGRAM
"""

import itertools
import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import program
from program import HEED

SMALL = ["--d-model", 32, "--num-heads", 2, "--num-layers", 1, "--d-ff", 48, "--subword-dim", 16,
         "--character-dim", 16, "--shape-dim", 4, "--subword-vocab-size", 200, "--threads", 1,
         "--embedding-dropout", 0.1, "--dropout", 0.1, "--lr", "5e-3", "--ema-decay", 0]
NAMES = ["Ana", "Tim", "Zoë", "Maria", "John", "Li", "Omar", "Eva"]
PLACES = ["Paris", "New York", "Rome", "Köln"]


def heed(*arguments, code=0, **options):
    return program.heed(*arguments, code=code, **options)


def sentences():
    """(word, tag) pairs, BIO."""
    for name, place in itertools.product(NAMES, PLACES):
        where = [(word, "IB"[i == 0] + "-place") for i, word in enumerate(place.split())]
        yield [(name, "B-person"), ("lives", "O"), ("in", "O"), *where, (".", "O")]
        yield [("I", "O"), ("saw", "O"), (name, "B-person"), ("Cook", "I-person"), ("in", "O"),
               *where, ("yesterday", "O")]
        yield [("nothing", "O"), ("happens", "O"), ("here", "O"), ("😀", "O")]


def columns(all_sentences):
    return "".join("".join(f"{word}\t{tag}\n" for word, tag in each) + "\n"
                   for each in all_sentences)


class NamedEntities(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-ner-"))
        both = list(sentences())
        cls.valid = both[::4]
        cls.train = [each for i, each in enumerate(both) if i % 4 != 0]
        (cls.folder / "train.conll").write_text(columns(cls.train), encoding="utf-8")
        (cls.folder / "valid.conll").write_text(columns(cls.valid), encoding="utf-8")
        cls.model = cls.folder / "model"
        cls.trained = heed(*cls.command("model"), "--epochs", 15, "--json")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def command(cls, out, *options):
        train = [] if "--train" in options else ["--train", cls.folder / "train.conll"]
        return ["train", "ner", *train, "--valid", cls.folder / "valid.conll", "--out",
                cls.folder / out, *SMALL, *options]

    def predict(self, text, *options, **more):
        lines = heed("predict", self.model, "--json", *options, text=text, **more).stdout
        return [json.loads(line) for line in lines.splitlines()]

    def test_training_learns(self):
        summary = json.loads(self.trained.stdout)
        self.assertGreater(summary["f1"], 0.95)
        self.assertEqual(summary["examples"], len(self.valid))

    def test_eval_counts_as_score_does(self):
        # A model that is often wrong.
        heed(*self.command("weak", "--epochs", 1, "--lr", "2e-3"))
        valid = self.folder / "valid.conll"
        for model in ("model", "weak"):
            metrics = json.loads(heed("eval", self.folder / model, valid, "--json").stdout)
            lines = "".join(json.dumps({"tokens": [word for word, _ in each]}) + "\n"
                            for each in self.valid)
            (self.folder / "words.jsonl").write_text(lines, encoding="utf-8")
            answers = heed("predict", self.folder / model, self.folder / "words.jsonl",
                           "--json").stdout
            predicted = [(word, tag) for line in answers.splitlines()
                         for word, tag in [*zip(json.loads(line)["tokens"],
                                                json.loads(line)["tags"]), ("", "")]]
            (self.folder / "predicted.conll").write_text(
                "".join(f"{word}\t{tag}".strip() + "\n" for word, tag in predicted), "utf-8")
            report = json.loads(heed("score", "ner", self.folder / "predicted.conll",
                                     "--references", valid, "--json").stdout)
            for key in ("precision", "recall", "f1"):
                self.assertAlmostEqual(metrics[key], report["micro"][key], places=12)
                self.assertAlmostEqual(metrics["macro"][key], report["macro"][key], places=12)
                for kind in ("person", "place"):
                    self.assertAlmostEqual(metrics["types"][kind][key],
                                           report["types"][kind][key], places=12)
            self.assertEqual(metrics["types"]["place"]["support"],
                             report["types"]["place"]["support"])

    def test_eval_for_people(self):
        text = heed("eval", self.model, self.folder / "valid.conll").stdout
        self.assertRegex(text, r"(?m)^f1\t")
        self.assertRegex(text, r"(?m)^person +[\d.]+ +[\d.]+ +[\d.]+ +\d+$")

    def test_offsets_are_those_of_characters(self):
        text = "😀 Zoë Cook, in New York!"
        answer = self.predict(text + "\n\n")[0]
        self.assertEqual(answer["text"], text)
        self.assertIn(("person", "Zoë Cook"), [(e["type"], e["text"]) for e in answer["entities"]])
        for entity in answer["entities"]:
            self.assertEqual(text[entity["begin"]:entity["end"]], entity["text"])
            self.assertTrue(0 < entity["probability"] <= 1)
        self.assertEqual(len(answer["tokens"]), len(answer["tags"]))

    def test_an_empty_line_has_an_empty_answer(self):
        answers = self.predict("Tim lives in Rome .\n\nEva lives in Paris .\n")
        self.assertEqual(len(answers), 3)
        self.assertEqual(answers[1], {"text": "", "entities": [], "tokens": [], "tags": []})
        self.assertEqual(answers[2]["entities"][0]["text"], "Eva")

    def test_answers_can_be_scored(self):
        metrics = json.loads(heed("eval", self.model, self.folder / "valid.conll", "--json").stdout)
        for form in (["--json"], ["--csv"], ["--columns", "tokens,tags"]):
            file = self.folder / "out"
            file.write_text(heed("predict", self.model, self.folder / "valid.conll", *form).stdout,
                            encoding="utf-8")
            scored = json.loads(heed("score", "ner", file, "--references",
                                     self.folder / "valid.conll", "--json", code=0).stdout)
            self.assertAlmostEqual(scored["micro"]["f1"], metrics["f1"], places=12, msg=form)
            self.assertEqual(scored["micro"]["support"], 32)

    def test_text_for_people(self):
        self.assertEqual(heed("predict", self.model, text="Tim lives in New York .\n").stdout,
                         "[Tim](person) lives in [New York](place) .\n")

    def test_colours_on_a_terminal_only(self):
        def on_a_terminal(environment):
            main, side = pty.openpty()
            process = subprocess.Popen([HEED, "predict", self.model], stdin=subprocess.PIPE,
                                       stdout=side, stderr=subprocess.PIPE, env=environment)
            os.close(side)
            process.stdin.write(b"Tim lives in Rome .\n")
            process.stdin.close()
            text = b""
            while True:
                try:
                    more = os.read(main, 4096)
                except OSError:  # the other side is closed
                    break
                if not more:
                    break
                text += more
            os.close(main)
            process.stderr.close()
            self.assertEqual(process.wait(timeout=60), 0)
            return text

        environment = {**os.environ, "TERM": "xterm"}
        environment.pop("NO_COLOR", None)
        self.assertIn(b"\x1b[48;2;", on_a_terminal(environment))
        self.assertNotIn(b"\x1b", on_a_terminal({**environment, "NO_COLOR": "1"}))

    def test_attend_and_inspect(self):
        view = json.loads(heed("attend", self.model, "Tim lives in Rome.", "--json").stdout)
        self.assertEqual(view["tokens"], ["Tim", "lives", "in", "Rome", "."])
        self.assertEqual(view["tags"][1], "O")
        heed("attend", self.model, "Tim lives in Rome.", "--out", self.folder / "heat.svg")
        self.assertIn("lives", (self.folder / "heat.svg").read_text("utf-8"))
        heed("attend", self.model, "", code=65)
        described = json.loads(heed("inspect", self.model, "--json").stdout)
        self.assertEqual(described["task"], "ner")
        self.assertEqual(described["types"], ["person", "place"])

    def test_any_score_and_pattern(self):
        for i, options in enumerate((["--score", "additive", "--pattern", "window:2:2"],
                                     ["--score", "cosine", "--positions", "rotary", "--output",
                                      "softmax", "--tag-scheme", "bio", "--num-key-value-heads", 1],
                                     ["--character-dim", 0, "--positions", "alibi"],
                                     ["--subword-dim", 0, "--shape-dim", 0, "--margin", 1])):
            out = f"other-{i}"
            heed(*self.command(out, "--epochs", 1, *options))
            heed("eval", self.folder / out, self.folder / "valid.conll")

    def test_other_schemes_are_converted(self):
        """The same sentences in BIOES and as JSON lines give the same model."""
        tagged = []
        for each in self.train:
            tags = [tag for _, tag in each] + ["O"]
            bioes = [tag if tag == "O" or tags[i + 1][0] == "I" else
                     {"B": "S", "I": "E"}[tag[0]] + tag[1:] for i, tag in enumerate(tags[:-1])]
            tagged.append({"tokens": [word for word, _ in each], "tags": bioes})
        (self.folder / "train.jsonl").write_text("".join(json.dumps(x) + "\n" for x in tagged))
        heed(*self.command("bio", "--epochs", 1))
        heed(*self.command("bioes", "--epochs", 1, "--train", self.folder / "train.jsonl"))
        for file in ("model.safetensors", "config.json"):
            self.assertEqual((self.folder / "bio" / file).read_bytes(),
                             (self.folder / "bioes" / file).read_bytes())

    def test_the_column_of_the_words_is_remembered(self):
        def numbered(name, all_sentences):
            lines = [[f"{i}\t{word}\t{tag}\n" for i, (word, tag) in enumerate(each)] + ["\n"]
                     for each in all_sentences]
            (self.folder / name).write_text("".join(sum(lines, [])), encoding="utf-8")
            return self.folder / name

        model = self.folder / "numbered"
        valid = numbered("valid3.conll", self.valid)
        heed("train", "ner", "--train", numbered("train3.conll", self.train), "--valid", valid, "--out",
             model, *SMALL, "--epochs", 1, "--text-column", 2)
        config = json.loads((model / "config.json").read_text("utf-8"))
        self.assertEqual(config["data_columns"], {"word": "2"})

        def loss(*options):
            return json.loads(heed("eval", model, valid, "--json", *options).stdout)["loss"]
        self.assertEqual(loss(), loss("--text-column", 2))
        self.assertNotEqual(loss(), loss("--text-column", 1))  # an option wins
        answer = json.loads(heed("predict", model, valid, "--json").stdout.splitlines()[0])
        self.assertEqual(answer["tokens"], [word for word, _ in self.valid[0]])
        refused = heed("eval", model, self.folder / "valid.conll", code=65).stderr
        self.assertIn("words in column 2, as in training, unless --text-column", refused)
        self.assertNotIn("data_columns", (self.model / "config.json").read_text("utf-8"))

    def test_a_word_of_10_MB_is_a_word(self):
        long = "x" * 10_000_000
        file = self.folder / "long.conll"
        file.write_text(f"{long}\tO\n\nTim\tB-person\nlives\tO\nin\tO\nRome\tB-place\n.\tO\n")
        metrics = heed("eval", self.model, file, "--json", code=0)
        self.assertEqual(json.loads(metrics.stdout)["examples"], 2)
        self.assertIn("are not read whole", metrics.stderr)
        answers = heed("predict", self.model, file, "--json", code=0).stdout.splitlines()
        self.assertEqual(len(json.loads(answers[0])["tokens"][0]), len(long))
        self.assertEqual(json.loads(answers[1])["entities"][0]["text"], "Tim")
        # As a line of text it may be refused, and loses no other.
        result = heed("predict", self.model, text=long + "\nTim lives in Rome .\n")
        self.assertIn(result.returncode, (0, 65), result.stderr[:1000])
        self.assertEqual(result.stdout.splitlines()[-1], "[Tim](person) lives in [Rome](place) .")

    def test_malformed_files_are_refused_with_their_line(self):
        good = "Tim\tB-person\nCook\tI-person\n\n"
        cases = [("Rome\n", 4), ("Rome\tB-place\tx\n", 4), ("Rome\tX-place\n", 4),
                 ("in\tO\nRome\tI-place\n", 5), ("\tO\n", 4)]
        bad = self.folder / "bad.conll"
        for text, line in cases:
            bad.write_text(good + text, encoding="utf-8")
            result = heed(*self.command("never", "--train", bad), code=65)
            self.assertIn(f"bad.conll:{line}", result.stderr, text)
        bad.write_bytes(good.encode() + b"R\xffme\tB-place\n")
        self.assertIn("bad.conll:4", heed(*self.command("never", "--train", bad), code=65).stderr)
        bad.write_text("Tim\tB-ship\n", encoding="utf-8")
        self.assertIn("bad.conll:1", heed("eval", self.model, bad, code=65).stderr)
        bad.write_text('{"tokens": ["Tim"], "tags": []}\n', encoding="utf-8")
        self.assertIn("bad.conll:1", heed("eval", self.model, bad, "--format", "jsonl",
                                          code=65).stderr)
        bad.write_text("nothing\tO\n", encoding="utf-8")
        self.assertIn("entities", heed(*self.command("never", "--train", bad), code=65).stderr)
        heed(*self.command("never", "--train", self.folder / "none.conll"), code=66)
        heed("eval", self.model, self.folder / "valid.conll", "--label-column", 2, code=2)
        self.assertFalse((self.folder / "never").exists())

    def test_ctrl_c_saves_and_resume_goes_on(self):
        options = ["--epochs", 4, "--logging-steps", 1, "--ema-decay", 0.9]
        heed(*self.command("whole", *options))
        code, message = program.stop_training(self.command("stopped", *options),
                                              self.folder / "stopped.run" / "log.jsonl", 4)
        self.assertEqual(code, 130, message)
        self.assertIn("--resume", message)
        heed(*self.command("stopped", *options, "--resume"))
        for file in ("model.safetensors", "config.json", "tokenizer.json", "characters.json"):
            self.assertEqual((self.folder / "stopped" / file).read_bytes(),
                             (self.folder / "whole" / file).read_bytes())


if __name__ == "__main__":
    unittest.main(verbosity=1)
