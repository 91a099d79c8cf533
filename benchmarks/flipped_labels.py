"""How many labels that were made wrong on purpose `heed doctor` finds.

Usage: flipped_labels.py HEED_PROGRAM FILE [DRAWS]

FILE has two classes: `label text` lines as SST-2 has its sentences, or GLUE's table with the columns
"sentence" and "label". Flips 5 % of the labels, drawn anew each time, and prints how many of them stand among as
many suggestions, the surest first; how many suggestions have a probability of at least 0.9, and what share of
these are flipped; and the seconds of the processor.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

SURE = 0.9


def read(file):
    """(label, text) of each line."""
    lines = Path(file).read_text("utf-8").splitlines()
    if lines[0] == "sentence\tlabel":
        return [tuple(reversed(line.rsplit("\t", 1))) for line in lines[1:]]
    return [tuple(line.split(" ", 1)) for line in lines]


def measure(heed, rows, seed, folder):
    one, other = sorted({label for label, _ in rows})
    flipped = set(random.Random(seed).sample(range(len(rows)), len(rows) // 20))
    changed = [({one: other, other: one}[label] if i in flipped else label, text)
               for i, (label, text) in enumerate(rows)]
    file = Path(folder) / "flipped.tsv"
    file.write_text("label\ttext\n" + "".join(f"{label}\t{text}\n" for label, text in changed), "utf-8")
    before = os.times()
    said = subprocess.run([heed, "doctor", file, "--json", "--threads", "1"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False).stdout  # duplicates may stop it
    after = os.times()
    suspects = [(int(each["where"].rsplit(":", 1)[1]) - 2, each["probability"])
                for each in json.loads(said)["suspect_labels"]]
    found = {row for row, _ in suspects[:len(flipped)]} & flipped
    sure = {row for row, probability in suspects if probability >= SURE}
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{seed}\t{len(flipped)}\t{100 * len(found) / len(flipped):.1f} %\t{len(sure)}"
          f"\t{100 * len(sure & flipped) / max(1, len(sure)):.0f} %\t{seconds:.1f}", flush=True)


def main(heed, file, draws="3"):
    rows = read(file)
    print("draw\tflipped\tfound\tsure\tof these flipped\ts of the processor")
    with tempfile.TemporaryDirectory(prefix="heed-flipped-") as folder:
        for seed in range(1, int(draws) + 1):
            measure(heed, rows, seed, folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
