"""A training step of the shape of ModernBERT-base: B1 N2048, window 128, through `transformers`."""

import common
import torch
import transformers

torch.manual_seed(1)


def make():
    return transformers.ModernBertForMaskedLM(transformers.ModernBertConfig()).train()


ids = torch.randint(1000, 50000, (1, 2048))
common.head()
common.compare_steps("ModernBERT-base step, B1 N2048", make, {"input_ids": ids, "labels": ids})
