"""heed.functional and heed.nn against their namesakes in torch, and opcheck of every operator.

usage: test_layers.py LIBHEED
"""

import copy
import inspect
import unittest

import package
import torch
from torch import nn

import heed
from heed import functional as F

SEED = torch.tensor(5)


def opcheck_cases(dtype):
    x, residual = (torch.randn(3, 5, 8, dtype=dtype).requires_grad_() for _ in range(2))
    weight, bias = (torch.randn(8, dtype=dtype).requires_grad_() for _ in range(2))
    table = torch.randn(7, 8, dtype=dtype).requires_grad_()
    ids, target = torch.randint(7, (3, 5)), torch.randint(8, (3, 5))
    ops = torch.ops.heed
    return {
        "layer_norm": (ops.layer_norm.default, (x, weight, bias)),
        "layer_norm plain": (ops.layer_norm.default, (x,)),
        "rms_norm": (ops.rms_norm.default, (x, weight)),
        "add_layer_norm": (ops.add_layer_norm.default, (x, residual, weight, bias)),
        "add_rms_norm": (ops.add_rms_norm.default, (x, residual, weight)),
        "dropout": (ops.dropout.default, (x, 0.4, SEED)),
        "dropout of nothing": (ops.dropout.default, (x, 0.0, SEED)),
        "add_dropout": (ops.add_dropout.default, (x, residual, 0.4, SEED)),
        "cross_entropy": (ops.cross_entropy.default, (x, target)),
        "cross_entropy none": (ops.cross_entropy.default, (x, target, 3, "none", 0.1)),
        "embedding": (ops.embedding.default, (table, ids, 2)),
    }


class Opcheck(unittest.TestCase):
    def test_all(self):
        torch.manual_seed(1)
        for dtype in (torch.float32, torch.bfloat16):
            for name, (op, arguments) in opcheck_cases(dtype).items():
                with self.subTest(name, dtype=dtype):
                    bounds = {"atol": 2e-2, "rtol": 2e-2} if dtype == torch.bfloat16 else {}
                    torch.library.opcheck(op, arguments, **bounds)

    def test_compiled_gradients(self):
        torch.manual_seed(2)
        for name, (op, arguments) in opcheck_cases(torch.float32).items():
            with self.subTest(name):
                learned = [a for a in arguments if isinstance(a, torch.Tensor) and a.requires_grad]

                def call(*arguments):
                    found = op(*arguments)
                    return sum((part * part).sum() for part in (found if isinstance(found, tuple) else (found,)))

                torch._dynamo.reset()
                compiled = torch.compile(call, fullgraph=True, backend="aot_eager")
                ours = torch.autograd.grad(compiled(*arguments), learned)
                for a, b in zip(ours, torch.autograd.grad(call(*arguments), learned)):
                    torch.testing.assert_close(a, b)

    def test_autocast_keeps_the_dtype_of_the_input(self):
        x = torch.randn(4, 8, dtype=torch.bfloat16)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            self.assertEqual(F.layer_norm(x, torch.ones(8), torch.zeros(8)).dtype, torch.bfloat16)
            self.assertEqual(F.rms_norm(x, torch.ones(8)).dtype, torch.bfloat16)
            self.assertEqual(F.dropout(x, 0.5).dtype, torch.bfloat16)
            loss = F.cross_entropy(x, torch.zeros(4, dtype=torch.long))
            self.assertEqual(loss.dtype, torch.float32)


def pair(ours, theirs):
    """The two with the same parameters, which their state_dicts say they have."""
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return ours, theirs


