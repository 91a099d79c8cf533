"""heed.pyg beside PyTorch Geometric: results, gradients, state_dict, what is left to it, and the cases of
its own tests.

usage: test_pyg.py LIBHEED
"""

import copy
import inspect
import unittest
import warnings
from unittest import mock

import package

package.need("torch_geometric")

import torch
import torch_geometric.nn as pyg
from torch_geometric.explain import Explainer, GNNExplainer
from torch_geometric.utils import to_torch_csc_tensor

import heed.pyg

EACH = ("TransformerConv", "GATConv", "GATv2Conv")
GRAPH_ATTENTION = ("GATConv", "GATv2Conv")


def random_edges(sources, targets, count):
    places = torch.randperm(sources * targets)[:count]
    return torch.stack([places % sources, places // sources])


class Case(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.x, self.edges = torch.randn(40, 8), random_edges(40, 40, 150)

    def pair(self, name, *arguments, **options):
        ours = getattr(heed.pyg, name)(*arguments, **options)
        theirs = getattr(pyg, name)(*arguments, **options)
        theirs.load_state_dict(ours.state_dict(), strict=True)
        self.assertEqual(str(ours), str(theirs))
        return ours, theirs

    def compare(self, layers, x, edges, *more, fused=True, **options):
        """Outputs, and gradients of inputs and parameters."""
        results = []
        for layer in layers:
            layer.zero_grad()
            parts = x if isinstance(x, tuple) else (x,)
            leaves = [None if part is None else part.clone().requires_grad_() for part in parts]
            with mock.patch.object(heed.pyg, "attention", wraps=heed.attention) as called:
                output = layer(tuple(leaves) if isinstance(x, tuple) else leaves[0], edges, *more, **options)
            if isinstance(layer, heed.pyg._OverEdges):
                self.assertEqual(called.called, fused)
            first = output[0] if isinstance(output, tuple) else output
            (first * torch.linspace(-1, 1, first.numel()).view(first.shape)).sum().backward()
            gradients = [None if leaf is None else leaf.grad for leaf in leaves]
            gradients += [p.grad for p in layer.parameters()]
            results.append([first, *gradients])
        for a, b in zip(*results):
            self.assertEqual(a is None, b is None)
            if a is not None:
                torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
        return results[0][0]


class AsTheirs(Case):
    def test_arguments(self):
        for name in EACH:
            for part in ("__init__", "forward"):
                with self.subTest(name, part=part):
                    ours, theirs = (
                        [(a.name, a.kind, a.default) for a in inspect.signature(function).parameters.values()]
                        for function in (getattr(getattr(library, name), part) for library in (heed.pyg, pyg))
                    )
                    self.assertEqual(ours, theirs)

    def test_transformer_conv(self):
        for options in ({}, {"heads": 4}, {"heads": 4, "concat": False}, {"heads": 2, "beta": True},
                        {"heads": 2, "root_weight": False}, {"bias": False}):  # fmt: skip
            with self.subTest(**options):
                self.compare(self.pair("TransformerConv", 8, 6, **options), self.x, self.edges)

    def test_graph_attention(self):
        for name in GRAPH_ATTENTION:
            for options in ({}, {"heads": 4}, {"heads": 4, "concat": False}, {"residual": True},
                            {"heads": 2, "add_self_loops": False}, {"bias": False},
                            {"heads": 3, "concat": False, "residual": True}):  # fmt: skip
                with self.subTest(name, **options):
                    self.compare(self.pair(name, 8, 6, **options), self.x, self.edges)
        self.compare(self.pair("GATv2Conv", 8, 6, heads=2, share_weights=True), self.x, self.edges)

    def test_self_loops_that_are_there_count_once(self):
        loops = torch.arange(0, 40, 3).expand(2, -1)
        edges = self.edges[:, self.edges[0] != self.edges[1]]
        for name in GRAPH_ATTENTION:
            with self.subTest(name):
                self.compare(self.pair(name, 8, 6), self.x, torch.cat([edges, loops, loops], 1))

    def test_targets_without_an_edge(self):
        edges = self.edges[:, self.edges[1] > 5]
        for name in EACH:
            options = {} if name == "TransformerConv" else {"add_self_loops": False}
            with self.subTest(name):
                self.compare(self.pair(name, 8, 6, heads=2, **options), self.x, edges)

    def test_bipartite(self):
        x, edges = (torch.randn(30, 8), torch.randn(20, 5)), random_edges(30, 20, 90)
        for name in EACH:
            with self.subTest(name):
                self.compare(self.pair(name, (8, 5), 6, heads=2), x, edges)
        for loops in (True, False):
            layers = self.pair("GATConv", (8, 5), 6, heads=2, add_self_loops=loops)
            self.compare(layers, x, edges, size=(30, 20))
            self.compare(layers, (x[0], None), edges, size=(30, 20))
        # The same layer for both sides.
        x = x[0], torch.randn(20, 8)
        for name in GRAPH_ATTENTION:
            with self.subTest(name):
                self.compare(self.pair(name, 8, 6, heads=2), x, edges)

    def test_lazy_sizes(self):
        for name in EACH:
            with self.subTest(name):
                layer = getattr(heed.pyg, name)(-1, 6, heads=2)
                self.assertEqual(layer(self.x, self.edges).shape, (40, 12))

    def test_asking_for_the_weights_changes_no_bit(self):
        for name in EACH:
            with self.subTest(name):
                ours, theirs = self.pair(name, 8, 6, heads=2, dropout=0.5)
                self.compare((ours.eval(), theirs.eval()), self.x, self.edges, return_attention_weights=True)
                output, (index, weights) = ours(self.x, self.edges, return_attention_weights=True)
                self.assertTrue(torch.equal(output, ours(self.x, self.edges)))
                expected = theirs(self.x, self.edges, return_attention_weights=True)[1]
                self.assertTrue(torch.equal(index, expected[0]))
                torch.testing.assert_close(weights, expected[1])
                self.assertTrue(weights.requires_grad)

    def test_edges_that_change_are_seen(self):
        for name in EACH:
            with self.subTest(name):
                edges = self.edges.clone()
                layers = self.pair(name, 8, 6, heads=2)
                first = self.compare(layers, self.x, edges)
                edges.copy_(random_edges(40, 40, 150))
                second = self.compare(layers, self.x, edges)
                self.assertFalse(torch.equal(first, second))

    def test_edges_are_sorted_once(self):
        for name in EACH:
            layer = getattr(heed.pyg, name)(8, 6)
            with mock.patch.object(heed.pyg, "edges_by_target", wraps=heed.pyg.edges_by_target) as sort:
                for _ in range(3):
                    layer(self.x, self.edges)
            self.assertEqual(sort.call_count, 1)

    def test_dropout_and_copies(self):
        for name in EACH:
            with self.subTest(name):
                layer = getattr(heed.pyg, name)(8, 6, heads=2, dropout=0.5)
                self.assertFalse(torch.equal(layer(self.x, self.edges), layer(self.x, self.edges)))
                other = copy.deepcopy(layer.eval())
                self.assertTrue(torch.equal(layer(self.x, self.edges), other(self.x, self.edges)))

    def test_bfloat16(self):
        for name in EACH:
            with self.subTest(name):
                ours, theirs = self.pair(name, 8, 6, heads=2)
                expected = theirs(self.x, self.edges)
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    mixed = ours(self.x, self.edges)
                low = ours.bfloat16()(self.x.bfloat16(), self.edges)
                self.assertEqual(low.dtype, torch.bfloat16)
                for found in (mixed, low):
                    torch.testing.assert_close(found.float(), expected, rtol=0.05, atol=0.05)


def update(self, inputs: torch.Tensor) -> torch.Tensor:
    return 2 * inputs


class LeftToThem(Case):
    def test_what_is_no_plain_attention_over_edges(self):
        twice = torch.cat([self.edges[:, :3], self.edges], 1)
        twice = twice[:, twice[0] != twice[1]]
        features = torch.randn(150, 3)
        for name in EACH:
            with self.subTest(name):
                self.compare(self.pair(name, 8, 6, heads=2), self.x, twice, fused=False)
                self.compare(self.pair(name, 8, 6, edge_dim=3), self.x, self.edges, features, fused=False)
                self.compare(self.pair(name, 8, 6, aggr="mean"), self.x, self.edges, fused=False)
                self.compare(self.pair(name, 8, 6, aggr="max"), self.x, self.edges, fused=False)
                self.compare(self.pair(name, 8, 6, flow="target_to_source"), self.x, self.edges, fused=False)
                layer = self.pair(name, 8, 6, heads=2, dropout=0.1)[0]
                with mock.patch.object(heed.pyg, "attention") as called:
                    layer(self.x, self.edges, return_attention_weights=True)
                self.assertFalse(called.called)  # the weights returned are those that dropout left
                layers = [layer.double() for layer in self.pair(name, 8, 6, heads=2)]
                self.compare(layers, self.x.double(), self.edges, fused=False)
        for name in GRAPH_ATTENTION:
            self.compare(self.pair(name, 8, 6, negative_slope=0.1), self.x, self.edges, fused=False)

    def test_hooks_and_own_messages(self):
        for name in EACH:
            with self.subTest(name):
                layers = self.pair(name, 8, 6)
                for layer in layers:
                    layer.register_propagate_forward_hook(lambda module, given, output: 2 * output)
                self.compare(layers, self.x, self.edges, fused=False)

                layer = type(f"Doubled{name}", (getattr(heed.pyg, name),), {"update": update})(8, 6)
                with mock.patch.object(heed.pyg, "attention") as called:
                    layer(self.x, self.edges)
                self.assertFalse(called.called)

    def test_an_edge_to_nowhere_is_an_error(self):
        for name in EACH:
            for place in (0, 1):
                for node in (40, -41):
                    edges = self.edges.clone()
                    edges[place, 3] = node
                    with self.subTest(name, place=place, node=node), self.assertRaises((IndexError, RuntimeError)):
                        getattr(heed.pyg, name)(8, 6)(self.x, edges)

    def test_explainer(self):
        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = heed.pyg.GATConv(8, 3)

            def forward(self, x, edge_index):
                return self.layer(x, edge_index)

        explainer = Explainer(
            Model(), GNNExplainer(epochs=2), explanation_type="model", edge_mask_type="object",
            model_config={"mode": "multiclass_classification", "task_level": "node", "return_type": "raw"},
        )  # fmt: skip
        self.assertEqual(explainer(self.x, self.edges).edge_mask.shape, (150,))

    def test_transforms_of_torch(self):
        for name in EACH:
            with self.subTest(name):
                ours, theirs = self.pair(name, 8, 6, heads=2)
                expected = theirs(self.x, self.edges)

                def loss(parameters, x, layer):
                    return torch.func.functional_call(layer, parameters, (x, self.edges)).square().sum()

                found, wanted = (
                    torch.func.grad(loss)(dict(layer.named_parameters()), self.x, layer)
                    for layer in (ours, theirs)
                )
                for key in wanted:
                    torch.testing.assert_close(found[key], wanted[key], rtol=1e-4, atol=1e-4)
                kept = torch.utils.checkpoint.checkpoint(ours, self.x, self.edges, use_reentrant=False)
                torch.testing.assert_close(kept, expected, rtol=1e-4, atol=1e-5)

    def test_compiled(self):
        for name in EACH:
            options = {} if name == "TransformerConv" else {"add_self_loops": False}
            with self.subTest(name):
                ours, theirs = self.pair(name, 8, 6, heads=2, **options)
                torch._dynamo.reset()
                compiled = torch.compile(ours, fullgraph=True, backend="aot_eager")
                expected = theirs(self.x, self.edges)
                torch.testing.assert_close(compiled(self.x, self.edges), expected, rtol=1e-4, atol=1e-5)


class TheirCases(Case):
    """What the tests of PyTorch Geometric ask of these layers."""

    def setUp(self):
        super().setUp()
        self.x1, self.x2 = torch.randn(4, 8), torch.randn(2, 16)
        self.edges = torch.tensor([[0, 1, 2, 3], [0, 0, 1, 1]])
        self.square = to_torch_csc_tensor(self.edges, size=(4, 4)).t()
        self.oblong = to_torch_csc_tensor(self.edges, size=(4, 2)).t()

    def close(self, found, expected):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)

    def layers(self):
        yield heed.pyg.TransformerConv(8, 32, heads=2, beta=True), 4
        for name in GRAPH_ATTENTION:
            for residual in (False, True):
                yield getattr(heed.pyg, name)(8, 32, heads=2, residual=residual), 7

    def test_one_graph(self):
        for layer, edges in self.layers():
            with self.subTest(str(layer)):
                self.assertEqual(str(layer), f"{type(layer).__name__}(8, 32, heads=2)")
                output = layer(self.x1, self.edges)
                self.assertEqual(output.shape, (4, 64))
                self.close(layer(self.x1, self.square), output)
                if isinstance(layer, heed.pyg.GATConv):
                    self.close(layer(self.x1, self.edges, size=(4, 4)), output)
                found, (index, weights) = layer(self.x1, self.edges, return_attention_weights=True)
                self.close(found, output)
                self.assertEqual(index.shape, (2, edges))
                self.assertEqual(weights.shape, (edges, 2))
                self.assertTrue(0 <= weights.min() <= weights.max() <= 1)
                if isinstance(layer, heed.pyg.TransformerConv):
                    self.assertIsNone(layer._alpha)
                    continue
                found, (adjacency, _) = layer(self.x1, self.square, return_attention_weights=True)
                self.close(found, output)
                self.assertEqual(adjacency.shape, (4, 4, 2))
                self.assertEqual(adjacency._nnz(), 7)

    def test_two_kinds_of_nodes(self):
        for name in EACH:
            with self.subTest(name):
                layer = getattr(heed.pyg, name)((8, 16), 32, heads=2)
                self.assertEqual(str(layer), f"{name}((8, 16), 32, heads=2)")
                output = layer((self.x1, self.x2), self.edges)
                self.assertEqual(output.shape, (2, 64))
                self.close(layer((self.x1, self.x2), self.oblong), output)
        layer = heed.pyg.GATConv((8, 16), 32, heads=2)
        output = layer((self.x1, self.x2), self.edges)
        self.close(layer((self.x1, self.x2), self.edges, size=(4, 2)), output)
        output = layer((self.x1, None), self.edges, size=(4, 2))
        self.assertEqual(output.shape, (2, 64))
        self.close(layer((self.x1, None), self.oblong), output)

    def test_edge_features(self):
        edges = torch.tensor([[0, 1, 2, 3], [1, 0, 1, 1]])
        for name in GRAPH_ATTENTION:
            for size, features in ((1, torch.randn(4)), (4, torch.randn(4, 4))):
                for filled in (0.5, "mean"):
                    with self.subTest(name, size=size, filled=filled):
                        layers = self.pair(name, 8, 32, heads=2, edge_dim=size, fill_value=filled)
                        output = self.compare(layers, self.x1, edges, features, fused=False)
                        self.assertEqual(output.shape, (4, 64))

    def test_no_edges_and_no_nodes(self):
        edges = torch.empty(2, 0, dtype=torch.long)
        for name in EACH:
            with self.subTest(name):
                layer = getattr(heed.pyg, name)(8, 32, heads=2)
                self.assertEqual(layer(torch.randn(0, 8), edges).shape, (0, 64))
                self.assertEqual(layer(self.x1, edges).shape, (4, 64))

    def test_scripted(self):
        layer = heed.pyg.TransformerConv(8, 32, heads=2)  # the others torch cannot script, theirs neither

        class Module(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = layer

            def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
                return self.layer(x, edge_index)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is deprecated
            scripted = torch.jit.script(Module())
        self.close(scripted(self.x1, self.edges), layer(self.x1, self.edges))


if __name__ == "__main__":
    unittest.main()
