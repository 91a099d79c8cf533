#!/usr/bin/env python3
"""Tokens a second of a GPT-2 of 124M parameters: heed_bench_decoding, Hugging Face, CTranslate2.

usage: .venv/bin/python benchmarks/decoding_peers.py [PROGRAM] [--rounds N] [--threads N] [--json]

PROGRAM is build/release/benchmarks/heed_bench_decoding unless given. All three have GPT-2's shape
and random weights, begin with 32 tokens and take the likeliest token 128 times; the time of the
prompt is left out. They run in turn, in one run; medians. Needs tools/lock/bench.txt.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import ctranslate2
import torch
import transformers
from ctranslate2.converters.transformers import GPT2Loader

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROMPT, NEW = 32, 128  # those of decoding.cpp
TOKENS_OF_A_RUN = 32  # of decoding.cpp, for each sequence
CASES = {"decode 1": 1, "decode 32": 32}


def heed_speed(options, case):
    """Tokens a second; `case` by its whole name."""
    command = [options.program, "--json", "--filter", case, "--threads", str(options.threads)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    row = next(each for each in map(json.loads, lines)
               if each["case"] == case and each["dtype"] == "float32")
    return CASES[case] * TOKENS_OF_A_RUN / row["heed_ms"] * 1000


def speed_of_the_rest(rows, generate):
    """Tokens a second of generate(count), but for the prompt and its first token."""
    times = []
    for count in (1, NEW + 1):
        start = time.perf_counter()
        generate(count)
        times.append(time.perf_counter() - start)
    return rows * NEW / (times[1] - times[0])


class HuggingFace:
    name = "Hugging Face"

    def __init__(self, model, _):
        self.model = model

    def speed(self, rows):
        prompt = torch.randint(1, 50_000, (rows, PROMPT))

        def generate(count):
            with torch.no_grad():
                out = self.model.generate(prompt, attention_mask=torch.ones_like(prompt),
                                          max_new_tokens=count, min_new_tokens=count,
                                          do_sample=False, pad_token_id=0)
            assert out.shape == (rows, PROMPT + count)

        return speed_of_the_rest(rows, generate)


class CTranslate2:
    name = "CTranslate2"

    def __init__(self, model, threads):
        loader = GPT2Loader()
        spec = loader.get_model_spec(model)
        spec.register_vocabulary([f"t{i}" for i in range(model.config.vocab_size)])
        spec.config.bos_token = spec.config.eos_token = spec.config.unk_token = "t0"
        spec.validate()
        spec.optimize()
        with tempfile.TemporaryDirectory() as directory:
            spec.save(directory)
            self.generator = ctranslate2.Generator(directory, intra_threads=threads,
                                                   compute_type="float32")

    def speed(self, rows):
        prompt = [[f"t{i}" for i in row] for row in torch.randint(1, 50_000, (rows, PROMPT)).tolist()]

        def generate(count):
            out = self.generator.generate_batch(prompt, max_length=count, min_length=count,
                                                include_prompt_in_result=False, sampling_topk=1)
            assert all(len(each.sequences_ids[0]) == count for each in out)

        return speed_of_the_rest(rows, generate)


def measure(options, case, rows, peers):
    speeds = {"Heed": []} | {peer.name: [] for peer in peers}
    for peer in peers:
        peer.speed(rows)  # warms up
    for _ in range(options.rounds):
        speeds["Heed"].append(heed_speed(options, case))
        for peer in peers:
            speeds[peer.name].append(peer.speed(rows))
    medians = {name: statistics.median(each) for name, each in speeds.items()}
    if options.json:
        print(json.dumps({"case": case, "threads": options.threads, "tokens_per_second": medians}))
    else:
        print(case + ": " + ", ".join(f"{name} {speed:.0f} tokens/s ({medians['Heed'] / speed:.2f}x)"
                                      for name, speed in medians.items()))
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?",
                        default=str(ROOT / "build/release/benchmarks/heed_bench_decoding"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config()).eval()
    peers = [peer(model, options.threads) for peer in (HuggingFace, CTranslate2)]
    for case, rows in CASES.items():
        measure(options, case, rows, peers)


if __name__ == "__main__":
    main()
