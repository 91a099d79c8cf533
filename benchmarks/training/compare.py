#!/usr/bin/env python3
"""Training steps and inference of whole models: Heed against the same model in PyTorch.

usage: .venv/bin/python benchmarks/training/compare.py [PROGRAM] [--json] [--filter TEXT]
                                                       [--threads N] [--min-seconds S] [--no-compile]

PROGRAM is build/release/benchmarks/heed_bench_training unless given; it runs beside and takes turns
with PyTorch eager and compiled (and ONNX Runtime where it is installed), half a second of runs each. Weights and
data are exchanged as safetensors files; the losses of the first steps must agree, or the comparison
stops. A training step is forward, backward, clipping to norm 1 and fused AdamW, without dropout.
"""

import argparse
import contextlib
import copy
import io
import json
import math
import pathlib
import statistics
import sys
import tempfile
import time

import torch
from safetensors.torch import save_file
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from asked import Asked  # noqa: E402
from models import Classifier, Gpt, Stack  # noqa: E402

STEPS_COMPARED = 4
TURN_SECONDS = 0.5
PEAKS = {"float32": 0, "bfloat16": 0}  # GF/s, the largest measured so far
TOLERANCE = {"float32": 2e-4, "bfloat16": 2e-2}


# ---- runs --------------------------------------------------------------------------------------


def autocast(dtype):
    if dtype == "float32":
        return contextlib.nullcontext()
    return torch.autocast("cpu", torch.bfloat16)


def training_step(model, batches, dtype, compiled):
    """A function that makes one step and returns its loss."""
    loss_of = torch.compile(model.loss) if compiled else model.loss
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.01, fused=True)
    done = 0

    def run():
        nonlocal done
        optimizer.zero_grad()
        with autocast(dtype):
            loss = loss_of(*(part[done % len(part)] for part in batches))
        done += 1
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return run


def inference(model, batches, dtype, compiled):
    forward = torch.compile(model) if compiled else model
    x, probe = batches

    def run():
        with torch.inference_mode(), autocast(dtype):
            return (forward(x).float() * probe).mean().item()

    return run


def onnx_inference(model, batches, threads):
    import onnx  # noqa: F401, what torch.onnx.export needs: say so before it stops half way
    import onnxruntime

    x, probe = batches
    file = io.BytesIO()
    torch.onnx.export(model, (x,), file, input_names=["x"], opset_version=17, dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file.getvalue(), options, ["CPUExecutionProvider"])
    return lambda: (torch.from_numpy(session.run(None, {"x": x.numpy()})[0]) * probe).mean().item()


class Heed(Asked):
    """The C++ program, which waits until it is asked for a run."""

    def __init__(self, program, case, dtype, threads, weights, data):
        super().__init__(program, case, dtype, threads, weights, data)
        self.machine = self.answer()

    def run(self):
        """Milliseconds and loss."""
        found = self.ask()
        return found["ms"], found["loss"]


def timed(run):
    def both():
        start = time.perf_counter()
        loss = run()
        return (time.perf_counter() - start) * 1e3, loss

    return both


# ---- cases -------------------------------------------------------------------------------------


def text_of_letters(batches, rows, length, vocabulary):
    """Ids in which a letter says something about the next, so that the loss can fall."""
    start = torch.randint(vocabulary, (batches, rows, 1))
    steps = torch.randint(1, 4, (batches, rows, length))
    return torch.cat([start, start + steps.cumsum(-1)], -1) % vocabulary


def gpt_case(rows, layers, width, heads):
    length, vocabulary = 256, 65

    def make():
        model = Gpt(vocabulary, length, layers, width, heads)
        for parameter in model.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)
        ids = text_of_letters(4, rows, length, vocabulary)
        return model, {"ids": ids, "vocabulary": torch.tensor(vocabulary)}, [ids]

    weights = layers * 12 * width * width + vocabulary * width
    operations = 6 * rows * length * weights + layers * 6 * rows * length * length * width
    return make, operations


def classifier_case():
    def make():
        lengths = torch.randint(30, 51, (4, 32))
        lengths[:, 0] = 50
        ids = torch.randint(1, Classifier.VOCABULARY, (4, 32, 50))
        ids[torch.arange(50) >= lengths[:, :, None]] = 0
        labels = torch.randint(2, (4, 32))
        return (Classifier(), {"ids": ids, "lengths": lengths, "labels": labels},
                [ids, lengths, labels])

    return make, 0


def bert_case():
    rows, length, width, layers = 8, 128, 768, 12

    def make():
        x, probe = torch.randn(rows, length, width), torch.randn(rows, length, width)
        probe *= math.sqrt(probe.numel())  # the mean of output x probe is then of the size of 1
        model = Stack(layers, width, 12, 4 * width).eval()
        return model, {"input": x, "probe": probe}, [x, probe]

    operations = layers * rows * length * (24 * width * width + 4 * length * width)
    return make, operations


STEP = "training step"
GPT6 = ("gpt6x384", "character GPT", STEP, "6 layers x 384, T256 B8", gpt_case(8, 6, 384, 6))
GPT4 = ("gpt4x128", "character GPT", STEP, "4 layers x 128, T256 B16", gpt_case(16, 4, 128, 4))
CLASSIFIER = ("classifier", "sentiment classifier", STEP, "1 layer x 256, B32 N50",
              classifier_case())
BERT = ("bert", "BERT-base encoder", "inference", "12 layers x 768, B8 N128", bert_case())
# The goal: a share of the processor's peak, and how many times as fast as PyTorch eager.
CASES = [
    (*GPT6, "float32", (0.68, 1.1)),
    (*GPT6, "bfloat16", (0.60, 1.1)),
    (*GPT4, "float32", (0.51, 1.1)),
    (*CLASSIFIER, "float32", (None, 3)),
    (*BERT, "float32", (0.82, 1.1)),
    (*BERT, "bfloat16", (0.84, 1.1)),
]


