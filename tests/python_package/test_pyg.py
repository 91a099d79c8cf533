"""heed.pyg beside PyTorch Geometric: results, gradients, state_dict, and what is left to it.

usage: test_pyg.py LIBHEED
"""

import copy
import unittest
from unittest import mock

import package

package.need("torch_geometric")

import torch
import torch_geometric.nn as pyg

import heed.pyg


def random_edges(sources, targets, count):
    places = torch.randperm(sources * targets)[:count]
    return torch.stack([places % sources, places // sources])


class TransformerConv(unittest.TestCase):
    def pair(self, *arguments, **options):
        torch.manual_seed(1)
        ours = heed.pyg.TransformerConv(*arguments, **options)
        theirs = pyg.TransformerConv(*arguments, **options)
        theirs.load_state_dict(ours.state_dict(), strict=True)
        return ours, theirs

    def compare(self, layers, x, edges, *more, fused=True):
        results = []
        for layer in layers:
            leaves = [part.clone().requires_grad_() for part in (x if isinstance(x, tuple) else (x,))]
            with mock.patch.object(heed.pyg, "attention", wraps=heed.attention) as called:
                output = layer(tuple(leaves) if isinstance(x, tuple) else leaves[0], edges, *more)
            if isinstance(layer, heed.pyg.TransformerConv):
                self.assertEqual(called.called, fused)
            first = output[0] if isinstance(output, tuple) else output
            (first * torch.linspace(-1, 1, first.numel()).view(first.shape)).sum().backward()
            gradients = [p.grad for p in (*leaves, *layer.parameters())]
            results.append([first, *gradients])
        for a, b in zip(*results):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)

    def test_as_theirs(self):
        x, edges = torch.randn(40, 8), random_edges(40, 40, 150)
        for options in ({}, {"heads": 4}, {"heads": 4, "concat": False}, {"heads": 2, "beta": True},
                        {"heads": 2, "root_weight": False}, {"bias": False}):  # fmt: skip
            with self.subTest(**options):
                self.compare(self.pair(8, 6, **options), x, edges)

    def test_bipartite(self):
        x = torch.randn(30, 8), torch.randn(20, 5)
        self.compare(self.pair((8, 5), 6, heads=2), x, random_edges(30, 20, 90))

    def test_left_to_pyg(self):
        x, edges = torch.randn(40, 8), random_edges(40, 40, 150)
        twice = torch.cat([edges, edges[:, :7]], 1)
        self.compare(self.pair(8, 6, heads=2), x, twice, fused=False)
        self.compare(self.pair(8, 6, edge_dim=3), x, edges, torch.randn(150, 3), fused=False)
        self.compare(self.pair(8, 6, heads=2), x, edges, None, True, fused=False)

    def test_edges_that_change_are_seen(self):
        x, edges = torch.randn(40, 8), random_edges(40, 40, 150)
        layers = self.pair(8, 6, heads=2)
        self.compare(layers, x, edges)
        edges.copy_(random_edges(40, 40, 150))
        for layer in layers:
            layer.zero_grad()
        self.compare(layers, x, edges)

    def test_dropout_and_copies(self):
        x, edges = torch.randn(40, 8), random_edges(40, 40, 150)
        layer = heed.pyg.TransformerConv(8, 6, heads=2, dropout=0.5)
        self.assertFalse(torch.equal(layer(x, edges), layer(x, edges)))
        other = copy.deepcopy(layer.eval())
        self.assertTrue(torch.equal(layer(x, edges), other(x, edges)))


if __name__ == "__main__":
    unittest.main()