class SameAsTorch(unittest.TestCase):
    def compare(self, ours, theirs, *arguments, **options):
        """Outputs, and gradients of inputs and parameters."""
        results = []
        for layer in (ours, theirs):
            layer.zero_grad()
            leaves = [
                a.detach().clone().requires_grad_() if a.is_floating_point() else a for a in arguments
            ]
            output = layer(*leaves, **options)
            first = output[0] if isinstance(output, tuple) else output
            (first.float() * torch.linspace(-1, 1, first.numel()).view(first.shape)).sum().backward()
            grads = [leaf.grad for leaf in leaves if leaf.is_floating_point()]
            grads += [p.grad for p in layer.parameters()]
            results.append((output if isinstance(output, tuple) else (output,), grads))
        for ours_part, theirs_part in zip(*(outputs + tuple(g) for outputs, g in results)):
            if theirs_part is None:
                self.assertIsNone(ours_part)
            else:
                torch.testing.assert_close(ours_part, theirs_part, rtol=1e-4, atol=1e-5)

    def setUp(self):
        torch.manual_seed(3)

    def test_arguments(self):
        for name in heed.nn.__all__:
            for part in ("__init__", "forward"):
                with self.subTest(name, part=part):
                    ours, theirs = (
                        [(a.name, a.kind, a.default) for a in inspect.signature(function).parameters.values()]
                        for function in (getattr(getattr(library, name), part) for library in (heed.nn, nn))
                    )
                    self.assertEqual(ours, theirs)

    def test_small_layers(self):
        x = torch.randn(3, 5, 8)
        for name, arguments in (
            ("Linear", (8, 6)),
            ("LayerNorm", (8,)),
            ("LayerNorm", ((5, 8),)),
            ("RMSNorm", (8,)),
            ("RMSNorm", ((5, 8),)),
        ):
            with self.subTest(name, arguments=arguments):
                ours, theirs = pair(getattr(heed.nn, name)(*arguments), getattr(nn, name)(*arguments))
                self.assertIsInstance(ours, getattr(nn, name))
                self.compare(ours, theirs, x)

    def test_what_a_linear_layer_gives_may_be_changed_in_place(self):
        x = torch.randn(3, 5, 8).requires_grad_()
        gradients = []
        for layer in pair(heed.nn.Linear(8, 6), nn.Linear(8, 6)):
            output = layer(x)
            output[:, 1] = 0
            gradients.append(torch.autograd.grad(output.square().sum(), (x, layer.weight)))
        for ours, theirs in zip(*gradients):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)

    def test_a_weight_may_be_written_behind_torchs_back(self):
        x, layer = torch.randn(40, 8), heed.nn.Linear(8, 6)
        with torch.no_grad():
            layer(x)
            layer.weight.data += 1  # as LoRA's merging does
            expected = nn.functional.linear(x, layer.weight, layer.bias)
            torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-5)

    def test_embedding(self):
        ids = torch.randint(7, (4, 5))
        for options in ({}, {"padding_idx": 2}, {"padding_idx": -1}, {"max_norm": 1.0}):
            with self.subTest(**options):
                self.compare(*pair(heed.nn.Embedding(7, 8, **options), nn.Embedding(7, 8, **options)), ids)

    def test_cross_entropy(self):
        for shape in ((6, 9), (6, 9, 4), (6, 9, 4, 3)):
            target = torch.randint(9, (shape[0], *shape[2:]))
            target.view(-1)[0] = -100
            for options in ({}, {"reduction": "sum"}, {"reduction": "none"}, {"label_smoothing": 0.2},
                            {"weight": torch.rand(9)}):  # fmt: skip
                with self.subTest(shape=shape, **options):
                    ours, theirs = heed.nn.CrossEntropyLoss(**options), nn.CrossEntropyLoss(**options)
                    self.compare(ours, theirs, torch.randn(shape), target)

    def test_dropout(self):
        layer = heed.nn.Dropout(0.25)
        x = torch.ones(100, 200).requires_grad_()
        output = layer(x)
        self.assertAlmostEqual(output.mean().item(), 1, delta=0.03)
        output.sum().backward()
        self.assertTrue(torch.equal(x.grad, output.detach()))
        self.assertIs(layer.eval()(x), x)

    def test_multihead_attention(self):
        mask = torch.rand(5, 7) < 0.3
        mask[:, 0] = False
        padding = torch.arange(7) >= torch.tensor([7, 4, 6]).view(-1, 1)
        per_head = (torch.rand(3 * 2, 5, 7) < 0.3).logical_and(torch.arange(7) > 0)
        cases = [
            ({}, {}),
            ({"bias": False}, {"attn_mask": mask}),
            ({}, {"attn_mask": torch.randn(5, 7), "average_attn_weights": False}),
            ({}, {"key_padding_mask": padding}),
            ({}, {"key_padding_mask": torch.randn(3, 7), "attn_mask": torch.randn(5, 7)}),
            ({}, {"attn_mask": per_head, "key_padding_mask": padding, "need_weights": False}),
            ({"add_bias_kv": True}, {"attn_mask": mask, "key_padding_mask": padding}),
            ({"add_zero_attn": True}, {"key_padding_mask": padding}),
            ({"kdim": 6, "vdim": 10}, {}),
        ]
        for options, call in cases:
            for batch_first in (True, False):
                with self.subTest(options=options, call=list(call), batch_first=batch_first):
                    arguments = dict(embed_dim=8, num_heads=2, batch_first=batch_first, **options)
                    layers = pair(heed.nn.MultiheadAttention(**arguments), nn.MultiheadAttention(**arguments))
                    inputs = [
                        torch.randn(3, n, size)
                        for n, size in ((5, 8), (7, options.get("kdim", 8)), (7, options.get("vdim", 8)))
                    ]
                    if not batch_first:
                        inputs = [x.transpose(0, 1) for x in inputs]
                    self.compare(*layers, *inputs, **call)

    def test_multihead_attention_stays_fused(self):
        """With a mask, dropout and the weights together, which torch's gives its fused path up for."""
        layer = heed.nn.MultiheadAttention(8, 2, dropout=0.1, batch_first=True)
        x = torch.randn(3, 5, 8).requires_grad_()
        mask = torch.ones(5, 5, dtype=torch.bool).triu(1)
        with torch.profiler.profile() as profile:
            output, weights = layer(x, x, x, attn_mask=mask, need_weights=True)
            output.sum().backward()
        called = {event.name for event in profile.events()}
        self.assertEqual({"heed::attention", "heed::attention_backward", "heed::attention_weights"} - called, set())
        self.assertEqual({name for name in called if "softmax" in name or "bmm" in name}, set())
        self.assertEqual(weights.shape, (3, 5, 5))

    def test_multihead_attention_of_itself(self):
        layers = pair(heed.nn.MultiheadAttention(8, 2), nn.MultiheadAttention(8, 2))
        x = torch.randn(5, 8)
        causal = nn.Transformer.generate_square_subsequent_mask(5)
        for ours, theirs in zip(layers[0](x, x, x, is_causal=True), layers[1](x, x, x, attn_mask=causal)):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)

    def test_multihead_attention_with_dropout_trains(self):
        layer = heed.nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True)
        x = torch.randn(3, 5, 8)
        first, second = layer(x, x, x)[0], layer(x, x, x)[0]
        self.assertFalse(torch.equal(first, second))
        first.sum().backward()
        self.assertEqual(layer.in_proj_weight.grad.shape, (24, 8))
        layer.eval()
        self.assertTrue(torch.equal(layer(x, x, x)[0], layer(x, x, x)[0]))

    def test_nested_tensors_are_refused(self):
        layer = heed.nn.MultiheadAttention(8, 2, batch_first=True)
        x = torch.nested.nested_tensor([torch.randn(2, 8), torch.randn(3, 8)])
        with self.assertRaisesRegex(TypeError, "nested tensors are not supported"):
            layer(x, x, x)

    def test_transformer_encoder_layer(self):
        padding = torch.arange(5) >= torch.tensor([5, 3, 4]).view(-1, 1)
        for options in ({}, {"norm_first": True}, {"activation": "gelu"}, {"bias": False},
                        {"activation": nn.GELU("tanh")}, {"activation": nn.functional.tanh}):  # fmt: skip
            with self.subTest(**options):
                arguments = dict(d_model=8, nhead=2, dim_feedforward=12, dropout=0.0, batch_first=True)
                arguments |= options
                layers = pair(
                    heed.nn.TransformerEncoderLayer(**arguments), nn.TransformerEncoderLayer(**arguments)
                )
                self.compare(*layers, torch.randn(3, 5, 8), src_key_padding_mask=padding)

    def test_in_an_encoder(self):
        layer = heed.nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
        theirs = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
        theirs.load_state_dict(layer.state_dict())
        stacks = [nn.TransformerEncoder(copy.deepcopy(one), 2, enable_nested_tensor=False).eval()
                  for one in (layer, theirs)]  # fmt: skip
        x = torch.randn(3, 5, 8)
        with torch.no_grad():
            torch.testing.assert_close(stacks[0](x), stacks[1](x), rtol=1e-4, atol=1e-5)


if __name__ == "__main__":
    unittest.main()
