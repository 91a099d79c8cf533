"""Full attention in bfloat16, B1 H12 N2048 D64, forward and backward, beside SDPA."""

import common
import torch

import heed

sdpa = torch.nn.functional.scaled_dot_product_attention
torch.manual_seed(1)
tensors = common.attention_inputs(
    *common.sized((1, 12, 2048, 64), (1, 2, 64, 16)), torch.bfloat16
)
plain = [tensor.detach() for tensor in tensors]
common.head()
common.compare(
    "bfloat16 N2048, forward",
    {"heed.attention": lambda: heed.attention(*plain), "SDPA": lambda: sdpa(*plain)},
    goal="≥ 2.2",
)
common.compare(
    "bfloat16 N2048, backward",
    {
        "heed.attention": common.backward(heed.attention, *tensors),
        "SDPA": common.backward(sdpa, *tensors),
    },
    goal="≥ 1.5",
)
