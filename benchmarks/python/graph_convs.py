"""TransformerConv and GATv2Conv on a graph of the size of ogbn-arxiv (169,343 nodes, 1,166,243 edges), 8
heads of 16, forward with backward, beside PyTorch Geometric's. The edges are random."""

import common
import torch
import torch_geometric.nn

import heed.pyg

torch.manual_seed(1)
nodes, edges = common.sized((169_343, 1_166_243), (1000, 5000))
places = torch.randint(nodes * nodes, (edges * 2,)).unique()
places = places[torch.randperm(len(places))[:edges]]
edge_index = torch.stack([places % nodes, places // nodes])
x = torch.randn(nodes, 128, requires_grad=True)

common.head()
for name in ("TransformerConv", "GATv2Conv", "GATConv"):
    ours = getattr(heed.pyg, name)(128, 16, heads=8)
    theirs = getattr(torch_geometric.nn, name)(128, 16, heads=8)
    theirs.load_state_dict(ours.state_dict())
    common.compare(
        f"{name}, forward + backward",
        {
            "heed.pyg": common.forward_backward(lambda x: ours(x, edge_index), x),
            "PyTorch Geometric": common.forward_backward(lambda x: theirs(x, edge_index), x),
        },
        goal="≥ 5" if name != "GATConv" else "",
        rounds=min(common.ROUNDS, 5),
    )
