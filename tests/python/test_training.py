"""Runs of `heed train`: stopped, resumed, logged; and the commands of docs/training.md.

Usage: test_training.py HEED_PROGRAM
"""

import json
import os
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from program import HEED, heed, stop_training

EXAMPLE = Path("examples/sentiment").resolve()
SMALL = ["--d-model", "32", "--d-ff", "64", "--num-heads", "2", "--threads", "1"]


class Training(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="heed-training-")
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        for name in ("train.tsv", "valid.tsv"):
            shutil.copy(EXAMPLE / name, self.folder / name)

    def command(self, *options, out="model"):
        return ["train", "classify", "--train", "train.tsv", "--valid", "valid.tsv",
                "--out", out, *SMALL, *options]

    def train(self, *options, out="model", code=0):
        return heed(*self.command(*options, out=out), cwd=self.folder, code=code)

    def lines(self, out="model"):
        text = (self.folder / f"{out}.run" / "log.jsonl").read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def losses(self, out="model"):
        return [(line["step"], line["loss"]) for line in self.lines(out) if line["event"] == "step"]

    def start(self, size, *options, out="model", last={}):
        """Starts `size` processes that train together; `last`: options of the last one."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        processes = []
        for rank in range(size):
            environment = {**os.environ, "RANK": str(rank), "WORLD_SIZE": str(size),
                           "LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1",
                           "MASTER_PORT": str(port)}
            command = self.command(*options, out=out)
            if rank == size - 1:
                for name, value in last.items():
                    if name in command:
                        command[command.index(name) + 1] = value
                    else:
                        command += [name, value]
            processes.append(subprocess.Popen([HEED, *map(str, command)], cwd=self.folder,
                                              env=environment, text=True, stderr=subprocess.PIPE,
                                              stdout=subprocess.DEVNULL))
        return processes

    def together(self, size, *options, out="model"):
        """Runs them; returns how each ended and what it wrote to stderr."""
        processes = self.start(size, *options, out=out)
        return [(p, p.communicate(timeout=300)[1]) for p in processes]

    def test_several_processes_train_as_one(self):
        options = ("--epochs", 1, "--logging-steps", 1, "--dropout", 0, "--attention-dropout", 0,
                   "--embedding-dropout", 0, "--word-dropout", 0)
        self.train(*options, out="one")
        one = self.losses("one")
        # Data parallel, both, tensor parallel.
        for size, tensor in ((2, 1), (4, 2), (2, 2)):
            name = f"of-{size}" if tensor == 1 else f"of-{size}-by-{tensor}"
            for process, message in self.together(size, *options, "--tensor-parallel", tensor,
                                                  out=name):
                self.assertEqual(process.returncode, 0, message)
            many = self.losses(name)
            self.assertEqual(len(many), len(one))
            for (step, loss), (_, expected) in zip(many, one):
                self.assertAlmostEqual(loss, expected, delta=1e-3 * expected, msg=f"step {step}")
        # What four processes left, one goes on with.
        self.train("--epochs", 2, *options[2:], "--resume", out="of-4-by-2")
        self.assertEqual(self.losses("of-4-by-2")[-1][0], 2 * len(one))
        for file in ("model.safetensors", "config.json"):
            self.assertEqual((self.folder / "of-4-by-2" / file).stat().st_size,
                             (self.folder / "one" / file).stat().st_size)

    def test_a_killed_process_ends_the_others_by_name(self):
        options = ("--epochs", 1000, "--logging-steps", 1, "--tensor-parallel", 2)
        processes = self.start(4, *options)
        log = self.folder / "model.run" / "log.jsonl"
        while processes[0].poll() is None and not (log.exists() and '"step":5,' in log.read_text()):
            time.sleep(0.01)
        processes[2].kill()
        for rank, process in enumerate(processes):
            message = process.communicate(timeout=30)[1]
            if rank == 2:
                continue
            self.assertEqual(process.returncode, 74, message)
            self.assertIn("rank 2 of 4 has ended", message)

    def test_tensor_parallel_that_cannot_be_is_refused(self):
        self.assertIn("torchrun", self.train("--tensor-parallel", 2, code=2).stderr)
        for process, message in self.together(3, "--tensor-parallel", 3):
            self.assertEqual(process.returncode, 2, message)
            self.assertIn("heads", message)

    def test_ctrl_c_saves_and_resume_goes_on(self):
        self.train("--epochs", 4, "--logging-steps", 1, out="whole")
        options = ("--epochs", 4, "--logging-steps", 1)
        for sent in (signal.SIGINT, signal.SIGTERM):
            name = f"stopped-{sent}"
            code, message = stop_training(self.command(*options, out=name),
                                          self.folder / f"{name}.run" / "log.jsonl", 7, sent,
                                          cwd=self.folder)
            self.assertEqual(code, 130, message)
            self.assertIn("--resume", message)
            self.train(*options, code=2, out=name)  # would overwrite it
            self.train(*options, "--resume", out=name)
            self.assertEqual(self.losses(name), self.losses("whole"))
            for file in ("model.safetensors", "config.json"):
                self.assertEqual((self.folder / name / file).read_bytes(),
                                 (self.folder / "whole" / file).read_bytes())

    def test_a_signal_at_any_moment_leaves_a_run_that_resumes(self):
        options = ("--epochs", 3, "--logging-steps", 1, "--save-steps", 3, "--positions",
                   "rotary")
        begun = time.monotonic()
        self.train(*options, out="whole")
        whole = time.monotonic() - begun
        chance = random.Random(5)
        moments = 6  # one in each part of the run
        for i in range(moments):
            name = f"stopped-{i}"
            process = subprocess.Popen([HEED, *map(str, self.command(*options, out=name))],
                                       cwd=self.folder, text=True, stderr=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL)
            time.sleep(chance.uniform(i, i + 1) / moments * 1.1 * whole)
            process.send_signal(chance.choice([signal.SIGINT, signal.SIGTERM]))
            message = process.communicate(timeout=60)[1]
            self.assertIn(process.returncode, (0, 130, -signal.SIGINT, -signal.SIGTERM), message)
            self.train(*options, "--resume", out=name)
            self.assertEqual(self.losses(name), self.losses("whole"), message)
            for file in ("model.safetensors", "config.json"):
                self.assertEqual((self.folder / name / file).read_bytes(),
                                 (self.folder / "whole" / file).read_bytes(), message)

    def test_a_longer_text_to_validate_on_does_not_end_the_training(self):
        with open(self.folder / "valid.tsv", "a", encoding="utf-8") as valid:
            valid.write("positive\t" + "very " * 150 + "good\n")
        self.train("--epochs", 2, "--positions", "rotary")

    def test_other_data_is_not_resumed(self):
        self.train("--epochs", 1)
        for file, changed in (("train.tsv", "training data"), ("valid.tsv", "validation data")):
            text = (self.folder / file).read_text("utf-8")
            swapped = text.replace("positive\t", "\0").replace("negative\t", "positive\t")
            (self.folder / file).write_text(swapped.replace("\0", "negative\t"), "utf-8")
            result = self.train("--epochs", 2, "--resume", code=2)
            self.assertIn(f"other contents of the {changed}", result.stderr)
            (self.folder / file).write_text(text, "utf-8")
        self.train("--epochs", 2, "--resume")

    def test_what_is_there_is_replaced_on_demand_only(self):
        self.train("--epochs", 1)
        before = (self.folder / "model" / "model.safetensors").read_bytes()
        self.assertIn("--overwrite", self.train("--epochs", 1, "--seed", 2, code=2).stderr)
        # Longer, stopped in the middle, and then begun by mistake.
        options = ("--lr-scheduler", "constant", "--warmup-steps", 1, "--logging-steps", 1)
        self.train("--epochs", 1, *options, out="long")
        longer = self.command("--epochs", 1000, "--resume", *options, out="long")
        code, message = stop_training(longer,
                                      self.folder / "long.run" / "log.jsonl",
                                      self.losses("long")[-1][0] + 3, cwd=self.folder)
        self.assertEqual(code, 130, message)
        self.assertIn("--resume", self.train("--epochs", 1, *options, code=2, out="long").stderr)
        self.assertEqual((self.folder / "model" / "model.safetensors").read_bytes(), before)
        self.train("--epochs", 1, "--seed", 2, "--overwrite")
        self.assertNotEqual((self.folder / "model" / "model.safetensors").read_bytes(), before)

    def test_a_model_that_is_gone_is_made_up_for(self):
        options = ("--epochs", 3, "--logging-steps", 1)
        self.train(*options, out="whole")
        code, message = stop_training(self.command(*options),
                                      self.folder / "model.run" / "log.jsonl",
                                      self.losses("whole")[-1][0] - 3, cwd=self.folder)
        self.assertEqual(code, 130, message)
        shutil.rmtree(self.folder / "model")
        self.train(*options, "--resume")
        for file in ("model.safetensors", "config.json", "tokenizer.json"):
            self.assertEqual((self.folder / "model" / file).read_bytes(),
                             (self.folder / "whole" / file).read_bytes())

    def test_places_that_cannot_be_replaced_are_refused_before_training(self):
        for out in (".", "..", "model/..", self.folder):
            result = self.train("--epochs", 1, out=out, code=2)
            self.assertNotIn("epoch 1", result.stderr)
        self.train("--epochs", 1, out="model/./")
        self.assertTrue((self.folder / "model.run" / "summary.json").exists())

    def test_values_that_cannot_be_read_back_are_refused_before_training(self):
        for option, value in (("--dropout", 0.9995), ("--num-layers", 1001), ("--num-layers",
                                                                              10 ** 9),
                              ("--max-length", 2 ** 24 + 1), ("--softcap", 1e39),
                              ("--embedding-std", -1)):
            result = self.train("--epochs", 1, option, value, code=2)
            self.assertIn(option.strip("-").replace("-", "_"),
                          result.stderr.replace("-", "_"))
            self.assertNotIn("internal", result.stderr)
        self.train("--epochs", 1, "--optimizer", "sgd", "--momentum", 0)

    def test_only_adamw_decays_unasked(self):
        weights = {}
        for name, more in (("unasked", ()), ("none", ("--weight-decay", 0)),
                           ("some", ("--weight-decay", 0.5))):
            self.train("--epochs", 1, "--optimizer", "adam", *more, out=name)
            weights[name] = (self.folder / name / "model.safetensors").read_bytes()
        self.assertEqual(weights["unasked"], weights["none"])
        self.assertNotEqual(weights["unasked"], weights["some"])

    def test_pipes_in_the_place_of_files_are_refused_at_once(self):
        self.train("--epochs", 1)
        for file in ("config.json", "model.safetensors", "tokenizer.json"):
            path = self.folder / "model" / file
            content = path.read_bytes()
            path.unlink()
            os.mkfifo(path)
            for command in (("eval", "model", "valid.tsv"), ("inspect", "model")):
                self.assertIn("regular file", heed(*command, cwd=self.folder, code=65).stderr)
            path.unlink()
            path.write_bytes(content)

    def test_processes_that_differ_say_in_what(self):
        shutil.copy(self.folder / "train.tsv", self.folder / "other.tsv")
        text = (self.folder / "other.tsv").read_text("utf-8")
        (self.folder / "other.tsv").write_text(text.replace("good", "fine"), "utf-8")
        for name, value, expected in (("--batch-size", 3, "batch_size"),
                                      ("--num-layers", 2, "--num-layers"),
                                      ("--eval-steps", 2, "eval_steps"),
                                      ("--train", "other.tsv", "checksum of the training data")):
            processes = self.start(2, "--epochs", 1, last={name: value})
            for process in processes:
                message = process.communicate(timeout=60)[1]
                self.assertEqual(process.returncode, 2, message)
                self.assertIn(expected, message)

    def test_what_differs_is_refused_by_its_name(self):
        self.train("--epochs", 1)
        for options in (("--d-model", 64), ("--lr", 0.5), ("--dropout", 0.3)):
            result = self.train("--epochs", 2, "--resume", *options, code=2)
            self.assertIn(options[0].strip("-"), result.stderr)

    def test_summary_curves_report_and_card(self):
        self.train("--epochs", 2, "--lr", "2e-3")
        run = self.folder / "model.run"
        summary = json.loads((run / "summary.json").read_text("utf-8"))
        for key in ("seconds", "peak_memory_bytes", "parameters", "steps"):
            self.assertGreater(summary[key], 0)
        self.assertIn("accuracy", summary["best"]["validation"])
        self.assertEqual(summary["settings"]["--d-model"], "32")
        self.assertTrue((run / "curves.png").read_bytes().startswith(b"\x89PNG"))
        self.assertIn(b"<svg", (run / "curves.svg").read_bytes())
        report = (run / "report.html").read_text("utf-8")
        self.assertIn("<h1>Training of model</h1>", report)
        self.assertEqual(report.count("data:image/svg+xml;base64,"), 5)  # curves, steps, examples
        self.assertIn("(kept)", report)
        self.assertIn('<th scope="row">--lr</th>', report)
        self.assertNotRegex(report, r"https?:|@import|url\(")
        card = (self.folder / "model/README.md").read_text("utf-8")
        self.assertIn(f"| accuracy | {summary['best']['validation']['accuracy']:.4g} |", card)
        for heading in ("Data", "Numbers", "Limits", "How it was made", "How to use it"):
            self.assertIn(f"\n## {heading}\n", card)
        self.assertRegex(card, r"heed train classify .*--epochs 2 .*--lr \S+")
        self.train("--epochs", 3, "--lr", "2e-3", "--resume")  # may replace it
        self.assertIn("--epochs 3", (self.folder / "model/README.md").read_text("utf-8"))

    def test_nan_ends_the_run_with_the_layer(self):
        result = self.train("--lr", 1e9, "--max-grad-norm", 0, "--optimizer", "sgd",
                            "--warmup-ratio", 0,
                            code=70)
        self.assertRegex(result.stderr, r"step \d+: .*began .*(embedding|encoder|classifier)")

    def test_tensorboard_reads_the_events(self):
        try:
            from tensorboard.backend.event_processing import event_accumulator
        except ImportError:
            self.skipTest("the tensorboard package is not installed (tools/setup.sh installs it)")
        self.train("--epochs", 2, "--logging-steps", 1)
        self.train("--epochs", 3, "--logging-steps", 1, "--resume")
        events = event_accumulator.EventAccumulator(str(self.folder / "model.run"))
        events.Reload()
        read = [(e.step, e.value) for e in events.Scalars("train/loss")]
        logged = self.losses()
        self.assertEqual([step for step, _ in read], [step for step, _ in logged])
        for (_, a), (_, b) in zip(read, logged):
            self.assertAlmostEqual(a, b, delta=1e-6 * abs(b))
        validated = [line for line in self.lines() if line["event"] == "evaluation"]
        accuracy = events.Scalars("validation/accuracy")
        self.assertEqual([e.step for e in accuracy], [line["step"] for line in validated])

    def test_commands_of_the_page(self):
        page = Path("docs/training.md").read_text("utf-8")
        commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.S)
                    for line in block.splitlines()]
        self.assertGreaterEqual(len(commands), 5)
        for line in commands:
            words = shlex.split(line)
            self.assertEqual(words[0], "heed")
            result = subprocess.run([HEED, *words[1:], *SMALL], cwd=self.folder, text=True,
                                    capture_output=True, timeout=300)
            self.assertEqual(result.returncode, 0, f"{line}\n{result.stderr}")


if __name__ == "__main__":
    unittest.main(verbosity=1)
