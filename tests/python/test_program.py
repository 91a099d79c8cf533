"""The program as a user meets it: every subcommand, good and bad input, exit codes, streams.

Usage: test_program.py HEED_PROGRAM
"""

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from program import HEED, heed

EXAMPLE = Path("examples/sentiment").resolve()
SMALL = ["--d-model", "32", "--d-ff", "64", "--num-heads", "2", "--epochs", "3", "--lr", "3e-3",
         "--threads", "2"]


class Program(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-program-"))
        cls.model = cls.folder / "model"
        cls.trained = heed("train", "classify", "--train", EXAMPLE / "train.tsv", "--valid",
                           EXAMPLE / "valid.tsv", "--out", cls.model, "--json", *SMALL)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def train(self, *arguments, **options):
        valid = [] if "--valid" in arguments else ["--valid", EXAMPLE / "valid.tsv"]
        return heed("train", "classify", *valid, "--out", self.folder / "other", "--overwrite",
                    *SMALL, *arguments, **options)

    def file(self, name, content):
        path = self.folder / name
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        return path

    def assert_refused(self, result, code, *parts):
        self.assertEqual(result.returncode, code, result.stderr)
        for part in parts:
            self.assertIn(part, result.stderr)
        self.assertEqual(result.stdout, "")

    # --- train ---------------------------------------------------------------------------------

    def test_training_gives_a_summary_and_a_model(self):
        self.assertEqual(self.trained.returncode, 0, self.trained.stderr)
        summary = json.loads(self.trained.stdout)
        self.assertGreater(summary["accuracy"], 0.7)
        self.assertEqual(summary["examples"], 172)
        self.assertEqual(sorted(os.listdir(self.model)),
                         ["README.md", "config.json", "model.safetensors", "tokenizer.json"])
        self.assertIn("epoch 3  step 84", self.trained.stderr)
        self.assertNotIn("\r", self.trained.stderr)  # a bar only on a terminal

    def test_the_seed_decides_everything(self):
        bytes_of = []
        for seed in (5, 5, 6):
            result = self.train("--train", EXAMPLE / "train.tsv", "--seed", seed, "--epochs", 1)
            self.assertEqual(result.returncode, 0, result.stderr)
            bytes_of.append((self.folder / "other/model.safetensors").read_bytes())
        self.assertEqual(bytes_of[0], bytes_of[1])
        self.assertNotEqual(bytes_of[1], bytes_of[2])

    def test_settings_from_a_file_and_shown(self):
        shown = heed("train", "classify", "--print-config", "--lr", "0.125")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertRegex(shown.stdout, r"(?m)^lr=0\.125")
        for name in ("epochs", "batch-size", "seed", "threads", "dropout", "vocab-size"):
            self.assertRegex(shown.stdout, rf"(?m)^{name}=")
        path = self.file("settings.toml", re.sub(r"(?m)^(train|valid|out)=.*", "", shown.stdout))
        again = heed("train", "classify", "--config", path, "--print-config", "--seed", "9")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertRegex(again.stdout, r"(?m)^lr=0\.125")
        self.assertRegex(again.stdout, r"(?m)^seed=9")

    def test_a_misspelt_setting_is_refused(self):
        path = self.file("typo.toml", "epoch = 3\n")
        self.assert_refused(self.train("--train", EXAMPLE / "train.tsv", "--config", path), 2,
                            "epoch")

    def test_every_format_gives_the_same_examples(self):
        rows = [("good", "a fine , warm film"), ("bad", "a dull film"), ("good", "so good")] * 4
        valid = {
            "v.txt": "".join(f"{label} {text}\n" for label, text in rows),
            "v.tsv": "label\ttext\n" + "".join(f"{label}\t{text}\n" for label, text in rows),
            "v.csv": "text,label\n" + "".join(f'"{text}",{label}\n' for label, text in rows),
            "v.jsonl": "".join(json.dumps({"text": text, "label": label}) + "\n"
                               for label, text in rows),
        }
        models = []
        for name, content in valid.items():
            for path in (self.file(name, content),
                         self.file(name + ".gz", gzip.compress(content.encode()))):
                result = self.train("--train", path, "--valid", path, "--epochs", 1)
                self.assertEqual(result.returncode, 0, result.stderr)
                models.append((self.folder / "other/model.safetensors").read_bytes())
        self.assertEqual(len(set(models)), 1)

    def test_bad_training_data_is_named_by_file_and_line(self):
        path = self.file("bad.tsv", b"label\ttext\ngood\tfine\nbad\tpoor\xff\ngood\t \nbad\tx\ty\n")
        result = self.train("--train", path)
        self.assert_refused(result, 65, "bad.tsv:3", "bad.tsv:4", "bad.tsv:5")

    def test_nothing_of_value_is_replaced(self):
        home = self.folder / "home"
        home.mkdir()
        (home / "letter.txt").write_text("dear you")
        result = heed("train", "classify", "--train", EXAMPLE / "train.tsv", "--valid",
                      EXAMPLE / "valid.tsv", "--out", home, *SMALL)
        self.assert_refused(result, 2, "letter.txt")
        self.assertEqual((home / "letter.txt").read_text(), "dear you")

    def test_ctrl_c_leaves_with_130_and_keeps_the_best_model(self):
        out = self.folder / "interrupted"
        process = subprocess.Popen(
            [HEED, "train", "classify", "--train", EXAMPLE / "train.tsv", "--valid",
             EXAMPLE / "valid.tsv", "--out", out, "--epochs", "10000", "--d-model", "32",
             "--num-heads",
             "2", "--d-ff", "64", "--threads", "1"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.time() + 120
        while not (out / "config.json").exists() and time.time() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn("stopped after step", errors)
        self.assertEqual(heed("inspect", out).returncode, 0)

    # --- eval, predict -------------------------------------------------------------------------

    def test_eval_prints_the_metrics(self):
        result = heed("eval", self.model, EXAMPLE / "valid.tsv", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        metrics = json.loads(result.stdout)
        self.assertLessEqual({"accuracy", "loss", "macro_f1", "examples"}, set(metrics))
        self.assertEqual(metrics["accuracy"], json.loads(self.trained.stdout)["accuracy"])
        plain = heed("eval", self.model, EXAMPLE / "valid.tsv").stdout
        self.assertIn("accuracy\t", plain)

    def test_eval_refuses_a_label_it_does_not_know(self):
        path = self.file("label.tsv", "label\ttext\nsplendid\ta film\n")
        self.assert_refused(heed("eval", self.model, path), 65, "label.tsv:2", "splendid")

    def test_eval_measures_several_files_together(self):
        valid = EXAMPLE / "valid.tsv"
        one = json.loads(heed("eval", self.model, valid, "--json").stdout)
        two = json.loads(heed("eval", self.model, valid, valid, "--json").stdout)
        self.assertEqual(two["examples"], 2 * one["examples"])
        self.assertEqual(two["accuracy"], one["accuracy"])
        self.assert_refused(heed("eval", self.model, valid, "other.tsv"), 66, "other.tsv")

    def test_predict_answers_a_line_for_a_line(self):
        lines = ["a wonderful , kind book", "", "terrible", "???", "日本語 🙂", "x" * 100_000]
        text = "\n".join(lines) + "\n"
        result = heed("predict", self.model, text=text)
        self.assertEqual(result.returncode, 0, result.stderr)
        answers = result.stdout.splitlines()
        self.assertEqual(len(answers), len(lines))
        for answer in answers:
            self.assertRegex(answer, r"^(positive|negative)\t[01]\.\d{4}$")
        path = self.file("lines.txt", text)
        self.assertEqual(heed("predict", self.model, path).stdout, result.stdout)

    def test_predict_answers_before_the_input_ends(self):
        process = subprocess.Popen([HEED, "predict", self.model], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for line in ("lovely\n", "awful\n"):
            process.stdin.write(line)
            process.stdin.flush()
            self.assertRegex(process.stdout.readline(), "positive|negative")
        process.stdin.close()
        self.assertEqual(process.wait(timeout=60), 0)
        process.stdout.close()

    def test_predict_json_and_threshold(self):
        result = heed("predict", self.model, "--json", text='say "lovely"\n')
        answer = json.loads(result.stdout)
        self.assertEqual(answer["text"], 'say "lovely"')
        self.assertAlmostEqual(sum(answer["probabilities"].values()), 1, places=6)
        unsure = heed("predict", self.model, "--threshold", 1, "--unknown", "don't know",
                      text="the\n")
        self.assertTrue(unsure.stdout.startswith("don't know\t"), unsure.stdout)
        self.assertIsNone(json.loads(heed("predict", self.model, "--threshold", 1, "--json",
                                          text="the\n").stdout)["label"])

    def test_predict_reads_tables(self):
        path = self.file("t.csv", 'id,text\n1,"fine,\nand warm"\n2,poor\n')
        result = heed("predict", self.model, path)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(result.stdout.splitlines()), 2)

    def test_predict_names_the_line_that_is_not_utf8(self):
        path = self.file("latin.txt", b"fine\ncaf\xe9\n")
        result = heed("predict", self.model, path)
        self.assertEqual(result.returncode, 65)
        self.assertIn("latin.txt:2", result.stderr)

    def test_predict_reads_lines_in_latin_1(self):
        path = self.file("latin.txt", "a lovely café\n".encode("latin-1"))
        result = heed("predict", self.model, path, "--encoding", "latin-1", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["text"], "a lovely café")

    def test_options_that_mean_nothing_for_the_task_are_refused(self):
        valid = EXAMPLE / "valid.tsv"
        for words in (["--rouge"], ["--lowercase"], ["--num-beams", 2]):
            self.assert_refused(heed("eval", self.model, valid, *words), 2, words[0], "'classify'")
        self.assert_refused(heed("predict", self.model, valid, "--num-beams", 2), 2, "--num-beams")
        for command in ("eval", "predict"):  # a file that lists them all means none
            shown = heed(command, self.model, valid, "--print-config").stdout
            path = self.file(f"{command}.toml", shown)
            result = heed(command, "--config", path)
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_full_disk_is_an_error(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        with open("/dev/full", "w") as full:
            for arguments in (["predict", self.model], ["inspect", self.model], ["--version"]):
                result = subprocess.run([HEED, *arguments], input="fine\n", text=True, stdout=full,
                                        stderr=subprocess.PIPE, timeout=60)
                self.assertEqual(result.returncode, 74, result.stderr)

    # --- attend, inspect -----------------------------------------------------------------------

    def test_attend_draws(self):
        for name, magic in (("heat.png", b"\x89PNG"), ("heat.svg", b"<?xml")):
            path = self.folder / name
            result = heed("attend", self.model, "a lovely film", "--out", path)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertTrue(path.read_bytes().startswith(magic))

    def test_attend_tells_of_letters_without_a_font(self):
        result = heed("attend", self.model, "a lovely \U0010fffd", "--out", self.folder / "heat.png")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("apt install fonts-noto-core", result.stderr)

    def test_attend_json_rows_sum_to_one(self):
        result = heed("attend", self.model, "a lovely unheardof film", "--json", "--layer", 1,
                      "--head", 2)
        shown = json.loads(result.stdout)
        self.assertEqual(shown["tokens"], ["a", "lovely", "unheardof", "film"])
        self.assertEqual(len(shown["attention"]), 1)
        for row in shown["attention"][0]["weights"]:
            self.assertAlmostEqual(sum(row), 1, places=5)

    def test_attend_refuses(self):
        self.assert_refused(heed("attend", self.model, "a film", "--head", 3), 2, "--head", "2")
        self.assert_refused(heed("attend", self.model, "a film", "--out", "heat.bmp"), 2, ".png")
        self.assert_refused(heed("attend", self.model, "a film", "--head", -1), 2,
                            "--head: expected a number of at least 0, got '-1'")
        self.assert_refused(heed("attend", self.model, "  "), 65, "word")
        self.assert_refused(heed("attend", self.model, "caf\udce9"), 65, "the text: expected UTF-8",
                            "caf\\xe9")

    def test_inspect(self):
        result = json.loads(heed("inspect", self.model, "--json").stdout)
        self.assertEqual(result["labels"], ["negative", "positive"])
        total = sum(eval("*".join(map(str, t["shape"])) or "1") for t in result["tensors"])
        self.assertEqual(total, result["parameters"])
        self.assertIn("embedding.weight", heed("inspect", self.model).stdout)

    def test_a_broken_model_is_refused_in_one_line(self):
        broken = self.folder / "broken"
        shutil.copytree(self.model, broken)
        weights = broken / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1])
        result = heed("predict", broken, text="x\n")
        self.assert_refused(result, 65, "model.safetensors")
        self.assertEqual(len(result.stderr.splitlines()), 1)

    # --- score ---------------------------------------------------------------------------------

    def test_score_refuses(self):
        empty, tags = self.file("none.txt", ""), self.file("tags.conll", "Rome\tB-place\n")
        for measure in ("bleu", "chrf", "rouge", "qa"):
            self.assert_refused(heed("score", measure, empty, "--references", empty), 65,
                                "none.txt", "at least one line")
        self.assert_refused(heed("score", "ner", tags, "--references", tags, "--references", tags),
                            2, "--references", "expected one value, got 2")
        self.assertEqual(heed("score", "ner", "--references", tags, tags).returncode, 0)

    # --- tokenize ------------------------------------------------------------------------------

    def test_tokenize_train_says_what_it_wrote(self):
        text = self.file("text.txt", "a good film\n" * 9)
        out = self.folder / "tokens/tokenizer.json"
        result = heed("tokenize", "train", text, "--kind", "characters", "--out", out, "--json")
        said = json.loads(result.stdout)
        self.assertEqual((said["file"], said["kind"]), (str(out), "characters"))
        self.assertGreater(said["tokens"], 8)  # adfgilmo and the blank
        self.assert_refused(heed("tokenize", "train", self.file("empty.txt", ""), "--out", out), 65,
                            "empty.txt")

    # --- the frame -----------------------------------------------------------------------------

    def test_usage_errors(self):
        self.assertEqual(heed().returncode, 2)
        self.assert_refused(heed("fly"), 2, "fly")
        self.assert_refused(heed("train"), 2, "train classify")
        self.assert_refused(heed("train", "wings"), 2, "no command 'train wings'", "train classify")
        self.assert_refused(heed("eval", self.model), 2, "file")
        self.assert_refused(heed("eval", "--config", self.folder / "none.toml"), 66, "none.toml")
        self.assert_refused(self.train("--train", EXAMPLE / "train.tsv", "--epochs", "many"), 2,
                            "--epochs")
        self.assert_refused(self.train("--train", EXAMPLE / "train.tsv", "--num-heads", "7"), 2,
                            "heads")
        self.assert_refused(heed("predict", self.folder / "nowhere"), 66, "nowhere")
        self.assert_refused(self.train("--train", self.folder / "nowhere.tsv"), 66, "nowhere.tsv")

    def test_help_everywhere(self):
        commands = re.findall(r"(?m)^  ([a-z]+(?: [a-z]+)?)  ", heed("--help").stdout)
        self.assertIn("train classify", commands)
        self.assertGreater(len(commands), 20)
        # heed/cli/command_test.cpp looks at the help of each of them.
        for command in (commands[-1], "eval", "train classify"):
            self.assertIn(command, commands)
            result = heed(*command.split(), "--help")
            self.assertEqual(result.returncode, 0)
            self.assertIn("Examples:", result.stdout)
            self.assertEqual(heed("help", *command.split()).stdout, result.stdout)

    def test_version(self):
        self.assertRegex(heed("--version").stdout,
                         r"^heed \d+\.\d+\.\d+\n"
                         r"commit: (unknown|[0-9a-f]{12})(, with changes)?\n"
                         r"torch: 2\.\d+\.\d+.*\n"
                         r"instruction set: \w+\n"
                         r"never run yet: .*AMX.*\n$")
        portable = heed("--version", env={**os.environ, "HEED_ISA": "portable"}).stdout
        self.assertIn("\ninstruction set: portable\n", portable)

    def test_completion_scripts_parse_and_offer_options(self):
        bash = heed("completion", "bash").stdout
        script = self.file("heed.bash", bash + '\nCOMP_WORDS=(heed train classify --batch-s)\n'
                           "COMP_CWORD=3\n_heed\necho \"${COMPREPLY[@]}\"\n")
        shown = subprocess.run(["bash", script], capture_output=True, text=True)
        self.assertEqual(shown.stdout, "--batch-size\n", shown.stderr)
        zsh = self.file("_heed", heed("completion", "zsh").stdout)
        if shutil.which("zsh"):
            subprocess.run(["zsh", "-n", zsh], check=True)

    def test_man_pages(self):
        self.assertIn(".SH COMMANDS", heed("man").stdout)
        page = heed("man", "train-classify").stdout
        self.assertEqual(heed("man", "--all", self.folder / "pages").returncode, 0)
        self.assertEqual((self.folder / "pages/heed-train-classify.1").read_text("utf-8"), page)
        file = self.file("no-folder", "")
        self.assert_refused(heed("man", "--all", file), 74, "no-folder")
        self.assertIn("\\-\\-batch\\-size", page)
        if shutil.which("man"):
            path = self.file("heed.1", page)
            shown = subprocess.run(["man", "--warnings", "-l", path], capture_output=True, text=True,
                                   env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "80"})
            self.assertEqual(shown.stderr, "")


if __name__ == "__main__":
    unittest.main(verbosity=1)
