"""HEED_VERBOSE=1 says which engine runs, and why others do not.

usage: test_verbose.py LIBHEED
"""

import os
import subprocess
import sys
import unittest

import torch  # noqa: F401  (what is called below needs it; where it does not open, the test is skipped)

LIBHEED = ""

CALLS = """
import sys, torch
torch.ops.load_library(sys.argv[1])
torch.set_num_threads(1)
attention = torch.ops.heed.attention
query, few = torch.randn(1, 2, 64, 16), torch.randn(1, 2, 1, 16)
cache = torch.randn(1, 2, 512, 16)
attention(query.requires_grad_(), query, query)[0].sum().backward()
attention(few, cache, cache)
"""

# Calls that do not reach the kernels of attention, and dense layers.
OTHERS = """
import sys, torch
torch.ops.load_library(sys.argv[1])
attention, linear = torch.ops.heed.attention, torch.ops.heed.linear
wide = torch.randn(1, 2, 9, 16, dtype=torch.float64, requires_grad=True)
attention(wide, wide, wide, pattern="causal")[0].sum().backward()
query = torch.randn(1, 2, 9, 16)
torch.func.grad(lambda q: attention(q, q, q)[0].sum())(query)
linear(torch.randn(4, 16), torch.randn(8, 16))
linear(wide[0, 0], torch.randn(8, 16, dtype=torch.float64))
"""


def lines_with(value, calls=CALLS):
    environment = {**os.environ, "HEED_VERBOSE": value, "HEED_ISA": "portable",
                   "HEED_LINEAR": "own"}
    run = subprocess.run([sys.executable, "-c", calls, LIBHEED], env=environment, text=True,
                         capture_output=True, check=True)
    return [line for line in run.stderr.splitlines() if line.startswith("heed: ")]


class Verbose(unittest.TestCase):
    def test_a_line_for_each_call(self):
        forward, backward, decode = lines_with("1")
        self.assertRegex(forward, r"forward: engine tiles, portable, 1 threads; "
                                  r"B1 H2 N64 D16 float32 dot, full; not rows: .+; not decode: .+")
        self.assertRegex(backward, r"backward: engine tiles, portable")
        self.assertRegex(decode, r"forward: engine decode, portable.*N1/512")

    def test_calls_that_do_not_reach_the_kernels(self):
        forward, backward, transformed, own, torchs = lines_with("1", OTHERS)
        self.assertRegex(forward, r"attention forward: engine attention_math; query Double "
                                  r"\[1, 2, 9, 16\] on cpu, .*scaled_dot, causal; not the kernels: "
                                  r"neither float32 nor bfloat16; not torch_fused: .+")
        self.assertRegex(backward, r"attention backward: engine attention_math; .+")
        self.assertRegex(transformed, r"engine attention_math; .+ a transform of torch.func")
        self.assertRegex(own, r"linear: engine own, portable, \d+ threads; input Float \[4, 16\]")
        self.assertRegex(torchs, r"linear: engine torch; input Double .+; not own: .+")

    def test_nothing_is_said_unasked(self):
        self.assertEqual(lines_with("0"), [])
        self.assertEqual(lines_with("0", OTHERS), [])


if __name__ == "__main__":
    LIBHEED = sys.argv.pop(1)
    unittest.main()
