#!/usr/bin/env python3
"""Seconds of an epoch of a recommender: `heed train recommend` and the same model in PyTorch.

usage: .venv/bin/python benchmarks/recommend_peers.py INTERACTIONS [--program HEED] [--threads N]

INTERACTIONS: `user item` in order of time. The model of PyTorch has nn.TransformerEncoder with the sizes,
dropout and loss (sampled softmax, negatives shared by a batch) of Heed's defaults, Adam fused, and
histories filled up to 50 items, as implementations of SASRec have them; `torch, short`: filled up to
the longest of the batch, those of similar length together, as Heed does. Heed's time is that of a run of
two epochs less that of one, both with one validated user.
"""

import argparse
import collections
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from torch import nn
from torch.nn import functional

ROOT = pathlib.Path(__file__).resolve().parent.parent
LENGTH, WIDTH, HEADS, LAYERS, HIDDEN = 50, 64, 2, 2, 256
BATCH, NEGATIVES, DROPOUT = 128, 128, 0.5


class Recommender(nn.Module):
    def __init__(self, items):
        super().__init__()
        self.items = nn.Embedding(items, WIDTH)
        nn.init.normal_(self.items.weight, std=0.02)
        self.positions = nn.Parameter(0.02 * torch.randn(LENGTH, WIDTH))
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, HIDDEN, DROPOUT, "gelu", batch_first=True,
                                           norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(WIDTH),
                                             enable_nested_tensor=False)
        self.dropout = nn.Dropout(DROPOUT)

    def loss(self, ids, targets, real):
        count = ids.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(count)
        states = self.encoder(self.dropout(self.items(ids) + self.positions[:count]), mask,
                              is_causal=True)[real]
        wanted = targets[real]
        drawn = torch.randint(self.items.num_embeddings, (NEGATIVES,))
        positive = (states * self.items(wanted)).sum(-1, keepdim=True)
        negative = states @ self.items(drawn).T
        negative = negative.masked_fill(drawn == wanted[:, None], -torch.inf)
        return functional.cross_entropy(torch.cat([positive, negative], 1),
                                        torch.zeros(len(wanted), dtype=torch.long))


def histories_of(file):
    histories, numbers = collections.defaultdict(list), {}
    for line in open(file):
        user, item = line.split()[:2]
        histories[user].append(numbers.setdefault(item, len(numbers)))
    return [torch.tensor(each[:-2][-LENGTH - 1 :]) for each in histories.values() if len(each) > 3], len(
        numbers
    )


def torch_epoch(histories, items, short):
    model = Recommender(items)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), fused=True)
    order = torch.randperm(len(histories)).tolist()
    if short:
        order.sort(key=lambda i: len(histories[i]))
    start = time.perf_counter()
    for first in range(0, len(order), BATCH):
        rows = [histories[i] for i in order[first : first + BATCH]]
        width = max(map(len, rows)) - 1 if short else LENGTH
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        targets = torch.zeros_like(ids)
        real = torch.zeros_like(ids, dtype=torch.bool)
        for i, row in enumerate(rows):
            ids[i, : len(row) - 1] = row[:-1]
            targets[i, : len(row) - 1] = row[1:]
            real[i, : len(row) - 1] = True
        optimizer.zero_grad()
        model.loss(ids, targets, real).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
    return time.perf_counter() - start


def heed_epoch(options):
    seconds = []
    for epochs in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            command = [options.program, "train", "recommend", "--train", options.interactions, "--out",
                       f"{folder}/model", "--valid-users", "1", "--epochs", str(epochs), "--threads",
                       str(options.threads)]
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
    return seconds[1] - seconds[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("interactions")
    parser.add_argument("--program", default=ROOT / "build/release/heed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    histories, items = histories_of(options.interactions)
    ways = {
        "heed": lambda: heed_epoch(options),
        "torch": lambda: torch_epoch(histories, items, short=False),
        "torch, short": lambda: torch_epoch(histories, items, short=True),
    }
    seconds = {name: [] for name in ways}
    for _ in range(options.rounds):  # in turn, so that none has the quiet moments
        for name, run in ways.items():
            seconds[name].append(run())
    best = statistics.median(seconds["heed"])
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"{name:14} {median:8.2f} s an epoch  {median / best:6.2f}")


if __name__ == "__main__":
    sys.exit(main())
