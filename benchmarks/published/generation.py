#!/usr/bin/env python3
"""SmolLM2-135M in bfloat16: tokens a second of a prompt of 512 tokens, and of the 128 that follow, one sequence.

usage: .venv/bin/python benchmarks/published/generation.py [--program PATH] [--threads N] [--rounds N]
           [--clock wall|cpu] [--tiny] [--alone]

`heed generate` against `transformers`, greedy. The time of the prompt is that of one new token less that of a
prompt of one token; the time of the following ones is that of 129 new tokens less that of one. The goal of decoding
is a share of what memory gives: bytes read a second, measured here by sums over 512 MiB, over the bytes of the
weights, which each token reads once. --alone leaves `transformers` out: on a CPU without products of bfloat16
its prompt takes long.
"""

import json
import statistics
import tempfile
from pathlib import Path

import common

NEW = 128
GIB = 2**30


def bandwidth(options):
    """Bytes read a second, the best of ten tries."""
    import torch

    values = torch.ones((4 if options.tiny else 512) * 2**20 // 8, dtype=torch.int64)
    return max(values.numel() * 8 / common.timed(options.clock, values.sum)[0] for _ in range(10))


def prompt_of(tokenizer, count):
    """A text of exactly so many tokens, of the sentences of SST-2."""
    texts = " ".join(text for _, text in common.labelled(common.data("sst2", "stsa.binary.train"))[:200])
    ids = tokenizer.encode(texts).ids
    for end in range(count, count + 50):
        text = tokenizer.decode(ids[:end])
        if len(tokenizer.encode(text).ids) == count:
            return text
    raise common.Skip(f"no text of {count} tokens was found")


def heed(options, directory, text, new):
    """Seconds, and the ids."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "prompt.txt"
        file.write_text(text, encoding="utf-8")
        seconds, out, _ = common.run(options, "generate", directory, "--prompt-file", file, "--max-new-tokens", new,
                                     "--temperature", 0, "--dtype", "bfloat16", "--json")
        return seconds, json.loads(out)["ids"]


def transformers_side(directory):
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.bfloat16).eval()
    model.generation_config.eos_token_id = None  # as many tokens as are asked for

    def generate(text, new):
        batch = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            out = model.generate(**batch, max_new_tokens=new, do_sample=False, repetition_penalty=1.0)
        return out[0, batch["input_ids"].shape[1]:].tolist()

    return generate


def measure(options):
    common.needed("torch", "transformers")
    import torch
    from tokenizers import Tokenizer

    length, new = (32, 8) if options.tiny else (512, NEW)
    directory = common.smollm2("bfloat16")
    torch.set_num_threads(options.threads)
    weights = (directory / "model.safetensors").stat().st_size  # the head is the embeddings
    text = prompt_of(Tokenizer.from_file(str(directory / "tokenizer.json")), length)
    generate = None if options.alone else transformers_side(directory)
    if generate:
        generate(text, 2)
    prompt, decoding = ({"heed generate": [], "transformers": []} for _ in range(2))
    same = ""
    speeds = []
    for _ in range(options.rounds):
        speeds.append(bandwidth(options))
        start, one, all_ = (heed(options, directory, *what) for what in (("The", 1), (text, 1), (text, new + 1)))
        prompt["heed generate"].append(one[0] - start[0])
        decoding["heed generate"].append((all_[0] - one[0]) / (len(all_[1]) - 1))
        if not generate:
            continue
        seconds, _ = common.timed(options.clock, lambda: generate(text, 1))
        longer, ids = common.timed(options.clock, lambda: generate(text, new + 1))
        prompt["transformers"].append(seconds)
        decoding["transformers"].append((longer - seconds) / new)
        same = f" ({sum(a == b for a, b in zip(all_[1], ids))} of {len(ids)} the same)"
    common.compared(f"SmolLM2-135M bfloat16, prompt of {length}", prompt,
                    lambda seconds: f"{length / seconds:.0f} tokens/s", {"transformers": "≥ 1.2"})
    medians = common.compared(f"the {new} tokens that follow{same}", decoding,
                              lambda seconds: f"{1 / seconds:.1f} tokens/s", {})
    possible = statistics.median(speeds) / weights
    share = 1 / medians["heed generate"] / possible
    common.row(f"share of {possible:.1f} tokens/s that memory allows ({statistics.median(speeds) / GIB:.1f} GiB/s, "
               f"weights of {weights / 2**20:.0f} MiB)", "heed generate", f"{share:.0%}", goal="≥ 80 %")


def main():
    made = common.parser(__doc__)
    made.add_argument("--alone", action="store_true")
    options = common.parsed(made)
    common.head(options, ["torch", "transformers"])
    common.whole([lambda: measure(options)])


if __name__ == "__main__":
    main()
