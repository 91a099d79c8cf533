"""heed.attention against the formula in float64, and in every way that torch calls a function.

usage: test_attention.py LIBHEED
"""

import unittest

import package
import torch
from torch.nn.attention.flex_attention import BlockMask, create_block_mask
from torch.utils.checkpoint import checkpoint

import heed

B, H, N, D = 2, 4, 24, 8


def inputs(n=N, dtype=torch.float32, heads=H, grad=True):
    return [torch.randn(B, h, n, D, dtype=dtype).requires_grad_(grad) for h in (H, heads, heads)]


def formula(query, key, value, scores, allowed=None, bias=None, scale=1.0):
    """The definition, in float64, with an (N, N) matrix."""
    value = value.repeat_interleave(query.shape[1] // value.shape[1], 1)
    total = scores(query, key) * scale
    if bias is not None:
        total = total + bias
    if allowed is not None:
        total = total.masked_fill(~allowed, -torch.inf)
        weights = total.softmax(-1).nan_to_num(0)
    else:
        weights = total.softmax(-1)
    return weights @ value


def dot(query, key):
    return query @ key.repeat_interleave(query.shape[1] // key.shape[1], 1).transpose(-1, -2)


def gradients(output, tensors):
    generator = torch.Generator().manual_seed(9)
    weight = torch.randn(output.shape, generator=generator, dtype=torch.float64).to(output.dtype)
    return torch.autograd.grad((output * weight).sum(), tensors)


def wide(tensors):
    return [tensor.detach().double().requires_grad_() for tensor in tensors]


class Values(unittest.TestCase):
    def check(self, ours, expected, tensors, doubles):
        torch.testing.assert_close(ours.double(), expected, rtol=1e-4, atol=1e-5)
        for a, b in zip(gradients(ours, tensors), gradients(expected, doubles)):
            torch.testing.assert_close(a.double(), b, rtol=1e-3, atol=1e-4)

    def test_scores(self):
        torch.manual_seed(1)
        cases = {
            "scaled": (heed.ScaledDot, None, lambda q, k, p: dot(q, k) / D**0.5),
            "dot": (heed.Dot, None, lambda q, k, p: dot(q, k)),
            "cosine": (
                heed.Cosine,
                (H,),
                lambda q, k, p: (
                    p.view(H, 1, 1)
                    * dot(torch.nn.functional.normalize(q, dim=-1), torch.nn.functional.normalize(k, dim=-1))
                ),
            ),
            "additive": (
                heed.Additive,
                (H, D),
                lambda q, k, p: (
                    (q.unsqueeze(3) + k.unsqueeze(2)).tanh() * p.view(H, 1, 1, D)
                ).sum(-1),
            ),
            "leaky": (
                heed.Leaky,
                (H, D),
                lambda q, k, p: (
                    torch.nn.functional.leaky_relu(q.unsqueeze(3) + k.unsqueeze(2), 0.2) * p.view(H, 1, 1, D)
                ).sum(-1),
            ),
        }
        for name, (score, shape, function) in cases.items():
            with self.subTest(name):
                tensors = inputs()
                if shape:
                    tensors.append(torch.randn(shape).requires_grad_())
                doubles = wide(tensors)
                ours = heed.attention(*tensors[:3], score=score(*tensors[3:]))
                expected = formula(*doubles[:3], lambda q, k: function(q, k, *doubles[3:] or [None]))
                self.check(ours, expected, tensors, doubles)

    def test_patterns(self):
        torch.manual_seed(2)
        i, j = torch.arange(N).view(-1, 1), torch.arange(N)
        lengths = torch.tensor([N, 5])
        key_there = (j < lengths.view(-1, 1))[:, None, None]
        indptr = torch.tensor([0] + [2] * N).cumsum(0)
        indices = torch.stack([torch.arange(N) // 2, torch.arange(N) // 2 + 7], 1).flatten()
        edges = torch.zeros(N, N, dtype=torch.bool)
        edges[torch.arange(N).repeat_interleave(2), indices] = True
        table = torch.rand(1, H, 3, 3) < 0.5
        mask = torch.rand(B, H, N, N) < 0.5
        cases = {
            "full": (heed.full(), torch.ones(N, N, dtype=torch.bool)),
            "issue": (
                heed.causal() & heed.window(6, 0) | heed.global_tokens(4),
                ((j <= i) & (j >= i - 6)) | (i < 4) | (j < 4),
            ),
            "dilated": (heed.dilated(2, 1, 3), ((j - i) % 3 == 0) & (j >= i - 6) & (j <= i + 3)),
            "prefix": (heed.prefix_lm(lengths // 2), (j <= i) | (j < (lengths // 2).view(-1, 1, 1, 1))),
            "blocks": (
                heed.block_sparse(table, 8, 8),
                table.repeat_interleave(8, 2).repeat_interleave(8, 3),
            ),
            "graph": (heed.graph(indptr, indices), edges),
            "packed": (
                heed.packed(torch.tensor([0, 10, N])),
                (i < 10) == (j < 10),
            ),
            "padded": (heed.padded(lengths), key_there),
            "padded both": (
                heed.padded(lengths, lengths),
                key_there & (i < lengths.view(-1, 1, 1, 1)),
            ),
            "mask": (heed.from_mask(mask), mask),
            "padding mask": (heed.from_key_padding_mask(~key_there[:, 0, 0]), key_there),
        }
        for name, (pattern, allowed) in cases.items():
            with self.subTest(name):
                tensors = inputs(heads=2)
                doubles = wide(tensors)
                ours = heed.attention(*tensors, pattern=pattern)
                expected = formula(*doubles, dot, allowed, scale=D**-0.5)
                self.check(ours, expected, tensors, doubles)

    def test_bias_has_a_gradient(self):
        torch.manual_seed(3)
        tensors = [*inputs(), torch.randn(1, H, N, N).requires_grad_()]
        doubles = wide(tensors)
        allowed = torch.ones(N, N, dtype=torch.bool).tril()
        expected = formula(*doubles[:3], dot, allowed, bias=doubles[3], scale=1)
        ours = heed.attention(*tensors[:3], bias=tensors[3], pattern=heed.causal(), scale=1.0)
        self.check(ours, expected, tensors, doubles)

    def test_sums_join_parts(self):
        torch.manual_seed(4)
        query, key, value = inputs(grad=False)
        parts = [
            heed.attention_with_sums(query, key[:, :, part], value[:, :, part])
            for part in (slice(0, 10), slice(10, N))
        ]
        weights = torch.stack([sums for _, sums in parts]).softmax(0).unsqueeze(-1)
        joined = sum(weight * output for weight, (output, _) in zip(weights, parts))
        torch.testing.assert_close(joined, heed.attention(query, key, value), rtol=1e-4, atol=1e-5)

    def test_dropout(self):
        torch.manual_seed(5)
        query, key, value = inputs(grad=False)
        twice = [heed.attention(query, key, value, dropout=0.3, dropout_seed=7) for _ in range(2)]
        self.assertTrue(torch.equal(*twice))
        as_tensor = heed.attention(query, key, value, dropout=0.3, dropout_seed=torch.tensor(7))
        self.assertTrue(torch.equal(as_tensor, twice[0]))
        torch.manual_seed(6)
        first = heed.attention(query, key, value, dropout=0.3)
        second = heed.attention(query, key, value, dropout=0.3)
        self.assertFalse(torch.equal(first, second))
        torch.manual_seed(6)
        self.assertTrue(torch.equal(first, heed.attention(query, key, value, dropout=0.3)))

    def test_wrong_arguments_are_named(self):
        query, key, value = inputs()
        with self.assertRaisesRegex(TypeError, "score must be a heed.Score"):
            heed.attention(query, key, value, score="dot")
        with self.assertRaisesRegex(TypeError, "pattern must be a heed.Pattern"):
            heed.attention(query, key, value, pattern=torch.ones(N, N, dtype=torch.bool))
        with self.assertRaisesRegex(RuntimeError, "the heads of key|divisible"):
            heed.attention(query, key[:, :3], value[:, :3])
        with self.assertRaisesRegex(ValueError, "expected 'bottom_right' or 'top_left'"):
            heed.causal("left")
        with self.assertRaisesRegex(ValueError, "True = ignored"):
            heed.from_key_padding_mask(torch.ones(2, 3))
        with self.assertRaises(TypeError):
            heed.causal() & torch.ones(2, 2)
        for text, call, given in (
            ("what the score 'cosine' learns must be a tensor, got 5.0", heed.Cosine, 5.0),
            ("padded: expected a tensor, got list", heed.padded, [3, 4]),
            ("window: expected an integer, got 2.5", heed.window, 2.5),
            ("from_key_padding_mask: expected a tensor, got list", heed.from_key_padding_mask, [1]),
            ("from_block_mask: expected a BlockMask, got Tensor", heed.from_block_mask, torch.ones(2)),
        ):
            with self.assertRaisesRegex(TypeError, text):
                call(given)


class BlockMasks(unittest.TestCase):
    def check(self, mask, n=200):
        torch.manual_seed(7)
        query, key, value = inputs(n)
        ours = heed.attention(query, key, value, pattern=heed.from_block_mask(mask))
        dense = torch.nn.attention.flex_attention.create_mask(mask.mask_mod, B, H, n, n, "cpu")
        expected = torch.nn.functional.scaled_dot_product_attention(query, key, value, dense)
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)
        for a, b in zip(gradients(ours, (query,)), gradients(expected, (query,))):
            torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)

    def test_causal_and_window(self):
        self.check(create_block_mask(lambda b, h, i, j: i >= j, None, None, 200, 200, device="cpu"))
        self.check(
            create_block_mask(
                lambda b, h, i, j: (i - j).abs() < 70, None, None, 200, 200, device="cpu", BLOCK_SIZE=32
            )
        )

    def test_by_batch_and_head(self):
        self.check(
            create_block_mask(
                lambda b, h, i, j: (j < 200 - 60 * b) & ((i + h) % 3 != 1) | (i == j),
                B, H, 200, 200, device="cpu", BLOCK_SIZE=64,
            )
        )

    def test_full_blocks_are_whole(self):
        counts = torch.tensor([[[1, 1]]], dtype=torch.int32)
        indices = torch.tensor([[[[0, 1], [0, 1]]]], dtype=torch.int32)
        none = torch.zeros_like(counts)
        # mask_mod allows nothing; the full blocks do not ask it.
        mask = BlockMask.from_kv_blocks(
            none, indices, counts, indices, BLOCK_SIZE=16, mask_mod=lambda b, h, i, j: i < 0
        )
        query, key, value = inputs(32)
        ours = heed.attention(query, key, value, pattern=heed.from_block_mask(mask))
        expected = heed.attention(query, key[:, :, :16], value[:, :, :16])
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


class Weights(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(8)
        self.query, self.key, _ = inputs()
        self.options = {"pattern": heed.causal(), "bias": torch.randn(1, H, N, N)}
        scores = dot(self.query, self.key) * D**-0.5 + self.options["bias"]
        self.matrix = scores.masked_fill(torch.ones(N, N).triu(1).bool(), -torch.inf).softmax(-1).detach()

    def close(self, ours, expected):
        self.assertFalse(ours.requires_grad)
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)

    def test_chosen(self):
        self.close(heed.attention_weights(self.query, self.key, **self.options), self.matrix)
        some = heed.attention_weights(self.query, self.key, heads=[2], queries=[5, 1], **self.options)
        self.close(some, self.matrix[:, [2]][:, :, [5, 1]])
        with self.assertRaisesRegex(ValueError, "at least one"):
            heed.attention_weights(self.query, self.key, heads=[])

    def test_in_all(self):
        top = heed.top_weights(self.query, self.key, 3, **self.options)
        expected = self.matrix.sort(dim=-1, descending=True, stable=True)
        self.close(top.values, expected.values[..., :3])
        self.assertTrue(torch.equal(top.keys[..., 5:, :], expected.indices[..., 5:, :3]))
        self.close(
            heed.block_weights(self.query, self.key, 8, 12, **self.options),
            self.matrix.unflatten(2, (3, 8)).mean(3).unflatten(-1, (2, 12)).mean(-1),
        )
        self.close(heed.column_weights(self.query, self.key, **self.options), self.matrix.sum(2))
        self.close(
            heed.row_entropies(self.query, self.key, **self.options),
            -torch.xlogy(self.matrix, self.matrix).sum(-1),
        )

    def test_shapes_on_meta(self):
        meta = self.query.detach().to("meta"), self.key.detach().to("meta")
        for name, more in (
            ("attention_weights", {"heads": [0, 1]}),
            ("column_weights", {}),
            ("row_entropies", {}),
            ("block_weights", {"query_block": 7, "key_block": 5}),
        ):
            with self.subTest(name):
                function = getattr(heed, name)
                found = function(*meta, **more)
                self.assertEqual(found.shape, function(self.query, self.key, **more).shape)


class Torch(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(10)
        self.tensors = inputs()
        self.pattern = heed.causal() & heed.window(6, 0) | heed.global_tokens(2)

    def call(self, query, key, value):
        return heed.attention(query * 2, key, value, pattern=self.pattern) + 1

    def same(self, found, expected, tensors=None):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
        tensors = tensors or self.tensors
        for a, b in zip(gradients(found, tensors), gradients(expected, tensors)):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)

    def test_compile(self):
        compiled = torch.compile(self.call, fullgraph=True, backend="aot_eager")
        self.same(compiled(*self.tensors), self.call(*self.tensors))

    def test_compile_with_tensors_in_the_pattern(self):
        lengths = torch.tensor([N, 7])

        def call(query, key, value, lengths):
            return heed.attention(query, key, value, pattern=heed.padded(lengths) & heed.causal())

        compiled = torch.compile(call, fullgraph=True, backend="aot_eager")
        self.same(compiled(*self.tensors, lengths), call(*self.tensors, lengths))

    def test_compile_draws_a_new_mask_each_time(self):
        def call(query, key, value):
            return heed.attention(query, key, value, dropout=0.5)

        compiled = torch.compile(call, fullgraph=True, backend="aot_eager")
        self.assertFalse(torch.equal(compiled(*self.tensors), compiled(*self.tensors)))
        # The backward pass has the mask of the forward pass.
        value = self.tensors[2]
        output = compiled(*self.tensors)
        gradient = torch.autograd.grad(output.sum(), value)[0]
        torch.testing.assert_close((gradient * value).sum(), output.sum(), rtol=1e-3, atol=1e-3)

    def test_compile_dynamic(self):
        compiled = torch.compile(self.call, fullgraph=True, backend="aot_eager", dynamic=True)
        for n in (N, 17):
            tensors = inputs(n)
            self.same(compiled(*tensors), self.call(*tensors), tensors)

    def test_export(self):
        class Module(torch.nn.Module):
            def forward(_, query, key, value):
                return self.call(query, key, value)

        plain = tuple(tensor.detach() for tensor in self.tensors)
        program = torch.export.export(Module(), plain)
        torch.testing.assert_close(program.module()(*plain), self.call(*plain), rtol=0, atol=0)

    def test_autocast(self):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = self.call(*self.tensors)
        self.assertEqual(output.dtype, torch.bfloat16)
        torch.testing.assert_close(output.float(), self.call(*self.tensors), rtol=0.05, atol=0.05)
        self.assertEqual(gradients(output, self.tensors)[0].dtype, torch.float32)

    def test_functional_call(self):
        layer = heed.nn.MultiheadAttention(H * D, H, batch_first=True)
        x = torch.randn(B, N, H * D)
        other = {name: torch.randn_like(p) for name, p in layer.named_parameters()}
        found = torch.func.functional_call(layer, other, (x, x, x))[0]
        layer.load_state_dict(other)
        torch.testing.assert_close(found, layer(x, x, x)[0])

    def test_checkpoint_with_dropout(self):
        def call(query, key, value):
            return heed.attention(query, key, value, dropout=0.4)

        results = []
        for kept in (call, lambda *x: checkpoint(call, *x, use_reentrant=False)):
            torch.manual_seed(11)
            output = kept(*self.tensors)
            results.append((output, *gradients(output, self.tensors)))
        for a, b in zip(*results):
            self.assertTrue(torch.equal(a, b))

    def test_vmap_over_a_batch_dimension(self):
        tensors = [torch.randn(3, B, H, N, D).requires_grad_() for _ in range(3)]
        expected = torch.stack([self.call(*each) for each in zip(*tensors)])
        self.same(torch.vmap(self.call)(*tensors), expected, tensors)
        twice = torch.vmap(torch.vmap(self.call))
        pairs = [tensor.unsqueeze(0) for tensor in tensors]
        torch.testing.assert_close(twice(*pairs), expected.unsqueeze(0))
        # A shared key and value, and lengths that differ in each.
        lengths = torch.tensor([[N, 3], [5, 6], [1, N]])

        def call(query, lengths):
            return heed.attention(query, *self.tensors[1:], pattern=heed.padded(lengths))

        queries = tensors[0].detach()
        expected = torch.stack([call(*each) for each in zip(queries, lengths)])
        torch.testing.assert_close(torch.vmap(call)(queries, lengths), expected)

    def test_func_grad(self):
        plain = [tensor.detach() for tensor in self.tensors]
        found = torch.func.grad(lambda q: self.call(q, *plain[1:]).square().sum())(plain[0])
        expected = torch.autograd.grad(self.call(*self.tensors).square().sum(), self.tensors[0])[0]
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)

    def test_second_derivative(self):
        doubles = wide(self.tensors)
        allowed = torch.ones(N, N, dtype=torch.bool).tril()
        outputs = (
            heed.attention(*self.tensors, pattern=heed.causal()),
            formula(*doubles, dot, allowed, scale=D**-0.5),
        )
        seconds = []
        for output, tensors in zip(outputs, (self.tensors, doubles)):
            first = torch.autograd.grad(output.square().sum(), tensors[0], create_graph=True)[0]
            seconds.append(torch.autograd.grad(first.square().sum(), tensors[0])[0])
        torch.testing.assert_close(seconds[0].double(), seconds[1], rtol=1e-3, atol=1e-3)


if __name__ == "__main__":
    unittest.main()
