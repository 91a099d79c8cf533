"""Texts to texts as a user meets them: train, eval, predict, attend, inspect; what is refused;
Ctrl-C and --resume. The commands of docs/translation.md are run by test_docs.py.

Usage: test_seq2seq.py HEED_PROGRAM
"""

import json
import math
import random
import shutil
import tempfile
import unittest
from pathlib import Path

from program import heed, stop_training

WORDS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf",
         "six": "sechs"}
SMALL = ["--d-model", 32, "--num-heads", 2, "--num-layers", 1, "--d-ff", 64, "--max-length", 40,
         "--tokenizer",
         "bpe:60", "--batch-size", 32, "--threads", 1]
RNN = ["--architecture", "rnn", "--d-model", 32, "--num-layers", 1, "--max-length", 40, "--tokenizer",
       "bpe:60", "--batch-size", 32, "--threads", 1]
RNN_LEARN = ["--lr", "1e-2", "--dropout", 0, "--embedding-dropout", 0, "--attention-dropout", 0]
LEARN = ["--lr", "1e-2", "--dropout", 0, "--embedding-dropout", 0, "--attention-dropout", 0,
         "--norm-first", "true"]


def pairs(count, seed):
    rng = random.Random(seed)
    sources = [rng.choices(list(WORDS), k=rng.randint(1, 5)) for _ in range(count)]
    return [(" ".join(words), " ".join(WORDS[w] for w in words)) for words in sources]


