"""A training step of GPT-2 124M: B4 N1024 float32, dropout 0.1, AdamW, through `transformers`."""

import common
import torch
import transformers

torch.manual_seed(1)


def make():
    config = transformers.GPT2Config(**common.sized({}, {"n_layer": 1}))
    return transformers.GPT2LMHeadModel(config).train()


ids = torch.randint(50257, common.sized((4, 1024), (1, 32)))
common.head()
common.compare_steps(
    "GPT-2 124M step, B4 N1024", make, {"input_ids": ids, "labels": ids}, "≥ 1.5, on Zen 5 ≥ 2.2"
)
