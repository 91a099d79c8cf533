"""A fine-tuning step of BERT-base: B8 N128 float32, dropout 0.1, AdamW, through `transformers`."""

import common
import torch
import transformers

torch.manual_seed(1)


def make():
    config = transformers.BertConfig(num_labels=2, **common.sized({}, {"num_hidden_layers": 1}))
    return transformers.BertForSequenceClassification(config).train()


ids = torch.randint(1000, 30000, (8, 128))
batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": torch.randint(2, (8,))}
common.head()
common.compare_steps(
    "BERT-base step, B8 N128", make, batch, "≥ 1.12, on Zen 5 ≥ 1.9", compiled=True
)
