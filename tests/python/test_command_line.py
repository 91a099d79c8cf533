"""How the program reads its words, and how it speaks: settings files, numbers, suggestions, the
width of a terminal, standard streams.

Usage: test_command_line.py HEED_PROGRAM
"""

import fnmatch
import json
import os
import pty
import re
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import unittest
from fcntl import ioctl
from pathlib import Path

from program import HEED, heed, stop_training

EXAMPLE = Path("examples/sentiment").resolve()
DATA = ["--train", EXAMPLE / "train.tsv", "--valid", EXAMPLE / "valid.tsv"]
SMALL = ["--d-model", 16, "--d-ff", 16, "--num-heads", 2, "--num-layers", 1, "--threads", 1]


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-words-"))
        cls.model = cls.folder / "model"
        heed("train", "classify", *DATA, "--out", cls.model, *SMALL, "--epochs", 2, code=0)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def refused(self, code, *arguments, **options):
        result = heed(*arguments, code=code, **options)
        self.assertEqual(result.stdout, "")
        return result.stderr

    def train(self, *arguments):
        return ["train", "classify", *DATA, "--out", self.folder / "other", "--overwrite", *SMALL,
                "--epochs", 1, *arguments]

    # --- what is run on machines that are not here -------------------------------------------------

    def test_check_device_names_what_is_there(self):
        """Its options, files, programs and tests: nothing of it runs on a machine without AMX and GPUs."""
        done = subprocess.run(["tools/check_device.sh", "--dry-run"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for part in ("AMX products", "AMX attention", "with CUDA", "float16", "NCCL, two processes"):
            self.assertIn(part, done.stdout)
        self.assertGreaterEqual(done.stdout.count("train classify"), 6)
        known = re.findall(r"(?m)^ +(--[a-z-]+)", heed("train", "classify", "--help", code=0).stdout)
        self.assertLessEqual(set(re.findall(r" (--[a-z_-]+)", done.stdout)) - {"--gtest_filter"}, set(known))
        for file in set(re.findall(r"examples/\S+", done.stdout)):
            self.assertTrue(Path(file).exists(), file)
        filters = re.findall(r"folders/(\w+)/heed_\1_test --gtest_filter=(\S+)", done.stdout)
        self.assertEqual(len(filters), 2)
        for folder, patterns in filters:
            suites = {suite for file in Path("heed", folder).rglob("*_test.cpp")
                      for suite in re.findall(r"^TEST(?:_F)?\((\w+)", file.read_text("utf-8"), re.M)}
            for pattern in patterns.split(":"):
                self.assertTrue(fnmatch.filter({f"{suite}.x" for suite in suites}, pattern), pattern)

    # --- settings ------------------------------------------------------------------------------

    def test_what_print_config_writes_comes_back(self):
        settings = self.folder / "settings.toml"
        for text in ("data #1.tsv", "two\nlines.tsv", "\t", 'a"b\\n', "[x]", "naïve 日本", "\x1b[2J"):
            words = ["train", "lm", "--train", text, text, "--out", text]
            shown = heed(*words, "--print-config", code=0).stdout
            settings.write_text(shown)
            again = heed("train", "lm", "--config", settings, "--print-config", code=0).stdout
            self.assertEqual(again, shown)
            self.assertIn("\ntrain=[", shown)

    def test_a_mistake_in_a_settings_file_is_named_by_its_line(self):
        path = self.folder / "wrong.toml"
        for line, said in (("learning-rate = 1", "did you mean lr?"),
                           ("epochs = 'many'", "expected a whole number"),
                           ("epochs = -1", "at least 1"), ("epochs = ", "not TOML"),
                           ("norm = 'behind'", "behind")):
            path.write_text(f"# a comment\n{line}\n")
            errors = self.refused(2, "train", "classify", "--config", path)
            self.assertIn("wrong.toml:2: ", errors)
            self.assertIn(said, errors)

    def test_what_is_refused_late_names_the_option_and_its_line(self):
        path = self.folder / "late.toml"
        path.write_text("# sizes\nnum-heads = 4\nd-model = 18\n")
        out = self.folder / "other"
        errors = self.refused(2, "train", "classify", *DATA, "--out", out, "--config", path)
        self.assertIn("late.toml:2: --num-heads: ", errors)
        self.assertIn("\nheed: --num-heads: ", "\n" + self.refused(
            2, "train", "classify", *DATA, "--out", out, "--config", path, "--num-heads", 5))
        text = self.folder / "few.txt"
        text.write_text("some words\n")
        for options in (["--special", ""], ["--special", "x", "--special", "x"],
                        ["--kind", "bpe", "--special", "x"]):
            self.assertIn("heed: --special: ", self.refused(
                2, "tokenize", "train", text, "--out", self.folder / "few.json", *options))

    # --- values --------------------------------------------------------------------------------

    def test_brackets_are_letters(self):
        text = self.folder / "[x]"
        text.write_text("the cat sat on the mat\n" * 30)
        out = self.folder / "tokens.json"
        heed("tokenize", "train", text.name, "--kind", "byte_bpe", "--vocab-size", 300, "--special",
             "[CLS]", "--special", "[a,b]", "--out", out, cwd=self.folder, code=0)
        names = [token["content"] for token in json.loads(out.read_text())["added_tokens"]]
        self.assertEqual(names[:2], ["[CLS]", "[a,b]"])

    def test_numbers_are_decimal_and_finite(self):
        shown = heed("train", "classify", "--epochs", "010", "--print-config", code=0).stdout
        self.assertIn("\nepochs=10\n", shown)
        for option, value in (("--epochs", "0x10"), ("--epochs", "1" + "0" * 23), ("--epochs", -1),
                              ("--epochs", "1.5"), ("--seed", -1), ("--lr", "nan"), ("--lr", "inf"),
                              ("--lr", 0), ("--dropout", "nan"), ("--dropout", 1),
                              ("--embedding-std", -1), ("--threshold", "nan"),
                              ("--threads", 4294967297)):
            self.assertIn(f"{option}: ", self.refused(2, *self.train(option, value)))
        self.assertIn("--threshold: ",
                      self.refused(2, "predict", self.model, "--threshold", "nan", text="x\n"))

    def test_what_cannot_be_used_is_refused_before_data_is_read(self):
        for words in (["--num-heads", 3], ["--metric-for-best-model", "micro_f1"], ["--pattern",
                                                                                    "fully"],
                      ["--num-key-value-heads", 3]):
            errors = self.refused(2, *self.train("--train", self.folder / "nowhere", *words))
            self.assertIn(str(words[0]) + ":", errors)

    def test_sizes_and_tokenizers_are_refused_before_data_is_read(self):
        nowhere = self.folder / "nowhere"
        choices = {"lm": "auto, characters, bytes, bpe:N", "seq2seq": "bpe:N, characters",
                   "qa": "words, words:N, characters, bytes, bpe:N"}
        for task, option, value, code in (
                ("lm", "--tokenizer", "bpe:3", 2), ("lm", "--tokenizer", "bpe:many", 2),
                ("lm", "--tokenizer", "wordz", 2), ("qa", "--tokenizer", "wordz", 2),
                ("seq2seq", "--tokenizer", "wordz", 2), ("seq2seq", "--target-tokenizer", "wordz", 2),
                ("seq2seq", "--target-tokenizer", "bpe:4", 2),
                ("seq2seq", "--tokenizer", "bpe:4", 2), ("qa", "--tokenizer", "words:2", 2),
                ("seq2seq", "--target-tokenizer", "none.json", 66),
                ("seq2seq", "--tokenizer", "none.json", 66),
                ("lm", "--tokenizer", "none.json", 66), ("qa", "--tokenizer", "none.json", 66),
                ("ner", "--num-character-heads", 5, 2), ("graph", "--num-heads", 7, 2),
                ("graph", "--valid-share", 0.9, 2), ("forecast", "--patch-length", 4096, 2),
                ("forecast", "--valid-share", 0.9, 2)):
            with self.subTest(task=task, option=option, value=value):
                more = ["--format", "babi"] if task == "qa" else []
                errors = self.refused(code, "train", task, "--train", nowhere, option, value, *more,
                                      "--out", self.folder / "other")
                self.assertNotIn("nowhere", errors)
                if code == 2 and option != "--num-heads":  # which is named beside --d-model
                    self.assertIn(f"{option}: ", errors)
                if value in ("wordz", "none.json"):  # a tokenizer that is none
                    self.assertIn(f"expected {choices[task]} or the path of a tokenizer.json", errors)

    def test_columns_are_counted_from_1(self):
        for option in ("--text-column", "--label-column"):
            self.assertIn(f"heed: {option}: expected a name or the number of a column from 1",
                          self.refused(2, *self.train(option, 0)))

    # --- suggestions ---------------------------------------------------------------------------

    def test_did_you_mean(self):
        for typed, meant in (("--learning-rate", "--lr"), ("--num_train_epochs", "--epochs"),
                             ("--epohcs", "--epochs"), ("--bach-size=3", "--batch-size")):
            self.assertIn(f"did you mean {meant}?", self.refused(2, "train", "classify", typed, "3"))
        self.assertIn("no option --fly\n", self.refused(2, "eval", self.model, "x", "--fly"))
        for words, meant in ((["trian"], "train"), (["lm"], "train lm"), (["predcit", "x"], "predict"),
                             (["train", "clasify"], "train classify")):
            self.assertIn(f"did you mean 'heed {meant}'?", self.refused(2, *words))

    # --- the terminal --------------------------------------------------------------------------

    def test_help_fits_the_terminal(self):
        for columns in (50, 60, 100):
            for words in (["train", "classify"], ["generate"], []):
                shown = heed(*words, "--help", env={**os.environ, "COLUMNS": str(columns)}, code=0)
                for line in shown.stdout.splitlines():
                    self.assertLessEqual(len(line), columns, line)
        shown = heed("train", "classify", "--help").stdout
        self.assertIn("One of layer, rms.", " ".join(shown.split()))

    def test_man_pages_and_completion_know_what_may_be_given(self):
        page = heed("man", "train-classify", code=0).stdout
        self.assertIn("One of layer, rms. Default:", page)
        self.assertIn("From 0 to 1. Default:", page)
        self.assertIn(":value:(layer rms)", heed("completion", "zsh", code=0).stdout)
        script = self.folder / "heed.bash"
        script.write_text(heed("completion", "bash", code=0).stdout +
                          "\nCOMP_WORDS=(heed train classify --norm l)\nCOMP_CWORD=4\n_heed\n"
                          'echo "${COMPREPLY[@]}"\n')
        shown = subprocess.run(["bash", script], capture_output=True, text=True)
        self.assertEqual(shown.stdout, "layer\n", shown.stderr)

    def test_a_progress_bar_stays_on_its_line(self):
        for columns in (20, 60, 80):
            ours, theirs = pty.openpty()
            ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            process = subprocess.Popen([HEED, *map(str, self.train("--epochs", 3, "--lr", 1e-3))],
                                       stdout=subprocess.DEVNULL, stderr=theirs)
            os.close(theirs)
            shown = b""
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:  # the other side is closed
                    break
                if not part:
                    break
                shown += part
            os.close(ours)
            self.assertEqual(process.wait(timeout=60), 0)
            bars = [bar for bar in re.findall(r"\r([^\r\n]*)\x1b\[K", shown.decode()) if bar]
            self.assertGreater(len(bars), 0)
            for bar in bars:
                self.assertLess(len(bar), columns, bar)
            shutil.rmtree(self.folder / "other", ignore_errors=True)
            shutil.rmtree(self.folder / "other.run", ignore_errors=True)

    # --- messages ------------------------------------------------------------------------------

    def test_names_of_files_cannot_write_escape_codes(self):
        for name in ("a\x1b[2Jb.tsv", "a\x07b.tsv", "a\u009b31mb.tsv", "a\u202eb.tsv"):
            errors = self.refused(66, "eval", self.model, self.folder / name)
            self.assertNotRegex(errors, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
        errors = self.refused(2, "train", "classify", "--lr", "\x1b[2J")
        self.assertNotIn("\x1b", errors)

    def test_a_refusal_is_never_long(self):
        for words in (["train", "classify", "--norm", "x" * 100_000], ["y" * 100_000],
                      ["train", "classify", "--" + "z" * 100_000],
                      ["eval", self.model, "v" * 100_000]):
            self.assertLess(len(heed(*words).stderr), 5000)

    # --- streams -------------------------------------------------------------------------------

    def test_messages_of_closed_streams_land_in_no_file(self):
        out = self.folder / "closed"
        words = ["train", "classify", *DATA, "--out", out, *SMALL, "--epochs", 1, "--logging-steps",
                 1]
        for closed in ((0, 1, 2), (2,), (1,), (0,)):
            process = subprocess.Popen([HEED, *map(str, words)], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       preexec_fn=lambda: [os.close(each) for each in closed])
            self.assertEqual(process.wait(timeout=120), 0)
            for line in (self.folder / "closed.run/log.jsonl").read_text().splitlines():
                json.loads(line)
            heed("inspect", out, code=0)
            shutil.rmtree(out)
            shutil.rmtree(self.folder / "closed.run")

    def test_output_that_goes_nowhere_is_an_error(self):
        process = subprocess.Popen([HEED, "--version"], stderr=subprocess.PIPE, text=True,
                                   preexec_fn=lambda: os.close(1))
        self.assertIn("standard output", process.communicate(timeout=60)[1])
        self.assertEqual(process.returncode, 74)

    def test_a_reader_that_has_seen_enough_is_no_error(self):
        lines = self.folder / "lines.txt"
        lines.write_text("a lovely film\n" * 20_000)
        process = subprocess.Popen([HEED, "predict", str(self.model), str(lines), "--threads", "1"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        self.assertEqual((process.wait(timeout=120), errors), (-signal.SIGPIPE, ""))

    def test_a_limit_on_the_size_of_files_is_a_clear_error(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        result = heed(*self.train(), preexec_fn=limit, code=74)
        self.assertIn("File too large", result.stderr)
        shutil.rmtree(self.folder / "other.run", ignore_errors=True)

    # --- defaults of training ------------------------------------------------------------------

    def test_ctrl_c_before_the_first_validation_leaves_a_model(self):
        text = self.folder / "book.txt"
        text.write_text("the cat sat on the mat and the dog sat on the log\n" * 400)
        out, log = self.folder / "lm", self.folder / "lm.run/log.jsonl"
        words = ["train", "lm", "--train", text, "--out", out, "--d-model", 16, "--num-heads", 2,
                 "--num-layers", 1, "--threads", 1, "--eval-steps", 10**6]
        code, errors = stop_training(words, log, 20)
        self.assertEqual(code, 130, errors)
        self.assertIn("not validated yet", errors)
        heed("generate", out, "--prompt", "the", "--max-new-tokens", 5, code=0)
        ours, theirs = pty.openpty()
        subprocess.run([HEED, "generate", str(out), "--prompt", "the \x1b[2J", "--max-new-tokens", "1"],
                       stdout=theirs, stderr=subprocess.DEVNULL, check=True)
        os.close(theirs)
        shown = os.read(ours, 65536)
        os.close(ours)
        self.assertIn(b"the \\x1b[2J", shown)
        heed(*words, "--resume", "--max-steps", 400, code=0)

    def test_a_run_ends_when_it_is_out_of_patience(self):
        out = self.folder / "patient"
        heed("train", "classify", *DATA, "--out", out, *SMALL, "--epochs", 300, "--lr", 1e-2,
             "--metric-for-best-model", "loss", code=0)
        log = [json.loads(line) for line in
               (self.folder / "patient.run/log.jsonl").read_text().splitlines()]
        self.assertLess(len([each for each in log if each["event"] == "evaluation"]), 200)

    def test_watch_decides_which_model_is_best(self):
        for metric, better in (("loss", min), ("macro_f1", max)):
            out = self.folder / ("watch-" + metric)
            summary = json.loads(heed("train", "classify", *DATA, "--out", out, *SMALL, "--epochs",
                                      6, "--lr", 3e-2, "--metric-for-best-model", metric, "--json",
                                      code=0).stdout)
            log = [json.loads(line) for line in
                   Path(f"{out}.run/log.jsonl").read_text().splitlines()]
            seen = [each["validation"][metric] for each in log if each["event"] == "evaluation"]
            self.assertEqual(summary[metric], better(seen))
        for task in ("classify", "ner", "lm", "qa", "seq2seq"):
            self.assertIn("--metric-for-best-model", heed("train", task, "--help").stdout)

    def test_a_run_that_has_ended_keeps_one_checkpoint(self):
        self.assertEqual(len(os.listdir(self.folder / "model.run/checkpoints")), 1)
        heed("train", "classify", *DATA, "--out", self.model, *SMALL, "--epochs", 3, "--resume",
             code=0)


if __name__ == "__main__":
    unittest.main(verbosity=1)
