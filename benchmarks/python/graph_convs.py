"""TransformerConv on a graph of the size of ogbn-arxiv (169,343 nodes, 1,166,243 edges), 8 heads of 16,
forward with backward, beside PyTorch Geometric's. The edges are random."""

import common
import torch
import torch_geometric.nn

import heed.pyg

torch.manual_seed(1)
nodes, edges = 169_343, 1_166_243
places = torch.randint(nodes * nodes, (edges * 2,)).unique()
places = places[torch.randperm(len(places))[:edges]]
edge_index = torch.stack([places % nodes, places // nodes])
x = torch.randn(nodes, 128, requires_grad=True)


def way(library):
    layer = library.TransformerConv(128, 16, heads=8)
    return common.forward_backward(lambda x: layer(x, edge_index), x)


common.head()
common.compare(
    "TransformerConv, forward + backward",
    {"heed.pyg": way(heed.pyg), "PyTorch Geometric": way(torch_geometric.nn)},
)
