"""A training step of GPT-2 124M: B4 N1024 float32, dropout 0.1, AdamW, through `transformers`."""

import common
import torch
import transformers

torch.manual_seed(1)


def make():
    return transformers.GPT2LMHeadModel(transformers.GPT2Config()).train()


ids = torch.randint(50257, (4, 1024))
common.head()
common.compare_steps("GPT-2 124M step, B4 N1024", make, {"input_ids": ids, "labels": ids})
