"""HEED_VERBOSE=1 says which engine runs, and why others do not.

usage: test_verbose.py LIBHEED
"""

import os
import subprocess
import sys
import unittest

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


def lines_with(value):
    environment = {**os.environ, "HEED_VERBOSE": value, "HEED_ISA": "portable"}
    run = subprocess.run([sys.executable, "-c", CALLS, LIBHEED], env=environment, text=True,
                         capture_output=True, check=True)
    return [line for line in run.stderr.splitlines() if line.startswith("heed: attention")]


class Verbose(unittest.TestCase):
    def test_a_line_for_each_call(self):
        forward, backward, decode = lines_with("1")
        self.assertRegex(forward, r"forward: engine tiles, portable, 1 threads; "
                                  r"B1 H2 N64 D16 float32 dot, full; not rows: .+; not decode: .+")
        self.assertRegex(backward, r"backward: engine tiles, portable")
        self.assertRegex(decode, r"forward: engine decode, portable.*N1/512")

    def test_nothing_is_said_unasked(self):
        self.assertEqual(lines_with("0"), [])


if __name__ == "__main__":
    LIBHEED = sys.argv.pop(1)
    unittest.main()