class SequenceToSequence(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-seq2seq-"))
        for name, count, seed in (("train", 300, 1), ("valid", 40, 2)):
            texts = pairs(count, seed)
            cls.write(f"{name}.en", "".join(f"{source}\n" for source, _ in texts))
            cls.write(f"{name}.de", "".join(f"{target}\n" for _, target in texts))
            cls.write(f"{name}.jsonl", "".join(
                json.dumps({"article": s, "summary": t}) + "\n" for s, t in texts))
        cls.model = cls.folder / "model"
        cls.trained = cls.train("model", *LEARN, "--epochs", 60, "--eval-steps", 100,
                                "--metric-for-best-model",
                                "bleu", "--seed", 4, "--json")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def write(cls, name, text, encoding="utf-8"):
        (cls.folder / name).write_text(text, encoding=encoding)
        return cls.folder / name

    @classmethod
    def command(cls, out, *options):
        return ["train", "seq2seq", "--train", "train.en", "train.de", "--valid", "valid.en",
                "valid.de", "--out", out, *SMALL, *options]

    @classmethod
    def train(cls, out, *options):
        return heed(*cls.command(out, *options), cwd=cls.folder)

    @classmethod
    def rnn_command(cls, out, *options):
        return ["train", "seq2seq", "--train", "train.en", "train.de", "--valid", "valid.en",
                "valid.de", "--out", out, *RNN, *options]

    def valid(self, side):
        return (self.folder / f"valid.{side}").read_text("utf-8")

    def test_training_learns(self):
        self.assertEqual(self.trained.returncode, 0, self.trained.stderr)
        summary = json.loads(self.trained.stdout)
        self.assertGreater(summary["bleu"], 90)
        self.assertIn("bleu", (self.folder / "model.run" / "summary.json").read_text("utf-8"))

    def test_eval_measures_what_predict_writes(self):
        metrics = json.loads(heed("eval", self.model, self.folder / "valid.en",
                                  self.folder / "valid.de", "--rouge", "--json").stdout)
        self.assertEqual(metrics["examples"], 40)
        self.assertAlmostEqual(metrics["perplexity"], math.exp(metrics["loss"]), places=6)
        written = self.write("written.de",
                             heed("predict", self.model, self.folder / "valid.en").stdout)
        column = self.write("column.de", heed("predict", self.model, self.folder / "valid.en",
                                              "--columns", "output").stdout)
        self.assertEqual(heed("score", "bleu", column, "--references", self.folder / "valid.de").stdout,
                         heed("score", "bleu", written, "--references", self.folder / "valid.de").stdout)
        for name in ("bleu", "chrf", "rouge"):
            scores = json.loads(heed("score", name, written, "--references",
                                     self.folder / "valid.de", "--json").stdout)
            if name == "rouge":
                self.assertAlmostEqual(metrics["rougeL"], scores["rougeL"], places=9)
            else:
                self.assertAlmostEqual(metrics[name], scores[name], places=9)

    def test_lowercase_forgives_capitals(self):
        shouted = self.write("shouted.de", self.valid("de").upper())

        def bleu(*options):
            return json.loads(heed("eval", self.model, self.folder / "valid.en", shouted, *options,
                                   "--json").stdout)["bleu"]

        self.assertLess(bleu(), 1)
        self.assertGreater(bleu("--lowercase"), 90)

    def test_predict(self):
        lines = heed("predict", self.model, text="two one\n\nfive\n").stdout.split("\n")
        self.assertEqual(lines, ["zwei eins", "", "fünf", ""])
        answer = json.loads(heed("predict", self.model, "--json", text="two one\n").stdout)
        self.assertEqual(answer["text"], "two one")
        self.assertEqual(answer["output"], "zwei eins")
        self.assertLess(answer["log_probability"], 0)
        self.assertAlmostEqual(answer["score"],
                               answer["log_probability"] / len(answer["tokens"]), places=6)

    def test_beams_find_what_is_at_least_as_likely(self):
        def scores(beams):
            lines = heed("predict", self.model, "--num-beams", beams, "--json", "--length-penalty",
                         0,
                         text=self.valid("en")).stdout.splitlines()
            return sum(json.loads(line)["log_probability"] for line in lines)

        self.assertGreaterEqual(scores(5), scores(1) - 1e-6)

    def test_attend_draws_an_alignment(self):
        out = self.folder / "alignment.svg"
        view = json.loads(heed("attend", self.model, "two one five", "--json", "--out", out).stdout)
        self.assertEqual(view["output"], "zwei eins fünf")
        for side, text in (("keys", "twoonefive"), ("tokens", "zweieinsfünf")):
            whole = "".join(view[side][:-1])
            self.assertEqual(whole.replace(" ", "").replace("\u2581", ""), text)  # blanks
        for head in view["attention"]:
            self.assertEqual(len(head["weights"]), len(view["tokens"]))
            for row in head["weights"]:
                self.assertAlmostEqual(sum(row), 1, places=5)
                self.assertEqual(len(row), len(view["keys"]))
        self.assertIn("fünf", out.read_text("utf-8"))
        for part, tokens in (("encoder", view["keys"]), ("decoder", ["<s>", *view["tokens"][:-1]])):
            part = json.loads(heed("attend", self.model, "two one five", "--json", "--part",
                                   part).stdout)
            self.assertEqual(part["tokens"], tokens)
        self.assertEqual(heed("attend", self.model, "two", "--part", "self").returncode, 2)
        self.assertEqual(heed("attend", self.model, " ").returncode, 65)

    def test_inspect(self):
        text = heed("inspect", self.model).stdout
        for part in ("seq2seq", "num_decoder_layers", "shared_vocabulary", "tie_word_embeddings"):
            self.assertIn(part, text)

    def test_one_file_and_two_vocabularies(self):
        result = heed("train", "seq2seq", "--train", "train.jsonl", "--valid", "valid.jsonl",
                      "--out", "apart", *SMALL, *LEARN, "--target-tokenizer", "characters",
                      "--epochs", 2, "--score", "cosine", "--positions", "rotary", "--json",
                      cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue((self.folder / "apart" / "target_tokenizer.json").exists())
        metrics = json.loads(heed("eval", "apart", "valid.jsonl", "--json", "--num-beams", 2,
                                  cwd=self.folder).stdout)
        self.assertAlmostEqual(metrics["loss"], json.loads(result.stdout)["loss"], places=5)

    def test_interrupt_and_resume(self):
        options = ["--epochs", 4, "--logging-steps", 1]
        self.assertEqual(self.train("whole", *options).returncode, 0)
        code, errors = stop_training(self.command("stopped", *options),
                                     self.folder / "stopped.run" / "log.jsonl", 7, cwd=self.folder)
        self.assertEqual(code, 130, errors)
        resumed = self.train("stopped", *options, "--resume")
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        for file in ("model.safetensors", "config.json", "tokenizer.json"):
            self.assertEqual((self.folder / "stopped" / file).read_bytes(),
                             (self.folder / "whole" / file).read_bytes(), file)

    def test_rnn_learns_and_shows_where_it_looks(self):
        for attention, cell in (("additive", "gru"), ("dot", "lstm")):
            out = f"rnn-{attention}"
            command = self.rnn_command(out, *RNN_LEARN, "--rnn-attention", attention, "--rnn-cell",
                                       cell, "--epochs", 40, "--eval-steps", 50,
                                       "--metric-for-best-model", "bleu", "--json")
            result = heed(*command, cwd=self.folder, code=0)
            self.assertGreater(json.loads(result.stdout)["bleu"], 60, attention)
            model = self.folder / out
            config = json.loads((model / "config.json").read_text("utf-8"))
            self.assertEqual([config[name] for name in ("architecture", "rnn_attention", "rnn_cell")],
                             ["rnn", attention, cell])
            measured = json.loads(heed("eval", model, self.folder / "valid.en",
                                       self.folder / "valid.de", "--num-beams", 1, "--json",
                                       code=0).stdout)
            self.assertAlmostEqual(measured["bleu"], json.loads(result.stdout)["bleu"], places=6)
            view = json.loads(heed("attend", model, "two one five", "--json", "--out",
                                   self.folder / "rnn.html", code=0).stdout)
            self.assertEqual(len(view["attention"]), 1)
            weights = view["attention"][0]["weights"]
            self.assertEqual(len(weights), len(view["tokens"]))
            for row in weights:
                self.assertEqual(len(row), len(view["keys"]))
                self.assertAlmostEqual(sum(row), 1, places=5)
            self.assertEqual(heed("attend", model, "two", "--part", "encoder").returncode, 2)
            # An answer does not depend on what else is read with it.
            together = heed("predict", model, text="two one five six\none\n", code=0).stdout
            alone = heed("predict", model, text="one\n", code=0).stdout
            self.assertEqual(together.splitlines()[1], alone.splitlines()[0])

    def test_rnn_beams_find_what_is_at_least_as_likely(self):
        heed(*self.rnn_command("rnn-beams", *RNN_LEARN, "--epochs", 3), cwd=self.folder, code=0)

        def scores(beams):
            lines = heed("predict", self.folder / "rnn-beams", "--num-beams", beams, "--json",
                         "--length-penalty", 0, "--max-new-tokens", 30,
                         text=self.valid("en"), code=0).stdout.splitlines()
            return sum(json.loads(line)["log_probability"] for line in lines)

        self.assertGreaterEqual(scores(8), scores(1) - 1e-6)

    def test_rnn_without_attention(self):
        heed(*self.rnn_command("rnn-none", "--rnn-attention", "none", "--epochs", 2),
             cwd=self.folder, code=0)
        self.assertEqual(heed("predict", "rnn-none", "valid.en", cwd=self.folder,
                              code=0).stdout.count("\n"), 40)
        result = heed("attend", "rnn-none", "two one", cwd=self.folder)
        self.assertEqual(result.returncode, 2)
        self.assertIn("rnn_attention is none", result.stderr)

    def test_rnn_interrupt_and_resume(self):
        options = ["--epochs", 4, "--logging-steps", 1]
        heed(*self.rnn_command("rnn-whole", *options), cwd=self.folder, code=0)
        command = self.rnn_command("rnn-stopped", *options)
        code, errors = stop_training(command, self.folder / "rnn-stopped.run" / "log.jsonl", 7,
                                     cwd=self.folder)
        self.assertEqual(code, 130, errors)
        heed(*command, "--resume", cwd=self.folder, code=0)
        for file in ("model.safetensors", "config.json"):
            self.assertEqual((self.folder / "rnn-stopped" / file).read_bytes(),
                             (self.folder / "rnn-whole" / file).read_bytes(), file)

    def test_a_part_before_attention(self):
        for part in ("conv", "lstm"):
            out = f"before-{part}"
            result = self.train(out, *LEARN, "--epochs", 8, "--before-attention", part,
                                "--positions", "none", "--json")
            self.assertEqual(result.returncode, 0, result.stderr)
            config = json.loads((self.folder / out / "config.json").read_text("utf-8"))
            self.assertEqual(config["before_attention"], part)
            metrics = json.loads(heed("eval", out, "valid.en", "valid.de", "--json",
                                      cwd=self.folder, code=0).stdout)
            self.assertAlmostEqual(metrics["loss"], json.loads(result.stdout)["loss"], places=4)

    def test_refusals(self):
        self.write("short.de", "eins\n")
        self.write("bad.en", "caf\xe9\n" * 300, encoding="latin-1")
        self.write("bad.jsonl", '{"article": "one", "summary": "eins"}\n{"article": "two"}\n')
        train = ["train", "seq2seq", "--out", "refused", *SMALL, "--valid", "valid.en", "valid.de"]
        for words, code, part in (
                ([*train, "--train", "train.en", "short.de"], 65, "short.de"),
                ([*train, "--train", "bad.en", "train.de"], 65, "bad.en:1"),
                ([*train, "--train", "bad.jsonl"], 65, "bad.jsonl:2"),
                ([*train, "--train", "nowhere.en", "train.de"], 66, "nowhere.en"),
                ([*train, "--train", "train.en", "train.de", "--tokenizer", "bpe:x"], 2, "bpe:N"),
                ([*train, "--train", "train.en", "train.de", "--target-tokenizer", "characters",
                  "--tie-word-embeddings", "all"], 2, "tie-word-embeddings"),
                ([*train, "--train", "train.en", "train.de", "--label-smoothing", "1"], 2,
                 "--label-smoothing"),
                ([*self.rnn_command("refused"), "--num-heads", 2], 2, "--num-heads"),
                ([*self.rnn_command("refused"), "--positions", "rotary"], 2, "--positions"),
                ([*train, "--train", "train.en", "train.de", "--rnn-cell", "lstm"], 2, "--rnn-cell"),
                (["eval", self.model, "valid.en", "short.de"], 65, "short.de"),
                (["eval", self.model, "valid.en", "valid.de", "valid.de"], 2, "without targets"),
                (["predict", self.model, "--threshold", "0.5"], 2, "--threshold"),
                (["predict", self.model, "--num-beams", "0"], 2, "--num-beams"),
                (["predict", self.model, "--max-new-tokens", "0"], 2, "--max-new-tokens: expected")):
            result = heed(*words, cwd=self.folder)
            self.assertEqual(result.returncode, code, f"{words}\n{result.stderr}")
            self.assertIn(part, result.stderr, words)
        self.assertFalse((self.folder / "refused").exists())

    def test_an_empty_side_is_left_out_with_a_warning(self):
        self.write("gaps.en", "one\n\ntwo\n")
        self.write("gaps.de", "eins\nzwei\nzwei\n")
        result = heed("eval", self.model, "gaps.en", "gaps.de", "--json", cwd=self.folder)
        self.assertEqual(json.loads(result.stdout)["examples"], 2)
        self.assertIn("gaps.en:2", result.stderr)


if __name__ == "__main__":
    unittest.main()
