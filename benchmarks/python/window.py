"""A window of 64 + 64 in N2048, B1 H12 D64, forward with backward, beside what torch has with a backward
on a CPU: SDPA with a mask, and SDPA over blocks of 128 queries with the 256 keys that they may see."""

import common
import torch

import heed

sdpa = torch.nn.functional.scaled_dot_product_attention
torch.manual_seed(1)
N, BLOCK, REACH = common.sized(2048, 512), 128, 64
tensors = common.attention_inputs(1, 12, N, 64)
places = torch.arange(N)
mask = (places - places.unsqueeze(1)).abs() <= REACH

# Block b sees keys from BLOCK · b − REACH on; padded at both ends.
queries = torch.arange(BLOCK).unsqueeze(1)
keys = torch.arange(BLOCK + 2 * REACH)
near = (keys >= queries) & (keys <= queries + 2 * REACH)
real = torch.arange(N // BLOCK).view(-1, 1) * BLOCK + keys - REACH
block_mask = near & ((real >= 0) & (real < N)).unsqueeze(1)


def blocks(query, key, value):
    def around(tensor):
        padded = torch.nn.functional.pad(tensor, (0, 0, REACH, REACH))
        return padded.unfold(2, BLOCK + 2 * REACH, BLOCK).transpose(-1, -2).flatten(0, 1)

    query = query.unflatten(2, (-1, BLOCK)).flatten(0, 1)
    output = sdpa(query, around(key), around(value), block_mask)
    return output.flatten(1, 2).unsqueeze(0)


def ours(query, key, value):
    return heed.attention(query, key, value, pattern=heed.window(REACH, REACH))


torch.testing.assert_close(ours(*tensors), blocks(*tensors), rtol=1e-4, atol=1e-5)
common.head()
common.compare(
    "window 64 + 64 of N2048, forward + backward",
    {
        "heed.attention": common.forward_backward(ours, *tensors),
        "SDPA with a mask": common.forward_backward(lambda *x: sdpa(*x, mask), *tensors),
        "SDPA over blocks": common.forward_backward(blocks, *tensors),
    },
    goal="≥ 10",
)
