"""Layers of PyTorch Geometric on fused attention over the edges. Needs ``torch_geometric``."""

from __future__ import annotations

import weakref
from typing import Any

import torch
import torch_geometric.nn
from torch import Tensor

from ._attention import attention
from .patterns import Pattern, graph

__all__ = ["TransformerConv", "edges_by_target"]


def edges_by_target(edge_index: Tensor, sources: int, targets: int) -> tuple[Pattern, bool]:
    """The edges as a pattern: target i sees the sources of its edges.

    Args:
        edge_index: ``(2, edges)``, int64, sources above targets, in any order.
        sources, targets: how many nodes.

    Returns:
        The pattern, and whether no edge is there twice: a pattern knows an edge or not.

    Example:
        >>> edges_by_target(torch.tensor([[2, 0, 1], [0, 0, 2]]), 3, 3)[0].tensors
        (tensor([0, 2, 2, 3]), tensor([0, 2, 1]))
    """
    places = (edge_index[1] * sources + edge_index[0]).sort().values
    once = bool((places[1:] != places[:-1]).all())
    counts = torch.bincount(edge_index[1], minlength=targets)
    indptr = torch.zeros(targets + 1, dtype=torch.int64)
    torch.cumsum(counts, 0, out=indptr[1:])
    return graph(indptr, places % max(sources, 1)), once


class TransformerConv(torch_geometric.nn.TransformerConv):  # type: ignore[misc]
    """``torch_geometric.nn.TransformerConv`` (Shi et al. 2021): the same arguments and state_dict.

    Fused on ``edge_index`` of the CPU. With edge features, the weights returned, an edge that is there
    twice, a ``SparseTensor``, hooks or an explainer, PyTorch Geometric's own message passing runs.

    Example:
        >>> layer = TransformerConv(8, 4, heads=2)
        >>> edges = torch.tensor([[0, 1, 2, 2], [1, 2, 0, 1]])
        >>> layer(torch.randn(3, 8), edges).shape
        torch.Size([3, 8])
    """

    _edges: tuple[Any, int, tuple[int, int], Pattern, bool] | None = None
    _returns_weights = False

    def forward(
        self,
        x: Tensor | tuple[Tensor, Tensor],
        edge_index: Any,
        edge_attr: Tensor | None = None,
        return_attention_weights: bool | None = None,
    ) -> Any:
        """As of PyTorch Geometric.

        Args:
            x: ``(nodes, in)``, or a pair for a bipartite graph.
            edge_index: ``(2, edges)``.

        Returns:
            ``(nodes, heads · out)``, ``(nodes, out)`` without ``concat``.
        """
        self._returns_weights = isinstance(return_attention_weights, bool)
        return super().forward(x, edge_index, edge_attr, return_attention_weights)

    def propagate(self, edge_index: Any, size: Any = None, **given: Any) -> Tensor:
        query, key, value = given["query"], given["key"], given["value"]
        if not self._is_fused(edge_index, size, given):
            return super().propagate(edge_index, size=size, **given)
        pattern, once = self._pattern(edge_index, key.shape[0], query.shape[0])
        if not once:
            return super().propagate(edge_index, size=size, **given)
        output = attention(
            *(part.transpose(0, 1).unsqueeze(0) for part in (query, key, value)),
            pattern=pattern,
            dropout=self.dropout if self.training else 0.0,
        )
        return output.squeeze(0).transpose(0, 1)

    def _is_fused(self, edge_index: Any, size: Any, given: dict[str, Any]) -> bool:
        return (
            isinstance(edge_index, Tensor)
            and edge_index.layout == torch.strided
            and edge_index.device.type == "cpu"
            and size is None
            and given.get("edge_attr") is None
            and self.lin_edge is None
            and self.flow == "source_to_target"
            and not self._returns_weights
            and not self.explain
            and not (self._propagate_forward_pre_hooks or self._propagate_forward_hooks)
            and not (self._message_forward_pre_hooks or self._message_forward_hooks)
            and not (self._aggregate_forward_pre_hooks or self._aggregate_forward_hooks)
        )

    def _pattern(self, edge_index: Tensor, sources: int, targets: int) -> tuple[Pattern, bool]:
        """Sorted once for the same ``edge_index``."""
        kept, version = self._edges, edge_index._version
        if kept is not None and kept[0]() is edge_index and kept[1:3] == (version, (sources, targets)):
            return kept[3], kept[4]
        pattern, once = edges_by_target(edge_index, sources, targets)
        self._edges = (weakref.ref(edge_index), version, (sources, targets), pattern, once)
        return pattern, once

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_edges"}
