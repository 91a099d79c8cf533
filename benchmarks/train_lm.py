#!/usr/bin/env python3
"""nanoGPT's CPU configuration on tinyshakespeare: `heed train lm` against a plain PyTorch loop.

4 layers, 4 heads, 128 wide, context 64, batches of 12, no dropout, AdamW. The two run in turn, a few
hundred updates each; time is that of the updates alone (a longer run less a shorter one).

Usage: train_lm.py HEED_PROGRAM TEXT [--max-steps 200] [--rounds 3] [--threads 2]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

LAYERS, HEADS, WIDTH, CONTEXT, BATCH = 4, 4, 128, 64, 12


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        b, n, _ = x.shape
        q, k, v = (part.view(b, n, HEADS, -1).transpose(1, 2)
                   for part in self.qkv(self.norm1(x)).split(WIDTH, dim=2))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(b, n, WIDTH))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Model(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.layers = nn.Sequential(*(Layer() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, vocabulary, bias=False)
        self.head.weight = self.tokens.weight
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, ids):
        x = self.tokens(ids) + self.places(torch.arange(ids.shape[1]))
        return self.head(self.norm(self.layers(x)))


def torch_seconds(text, steps):
    torch.manual_seed(1)
    letters = {c: i for i, c in enumerate(sorted(set(text)))}
    ids = torch.tensor([letters[c] for c in text])
    model = Model(len(letters))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99),
                                  weight_decay=0.1, fused=True)
    begin = time.perf_counter()
    for step in range(steps + 20):
        if step == 20:  # the first ones are a warm-up
            begin = time.perf_counter()
        starts = torch.randint(len(ids) - CONTEXT - 1, (BATCH,)).tolist()
        x = torch.stack([ids[i:i + CONTEXT] for i in starts])
        y = torch.stack([ids[i + 1:i + CONTEXT + 1] for i in starts])
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return time.perf_counter() - begin


def heed_seconds(program, text_file, steps, threads, folder):
    def run(count):
        command = [program, "train", "lm", "--train", text_file, "--valid", folder / "valid.txt",
                   "--tokenizer", "characters", "--positions", "learned", "--activation", "gelu",
                   "--norm", "layer", "--num-layers", LAYERS,
                   "--d-model", WIDTH, "--num-heads", HEADS, "--max-length", CONTEXT,
                   "--batch-size", BATCH,
                   "--dropout", 0, "--attention-dropout", 0, "--embedding-dropout", 0, "--lr", 1e-3,
                   "--beta2", 0.99, "--weight-decay", 0.1, "--max-grad-norm", 1, "--max-steps",
                   count,
                   "--eval-steps", 10 ** 9, "--threads", threads, "--logging-steps", 10 ** 9,
                   "--out", Path(tempfile.mkdtemp(dir=folder)) / "model"]
        begin = time.perf_counter()
        subprocess.run([str(word) for word in command], check=True, capture_output=True)
        return time.perf_counter() - begin

    return run(steps + 20) - run(20)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("text")
    parser.add_argument("--max-steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    text = Path(options.text).read_text(encoding="utf-8")
    times = {"heed": [], "torch": []}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "valid.txt").write_text(text[:2000], encoding="utf-8")
        for _ in range(options.rounds):
            times["heed"].append(heed_seconds(Path(options.program).resolve(), options.text,
                                              options.max_steps, options.threads, Path(folder)))
            times["torch"].append(torch_seconds(text, options.max_steps))
    best = {name: 1000 * min(all_times) / options.max_steps for name, all_times in times.items()}
    for name, milliseconds in best.items():
        print(f"{name:6} {milliseconds:7.2f} ms an update")
    print(f"heed is {best['torch'] / best['heed']:.2f} times as fast")
    return 0


if __name__ == "__main__":
    sys.exit(main())
