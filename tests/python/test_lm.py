"""Language models as a user meets them: generation that reproduces, streams, stop strings, errors, Ctrl-C.
The commands of docs/language_models.md are run by test_docs.py.

Usage: test_lm.py HEED_PROGRAM
"""

import json
import math
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from program import HEED, heed

LINES = ["the film was good and the people were kind", "the sea was grey and the sky was blue",
         "she said that the house was old"]


class LanguageModels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-lm-"))
        (cls.folder / "train.txt").write_text("\n".join(LINES * 60) + "\n", encoding="utf-8")
        (cls.folder / "valid.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
        cls.model = cls.folder / "model"
        cls.trained = heed("train", "lm", "--train", cls.folder / "train.txt", "--valid",
                           cls.folder / "valid.txt", "--out", cls.model, "--tokenizer",
                           "characters", "--max-length", 48, "--d-model", 48, "--num-heads", 4,
                           "--num-layers",
                           2, "--dropout", 0, "--lr", "3e-3", "--max-steps", 60, "--batch-size", 16,
                           "--threads", 2, "--json")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def generate(self, *arguments, **options):
        return heed("generate", self.model, "--prompt", "the ", "--max-new-tokens", 30, *arguments,
                    **options)

    def test_training_learns(self):
        self.assertEqual(self.trained.returncode, 0, self.trained.stderr)
        summary = json.loads(self.trained.stdout)
        self.assertLess(summary["loss"], 1.8)  # the frequencies of letters alone give 2.6

    def test_eval(self):
        metrics = json.loads(heed("eval", self.model, self.folder / "valid.txt", "--json").stdout)
        size = (self.folder / "valid.txt").stat().st_size
        self.assertEqual(metrics["tokens"], size - 1)
        self.assertAlmostEqual(metrics["perplexity"], math.exp(metrics["loss"]), places=6)
        self.assertAlmostEqual(metrics["bits_per_byte"], metrics["loss"] / math.log(2), places=6)

    def test_predict(self):
        answer = json.loads(heed("predict", self.model, "--json", text="the sea\n").stdout)
        self.assertEqual("".join(answer["tokens"]), "the sea")
        self.assertIsNone(answer["log_probabilities"][0])
        mean = -sum(answer["log_probabilities"][1:]) / 6
        self.assertAlmostEqual(answer["perplexity"], math.exp(mean), places=4)

    def test_a_seed_reproduces(self):
        one = self.generate("--seed", 5).stdout
        self.assertEqual(self.generate("--seed", 5).stdout, one)
        self.assertNotEqual(self.generate("--seed", 6).stdout, one)
        self.assertTrue(one.startswith("the "))

    def test_a_sample_does_not_depend_on_how_many_there_are(self):
        def texts(count):
            lines = self.generate("--num-return-sequences", count, "--json").stdout.splitlines()
            return [json.loads(line)["text"] for line in lines]

        self.assertEqual(texts(3)[:1], texts(1))
        self.assertEqual(len(set(texts(3))), 3)

    def test_the_prompt_from_elsewhere(self):
        (self.folder / "prompt.txt").write_text("the ", encoding="utf-8")
        given = self.generate("--temperature", 0).stdout
        rest = ["--max-new-tokens", 30, "--temperature", 0]
        self.assertEqual(heed("generate", self.model, *rest, text="the ").stdout, given)
        self.assertEqual(heed("generate", self.model, "--prompt-file",
                              self.folder / "prompt.txt", *rest).stdout, given)

    def test_stop_strings_and_end_tokens(self):
        text = json.loads(self.generate("--temperature", 0, "--json").stdout)["text"]
        stop = text[5:8]
        stopped = json.loads(self.generate("--temperature", 0, "--json", "--stop", "zzzz", "--stop",
                                           stop).stdout)
        self.assertEqual(stopped["text"], text[:text.index(stop)])
        self.assertEqual(stopped["finish"], "stop_string")
        ended = json.loads(self.generate("--temperature", 0, "--json", "--eos-token",
                                         text[4]).stdout)
        self.assertEqual(ended["text"], text[:text.index(text[4])])
        self.assertEqual(ended["finish"], "end_token")

    def test_beams(self):
        found = [json.loads(line) for line in
                 self.generate("--num-beams", 4, "--num-return-sequences", 3,
                               "--json").stdout.splitlines()]
        self.assertEqual(len(found), 3)
        scores = [each["score"] for each in found]
        self.assertEqual(scores, sorted(scores, reverse=True))

    def test_one_beam_is_no_search(self):
        greedy = self.generate("--temperature", 0).stdout
        self.assertEqual(self.generate("--temperature", 0, "--num-beams", 1).stdout, greedy)
        self.assertEqual(self.generate("--num-beams", 1, "--seed", 3).stdout,
                         self.generate("--seed", 3).stdout)

    def test_bfloat16(self):
        result = self.generate("--dtype", "bfloat16")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_refusals(self):
        for words, code, part in ((["--eos-token", "nope"], 2, "--eos-token"),
                                  (["--temperature", "-1"], 2, "temperature"),
                                  (["--num-beams", "0"], 2, "--num-beams"),
                                  (["--top-p", "0"], 2, "above 0, at most 1"),
                                  (["--prompt-file", "x"], 2, "expected one of them"),
                                  (["--num-beams", "2", "--temperature", "2"], 2, "--temperature"),
                                  (["--length-penalty", "2"], 2, "without --num-beams"),
                                  (["--num-beams", "2", "--max-new-tokens", "99"], 2, "context")):
            result = self.generate(*words)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertIn(part, result.stderr)
        (self.folder / "latin.txt").write_bytes(b"caf\xe9")
        result = heed("generate", self.model, "--prompt-file", self.folder / "latin.txt")
        self.assertEqual(result.returncode, 65, result.stderr)
        self.assertIn("latin.txt: expected UTF-8", result.stderr)
        result = heed("eval", self.model, self.folder / "valid.txt", "--text-column", "2")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("--text-column", result.stderr)
        result = heed("eval", self.model, self.folder / "valid.txt", self.folder / "none.txt")
        self.assertEqual(result.returncode, 66, result.stdout)
        self.assertEqual(heed("generate", self.folder, "--prompt", "a").returncode, 66)
        empty = heed("generate", self.model, "--prompt", "", code=2)
        self.assertIn("heed: --prompt (or --prompt-file, or standard input): expected", empty.stderr)
        unstopped = heed("generate", self.model, "--prompt", "a", "--stop", "", code=2)
        self.assertIn("heed: --stop: expected", unstopped.stderr)
        for option, value in (("--num-return-sequences", 9), ("--max-new-tokens", 0)):
            beams = heed("generate", self.model, "--prompt", "a", "--num-beams", 2, option, value, code=2)
            self.assertIn(f"heed: {option}: expected", beams.stderr)

    def test_interrupt_leaves_what_is_there(self):
        process = subprocess.Popen([HEED, "generate", self.model, "--prompt", "the ",
                                    "--max-new-tokens", "100000000"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        first = process.stdout.read(40)  # it streams
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, errors)
        self.assertTrue((first + rest).startswith("the "))
        self.assertIn("tokens/s", errors)


if __name__ == "__main__":
    unittest.main()
