"""The program takes the threads that it is granted, and gives the same model with any number.

Usage: test_threads.py HEED_PROGRAM
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CPU = Path("/proc/cpuinfo").read_text()


class Threads(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "table.tsv").write_text("label\ttext\n" + "".join(
            f"weather\train and wind {i}\nfood\tbread or soup {i}\n" for i in range(40)))

    def train(self, *options, cpus=None, **environment):
        """The number of threads, what was said of it, and the bytes of the model."""
        out = self.folder / f"model{len(list(self.folder.iterdir()))}"
        table = self.folder / "table.tsv"
        kept = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
        done = subprocess.run(
            [HEED, "train", "classify", "--train", table, "--valid", table, "--out", out,
             "--d-model",
             "64", "--num-heads", "2", "--epochs", "2", "--seed", "1", *map(str, options)],
            capture_output=True, text=True, timeout=300, env={**kept, **environment},
            preexec_fn=cpus and (lambda: os.sched_setaffinity(0, cpus)))
        self.assertEqual(done.returncode, 0, done.stderr)
        summary = json.loads(Path(f"{out}.run", "summary.json").read_text())
        said = [line for line in done.stderr.splitlines() if "may compute on" in line]
        return summary["threads"], said, (out / "model.safetensors").read_bytes()

    def test_as_many_as_granted(self):
        granted = os.sched_getaffinity(0)
        threads, said, _ = self.train()
        self.assertLessEqual(threads, len(granted))
        self.assertEqual(said, [])
        one = {min(granted)}
        self.assertEqual(self.train(cpus=one)[:2], (1, []))
        self.assertEqual(self.train(OMP_NUM_THREADS="1")[:2], (1, []))

    def test_more_than_granted_is_said_and_not_taken(self):
        one = {min(os.sched_getaffinity(0))}
        threads, said, _ = self.train("--threads", 64, cpus=one)
        self.assertEqual(threads, 1)
        self.assertEqual(len(said), 1)
        self.assertIn("--threads 64", said[0])
        threads, said, _ = self.train(cpus=one, OMP_NUM_THREADS="3")
        self.assertEqual(threads, 1)
        self.assertIn("OMP_NUM_THREADS=3", said[0])

    @unittest.skipUnless(re.search("AuthenticAMD|HygonGenuine", CPU), "products are torch's here")
    def test_any_number_gives_the_same_model(self):
        granted = len(os.sched_getaffinity(0))
        models = {self.train("--threads", count)[2] for count in (1, min(2, granted), granted)}
        self.assertEqual(len(models), 1)


if __name__ == "__main__":
    HEED = Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=1)
