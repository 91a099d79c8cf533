#!/usr/bin/env python3
"""The side of `transformers` in fine_tuning.py: a pass over all texts for each line of standard input.

usage: fine_tuning_peer.py DIRECTORY TABLE mixed|128|bfloat16|lora eager|compiled|sorted

Prints a JSON object when it is ready and after each pass: wall and CPU seconds, peak memory, tokens of each text. What
a step does is what the Trainer of `transformers` does with its default settings, without the Trainer's own work.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path

import torch
import transformers
from common import clock, peak_bytes

ROWS = 32
WARM_UP = {"compiled": 3}  # batches, of other ways 1: the third length is no longer compiled anew


def batches_of(directory, table, case, way):
    """Dictionaries of tensors, and the tokens of each text."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    rows = [line.split("\t", 1) for line in Path(table).read_text("utf-8").splitlines()[1:]]
    most = 128 if case == "128" else 512
    ids = [tokenizer(text, truncation=True, max_length=most, padding=False) for _, text in rows]
    lengths = [len(each["input_ids"]) for each in ids]
    order = list(range(len(rows)))
    if way == "sorted":
        order.sort(key=lengths.__getitem__)
    batches = []
    for begin in range(0, len(order), ROWS):
        part = order[begin : begin + ROWS]
        batch = tokenizer.pad([ids[i] for i in part], padding="longest", return_tensors="pt")
        batches.append({**batch, "labels": torch.tensor([int(rows[i][0]) for i in part])})
    return batches, lengths


def adapted(model):
    import peft

    return peft.get_peft_model(model, peft.LoraConfig(
        task_type="SEQ_CLS", r=8, lora_alpha=16, lora_dropout=0.0, target_modules=["query", "value"]))


def main():
    directory, table, case, way = sys.argv[1:]
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(1)
    transformers.logging.set_verbosity_error()
    batches, lengths = batches_of(directory, table, case, way)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(directory).train()
    if case == "lora":
        model = adapted(model)
    forward = torch.compile(model) if way == "compiled" else model
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=5e-5, weight_decay=0.01, fused=True)

    def step(batch):
        mixed = torch.autocast("cpu", torch.bfloat16) if case == "bfloat16" else contextlib.nullcontext()
        with mixed:
            loss = forward(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    for batch in batches[:WARM_UP.get(way, 1)]:
        step(batch)
    found = {"tokens": lengths}
    print(json.dumps(found), flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter(), clock("cpu")
        for batch in batches:
            step(batch)
        found |= {"wall": time.perf_counter() - begin[0], "cpu": clock("cpu") - begin[1], "peak": peak_bytes()}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
