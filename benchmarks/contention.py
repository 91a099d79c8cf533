#!/usr/bin/env python3
"""Training, generation and prediction beside other processes that compute: Heed with its default
threads, Heed with one thread, and PyTorch.

usage: .venv/bin/python benchmarks/contention.py [PROGRAM] [--busy 0,1,4] [--rounds 5] [--minutes 8]
                                                 [--filter TEXT] [--json] [--no-torch]

PROGRAM is build/release/heed unless given. While PROGRAM and PyTorch take turns (each in a process of
its own, one at a time), as many other processes as --busy says compute without end. Rates are those
that each side measures itself, loading left out but for prediction; medians of all rounds, of which
there are fewer where all together would take more than --minutes.

Goals, beside one and four busy processes: at most 1.3 times as slow as one thread in the same
conditions, and never slower than PyTorch there, with as many threads as PyTorch takes by itself or
with one; with none, no loss against one thread.
"""

import argparse
import contextlib
import functools
import json
import math
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

from asked import Asked

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks" / "training"))

LETTERS = "abcdefghijklmnopqrstuvwxyz ,.\n"
LAYERS, WIDTH, HEADS, CONTEXT, BATCH = 4, 128, 4, 128, 8
UPDATES, WARM_UP = 40, 10
TOKENS = 1000  # generated
TEXTS = 10_000  # classified
LONGEST = 6  # seconds; PyTorch, which may be a hundred times as slow beside others, ends behind them
SLOWEST = 1.3  # times one thread
WORK = {"training": ("tokens/s", f"character GPT {LAYERS} x {WIDTH}, T{CONTEXT} B{BATCH}"),
        "generation": ("tokens/s", f"character GPT {LAYERS} x {WIDTH}, 1 sequence"),
        "prediction": ("texts/s", "classifier 1 x 256, 20 words")}


# ---- Heed --------------------------------------------------------------------------------------


def heed(program, *words, **settings):
    done = subprocess.run([str(word) for word in (program, *words)], text=True,
                          capture_output=True, **settings)
    if done.returncode != 0:
        sys.exit(f"{program} {words[0]}: {done.stderr}")
    return done


class Heed:
    """The three commands over data and models of their own."""

    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        choose = random.Random(1)
        text = "".join(choose.choices(LETTERS, k=200_000))
        (self.folder / "train.txt").write_text(text)
        (self.folder / "valid.txt").write_text(text[:2000])
        words = ["".join(choose.choices(LETTERS[:26], k=5)) for _ in range(5000)]
        lines = [" ".join(choose.choices(words, k=20)) for _ in range(TEXTS)]
        (self.folder / "texts.txt").write_text("\n".join(lines) + "\n")
        table = "".join(f"{i % 2}\t{line}\n" for i, line in enumerate(lines[:400]))
        (self.folder / "table.tsv").write_text("label\ttext\n" + table)

    def train_models(self):
        self.train_lm(self.folder / "lm", None, 5)
        heed(self.program, "train", "classify", "--train", self.folder / "table.tsv", "--valid",
             self.folder / "table.tsv", "--out", self.folder / "classifier", "--epochs", 1)

    def train_lm(self, out, threads, updates):
        heed(self.program, "train", "lm", "--train", self.folder / "train.txt", "--valid",
             self.folder / "valid.txt", "--tokenizer", "characters", "--positions", "learned",
             "--num-layers", LAYERS, "--d-model", WIDTH, "--num-heads", HEADS, "--max-length",
             CONTEXT,
             "--batch-size", BATCH, "--dropout", 0, "--attention-dropout", 0,
             "--embedding-dropout", 0, "--max-steps", updates, "--eval-steps", 10 ** 9,
             "--logging-steps", min(WARM_UP, updates), "--out", out, *self.threads(threads))

    @staticmethod
    def threads(count):
        return ["--threads", count] if count else []

    def training(self, threads):
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            out = pathlib.Path(name) / "model"
            self.train_lm(out, threads, UPDATES)
            log = pathlib.Path(f"{out}.run", "log.jsonl").read_text().splitlines()
        steps = [line for line in map(json.loads, log) if line["event"] == "step"]
        # The log has the mean since the beginning.
        tokens = [line["step"] * BATCH * CONTEXT for line in (steps[0], steps[-1])]
        seconds = [count / line["tokens_per_second"]
                   for count, line in zip(tokens, (steps[0], steps[-1]))]
        return (tokens[1] - tokens[0]) / (seconds[1] - seconds[0])

    def generation(self, threads):
        done = heed(self.program, "generate", self.folder / "lm", "--prompt", "a",
                    "--max-new-tokens",
                    TOKENS, "--json", *self.threads(threads))
        return json.loads(done.stdout)["tokens_per_second"]

    def prediction(self, threads):
        start = time.perf_counter()
        heed(self.program, "predict", self.folder / "classifier", self.folder / "texts.txt",
             *self.threads(threads))
        return TEXTS / (time.perf_counter() - start)


