"""Calls of Heed's operators that cannot be right: each is an error that says why, none a crash.

usage: test_refusals.py LIBHEED
"""

import faulthandler
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


def replaced(values, place, value):
    values = list(values)
    values[place] = value
    return values


def wrong_tensors(right):
    """The same tensor with one thing about it wrong, by name."""
    yield "one dimension less", right[0]
    yield "one dimension more", right.unsqueeze(0)
    yield "one more along the first", torch.cat([right, right[:1]])
    yield "one less along the last", right[..., :-1]
    yield "no elements", right.new_empty(0)
    yield "a scalar", right.new_zeros(())
    yield "another dtype", right.half()
    yield "integers", right.long()
    yield "complex", right.to(torch.complex64)
    yield "another device", right.to("meta")
    yield "sparse", right.to_sparse()


def attention_calls():
    q, k, v = tensors()
    for place, name in enumerate(("query", "key", "value")):
        for what, wrong in wrong_tensors((q, k, v)[place]):
            # One more along the last dimension of a value is another size of it.
            if name == "value" and what == "one less along the last":
                continue
            yield f"{name}: {what}", replaced((q, k, v), place, wrong), {}
    learned = {
        "score_parameter": (torch.ones(H), {"score": "cosine"}),
        "alibi_slopes": (torch.ones(H), {}),
        "relative_table": (torch.ones(H, 5), {}),
        "bias": (torch.ones(B, H, NQ, NK), {}),
    }
    for name, (right, rest) in learned.items():
        for what, wrong in wrong_tensors(right):
            fits = {"another dtype": True, "one less along the last": False}.get(what, False)
            fits |= name == "bias" and what in ("one dimension less", "a scalar")
            if not fits:
                yield f"{name}: {what}", (q, k, v), rest | {name: wrong}
    yield "a parameter too many", (q, k, v), {"score_parameter": torch.ones(H)}
    yield "a parameter too few", (q, k, v), {"score": "additive"}
    yield "an even table", (q, k, v), {"relative_table": torch.ones(H, 4)}
    nan, inf, huge = float("nan"), float("inf"), 2**63 - 1
    numbers = {
        "scale": (nan, inf, 1e39),
        "softcap": (nan, inf, -1.0, 1e39, 1e-300),
        "dropout": (nan, -0.1, 1.0, 2.0),
        "dropout_heads": (-1, 1, H - 1),
    }
    for name, values in numbers.items():
        for value in values:
            yield f"{name} {value}", (q, k, v), {name: value}
    yield "heads of dropout", (q, k, v), {"dropout_heads": huge, "dropout_first_head": huge}
    for name in ("score", "pattern", "alignment"):
        for text in ("", "nothing", "x" * 100_000, "é" * 50_000):
            yield f"{name} {text[:10]!r}", (q, k, v), {name: text}


