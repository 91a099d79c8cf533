#!/usr/bin/env python3
"""Throughput of training by two processes of one thread against one process of two.

A character GPT is trained on a text by `heed train lm` three ways: one process with two threads, two
processes with a thread each that share every batch (data parallel), and two that share the model
(tensor parallel). The three run in turn, and their last losses must agree (nearly for data parallel,
whose processes draw other pieces of the text). Tokens per second are those of the updates after the
first few, by the run's own log; the best round counts.

Usage: processes.py HEED_PROGRAM TEXT [--rounds 3] [--filter TEXT]
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

CONTEXT = 256
WARM_UP = 4  # updates
# name: layers, width, heads, batch, updates
MODELS = {"4 layers x 128": (4, 128, 4, 16, 60), "6 layers x 384": (6, 384, 6, 8, 16)}
# name: processes, options
WAYS = {"1 process x 2 threads": (1, ["--threads", 2]),
        "2 processes x 1 thread, data parallel": (2, ["--threads", 1]),
        "2 processes x 1 thread, tensor parallel": (2, ["--threads", 1, "--tensor-parallel", 2])}
TOLERANCE = 0.05  # of the last loss


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def run(command, processes):
    """Starts as many and waits for all of them."""
    place = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1",
             "MASTER_PORT": str(free_port())}
    running = [subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True,
                                env={**os.environ, **place, "RANK": str(rank),
                                     "LOCAL_RANK": str(rank)})
               for rank in range(processes)]
    for process in running:
        message = process.communicate()[1]
        if process.returncode != 0:
            sys.exit(message)


def measured(program, text, folder, model, way):
    """Tokens per second, and the last loss."""
    layers, width, heads, batch, updates = MODELS[model]
    processes, options = WAYS[way]
    out = Path(tempfile.mkdtemp(dir=folder)) / "model"
    command = [program, "train", "lm", "--train", text, "--valid", folder / "valid.txt",
               "--tokenizer", "characters", "--positions", "learned", "--activation", "gelu",
               "--norm", "layer", "--num-layers", layers,
               "--d-model", width, "--num-heads", heads, "--max-length", CONTEXT, "--batch-size",
               batch,
               "--dropout", 0, "--attention-dropout", 0, "--embedding-dropout", 0,
               "--max-steps", updates, "--eval-steps", 10 ** 9, "--logging-steps", WARM_UP,
               "--out", out, *options]
    run(command, processes)
    lines = [json.loads(line) for line in Path(f"{out}.run", "log.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["event"] == "step"]
    # The log has the mean since the beginning.
    first, last = ((line["step"] * batch * CONTEXT, line["tokens_per_second"])
                   for line in (steps[0], steps[-1]))
    seconds = last[0] / last[1] - first[0] / first[1]
    return (last[0] - first[0]) / seconds, steps[-1]["loss"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--filter", default="", help="only models whose name has this in it")
    options = parser.parse_args()
    program, text = options.program.resolve(), options.text.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "valid.txt").write_text(text.read_text(encoding="utf-8")[:2000], encoding="utf-8")
        for model in (m for m in MODELS if options.filter in m):
            rates, losses = {way: [] for way in WAYS}, {}
            for _ in range(options.rounds):
                for way in WAYS:
                    rate, losses[way] = measured(program, text, folder, model, way)
                    rates[way].append(rate)
            one = next(iter(WAYS))
            for way in WAYS:
                if abs(losses[way] - losses[one]) > TOLERANCE * losses[one]:
                    sys.exit(f"{model}: the losses differ: {losses}")
                best = max(rates[way])
                print(f"{model}: {way:40} {best:9,.0f} tokens/s  "
                      f"{best / max(rates[one]):.2f}x", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
