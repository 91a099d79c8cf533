"""The test cases of the ONNX operator Attention (opsets 23 and 24), through Heed's operator.

usage: test_onnx_attention.py LIBHEED

ONNX aligns `is_causal` by position: query i sees key j where j <= i + offset. The offset is the
length of the past keys where there are any, the number of keys that are there minus the number of
queries where `nonpad_kv_seqlen` says so, and 0 otherwise. The first is Heed's bottom right where as
many new keys as queries came, the second always is, for each batch; the third is top left.
"""

import json
import os
import sys
import unittest

import torch

try:
    import safetensors.torch
except ImportError:
    print("skipped: needs the package safetensors")
    sys.exit(77)

SHARED = os.environ.get(
    "HEED_SHARED_DATA", os.path.join(os.path.dirname(__file__), "../../../shared/data")
)
FOLDER = os.path.join(SHARED, "onnx_attention")

# What ONNX's own test runner allows.
RTOL, ATOL = 1e-3, 1e-7


def by_heads(rows, heads):
    """(B, N, H · D) -> (B, H, N, D)"""
    return rows.unflatten(2, (heads, -1)).transpose(1, 2)


class Call:
    """One case: its inputs as Heed wants them."""

    def __init__(self, case, tensors):
        self.attributes = case["attributes"]
        given = {name: tensors.get("input." + name) for name in case["node_inputs"] if name}
        self.query, key, value = given["Q"], given["K"], given["V"]
        self.flat = self.query.dim() == 3
        if self.flat:
            self.query = by_heads(self.query, self.attributes["q_num_heads"])
            key = by_heads(key, self.attributes["kv_num_heads"])
            value = by_heads(value, self.attributes["kv_num_heads"])
        self.past = given["past_key"].shape[2] if "past_key" in given else 0
        if self.past:
            key = torch.cat([given["past_key"], key], 2)
            value = torch.cat([given["past_value"], value], 2)
        self.key, self.value = key, value
        self.mask = given.get("attn_mask")
        self.lengths = given.get("nonpad_kv_seqlen")

    def options(self, with_mask=True):
        options = {"softcap": self.attributes.get("softcap", 0.0)}
        if "scale" in self.attributes:
            options["scale"] = self.attributes["scale"]
        patterns, tensors = [], []
        if with_mask and self.mask is not None:
            if self.mask.dtype == torch.bool:
                patterns.append("mask")
                tensors.append(self.mask)
            else:
                options["bias"] = self.mask
        if self.attributes.get("is_causal", 0) and self.lengths is None:
            queries, keys = self.query.shape[2], self.key.shape[2]
            if self.past and keys - queries == self.past:
                patterns.append("causal")
            elif not self.past:
                patterns.append("causal_top_left")
            else:
                patterns.append("mask")
                places = torch.arange(queries).unsqueeze(1) + self.past
                tensors.append(torch.arange(keys) <= places)
        if patterns:
            options["pattern"] = patterns[0] if len(patterns) == 1 else f"and({','.join(patterns)})"
            options["pattern_tensors"] = tensors
        return options

    def attend(self, value, with_mask=True):
        attention = torch.ops.heed.attention
        if self.lengths is None:
            return attention(self.query, self.key, value, **self.options(with_mask))[:2]
        # Each batch by itself, with the keys that are there.
        causal = {"pattern": "causal"} if self.attributes.get("is_causal", 0) else {}
        parts = [
            attention(
                self.query[b : b + 1],
                self.key[b : b + 1, :, :length],
                value[b : b + 1, :, :length],
                **self.options(with_mask) | causal,
            )
            for b, length in enumerate(self.lengths.tolist())
        ]
        return tuple(torch.cat(part) for part in zip(*parts))[:2]

    def output(self):
        output = self.attend(self.value)[0]
        return output.transpose(1, 2).flatten(2) if self.flat else output

    def qk_matmul_output(self):
        """The matrix of scores, from the weights and the log-sum-exp."""
        mode = self.attributes.get("qk_matmul_output_mode", 0)
        keys = self.key.shape[2]
        identity = torch.eye(keys).expand(*self.key.shape[:2], keys, keys).contiguous()
        # 1: after softcap, 2: after the mask, 3: after softmax.
        weights, log_sum_exp = self.attend(identity, with_mask=mode >= 2)
        return weights if mode == 3 else weights.log() + log_sum_exp.unsqueeze(-1)


class OnnxAttention(unittest.TestCase):
    def test_cases(self):
        with open(os.path.join(FOLDER, "cases.json")) as file:
            cases = json.load(file)
        self.assertEqual(len(cases), 25)
        for name, case in cases.items():
            with self.subTest(name):
                tensors = safetensors.torch.load_file(os.path.join(FOLDER, name + ".safetensors"))
                call = Call(case, tensors)
                for output in filter(None, case["node_outputs"]):
                    expected = tensors["output." + output]
                    atol = ATOL
                    if output == "Y":
                        found = call.output()
                    elif output == "qk_matmul_output":
                        found = call.qk_matmul_output()
                        atol = 1e-5  # the logarithm of a weight near 1
                    else:
                        found = call.key if output == "present_key" else call.value
                    torch.testing.assert_close(found, expected, rtol=RTOL, atol=atol)


if __name__ == "__main__":
    if not os.path.isdir(FOLDER):
        print(f"skipped: {FOLDER} is not there")
        sys.exit(77)
    torch.ops.load_library(sys.argv.pop(1))
    unittest.main()
