"""A training step of the shape of ModernBERT-base: B1 N2048, window 128, through `transformers`."""

import common
import torch
import transformers

torch.manual_seed(1)


def make():
    config = transformers.ModernBertConfig(**common.sized({}, {"num_hidden_layers": 2}))
    return transformers.ModernBertForMaskedLM(config).train()


ids = torch.randint(1000, 50000, common.sized((1, 2048), (1, 256)))
common.head()
common.compare_steps(
    "ModernBERT-base step, B1 N2048", make, {"input_ids": ids, "labels": ids}, "≥ 2.0"
)
