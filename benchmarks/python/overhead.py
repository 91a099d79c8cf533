"""What a call costs beside its work: B1 H4 N16 D64, forward with backward, beside SDPA."""

import common
import torch

import heed

torch.manual_seed(1)
torch.set_num_threads(1)
tensors = common.attention_inputs(1, 4, 16, 64)
common.head()
common.compare(
    "B1 H4 N16 D64, forward + backward",
    {
        "heed.attention": common.forward_backward(heed.attention, *tensors),
        "SDPA": common.forward_backward(torch.nn.functional.scaled_dot_product_attention, *tensors),
    },
    goal="≥ 1",
    repeat=500,
)
