#!/usr/bin/env python3
"""heed::attention against peers that exist in Python only, in one process, in turn, medians.

usage: .venv/bin/python benchmarks/peers.py [LIBHEED] [--json] [--filter TEXT] [--threads N]
                                            [--min-seconds S]

LIBHEED is build/release/folders/libheed.so unless given. Peers: compiled FlexAttention, the formula
of additive attention through torch.compile, and PyTorch Geometric's TransformerConv as a whole
layer (tools/lock/python.txt; the row is skipped where it is not installed). One object a
line with --json, as from heed_bench_attention. Goals are those for 2 cores of AMD Zen 5.
"""

import argparse
import json
import math
import pathlib
import statistics
import sys
import time

import torch
from machine import cpu_name
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASES = []


def case(name, passed, shape, peer, goal=None):
    """Registers a function that returns two callables, Heed's and the peer's."""

    def register(make):
        CASES.append((name, passed, shape, peer, goal, make))
        return make

    return register


def attention(*tensors, **options):
    return torch.ops.heed.attention(*tensors, **options)[0]


def without_gradients(function):
    def run():
        with torch.no_grad():
            return function()

    return run


def with_gradients(function, tensors, grad):
    """Forward and backward; returns the gradient of the second of `tensors`."""

    def run():
        return torch.autograd.grad(function(), tensors, grad)[1]

    return run


def inputs(batch, heads, length, size):
    return [torch.randn(batch, heads, length, size) for _ in range(3)]


# ---- window ------------------------------------------------------------------------------------


@case("window 64+64", "forward", "B1 H8 N2048 D64", "compiled FlexAttention", goal=3)
def window():
    def near(batch, head, i, j):
        return (i - j).abs() <= 64

    tensors = inputs(1, 8, 2048, 64)
    blocks = create_block_mask(near, None, None, 2048, 2048, device="cpu")
    flex = torch.compile(flex_attention)
    return (
        without_gradients(
            lambda: attention(*tensors, pattern="window", pattern_numbers=[64, 64])
        ),
        without_gradients(lambda: flex(*tensors, block_mask=blocks)),
    )


# ---- additive ----------------------------------------------------------------------------------


@torch.compile
def additive_formula(query, key, value, v):
    sums = query.unsqueeze(3) + key.unsqueeze(2)
    scores = (torch.tanh(sums) * v[:, None, None]).sum(-1)
    return torch.softmax(scores, -1) @ value


def additive_sides():
    tensors = inputs(1, 8, 512, 64) + [torch.randn(8, 64) * 0.1]
    *rows, v = tensors
    return (
        tensors,
        lambda: attention(*rows, score="additive", score_parameter=v),
        lambda: additive_formula(*tensors),
    )


@case("additive", "forward", "B1 H8 N512 D64", "compiled formula", goal=15)
def additive_forward():
    _, heed, peer = additive_sides()
    return without_gradients(heed), without_gradients(peer)


@case("additive", "forward+backward", "B1 H8 N512 D64", "compiled formula", goal=20)
def additive_both():
    tensors, heed, peer = additive_sides()
    grad = torch.randn_like(tensors[0])
    for tensor in tensors:
        tensor.requires_grad_()
    return with_gradients(heed, tensors, grad), with_gradients(peer, tensors, grad)


# ---- a graph layer -----------------------------------------------------------------------------

NODES, EDGES, HEADS, SIZE = 169_343, 1_166_243, 8, 16