def pattern_calls():
    long = torch.int64
    tensor = torch.tensor
    nested = {
        "and, and, and ...": "and(" * 100_000,
        "a deep expression": "and(causal," * 100_000 + "causal" + ")" * 100_000,
        "deep on the left": "or(" * 100_000 + "causal" + ",causal)" * 100_000,
        "deep and full": "and(full," * 100_000 + "full" + ")" * 100_000,
        "brackets": "(" * 5_000,
    }
    for name, text in nested.items():
        yield name, {"pattern": text}
    for text in ("and", "and(causal)", "and(causal,causal", "causal)", "causal causal", ",", "()"):
        yield f"pattern {text!r}", {"pattern": text}
    numbers = {
        "window": [(), (1,), (1, 2, 3), (-2, 0), (0, 2**63 - 1)],
        "dilated": [(1, 1, 0), (1, 1, -1), (1, 1, 2**63 - 1), (2**62, 1, 4)],
        "global_tokens": [(-1,), (2**63 - 1,)],
        "causal": [(1,)],
    }
    for kind, lists in numbers.items():
        for some in lists:
            yield f"{kind} {some}", {"pattern": kind, "pattern_numbers": list(some)}
    tables = {
        "of integers": torch.ones(NQ, NK, dtype=long),
        "of other sizes": torch.ones(NQ, NK + 1, dtype=torch.bool),
        "with five dimensions": torch.ones(1, 1, 1, NQ, NK, dtype=torch.bool),
        "elsewhere": torch.ones(NQ, NK, dtype=torch.bool, device="meta"),
        "without elements": torch.ones(0, dtype=torch.bool),
    }
    for name, table in tables.items():
        yield f"a mask {name}", {"pattern": "mask", "pattern_tensors": [table]}
        yield (
            f"a table {name}",
            {"pattern": "block_sparse", "pattern_tensors": [table], "pattern_numbers": [1, 1]},
        )
    yield "no mask", {"pattern": "mask"}
    yield "two masks", {"pattern": "mask", "pattern_tensors": [tables["of integers"] > 0] * 2}
    one = torch.ones(1, 1, dtype=torch.bool)
    for block in ((0, 1), (1, -1), (2**63 - 1, 1), (2**63 - 1, 2**63 - 1)):
        yield (
            f"blocks {block}",
            {"pattern": "block_sparse", "pattern_tensors": [one], "pattern_numbers": list(block)},
        )
    columns = tensor([0, 3, 6, 1, 2, 5])
    graphs = {
        "too few offsets": (tensor([0, 6]), columns),
        "no offsets": (tensor([], dtype=long), columns),
        "an end beyond the columns": (tensor([0, 2, 3, 3, 5, 7]), columns),
        "an end before the columns": (tensor([0, 2, 3, 3, 5, 5]), columns),
        "offsets that descend": (tensor([0, 4, 3, 3, 5, 6]), columns),
        "a late start": (tensor([1, 2, 3, 3, 5, 6]), columns),
        "a column too far": (tensor([0, 2, 3, 3, 5, 6]), tensor([0, 3, 7, 1, 2, 5])),
        "a column below 0": (tensor([0, 2, 3, 3, 5, 6]), tensor([-1, 3, 6, 1, 2, 5])),
        "columns that descend": (tensor([0, 2, 3, 3, 5, 6]), tensor([3, 0, 6, 1, 2, 5])),
        "fractions": (tensor([0.0, 2, 3, 3, 5, 6]), columns),
        "two dimensions": (tensor([[0, 2, 3, 3, 5, 6]]), columns),
        "elsewhere": (tensor([0, 2, 3, 3, 5, 6]).to("meta"), columns),
    }
    for name, graph in graphs.items():
        yield f"a graph with {name}", {"pattern": "graph", "pattern_tensors": list(graph)}
    for name, lengths in {
        "too many": tensor([1, 2, 3]),
        "below 0": tensor([-1, 2]),
        "too long": tensor([1, NK + 1]),
        "of bool": tensor([True, False]),
    }.items():
        yield f"lengths {name}", {"pattern": "padded", "pattern_tensors": [lengths]}
    for name, offsets in {
        "of other numbers": (tensor([0, 5]), tensor([0, 3, 7])),
        "that descend": (tensor([0, 4, 3]), tensor([0, 3, 7])),
        "too far": (tensor([0, 2, 6]), tensor([0, 3, 7])),
        "that are none": (tensor([], dtype=long), tensor([], dtype=long)),
    }.items():
        yield f"packed offsets {name}", {"pattern": "packed", "pattern_tensors": list(offsets)}


def backward_calls(dtype):
    q, k, v = tensors(dtype)
    output, log_sum_exp, rest = ops.attention(q, k, v)
    right = {
        "grad_output": torch.ones_like(output),
        "grad_log_sum_exp": torch.ones_like(log_sum_exp),
        "output": output,
        "log_sum_exp": log_sum_exp,
        "log_sum_exp_rest": rest,
        "wanted": [True, True, True, False, False, False, False],
    }
    ops.attention_backward(q, k, v, **right)
    for name in right:
        if name == "wanted":
            continue
        for what, wrong in wrong_tensors(right[name]):
            yield f"{name}: {what}", (q, k, v), right | {name: wrong}
    for wanted in ([], [True], [True] * 8):
        yield f"wanted {len(wanted)}", (q, k, v), right | {"wanted": wanted}
    for place, name in enumerate(("query", "key", "value")):
        for what, wrong in wrong_tensors((q, k, v)[place]):
            yield f"{name}: {what}", replaced((q, k, v), place, wrong), right
    yield "an unknown pattern", (q, k, v), right | {"pattern": "nothing"}


