"""Attention with dropout 0.1, B8 H12 N512 D64, forward with backward, beside SDPA."""

import common
import torch

import heed

sdpa = torch.nn.functional.scaled_dot_product_attention
torch.manual_seed(1)
tensors = common.attention_inputs(*common.sized((8, 12, 512, 64), (1, 2, 32, 16)))
common.head()
common.compare(
    "dropout 0.1, N512, forward + backward",
    {
        "heed.attention": common.forward_backward(lambda *x: heed.attention(*x, dropout=0.1), *tensors),
        "SDPA": common.forward_backward(lambda *x: sdpa(*x, dropout_p=0.1), *tensors),
    },
    goal="≥ 4",
)