def random_edges():
    """(2, edges): source and target, none twice, ordered by target and then by source."""
    pairs = torch.randint(NODES * NODES, (EDGES + EDGES // 100,)).unique()
    pairs = pairs[torch.randperm(pairs.numel())[:EDGES]].sort().values
    return torch.stack([pairs % NODES, pairs // NODES])


def graph_sides():
    from torch_geometric.nn import TransformerConv

    layer = TransformerConv(HEADS * SIZE, SIZE, heads=HEADS)
    edges = random_edges()
    offsets = torch.searchsorted(edges[1].contiguous(), torch.arange(NODES + 1))
    columns = edges[0].contiguous()
    x = torch.randn(NODES, HEADS * SIZE)

    # As one writes it with Heed: one product for query, key, value and the skip connection. The
    # weights are the layer's; putting them side by side is part of what is timed, so that the
    # gradients come out for the same tensors on both sides.
    parts = (layer.lin_query, layer.lin_key, layer.lin_value, layer.lin_skip)

    def heed():
        weight = torch.cat([part.weight for part in parts])
        bias = torch.cat([part.bias for part in parts])
        rows = torch.ops.heed.linear(x, weight, bias).view(NODES, 4, HEADS, SIZE)
        *heads, skip = rows.unbind(1)
        heads = [head.transpose(0, 1).unsqueeze(0) for head in heads]
        output = attention(*heads, pattern="graph", pattern_tensors=[offsets, columns])
        return (output.squeeze(0).transpose(0, 1) + skip).reshape(NODES, HEADS * SIZE)

    return [x, *layer.parameters()], heed, lambda: layer(x, edges)


GRAPH = f"{NODES} nodes, {EDGES} edges, H{HEADS} D{SIZE}"


@case("graph layer", "forward", GRAPH, "PyG TransformerConv")
def graph_forward():
    _, heed, peer = graph_sides()
    return without_gradients(heed), without_gradients(peer)


@case("graph layer", "forward+backward", GRAPH, "PyG TransformerConv", goal=10)
def graph_both():
    tensors, heed, peer = graph_sides()
    tensors[0].requires_grad_()
    grad = torch.randn(NODES, HEADS * SIZE)
    return with_gradients(heed, tensors, grad), with_gradients(peer, tensors, grad)


# ---- measuring ---------------------------------------------------------------------------------


def check_same(name, heed, peer):
    error, size = (heed - peer).abs().max().item(), peer.abs().max().item()
    if not error <= 1e-3 * size:
        sys.exit(f"{name}: the results differ by {error} where the largest value is {size}")


def medians(runs, seconds, least):
    """Milliseconds of each, run in turn, at least `least` times."""
    times = [[] for _ in runs]
    end = time.perf_counter() + seconds * len(runs)
    while len(times[0]) < least or time.perf_counter() < end:
        for run, own in zip(runs, times):
            start = time.perf_counter()
            run()
            own.append((time.perf_counter() - start) * 1e3)
    return [statistics.median(own) for own in times]


def rounded(x, digits=4):
    return 0.0 if x == 0 else round(x, digits - 1 - math.floor(math.log10(abs(x))))


def measure(options, name, passed, shape, peer, goal, make):
    torch.manual_seed(1)
    try:
        heed_run, peer_run = make()
    except ModuleNotFoundError as error:
        print(f"{name} {passed}: skipped: not installed: {error.name}", file=sys.stderr)
        return
    check_same(name, heed_run(), peer_run())  # compiles, too
    start = time.perf_counter()
    heed_run(), peer_run()
    # A run of seconds is long enough to be its own average.
    least = 1 if time.perf_counter() - start > 2 else 5
    heed_ms, peer_ms = medians([heed_run, peer_run], options.min_seconds, least)
    speedup = peer_ms / heed_ms
    row = {"case": name, "pass": passed, "dtype": "float32", "shape": shape,
           "heed_ms": rounded(heed_ms), "peer": peer, "peer_ms": rounded(peer_ms),
           "speedup": rounded(speedup), "gflops": None, "peak_share": None,
           "cpu": cpu_name(), "threads": torch.get_num_threads()}
    if goal:
        row |= {"goal": f"≥ {goal}×", "measured": f"{speedup:.2f}×", "met": speedup >= goal}
    if options.json:
        print(json.dumps(row, ensure_ascii=False), flush=True)
        return
    verdict = f"{row['goal']}: {'met' if row['met'] else 'NOT MET'}" if goal else ""
    print(f"{name:16} {passed:18} {heed_ms:10.3f}  {peer:24} {peer_ms:10.3f} {speedup:7.2f}x  "
          f"{verdict}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("library", nargs="?", default=ROOT / "build/release/folders/libheed.so")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--filter", default="", help="the cases whose name, pass and shape hold this")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--min-seconds", type=float, default=0.5, help="for each side of a case")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.ops.load_library(str(options.library))
    for row in CASES:
        name, passed, shape = row[:3]
        if options.filter in f"{name} {passed} float32 {shape}":
            measure(options, *row)


if __name__ == "__main__":
    main()