# ---- PyTorch, in a process of its own ----------------------------------------------------------


def torch_training():
    import torch
    from models import Gpt

    model = Gpt(len(LETTERS), CONTEXT, LAYERS, WIDTH, HEADS)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, fused=True)
    start = 0
    for step in range(UPDATES):
        if step == WARM_UP:
            start = time.perf_counter()
        optimizer.zero_grad()
        model.loss(torch.randint(len(LETTERS), (BATCH, CONTEXT + 1))).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if start and time.perf_counter() - start > LONGEST:
            break
    return (step + 1 - WARM_UP) * BATCH * CONTEXT / (time.perf_counter() - start)


def torch_generation():
    import torch
    from models import Gpt
    from torch.nn import functional as F

    model = Gpt(len(LETTERS), CONTEXT, LAYERS, WIDTH, HEADS).eval()
    layers = [getattr(model.decoder, f"layer_{i}") for i in range(LAYERS)]
    caches = [torch.zeros(2, 1, HEADS, CONTEXT, WIDTH // HEADS) for _ in layers]

    def token_after(token, place):
        x = model.input.embedding(token) + model.input.positions.table[place]
        for layer, cache in zip(layers, caches):
            attention = layer.attention
            q, k, v = attention.query_key_value(layer.attention_norm(x)).view(
                3, 1, HEADS, 1, WIDTH // HEADS)
            cache[0, :, :, place], cache[1, :, :, place] = k[:, :, 0], v[:, :, 0]
            mixed = F.scaled_dot_product_attention(q, *cache[:, :, :, :place + 1])
            x = x + attention.output(mixed.view(1, WIDTH))
            x = x + layer.feed_forward(layer.feed_forward_norm(x))
        return F.linear(model.decoder.final_norm(x), model.input.embedding.weight).argmax(-1)

    with torch.inference_mode():
        token = torch.zeros(1, dtype=torch.long)
        start = time.perf_counter()
        for i in range(TOKENS):
            token = token_after(token, i % CONTEXT)
            if time.perf_counter() - start > LONGEST:
                break
        return (i + 1) / (time.perf_counter() - start)


def torch_prediction():
    """From ids on: without reading and cutting the texts, which the time of Heed includes."""
    import torch
    from models import Classifier

    model, rows = Classifier().eval(), 64
    with torch.inference_mode():
        lengths, labels = torch.full((rows,), 20), torch.zeros(rows, dtype=torch.long)
        start = time.perf_counter()
        for batch in range(TEXTS // rows):
            model.loss(torch.randint(1, 10_000, (rows, 20)), lengths, labels)
            if time.perf_counter() - start > LONGEST:
                break
        return (batch + 1) * rows / (time.perf_counter() - start)


def as_peer(threads):
    """Measures what each line of standard input names."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    works = {"training": torch_training, "generation": torch_generation,
             "prediction": torch_prediction}
    for line in sys.stdin:
        print(works[line.strip()](), flush=True)


class Torch(Asked):
    """PyTorch in a process that stays, so that it is loaded once."""

    def __init__(self, threads):
        super().__init__(sys.executable, __file__, "--peer", "--threads", threads or 0)

    def rate(self, work):
        return self.ask(work)


# ---- measuring ---------------------------------------------------------------------------------


@contextlib.contextmanager
def busy(count):
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in others:
            process.kill()
            process.wait()


def cpu_name():
    text = pathlib.Path("/proc/cpuinfo").read_text()

    def field(name):
        return re.search(rf"^{name}\s*:\s*(.*)$", text, re.M).group(1)

    return f"{field('model name')} (family {field('cpu family')}, model {field('model')})"


def rounded(x, digits=4):
    return round(x, digits - 1 - math.floor(math.log10(x)))


def rows_of(work, count, rates):
    """As tools/bench_table.py reads them; milliseconds are those of a thousand tokens or texts."""
    unit, shape = WORK[work]
    medians = {name: statistics.median(values) for name, values in rates.items()}
    name = f"{work}, {count or 'no'} busy process{'' if count == 1 else 'es'}"
    for peer in medians:
        if peer == "Heed":
            continue
        ratio = medians["Heed"] / medians[peer]
        # Beside others the scheduler decides much; alone, two runs of one program differ by some %.
        least = 1 / SLOWEST if peer.startswith("Heed") and count > 0 else 0.95 if count == 0 else 1
        yield {"case": name, "pass": unit, "dtype": "float32", "shape": shape,
               "heed_ms": rounded(1e6 / medians["Heed"]), "peer": peer,
               "peer_ms": rounded(1e6 / medians[peer]), "speedup": rounded(ratio),
               "cpu": cpu_name(), "threads": len(os.sched_getaffinity(0)),
               "rounds": len(rates[peer]), "goal": f"≥ {least:.2g}×", "measured": f"{ratio:.2f}×",
               "met": ratio >= least}


def measure(options, runner, peers):
    """The rates of each side of each case: {(count, work): {side: [rate of each round]}}."""
    works = [name for name in WORK if options.filter in name]
    counts = [int(count) for count in options.busy.split(",")]
    rates = {(count, work): {} for count in counts for work in works}
    start = time.perf_counter()
    for done in range(options.rounds):
        # The next round takes about as long as those before it.
        if done > 0 and (time.perf_counter() - start) * (done + 1) / done > 60 * options.minutes:
            break
        for count in counts:
            with busy(count):
                for work in works:
                    heed_rate = getattr(runner, work)
                    sides = {"Heed": functools.partial(heed_rate, None),
                             "Heed, 1 thread": functools.partial(heed_rate, 1)}
                    for name, peer in peers.items():
                        sides[name] = functools.partial(peer.rate, work)
                    for name, side in sides.items():
                        rates[count, work].setdefault(name, []).append(side())
    return rates


def show(row, as_json):
    if as_json:
        print(json.dumps(row, ensure_ascii=False))
    else:
        print(f"{row['case']:34} {1e6 / row['heed_ms']:10,.0f} {row['pass']:9} {row['peer']:18} "
              f"{1e6 / row['peer_ms']:10,.0f}  {row['measured']:8} {row['goal']:8} "
              f"{'yes' if row['met'] else 'NO'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", nargs="?", type=pathlib.Path, default=ROOT / "build/release/heed")
    parser.add_argument("--busy", default="0,1,4", help="how many other processes compute")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=8, help="that all of it may take, about")
    parser.add_argument("--filter", default="", help="only the work whose name holds this")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--no-torch", dest="torch", action="store_false")
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return as_peer(options.threads)
    peers = {}
    if options.torch:
        peers = {"PyTorch": Torch(None), "PyTorch, 1 thread": Torch(1)}
    with tempfile.TemporaryDirectory() as folder:
        runner = Heed(options.program.resolve(), folder)
        runner.train_models()
        for (count, work), sides in measure(options, runner, peers).items():
            for row in rows_of(work, count, sides):
                show(row, options.json)
    for peer in peers.values():
        peer.close()


if __name__ == "__main__":
    main()
