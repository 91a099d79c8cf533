"""Heed's operators from Python: gradcheck in float64, and torch.library.opcheck.

usage: test_operators.py LIBHEED
"""

import itertools
import sys
import unittest

import torch

ops = None


def learned(*shape, dtype=torch.float64, scale=1.0):
    return (torch.randn(*shape, dtype=dtype) * scale).requires_grad_()


B, H, HK, NQ, NK, D, DV = 2, 4, 2, 5, 7, 3, 2

SCORES = {
    "scaled_dot": lambda dtype: {},
    "dot": lambda dtype: {"score": "dot", "scale": 0.7},
    "cosine": lambda dtype: {"score": "cosine", "score_parameter": learned(H, dtype=dtype)},
    "additive": lambda dtype: {"score": "additive", "score_parameter": learned(H, D, dtype=dtype)},
    "leaky": lambda dtype: {"score": "leaky", "score_parameter": learned(H, D, dtype=dtype)},
}

PATTERNS = {
    "full": {},
    "causal": {"pattern": "causal"},
    "window or global": {
        "pattern": "or(window,global_tokens)",
        "pattern_numbers": [1, 1, 2],
    },
    "padded and causal": {
        "pattern": "and(padded,causal)",
        "pattern_tensors": [torch.tensor([7, 4])],
    },
    "mask": {
        "pattern": "mask",
        "pattern_tensors": [torch.arange(NQ * NK).view(NQ, NK) % 3 != 1],
    },
    "graph": {
        "pattern": "graph",
        "pattern_tensors": [torch.tensor([0, 2, 3, 3, 5, 6]), torch.tensor([0, 3, 6, 1, 2, 5])],
    },
    "packed": {
        "pattern": "packed",
        "pattern_tensors": [torch.tensor([0, 2, 5]), torch.tensor([0, 3, 7])],
    },
}

MODIFIERS = {
    "none": lambda dtype: {},
    "softcap": lambda dtype: {"softcap": 2.0},
    "alibi": lambda dtype: {"alibi_slopes": learned(H, dtype=dtype)},
    "relative": lambda dtype: {"relative_table": learned(H, 5, dtype=dtype)},
    "bias": lambda dtype: {"bias": learned(1, H, NQ, NK, dtype=dtype)},
    "dropout": lambda dtype: {"dropout": 0.3, "dropout_seed": 11},
}

TENSOR_OPTIONS = ("score_parameter", "alibi_slopes", "relative_table", "bias")


def inputs(dtype):
    return (
        learned(B, H, NQ, D, dtype=dtype),
        learned(B, HK, NK, D, dtype=dtype),
        learned(B, HK, NK, DV, dtype=dtype),
    )


def covering_cases():
    """Every score with every pattern, the modifiers in turn; then every modifier once."""
    modifiers = itertools.cycle(MODIFIERS)
    for score, pattern in itertools.product(SCORES, PATTERNS):
        yield score, pattern, next(modifiers)


def finite(output, log_sum_exp, _rest):
    # A row without keys has log-sum-exp -inf, whose difference quotient is no number.
    return output, log_sum_exp.masked_fill(log_sum_exp == -torch.inf, 0)


class Gradients(unittest.TestCase):
    def test_gradcheck(self):
        torch.manual_seed(1)
        for score, pattern, modifier in covering_cases():
            with self.subTest(score=score, pattern=pattern, modifier=modifier):
                options = SCORES[score](torch.float64) | MODIFIERS[modifier](torch.float64)
                names = [name for name in TENSOR_OPTIONS if name in options]
                fixed = {k: v for k, v in options.items() if k not in names} | PATTERNS[pattern]

                def call(query, key, value, *rest):
                    return finite(
                        *ops.attention(query, key, value, **fixed, **dict(zip(names, rest)))
                    )

                arguments = inputs(torch.float64) + tuple(options[name] for name in names)
                self.assertTrue(torch.autograd.gradcheck(call, arguments))

    def test_float32_is_float64_rounded(self):
        torch.manual_seed(2)
        query, key, value = inputs(torch.float64)
        wide = ops.attention(query, key, value, pattern="causal")
        narrow = ops.attention(query.float(), key.float(), value.float(), pattern="causal")
        self.assertEqual(narrow[0].dtype, torch.float32)
        for a, b in zip(narrow[:2], wide[:2]):
            torch.testing.assert_close(a.double(), b, rtol=1e-5, atol=1e-6)