def verdict(goal, share, ratio):
    """Goal, what was measured, and whether that is enough; no share without a peak to compare with."""
    least_share, least_ratio = goal
    parts = [(f"≥ {least_ratio}×", f"{ratio:.2f}×", ratio >= least_ratio)]
    if share and least_share:
        parts.insert(0, (f"≥ {least_share:.0%} of peak", f"{share:.0%}", share >= least_share))
    goals, measured, met = zip(*parts)
    return "; ".join(goals), "; ".join(measured), all(met)


# ---- measuring ---------------------------------------------------------------------------------


def rounded(x, digits=4):
    return 0.0 if x == 0 else round(x, digits - 1 - math.floor(math.log10(abs(x))))


def peers_of(model, batches, options, dtype, step):
    """Name and run of each; every one has its own copy of the weights."""
    make = training_step if step else inference
    peers = {"PyTorch eager": make(copy.deepcopy(model), batches, dtype, False)}
    if options.compile:
        peers["PyTorch compiled"] = make(copy.deepcopy(model), batches, dtype, True)
    if not step and dtype == "float32":
        try:
            peers["ONNX Runtime"] = onnx_inference(model, batches, options.threads)
        except ImportError as error:
            print(f"ONNX Runtime left out: {error}", file=sys.stderr)
    return peers


def check_losses(case, dtype, runs):
    """The first steps, which also compile and warm up; the largest relative difference."""
    worst = 0
    for step in range(STEPS_COMPARED):
        losses = {name: run()[1] for name, run in runs.items()}
        for name, loss in losses.items():
            error = abs(loss - losses["Heed"]) / max(abs(losses["Heed"]), 0.1)
            worst = max(worst, error)
            if not error <= TOLERANCE[dtype]:
                sys.exit(f"{case} {dtype}: step {step}: the losses differ: {losses}")
    return worst


def turn(run):
    """Milliseconds of some runs, one behind the other. A first one is left out: it finds the caches
    full of another program's data, and that program's threads still looking for work."""
    run()
    times, end = [], time.perf_counter() + TURN_SECONDS
    while not times or time.perf_counter() < end:
        times.append(run()[0])
    return times


def medians(runs, seconds):
    """Milliseconds of each, which take turns, at least 3."""
    times = {name: [] for name in runs}
    turns, end = 0, time.perf_counter() + seconds * len(runs)
    while turns < 3 or time.perf_counter() < end:
        turns += 1
        for name, run in runs.items():
            times[name] += turn(run)
    return {name: statistics.median(own) for name, own in times.items()}


def measure(options, folder, key, case, passed, shape, parts, dtype, goal):
    make, operations = parts
    torch.manual_seed(1)
    torch._dynamo.reset()
    model, tensors, batches = make()
    weights, data = f"{folder}/weights.safetensors", f"{folder}/data.safetensors"
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, weights)
    save_file(tensors, data)
    heed = Heed(options.program, key, dtype, options.threads, weights, data)
    peers = peers_of(model, batches, options, dtype, passed == STEP)
    runs = {"Heed": heed.run, **{name: timed(run) for name, run in peers.items()}}
    difference = check_losses(case, dtype, runs)
    times = medians(runs, options.min_seconds)
    heed.close()
    gflops = operations / times["Heed"] / 1e6
    # What else runs can only make a peak look lower.
    peak = PEAKS[dtype] = max(heed.machine[dtype], PEAKS[dtype])
    share = gflops / peak if peak else 0  # a CPU may have no products of bfloat16
    for name in peers:
        row = {"case": case, "pass": passed, "dtype": dtype, "shape": shape,
               "heed_ms": rounded(times["Heed"]), "peer": name, "peer_ms": rounded(times[name]),
               "speedup": rounded(times[name] / times["Heed"]),
               "gflops": rounded(gflops) or None,
               "peak_share": rounded(share) or None,
               "cpu": heed.machine["cpu"], "threads": options.threads,
               "loss_difference": rounded(difference, 2)}
        if name == "PyTorch eager":
            row["goal"], row["measured"], row["met"] = verdict(
                goal, share, times[name] / times["Heed"])
        if options.json:
            print(json.dumps(row, ensure_ascii=False), flush=True)
            continue
        print(f"{case:20} {dtype:8} {shape:24} {row['heed_ms']:9} {name:16} {row['peer_ms']:9} "
              f"{row['speedup']:6}x  {row.get('measured', ''):15} {row.get('goal', '')}",
              flush=True)


def can_compile():
    """torch.compile writes C++ and builds it: that wants a compiler and Python's headers."""
    try:
        torch.compile(lambda x: x + 1)(torch.ones(2))
    except Exception as error:  # torch has a class for each stage of its compiler
        reason = next((line for line in str(error).splitlines() if "error" in line.lower()), error)
        print(f"the compiled model left out: torch.compile does not work here (on Debian: apt-get install g++ "
              f"python3-dev): {reason}", file=sys.stderr)
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", nargs="?",
                        default=ROOT / "build/release/benchmarks/heed_bench_training")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--filter", default="", help="the cases whose name, shape and dtype hold this")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--min-seconds", type=float, default=3, help="for each side of a case")
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.compile = options.compile and can_compile()
    with tempfile.TemporaryDirectory() as folder:
        for key, case, passed, shape, parts, dtype, goal in CASES:
            if options.filter in f"{key} {case} {passed} {shape} {dtype}":
                measure(options, folder, key, case, passed, shape, parts, dtype, goal)


if __name__ == "__main__":
    main()
