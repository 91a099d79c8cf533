#!/usr/bin/env python3
"""Fine-tuning all-MiniLM-L6-v2 to the end: what is right on the validation data, and the time.

usage: .venv/bin/python benchmarks/published/accuracy.py [--case sst2,trec,wnut17] [--seeds N] [--share X]
           [--program PATH] [--threads N] [--clock wall|cpu] [--tiny]

`heed train classify` (SST-2, TREC) and `heed train ner` (WNUT17) with --from against the Trainer of `transformers`
(accuracy_peer.py), both with: 3 epochs, batches of 32, AdamW, learning rate 5e-5 that rises for a tenth of the run and
falls to 0, weight decay 0.01, gradients clipped at norm 1, dropout 0.1 (config.json), float32, a new head, the first
piece of a word for its tag; judged once, after the last epoch. One run of each for each seed. The time is that of
training and validation; of Heed that of the whole command. SST-2 is its sentences alone (6,920 and 872).
--share learns from that share of the examples.
"""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import common

EPOCHS, ROWS, RATE, DECAY, WARM_UP = 3, 32, 5e-5, 0.01, 0.1
FILES = {"sst2": ("stsa.binary.train", "stsa.binary.dev"), "trec": ("TREC.train.all", "TREC.test.all"),
         "wnut17": ("wnut17train.conll", "emerging.dev.conll")}
TIME_GOAL = "≥ 1.67"


def some(rows, options, number):
    """A share of the examples to learn from."""
    share = 0.02 if options.tiny else options.share if number == 0 else 1
    return random.Random(1).sample(rows, int(len(rows) * share)) if share < 1 else rows


def prepared(options, case, folder):
    """Files for both sides: a table, or words with tags."""
    files = []
    for number, name in enumerate(FILES[case]):
        source = common.data(case, name)
        file = folder / f"{number}.txt"
        if case == "wnut17":
            sentences = [part for part in source.read_text("utf-8").split("\n\n") if part.strip()]
            file.write_text("\n\n".join(some(sentences, options, number)) + "\n", encoding="utf-8")
        else:
            common.write_table(file, some(common.labelled(source), options, number))
        files.append(file)
    return files


def heed(options, case, files, folder, seed):
    """Seconds, and what is right in percent."""
    out = folder / f"heed{seed}"
    seconds, *_ = common.run(
        options, "train", "ner" if case == "wnut17" else "classify", "--from", common.minilm(), "--train", files[0],
        "--valid", files[1], "--out", out, "--epochs", EPOCHS, "--eval-steps", 10**8, "--batch-size", ROWS,
        "--lr", RATE, "--weight-decay", DECAY, "--warmup-ratio", WARM_UP, "--lr-scheduler", "linear", "--seed", seed)
    said = json.loads(Path(f"{out}.run", "summary.json").read_text())["last"]["validation"]
    return seconds, 100 * said["f1" if case == "wnut17" else "accuracy"]


def peer(options, case, files, folder, seed):
    settings = {"directory": str(common.minilm()), "case": case, "files": [str(file) for file in files], "seed": seed,
                "folder": str(folder / f"peer{seed}"), "threads": options.threads, "epochs": EPOCHS, "rows": ROWS,
                "rate": RATE, "decay": DECAY, "warm_up": WARM_UP, "clock": options.clock}
    done = subprocess.run([sys.executable, Path(__file__).with_name("accuracy_peer.py"), json.dumps(settings)],
                          stdout=subprocess.PIPE, text=True, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    return said["seconds"], said["right"]


def measure(options, case):
    common.needed("torch", "transformers", "accelerate")
    times, right = ({"heed train": [], "transformers": []} for _ in range(2))
    with tempfile.TemporaryDirectory() as name:
        files = prepared(options, case, Path(name))
        for seed in range(1, options.seeds + 1):
            for way, side in (("heed train", heed), ("transformers", peer)):
                seconds, found = side(options, case, files, Path(name), seed)
                times[way].append(seconds)
                right[way].append(found)
    what = "entity F1" if case == "wnut17" else "accuracy"
    means = {way: sum(each) / len(each) for way, each in right.items()}
    apart = f"≥ −0.3 points: {means['heed train'] - means['transformers']:+.2f}"
    for way, each in right.items():
        common.row(f"{case}, MiniLM, {what}, mean of {options.seeds}", way,
                   f"{means[way]:.2f} ({', '.join(f'{one:.2f}' for one in each)})",
                   goal=apart if way == "transformers" else "")
    common.compared(f"{case}, MiniLM, {EPOCHS} epochs", times, lambda seconds: f"{seconds:.0f} s",
                    {"transformers": TIME_GOAL})


def main():
    made = common.parser(__doc__)
    made.add_argument("--case", default="sst2,trec,wnut17")
    made.add_argument("--seeds", type=int, default=3)
    made.add_argument("--share", type=float, default=1.0)
    options = common.parsed(made)
    if options.tiny:
        options.seeds = 1
    options.rounds = options.seeds
    common.head(options, ["torch", "transformers"])
    common.whole([lambda case=case: measure(options, case) for case in options.case.split(",")])


if __name__ == "__main__":
    main()
