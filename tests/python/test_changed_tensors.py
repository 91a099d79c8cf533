"""Tensors that hold what torch does not expect: booleans of other bytes than 0 and 1, and tensors that are changed
between the forward pass and the backward pass.

usage: test_changed_tensors.py LIBHEED
"""

import sys
import unittest

import torch

ops = None
B, H, HK, NQ, NK, D, DV = 2, 4, 2, 5, 7, 3, 2


def tensors(dtype=torch.float32):
    torch.manual_seed(1)
    return (
        torch.randn(B, H, NQ, D, dtype=dtype),
        torch.randn(B, HK, NK, D, dtype=dtype),
        torch.randn(B, HK, NK, DV, dtype=dtype),
    )


class Bytes(unittest.TestCase):
    def test_every_byte_but_0_is_true(self):
        torch.manual_seed(2)
        bytes_ = torch.randint(0, 4, (NQ, NK), dtype=torch.uint8) * 85
        strange, plain = bytes_.view(torch.bool), bytes_ != 0
        for dtype in (torch.float32, torch.bfloat16, torch.float64):
            arguments = tensors(dtype)
            for kind, numbers in (("mask", []), ("block_sparse", [1, 1])):
                found, expected = (
                    ops.attention(
                        *arguments,
                        pattern=kind,
                        pattern_tensors=[table],
                        pattern_numbers=numbers,
                    )
                    for table in (strange, plain)
                )
                self.assertTrue(torch.equal(found[0], expected[0]), (kind, dtype))


class ChangedInPlace(unittest.TestCase):
    """What a backward pass needs again must be what it was: autograd sees that it is not."""

    def refused(self, change, **options):
        q, k, v = (t.requires_grad_() for t in tensors())
        output = ops.attention(q, k, v, **options)[0]
        change()
        with self.assertRaisesRegex(RuntimeError, "modified by an inplace operation"):
            output.sum().backward()

    def test_mask(self):
        mask = torch.ones(NQ, NK, dtype=torch.bool)
        self.refused(lambda: mask[0].fill_(False), pattern="mask", pattern_tensors=[mask])

    def test_graph(self):
        offsets, columns = torch.tensor([0, 2, 3, 3, 5, 6]), torch.tensor([0, 3, 6, 1, 2, 5])
        self.refused(
            lambda: columns[0].fill_(1), pattern="graph", pattern_tensors=[offsets, columns]
        )

    def test_joined(self):
        lengths = torch.tensor([7, 4])
        self.refused(
            lambda: lengths[0].fill_(1), pattern="and(causal,padded)", pattern_tensors=[lengths]
        )

    def test_bias(self):
        bias = torch.zeros(NQ, NK)
        self.refused(lambda: bias.add_(1), bias=bias)


if __name__ == "__main__":
    torch.ops.load_library(sys.argv.pop(1))
    ops = torch.ops.heed
    unittest.main()
