#!/usr/bin/env python3
"""Fine-tuning a model of BERT-base's shape on texts of SST-2: examples a second, and peak memory.

usage: .venv/bin/python benchmarks/published/fine_tuning.py [--case mixed,128,bfloat16,lora] [--ways eager,compiled]
           [--batches N] [--layers N] [--program PATH] [--threads N] [--rounds N] [--clock wall|cpu] [--tiny]

`heed train classify --from DIR` against `transformers` in a process of its own (fine_tuning_peer.py): the same texts
in batches of 32, AdamW, gradients clipped at norm 1, dropout 0.1, random weights. A round is a pass of each side over
all texts while the others are stopped. Heed warms up by a pass, PyTorch by a batch (compiled: three). The peer's
batches are Hugging Face's Trainer's: texts in random order, padded to the longest. Heed makes batches of texts of
similar length, as `heed train` always does; the way "eager, Heed's batches" gives PyTorch that advantage too. The
texts are whole batches out of 50 that were sorted by length, evenly spread, so that a few show what an epoch costs. The
rows say how many tokens each side computes, padding among them. Cases:

    mixed      texts as they are, float32
    128        every text cut from joined sentences at 128 tokens, float32
    bfloat16   as mixed; --dtype bfloat16 against torch.autocast
    lora       as mixed; --lora-r 8 against peft, r 8 on queries and values

--layers takes so many of the 12 layers, which is enough for a first look at what a layer costs.
"""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import common
from asked import Asked

ROWS = 32
WINDOW = 50  # batches among which `heed train` sorts by length
GOALS = {"mixed": "≥ 1.6; ≥ 2.5 on Zen 5", "128": "≥ 1.15; ≥ 1.9 on Zen 5", "bfloat16": "≥ 1.5",
         "lora": "≥ 1.6"}
OPTIONS = {"mixed": [], "128": ["--max-length", 128], "bfloat16": ["--dtype", "bfloat16"], "lora": ["--lora-r", 8]}
WAYS = {"eager": "transformers eager", "compiled": "transformers compiled", "sorted": "eager, Heed's batches"}


def texts(options, case, directory):
    """(label, text): as many batches as are asked for, in random order, of every length as often as in the data."""
    from tokenizers import Tokenizer

    rows = common.labelled(common.data("sst2", "stsa.binary.train"))
    draw = random.Random(1)
    draw.shuffle(rows)
    if case == "128":
        joined = [" ".join(text for _, text in rows[i : i + 20]) for i in range(options.batches * ROWS)]
        return [(rows[i][0], text) for i, text in enumerate(joined)]
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.no_padding()
    window = sorted(rows[: WINDOW * ROWS], key=lambda row: len(tokenizer.encode(row[1]).ids))
    begins = [int((i + 0.5) * WINDOW / options.batches) * ROWS for i in range(options.batches)]
    chosen = [row for begin in begins for row in window[begin : begin + ROWS]]
    draw.shuffle(chosen)
    return chosen


def padded(lengths):
    """Tokens of batches in this order."""
    parts = [lengths[begin : begin + ROWS] for begin in range(0, len(lengths), ROWS)]
    return sum(max(part) * len(part) for part in parts)


class Heed:
    """A run of `heed train classify`, of which each turn is an epoch."""

    def __init__(self, options, case, directory, folder, table):
        self.clock, self.steps, self.done = options.clock, options.batches, 0
        one = common.write_table(folder / "valid.tsv", [("0", "bad"), ("1", "good")])
        self.log = folder / "out.run" / "log.jsonl"
        self.paused = common.Paused(common.command(
            options, "train", "classify", "--from", directory, "--train", table, "--valid", one, "--out",
            folder / "out", "--batch-size", ROWS, "--epochs", options.rounds + 2, "--eval-steps", 10**8,
            "--logging-steps", 1, "--lr-scheduler", "constant", "--warmup-ratio", 0, *OPTIONS[case]))

    def steps_done(self):
        """The run's log is short: reading all of it takes no time beside a step."""
        return sum(line["event"] == "step" for line in common.log_lines(self.log))

    def turn(self):
        self.done += self.steps
        begin = common.clock(self.clock, self.paused.process)
        self.paused.go_on()
        while self.steps_done() < self.done:
            time.sleep(0.05)
            if self.paused.process.poll() is not None:
                sys.exit(self.paused.process.stderr.read())
        seconds = common.clock(self.clock, self.paused.process) - begin
        self.paused.stop()
        return seconds

    def peak(self):
        return common.peak_bytes(self.paused.process.pid)

    def end(self):
        self.paused.end()


class Peer:
    """fine_tuning_peer.py, which waits to be asked for an epoch."""

    def __init__(self, options, case, directory, table, way):
        self.clock = options.clock
        self.peer = Asked(sys.executable, Path(__file__).with_name("fine_tuning_peer.py"), directory, table, case, way)
        self.said = self.peer.answer()

    def turn(self):
        self.said = self.peer.ask()
        return self.said[self.clock]

    def peak(self):
        return self.said["peak"]

    def end(self):
        self.peer.close()


def measure(options, case):
    common.needed("torch", "transformers", *(["peft"] if case == "lora" else []))
    directory = common.bert(*((2, 64, 2) if options.tiny else (options.layers, 768, 12)))
    with tempfile.TemporaryDirectory(dir=common.KEPT) as name:
        table = common.write_table(Path(name) / "train.tsv", texts(options, case, directory))
        sides = {}
        try:
            sides["heed"] = Heed(options, case, directory, Path(name), table)
            sides["heed"].turn()  # warms up
            for way in options.ways.split(","):
                sides[WAYS[way]] = Peer(options, case, directory, table, way)
            times = {way: [] for way in sides}
            for _ in range(options.rounds):
                for way, side in sides.items():
                    times[way].append(side.turn())
            peaks = {way: side.peak() for way, side in sides.items()}
            lengths = next(side.said["tokens"] for side in sides.values() if isinstance(side, Peer))
        finally:
            for side in sides.values():
                side.end()
    model = "BERT-base" if options.layers == 12 else f"{options.layers} layers of BERT-base"
    said = (f"{model}, {case}: {len(lengths)} texts, {sum(lengths)} tokens; padded by Heed {padded(sorted(lengths))}, "
            f"by the Trainer {padded(lengths)}")
    examples = options.batches * ROWS
    fastest = min(list(times)[1:], key=lambda way: statistics.median(times[way]))
    common.compared(said, times, lambda seconds: f"{examples / seconds:.2f} examples/s", {fastest: GOALS[case]})
    for number, (way, peak) in enumerate(peaks.items()):
        common.row(f"{model}, {case}, peak memory", way, f"{peak / 2**20:.0f} MiB",
                   peak / peaks["heed"] if number else None, "≥ 1" if number else "")


def main():
    made = common.parser(__doc__)
    made.add_argument("--case", default="mixed,128,bfloat16,lora")
    made.add_argument("--ways", default="eager,compiled,sorted")
    made.add_argument("--batches", type=int, default=6, help="of a pass")
    made.add_argument("--layers", type=int, default=12)
    options = common.parsed(made)
    if options.tiny:
        options.batches = 2
    common.head(options, ["torch", "transformers", "peft"])
    common.whole([lambda case=case: measure(options, case) for case in options.case.split(",")])


if __name__ == "__main__":
    main()