def linear_calls():
    right = (torch.randn(3, 5, 7), torch.randn(4, 7), torch.randn(4))
    for place, name in enumerate(("input", "weight", "bias")):
        for what, wrong in wrong_tensors(right[place]):
            fits = name == "input" and what.startswith("one ") and "last" not in what
            if not fits and (name, what) != ("weight", "sparse"):  # which torch takes
                yield f"{name}: {what}", replaced(right, place, wrong)
    yield "an unknown activation", (*right, "nothing")


def linear_backward_calls():
    right = (torch.randn(3, 5, 4), torch.randn(3, 5, 7), torch.randn(4, 7), torch.randn(4))
    rest = ("gelu", [True, True, True])
    ops.linear_backward(*right, *rest)
    for place, name in enumerate(("grad", "input", "weight", "bias")):
        for what, wrong in wrong_tensors(right[place]):
            if (name, what) in (("grad", "another dtype"), ("weight", "sparse")):
                continue  # which torch takes
            yield f"{name}: {what}", (*replaced(right, place, wrong), *rest)
    yield "an unknown activation", (*right, "nothing", [True, True, True])


def layers():
    """The operators of layers with arguments that are right, and those of them that have gradients."""
    torch.manual_seed(3)
    x, w, b, seed = torch.randn(3, 4), torch.ones(4), torch.zeros(4), torch.tensor(3)
    return {
        "layer_norm": ((x, w, b, 1e-5), 3),
        "rms_norm": ((x, w, 1e-5), 2),
        "add_layer_norm": ((x, x, w, b, 1e-5), 4),
        "add_rms_norm": ((x, x, w, 1e-5), 3),
        "dropout": ((x, 0.5, seed), 1),
        "add_dropout": ((x, x, 0.5, seed), 2),
        "cross_entropy": ((x, torch.tensor([0, 1, 2]), -100, "mean", 0.0), 1),
        "embedding": ((torch.randn(5, 4), torch.tensor([0, 2]), -1), 1),
    }


def layer_calls():
    for name, (right, _) in layers().items():
        for place, value in enumerate(right):
            # A seed may stand elsewhere than the one tensor of dropout.
            if isinstance(value, torch.Tensor) and (name, place) != ("dropout", 0):
                yield f"{name} {place}: another device", name, replaced(right, place, value.to("meta"))
            if isinstance(value, float) and value == 1e-5:
                for eps in (float("nan"), float("inf"), -10.0):
                    yield f"{name}: eps {eps}", name, replaced(right, place, eps)
        if name.startswith("add_"):
            yield f"{name}: residual", name, replaced(right, 1, torch.ones(2, 4))
        if name.endswith("norm"):
            place = 2 if name.startswith("add_") else 1
            yield f"{name}: weight", name, replaced(right, place, torch.ones(9))
    x = torch.randn(3, 4)
    for p in (float("nan"), -0.5, 1.5):
        yield f"dropout {p}", "dropout", (x, p, torch.tensor(3))
    yield "seeds", "dropout", (x, 0.5, torch.tensor([1, 2]))
    for target in ([0, 1, 99], [0, 1, -5]):
        yield f"target {target}", "cross_entropy", (x, torch.tensor(target))
    yield "reduction", "cross_entropy", (x, torch.tensor([0, 1, 2]), -100, "nothing")
    for ids, padding in (([9], -1), ([-1], -1), ([0], 99), ([0], -7)):
        yield f"ids {ids}, padding {padding}", "embedding", (x, torch.tensor(ids), padding)
    yield "weight", "embedding", (torch.randn(4), torch.tensor([0]))
    yield "weight on meta", "embedding", (x[0].to("meta"), torch.tensor([0]).to("meta"))


