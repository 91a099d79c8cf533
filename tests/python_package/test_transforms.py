"""The layers of heed.nn, and heed.attention, under what torch does to a function besides calling it:
torch.func, torch.vmap, torch.export, torch.compile, checkpointing and autocast. Each is compared with its
namesake in torch, or refuses in one line.

usage: test_transforms.py LIBHEED
"""

import copy
import os
import tempfile
import unittest
import unittest.mock
import warnings

import package
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.func import functional_call, grad, jvp, stack_module_state, vmap
from torch.utils.checkpoint import checkpoint

import heed

B, N, C, V = 3, 5, 8, 7


class SelfAttention(nn.Module):
    """Of one input, and without the weights."""

    def __init__(self, library, **options):
        super().__init__()
        self.layer = library.MultiheadAttention(C, 2, batch_first=True, **options)

    def forward(self, x):
        return self.layer(x, x, x, need_weights=False)[0]


class WithTargets(nn.Module):
    def __init__(self, library, **options):
        super().__init__()
        self.linear = library.Linear(C, V)
        self.loss = library.CrossEntropyLoss(**options)

    def forward(self, x):
        target = torch.arange(x.numel() // C).view(x.shape[:-1]) % V
        return self.loss(self.linear(x).flatten(0, -2), target.flatten()) * x.sum()


def layers(library, dropout=0.0):
    """Name -> (a layer, an input of B examples)."""
    x, ids = torch.randn(B, N, C), torch.randint(V, (B, N))
    encoder = {"d_model": C, "nhead": 2, "dim_feedforward": 12, "dropout": dropout, "batch_first": True}
    return {
        "Linear": (library.Linear(C, 6), x),
        "Linear without a bias": (library.Linear(C, 6, bias=False), x),
        "LayerNorm": (library.LayerNorm(C), x),
        "LayerNorm over two dimensions": (library.LayerNorm((N, C)), x),
        "RMSNorm": (library.RMSNorm(C), x),
        "Dropout": (library.Dropout(dropout), x),
        "Embedding": (library.Embedding(V, C, padding_idx=2), ids),
        "CrossEntropyLoss": (WithTargets(library), x),
        "CrossEntropyLoss, smoothed": (WithTargets(library, label_smoothing=0.1), x),
        "MultiheadAttention": (SelfAttention(library, dropout=dropout), x),
        "MultiheadAttention with more keys": (SelfAttention(library, add_bias_kv=True, add_zero_attn=True), x),
        "TransformerEncoderLayer": (library.TransformerEncoderLayer(**encoder), x),
        "TransformerEncoderLayer, norm first": (
            library.TransformerEncoderLayer(**encoder, norm_first=True, activation="gelu"), x,
        ),
    }  # fmt: skip


def weighted(output):
    return (output * torch.linspace(-1, 1, output.numel()).view(output.shape)).sum()


def gradients(layer, x, output=None):
    output = layer(x) if output is None else output
    return [output, *torch.autograd.grad(weighted(output), list(layer.parameters()))]


class Ways(unittest.TestCase):
    def setUp(self):
        torch._dynamo.reset()

    def each(self, check, **options):
        """Calls check(name, ours, theirs, x), the two with the same parameters."""
        torch.manual_seed(1)
        ours, theirs = layers(heed.nn, **options), layers(nn, **options)
        for name, (layer, x) in ours.items():
            layer.load_state_dict(theirs[name][0].state_dict(), strict=True)
            with self.subTest(name):
                check(name, layer, theirs[name][0], x)

    def close(self, found, expected):
        for a, b in zip(torch.utils._pytree.tree_leaves(found), torch.utils._pytree.tree_leaves(expected)):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)

    def test_functional_call(self):
        def check(name, ours, theirs, x):
            other = {key: torch.randn_like(p) for key, p in theirs.named_parameters()}
            self.close(functional_call(ours, other, (x,)), functional_call(theirs, other, (x,)))

        self.each(check)

    def test_grad(self):
        def check(name, ours, theirs, x):
            found, expected = (
                grad(lambda p: weighted(functional_call(layer, p, (x,))))(dict(layer.named_parameters()))
                for layer in (ours, theirs)
            )
            self.assertEqual(list(found), list(expected))
            self.close(found, expected)

        self.each(check)

    @sdpa_kernel(SDPBackend.MATH)  # theirs has no such derivatives of its fused one
    def test_second_derivatives(self):
        def check(name, ours, theirs, x):
            if not x.is_floating_point():
                return
            found, expected = (
                grad(lambda x: grad(lambda x: weighted(layer(x)).square())(x).square().sum())(x)
                for layer in (ours, theirs)
            )
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)

        self.each(check)

    @sdpa_kernel(SDPBackend.MATH)
    def test_forward_mode(self):
        def check(name, ours, theirs, x):
            if not x.is_floating_point():
                return
            if hasattr(theirs, "self_attn"):  # theirs cannot; ours is held to finite differences
                step = 1e-2
                expected = (ours(x + step * x) - ours(x - step * x)) / (2 * step)
                torch.testing.assert_close(jvp(ours, (x,), (x,))[1], expected, rtol=2e-2, atol=2e-2)
                return
            self.close(jvp(ours, (x,), (x,)), jvp(theirs, (x,), (x,)))

        self.each(check)

    def test_gradients_of_each_example(self):
        def check(name, ours, theirs, x):
            found, expected = (
                vmap(
                    grad(lambda p, one: weighted(functional_call(layer, p, (one.unsqueeze(0),)))),
                    in_dims=(None, 0),
                )(dict(layer.named_parameters()), x)
                for layer in (ours, theirs)
            )
            self.close(found, expected)

        self.each(check)

    def test_vmap_over_layers(self):
        def check(name, ours, theirs, x):
            several = [copy.deepcopy(theirs) for _ in range(3)]
            for layer in several:
                for parameter in layer.parameters():
                    nn.init.normal_(parameter)
            parameters, buffers = stack_module_state(several)
            expected = torch.stack([layer(x) for layer in several])
            if not parameters:
                return
            found = vmap(lambda p, b: functional_call(ours, (p, b), (x,)))(parameters, buffers)
            self.close(found, expected)

        self.each(check)

    def test_vmap_warns_of_nothing(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            def check(name, ours, theirs, x):
                vmap(lambda one: ours(one.unsqueeze(0)))(x)

            self.each(check)

    def test_dropout_under_vmap(self):
        def check(name, ours, theirs, x):
            if "Dropout" not in name and "with" in name or name.split(",")[0] not in (
                "Dropout", "MultiheadAttention", "TransformerEncoderLayer",
            ):  # fmt: skip
                return

            def call(one):
                return ours(one.unsqueeze(0))

            same = x[:1].expand(4, N, C)
            with self.assertRaisesRegex(RuntimeError, "randomness"):
                vmap(call)(same)
            different = vmap(call, randomness="different")(same)
            self.assertFalse(torch.equal(different[0], different[1]))
            alike = vmap(call, randomness="same")(same)
            self.assertTrue(torch.equal(alike[0], alike[1]))

        self.each(check, dropout=0.5)

    def test_export(self):
        def check(name, ours, theirs, x):
            program = torch.export.export(ours, (x,), dynamic_shapes=({0: torch.export.Dim.AUTO},))
            for given in (x, torch.cat([x, x])):
                torch.testing.assert_close(program.module()(given), ours(given), rtol=0, atol=0)

        self.each(check)

    def test_compile(self):
        def check(name, ours, theirs, x):
            torch._dynamo.reset()
            compiled = torch.compile(ours, fullgraph=True, backend="aot_eager")
            if list(ours.parameters()):
                self.close(gradients(ours, x, compiled(x)), gradients(theirs, x))
            else:
                self.close(compiled(x), theirs(x))

        self.each(check)

    def test_compile_with_dropout(self):
        def check(name, ours, theirs, x):
            torch._dynamo.reset()
            compiled = torch.compile(ours, fullgraph=True, backend="aot_eager")
            if name.split(",")[0] in ("Dropout", "TransformerEncoderLayer"):
                self.assertFalse(torch.equal(compiled(x), compiled(x)))
            else:
                compiled(x)

        self.each(check, dropout=0.5)

    def test_checkpoint(self):
        def check(name, ours, theirs, x):
            if not list(ours.parameters()):
                return
            results = []
            for call in (ours, lambda x: checkpoint(ours, x, use_reentrant=False)):
                torch.manual_seed(3)
                results.append(gradients(ours, x, call(x)))
            for a, b in zip(*results):
                self.assertTrue(torch.equal(a, b))

        self.each(check, dropout=0.5)

    def test_autocast(self):
        def check(name, ours, theirs, x):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                found, expected = ours(x), theirs(x)
            self.assertEqual(found.dtype, expected.dtype)
            torch.testing.assert_close(found.float(), expected.float(), rtol=0.05, atol=0.1)
            if list(ours.parameters()):
                for ours_part, theirs_part in zip(gradients(ours, x, found), gradients(theirs, x, expected)):
                    self.assertEqual(ours_part.dtype, theirs_part.dtype)

        self.each(check)


@unittest.skipUnless("HEED_TEST_INDUCTOR" in os.environ, "tools/check_python.sh runs it")
class Inductor(unittest.TestCase):
    """torch.compile as it is called by default: the other tests stop before code is made, which takes a C++
    compiler, Python's headers and a minute."""

    def test_one_graph_there_and_back(self):
        torch.manual_seed(4)
        layer = heed.nn.TransformerEncoderLayer(C, 2, 12, dropout=0.0, batch_first=True)
        pattern = heed.causal() & heed.window(3, 0) | heed.global_tokens(1)

        def call(x):
            heads = layer(x).unflatten(-1, (2, 4)).transpose(1, 2)
            return heed.attention(heads * 2, heads, heads.tanh(), pattern=pattern) + 1

        x = torch.randn(B, N, C)
        torch._dynamo.reset()
        with (
            tempfile.TemporaryDirectory(prefix="heed-inductor-") as folder,
            unittest.mock.patch.dict("os.environ", {"TORCHINDUCTOR_CACHE_DIR": folder}),
            torch._inductor.config.patch(compile_threads=1, cpp_cache_precompile_headers=False),
        ):
            found = torch.compile(call, fullgraph=True)(x)
            ours = torch.autograd.grad(weighted(found), list(layer.parameters()))
        torch.testing.assert_close(found, call(x), rtol=1e-5, atol=1e-6)
        for a, b in zip(ours, torch.autograd.grad(weighted(call(x)), list(layer.parameters()))):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


class Attention(unittest.TestCase):
    """What test_attention.py does not call: patterns, scores and dropout under the same."""

    def setUp(self):
        torch.manual_seed(2)
        torch._dynamo.reset()
        self.tensors = [torch.randn(B, 2, N, C) for _ in range(3)]

    def cases(self):
        indptr = torch.arange(N + 1) * 2
        indices = torch.stack([torch.arange(N) // 2, torch.arange(N) // 2 + 2], 1).flatten()
        return {
            "cosine": {"score": heed.Cosine(torch.rand(2))},
            "additive": {"score": heed.Additive(torch.randn(2, C))},
            "leaky": {"score": heed.Leaky(torch.randn(2, C))},
            "graph": {"pattern": heed.graph(indptr, indices)},
            "padded": {"pattern": heed.padded(torch.tensor([N, 2, 3]))},
            "mask": {"pattern": heed.from_mask(torch.rand(B, 1, N, N) < 0.6)},
            "bias": {"bias": torch.randn(2, N, N)},
            "modifiers": {"softcap": 3.0, "alibi_slopes": torch.rand(2), "relative_table": torch.randn(2, 5)},
        }

    def test_func_grad_and_jvp(self):
        for name, options in self.cases().items():
            with self.subTest(name):
                query, key, value = self.tensors

                def call(query):
                    return weighted(heed.attention(query, key, value, **options))

                leaf = query.clone().requires_grad_()
                expected = torch.autograd.grad(call(leaf), leaf)[0]
                torch.testing.assert_close(grad(call)(query), expected, rtol=1e-3, atol=1e-4)
                tangent = jvp(call, (query,), (torch.ones_like(query),))[1]
                torch.testing.assert_close(tangent, expected.sum(), rtol=1e-3, atol=1e-3)

    def test_export_and_compile(self):
        for name, options in self.cases().items():
            with self.subTest(name):
                class Module(nn.Module):
                    def forward(self, query, key, value):
                        return heed.attention(query, key, value, **options)

                expected = Module()(*self.tensors)
                program = torch.export.export(Module(), tuple(self.tensors))
                torch.testing.assert_close(program.module()(*self.tensors), expected, rtol=0, atol=0)
                torch._dynamo.reset()
                compiled = torch.compile(Module(), fullgraph=True, backend="aot_eager")
                torch.testing.assert_close(compiled(*self.tensors), expected, rtol=1e-5, atol=1e-6)

    def test_vmap_over_heads_of_a_batch(self):
        for name, options in self.cases().items():
            with self.subTest(name):
                stacked = [torch.stack([tensor, -tensor]) for tensor in self.tensors]
                found = vmap(lambda q, k, v: heed.attention(q, k, v, **options))(*stacked)
                expected = torch.stack([heed.attention(*each, **options) for each in zip(*stacked)])
                torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)

    def test_weights_under_vmap_compile_and_export(self):
        queries, keys = (torch.randn(3, B, 2, N, C) for _ in range(2))
        functions = {
            "attention_weights": heed.attention_weights,
            "attention_with_sums": lambda q, k, **options: heed.attention_with_sums(q, k, k, **options),
            "top_weights": lambda q, k, **options: heed.top_weights(q, k, 2, **options),
            "block_weights": lambda q, k, **options: heed.block_weights(q, k, 2, 3, **options),
            "column_weights": heed.column_weights,
            "row_entropies": heed.row_entropies,
        }
        for name, function in functions.items():
            with self.subTest(name):
                class Module(nn.Module):
                    def forward(self, query, key):
                        return function(query, key, pattern=heed.causal())

                call = Module()
                each = [call(q, k) for q, k in zip(queries, keys)]
                expected = [torch.stack(parts) for parts in zip(*each)] if isinstance(each[0], tuple) else torch.stack(each)
                with warnings.catch_warnings():  # torch's of a rule that is missing
                    warnings.simplefilter("error")
                    found = vmap(call)(queries, keys)
                program = torch.export.export(call, (queries[0], keys[0])).module()(queries[0], keys[0])
                torch._dynamo.reset()
                compiled = torch.compile(call, fullgraph=True, backend="aot_eager")(queries[0], keys[0])
                leaves = torch.utils._pytree.tree_leaves
                for pair in ((found, expected), (program, each[0]), (compiled, each[0])):
                    for a, b in zip(*map(leaves, pair)):
                        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


if __name__ == "__main__":
    unittest.main()
