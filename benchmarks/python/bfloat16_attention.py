"""Full attention in bfloat16, B1 H12 N2048 D64, forward, and forward with backward, beside SDPA."""

import common
import torch

import heed

sdpa = torch.nn.functional.scaled_dot_product_attention
torch.manual_seed(1)
tensors = common.attention_inputs(1, 12, 2048, 64, torch.bfloat16)
plain = [tensor.detach() for tensor in tensors]
common.head()
common.compare(
    "bfloat16 N2048, forward",
    {"heed.attention": lambda: heed.attention(*plain), "SDPA": lambda: sdpa(*plain)},
)
common.compare(
    "bfloat16 N2048, forward + backward",
    {
        "heed.attention": common.forward_backward(heed.attention, *tensors),
        "SDPA": common.forward_backward(sdpa, *tensors),
    },
)