def layer_backward_calls():
    for name, (right, count) in layers().items():
        outputs = getattr(ops, name)(*right)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        grads, wanted = [torch.ones_like(output) for output in outputs], [True] * count
        backward = f"{name}_backward"
        getattr(ops, backward)(grads, *right, wanted)
        grad = grads[0]
        for what, wrong in {
            "none": [],
            "one too many": [*grads, grad],
            "of another shape": [torch.ones(2, 7), *grads[1:]],
            "of another dtype": [grad.half(), *grads[1:]],
            "elsewhere": [grad.to("meta"), *grads[1:]],
            "sparse": [grad.to_sparse(), *grads[1:]],
        }.items():
            yield f"{backward}: gradients {what}", backward, (wrong, *right, wanted)
        for wrong in (wanted[1:], [*wanted, True]):
            yield f"{backward}: wanted {len(wrong)}", backward, (grads, *right, wrong)
        on_meta = [v.to("meta") if isinstance(v, torch.Tensor) else v for v in right]
        yield f"{backward}: on meta, none", backward, ([], *on_meta, wanted)


def weights_calls():
    q, k, _ = tensors()
    meta_q, meta_k, flat = q.to("meta"), k.to("meta"), torch.ones(3)
    numbers = {
        "attention_weights": (),
        "top_weights": (2,),
        "block_weights": (2, 2),
        "column_weights": (),
        "row_entropies": (),
    }
    for name, right in numbers.items():
        for what, query, key in (
            ("key elsewhere", q, meta_k),
            ("query elsewhere", meta_q, k),
            ("flat", flat, flat),
            ("flat on meta", flat.to("meta"), flat.to("meta")),
            ("other sizes on meta", meta_q, meta_k[..., :2]),
        ):
            yield f"{name}: {what}", name, (query, key, *right)
    for query, key in ((q, k), (meta_q, meta_k)):
        yield "top 0", "top_weights", (query, key, 0)
        for block in ((0, 1), (1, 0), (-1, 1)):
            yield f"blocks {block}", "block_weights", (query, key, *block)


class Refusals(unittest.TestCase):
    def expect_error(self, name, call):
        with self.subTest(name):
            with self.assertRaises((RuntimeError, ValueError, IndexError, TypeError)) as caught:
                call()
            self.assertLess(len(str(caught.exception)), 5_000)

    def test_attention(self):
        for name, arguments, options in attention_calls():
            self.expect_error(name, lambda: ops.attention(*arguments, **options))

    def test_patterns(self):
        for dtype in (torch.float32, torch.float64):
            arguments = tensors(dtype)
            for name, options in pattern_calls():
                self.expect_error(
                    f"{name}, {dtype}", lambda: ops.attention(*arguments, **options)
                )

    def test_attention_backward(self):
        for dtype in (torch.float32, torch.float64):
            for name, arguments, options in backward_calls(dtype):
                self.expect_error(
                    f"{name}, {dtype}", lambda: ops.attention_backward(*arguments, **options)
                )

    def test_linear(self):
        for name, arguments in linear_calls():
            self.expect_error(name, lambda: ops.linear(*arguments))

    def test_linear_backward(self):
        for name, arguments in linear_backward_calls():
            self.expect_error(name, lambda: ops.linear_backward(*arguments))

    def test_layers_and_weights(self):
        for calls in (layer_calls, layer_backward_calls, weights_calls):
            for name, operator, arguments in calls():
                for inference in (False, True):
                    with torch.inference_mode(inference):
                        self.expect_error(
                            f"{name}, inference {inference}",
                            lambda: getattr(ops, operator)(*arguments),
                        )


if __name__ == "__main__":
    faulthandler.enable()
    torch.ops.load_library(sys.argv.pop(1))
    ops = torch.ops.heed
    unittest.main()