class Opcheck(unittest.TestCase):
    def test_attention(self):
        torch.manual_seed(3)
        # Every third case: opcheck compiles each several times.
        for (score, pattern, modifier), dtype in zip(
            itertools.islice(covering_cases(), 0, None, 3),
            itertools.cycle([torch.float32, torch.float64, torch.bfloat16]),
        ):
            with self.subTest(score=score, pattern=pattern, modifier=modifier, dtype=dtype):
                precise = torch.float64 if dtype == torch.float64 else torch.float32
                options = SCORES[score](precise) | MODIFIERS[modifier](precise) | PATTERNS[pattern]
                torch.library.opcheck(
                    torch.ops.heed.attention.default,
                    inputs(dtype),
                    options,
                    # Decomposed at other places the last bits of bfloat16 differ.
                    **({"atol": 1e-2, "rtol": 1e-2} if dtype == torch.bfloat16 else {}),
                )

    def test_backward(self):
        torch.manual_seed(4)
        for dtype in (torch.float32, torch.float64):
            query, key, value = (t.detach() for t in inputs(dtype))
            options = {"bias": learned(1, H, NQ, NK, dtype=dtype).detach(), "pattern": "causal"}
            output, log_sum_exp, rest = ops.attention(query, key, value, **options)
            torch.library.opcheck(
                torch.ops.heed.attention_backward.default,
                (query, key, value),
                options
                | {
                    "grad_output": torch.randn_like(output),
                    "grad_log_sum_exp": torch.randn_like(log_sum_exp),
                    "output": output,
                    "log_sum_exp": log_sum_exp,
                    "log_sum_exp_rest": rest,
                    "wanted": [True, True, True, False, False, False, True],
                },
                test_utils=("test_schema", "test_autograd_registration", "test_faketensor"),
            )


class Linear(unittest.TestCase):
    ACTIVATIONS = ("none", "relu", "gelu", "gelu_tanh", "silu")

    @staticmethod
    def operands(dtype):
        return learned(3, 5, 7, dtype=dtype), learned(4, 7, dtype=dtype), learned(4, dtype=dtype)

    def test_gradcheck(self):
        torch.manual_seed(6)
        for activation in self.ACTIVATIONS:
            with self.subTest(activation=activation):

                def call(*operands, activation=activation):
                    return ops.linear(*operands, activation)

                operands = self.operands(torch.float64)
                self.assertTrue(torch.autograd.gradcheck(call, operands))
                self.assertTrue(torch.autograd.gradgradcheck(call, operands))

    def test_opcheck(self):
        torch.manual_seed(7)
        for dtype in (torch.float32, torch.bfloat16):
            for activation in ("none", "gelu"):
                with self.subTest(dtype=dtype, activation=activation):
                    x, weight, bias = self.operands(dtype)
                    wide = {"atol": 1e-2, "rtol": 1e-2} if dtype == torch.bfloat16 else {}
                    for own in (bias, None):
                        torch.library.opcheck(
                            ops.linear.default, (x, weight, own, activation), **wide
                        )

    def test_autocast_is_in_bfloat16(self):
        torch.manual_seed(8)
        x, weight, bias = self.operands(torch.float32)
        with torch.autocast("cpu"):
            output = ops.linear(x, weight, bias, "relu")
        self.assertEqual(output.dtype, torch.bfloat16)
        expected = torch.relu(torch.nn.functional.linear(x, weight, bias))
        torch.testing.assert_close(output.float(), expected, rtol=0.05, atol=0.05)
        output.float().sum().backward()
        self.assertEqual(weight.grad.dtype, torch.float32)


