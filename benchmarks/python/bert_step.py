"""A fine-tuning step of BERT-base: B8 N128 float32, dropout 0.1, AdamW, through `transformers`."""

import common
import torch
import transformers

torch.manual_seed(1)


def make():
    return transformers.BertForSequenceClassification(transformers.BertConfig(num_labels=2)).train()


ids = torch.randint(1000, 30000, (8, 128))
batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": torch.randint(2, (8,))}
common.head()
common.compare_steps("BERT-base step, B8 N128", make, batch)
