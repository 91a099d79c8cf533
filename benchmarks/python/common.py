"""What the benchmarks of the Python package share: two or more ways to do the same, alternating in one
process, and the median of each.

HEED_LIBRARY names the library, THREADS how many threads (2), ROUNDS how many rounds (7; training steps
of whole models: 3). TINY=yes takes small sizes, to see that a case runs. Each script prints its rows as
Markdown: | case | way | milliseconds | times Heed's | goal |, below a line that names the CPU and the
versions.
"""

import os
import statistics
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "benchmarks")]
torch.set_num_threads(int(os.environ.get("THREADS", "2")))
ROUNDS = int(os.environ.get("ROUNDS", "7"))
TINY = os.environ.get("TINY") == "yes"

import heed  # noqa: E402
from machine import cpu_name  # noqa: E402


def sized(real, tiny):
    return tiny if TINY else real


def head():
    print(
        f"{cpu_name()}, {torch.get_num_threads()} threads, torch {torch.__version__}, heed "
        f"{heed.__version__}{', tiny sizes' if TINY else ''}\n"
    )
    print("| case | way | ms | times Heed's | goal |\n|---|---|---:|---:|---|")


def compare(case, ways, goal, repeat=1, rounds=ROUNDS):
    """`ways`: name -> function; the first is Heed's. Runs each once, then all in turn. `goal` is said of
    the fastest of the others."""
    for way in ways.values():
        way()
    times = {name: [] for name in ways}
    for _ in range(sized(rounds, 1)):
        for name, way in ways.items():
            begin = time.perf_counter()
            for _ in range(sized(repeat, 1)):
                way()
            times[name].append((time.perf_counter() - begin) / sized(repeat, 1) * 1e3)
    medians = {name: statistics.median(found) for name, found in times.items()}
    ours, *others = medians.values()
    for name, median in medians.items():
        said = goal if len(others) and median == min(others) else ""
        print(f"| {case} | {name} | {median:.3g} | {median / ours:.2f} | {said} |", flush=True)


def training_step(model, batch):
    """One step of AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)

    def step():
        model(**batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def compare_steps(case, make, batch, goal, compiled=False):
    """Heed's model, the eager one with sdpa, and that compiled where it is asked for."""
    ways = {
        "heed.accelerate": training_step(heed.accelerate(make()), batch),
        "eager": training_step(make(), batch),
    }
    if compiled:
        ways["compiled"] = training_step(torch.compile(make()), batch)
    compare(case, ways, goal, rounds=min(ROUNDS, 3))


def forward_backward(function, *tensors):
    """A function of tensors with gradients, there and back."""
    gradient = torch.ones_like(function(*tensors))

    def way():
        for tensor in tensors:
            tensor.grad = None
        function(*tensors).backward(gradient)

    return way


def backward(function, *tensors):
    """The way back alone."""
    output = function(*tensors)
    gradient = torch.ones_like(output)
    return lambda: torch.autograd.grad(output, tensors, gradient, retain_graph=True)


def attention_inputs(batch, heads, length, size, dtype=torch.float32):
    return [torch.randn(batch, heads, length, size, dtype=dtype, requires_grad=True) for _ in range(3)]