class OtherDerivatives(unittest.TestCase):
    """Second derivatives, forward mode and the transforms of torch.func, by attention_math."""

    OPTIONS = ({}, {"pattern": "causal"}, {"softcap": 2.0, "dropout": 0.3, "dropout_seed": 4})

    @staticmethod
    def plain(query, key, value):
        scores = query @ key.repeat_interleave(H // HK, 1).transpose(-1, -2) / D**0.5
        return scores.softmax(-1) @ value.repeat_interleave(H // HK, 1)

    def test_second_derivatives(self):
        torch.manual_seed(11)
        for score, options in itertools.product(SCORES, self.OPTIONS):
            with self.subTest(score=score, options=options):
                fixed = SCORES[score](torch.float64) | options
                names = [name for name in TENSOR_OPTIONS if name in fixed]
                learned_ones = [fixed.pop(name) for name in names]

                def call(query, key, value, *rest):
                    named = dict(zip(names, rest))
                    return finite(*ops.attention(query, key, value, **fixed, **named))

                arguments = (*inputs(torch.float64), *learned_ones)
                self.assertTrue(torch.autograd.gradgradcheck(call, arguments))

    def test_second_derivatives_of_one_tensor_given_three_times(self):
        torch.manual_seed(12)
        x = learned(1, 2, 5, 3)
        self.assertTrue(torch.autograd.gradgradcheck(lambda x: ops.attention(x, x, x)[0], (x,)))

    def test_second_derivatives_in_float32(self):
        torch.manual_seed(13)
        wide = inputs(torch.float64)
        found = []
        for call, arguments in (
            (lambda *a: ops.attention(*a)[0], [t.detach().float().requires_grad_() for t in wide]),
            (self.plain, wide),
        ):
            first = torch.autograd.grad(
                call(*arguments).square().sum(), arguments, create_graph=True
            )
            second = torch.autograd.grad(sum(t.square().sum() for t in first), arguments)
            found.append([*first, *second])
        for a, b in zip(*found):
            torch.testing.assert_close(a.double(), b, rtol=1e-4, atol=1e-4)

    def test_third_derivatives(self):
        torch.manual_seed(14)
        query, key, value = (t[:1, :2, :3] for t in inputs(torch.float64))
        key, value = key[:, :1], value[:, :1]

        def first(q):
            loss = ops.attention(q, key.detach(), value.detach())[0].square().sum()
            return torch.autograd.grad(loss, q, create_graph=True)[0]

        query = query.detach().requires_grad_()
        self.assertTrue(torch.autograd.gradgradcheck(first, (query,)))

    def test_forward_mode(self):
        torch.manual_seed(15)
        for dtype in (torch.float32, torch.float64):
            arguments = tuple(t.detach() for t in inputs(dtype))
            tangents = tuple(torch.randn_like(t) for t in arguments)
            found = torch.func.jvp(lambda *a: ops.attention(*a)[0], arguments, tangents)
            expected = torch.func.jvp(self.plain, arguments, tangents)
            for a, b in zip(found, expected):
                torch.testing.assert_close(a, b)

    def test_forward_mode_by_dual_numbers(self):
        torch.manual_seed(16)
        query, key, value = (t.detach() for t in inputs(torch.float32))
        tangent = torch.randn_like(key)
        with torch.autograd.forward_ad.dual_level():
            dual = torch.autograd.forward_ad.make_dual(key, tangent)
            pairs = [
                torch.autograd.forward_ad.unpack_dual(call(query, dual, value))
                for call in (lambda *a: ops.attention(*a)[0], self.plain)
            ]
        torch.testing.assert_close(pairs[0].tangent, pairs[1].tangent)

    def test_forward_mode_of_the_backward_pass_is_refused(self):
        query, key, value = inputs(torch.float32)
        with torch.autograd.forward_ad.dual_level():
            output = ops.attention(query, key, value)[0]
            upstream = torch.autograd.forward_ad.make_dual(
                torch.ones_like(output), torch.ones_like(output)
            )
            with self.assertRaisesRegex(RuntimeError, "no derivatives of forward mode"):
                torch.autograd.grad(output, query, upstream)

    def test_transforms(self):
        torch.manual_seed(17)
        for dtype in (torch.float32, torch.float64):
            arguments = tuple(t.detach() for t in inputs(dtype))
            for name, options in (
                ("full", {}),
                ("mask", {"pattern": "mask", "pattern_tensors": [torch.ones(NQ, NK) > 0]}),
            ):

                def heeds(*a, options=options):
                    return ops.attention(*a, **options)[0].square().sum()

                def plains(*a):
                    return self.plain(*a).square().sum()

                several = tuple(torch.stack([t, 2 * t, t - 1]) for t in arguments)
                transforms = {
                    "grad": lambda f: torch.func.grad(f, (0, 1, 2))(*arguments),
                    "vmap": lambda f: torch.func.vmap(f)(*several),
                    "vmap of grad": lambda f: torch.func.vmap(torch.func.grad(f))(*several),
                    "grad of grad": lambda f: torch.func.grad(
                        lambda q: torch.func.grad(f)(q, *arguments[1:]).square().sum()
                    )(arguments[0]),
                    "jacfwd": lambda f: torch.func.jacfwd(f)(*arguments),
                    "hessian": lambda f: torch.func.hessian(f)(*arguments),
                }
                for kind, transform in transforms.items():
                    with self.subTest(transform=kind, pattern=name, dtype=dtype):
                        torch.testing.assert_close(
                            transform(heeds), transform(plains), rtol=1e-4, atol=1e-4
                        )

    def test_linear(self):
        torch.manual_seed(18)
        x, weight, bias = (t.detach() for t in Linear.operands(torch.float32))
        plain = torch.nn.functional
        for name, activation in (("none", lambda t: t), ("gelu", plain.gelu), ("relu", plain.relu)):

            def heeds(*operands, name=name):
                return ops.linear(*operands, name).square().sum()

            def plains(*operands, activation=activation):
                return activation(plain.linear(*operands)).square().sum()

            operands, tangents = (x, weight, bias), (x + 1, weight - 1, bias * 2)
            several = torch.stack([x, x + 1])
            transforms = {
                "jvp": lambda f: torch.func.jvp(f, operands, tangents),
                "grad": lambda f: torch.func.grad(f, (0, 1, 2))(*operands),
                "vmap of grad": lambda f: torch.func.vmap(torch.func.grad(f), (0, None, None))(
                    several, weight, bias
                ),
                "jacfwd": lambda f: torch.func.jacfwd(f)(*operands),
            }
            for kind, transform in transforms.items():
                with self.subTest(transform=kind, activation=name):
                    torch.testing.assert_close(
                        transform(heeds), transform(plains), rtol=1e-4, atol=1e-4
                    )


class Torch(unittest.TestCase):
    def test_compile_has_no_graph_break(self):
        torch.manual_seed(5)
        query, key, value = inputs(torch.float32)

        def call(q, k, v):
            return ops.attention(q * 2, k, v, pattern="causal", dropout=0.2, dropout_seed=3)[0] + 1

        compiled = torch.compile(call, fullgraph=True, backend="aot_eager")
        expected, found = call(query, key, value), compiled(query, key, value)
        torch.testing.assert_close(found, expected, rtol=0, atol=0)
        grads = [torch.autograd.grad(x.sum(), (query, key, value)) for x in (expected, found)]
        for a, b in zip(*grads):
            torch.testing.assert_close(a, b, rtol=0, atol=0)

    def test_meta_gives_shapes_and_strides(self):
        query, key, value = inputs(torch.float32)
        real = ops.attention(query, key, value)
        meta = ops.attention(*(t.detach().to("meta") for t in (query, key, value)))
        for a, b in zip(real, meta):
            self.assertEqual((a.shape, a.stride(), a.dtype), (b.shape, b.stride(), b.dtype))

    def test_autocast(self):
        query, key, value = inputs(torch.float32)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output, log_sum_exp, _ = ops.attention(query, key, value)
        self.assertEqual(output.dtype, torch.bfloat16)
        self.assertEqual(log_sum_exp.dtype, torch.float32)
        output.sum().backward()
        self.assertEqual(query.grad.dtype, torch.float32)

    def test_errors_say_what_was_wrong(self):
        query, key, value = inputs(torch.float32)
        with self.assertRaisesRegex(RuntimeError, "no score 'nope'; expected one of scaled_dot"):
            ops.attention(query, key, value, score="nope")
        with self.assertRaisesRegex(RuntimeError, r"\(H\) must be .* of shape \[4\]"):
            ops.attention(query, key, value, alibi_slopes=torch.ones(3))


if __name__ == "__main__":
    torch.ops.load_library(sys.argv.pop(1))
    ops = torch.ops.heed
    unittest.main()
