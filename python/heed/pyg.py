"""Layers of PyTorch Geometric on fused attention over the edges. Needs ``torch_geometric``.

Each is a subclass of its namesake with the same arguments and state_dict. Fused are float32 and bfloat16
on a CPU, in both directions: no message of an edge is stored. The edges are sorted once for the same
``edge_index`` tensor. With edge features, the weights returned, an edge that is there twice, a
``SparseTensor``, another aggregation than the sum, hooks or an explainer, under ``torch.func``,
``torch.compile`` and ``torch.jit``, PyTorch Geometric's own message passing runs.
"""

from __future__ import annotations

import copy
import weakref
from typing import Any

import torch
import torch_geometric.nn
from torch import Tensor
from torch_geometric.nn.conv import MessagePassing
from torch_geometric.typing import OptPairTensor, OptTensor, PairTensor

from . import functional
from ._attention import attention
from .patterns import Pattern, graph
from .scores import Leaky, Score

__all__ = ["GATConv", "GATv2Conv", "TransformerConv", "edges_by_target"]

# That of the kernel (LeakyReLU in Veličković et al. 2018); the default of both layers.
_SLOPE = 0.2

_HOOKED = ("propagate", "message", "aggregate", "message_and_aggregate", "edge_update")
_OWN = ("message", "aggregate", "message_and_aggregate", "update", "edge_update")


def edges_by_target(
    edge_index: Tensor, sources: int, targets: int, self_loops: int = 0
) -> tuple[Pattern, bool]:
    """The edges as a pattern: target i sees the sources of its edges.

    Args:
        edge_index: ``(2, edges)``, int64, sources above targets, in any order.
        sources, targets: how many nodes.
        self_loops: so many nodes, from the first, see themselves, and no other self-loops count; 0: the
            edges as they are.

    Returns:
        The pattern, and whether no edge is there twice: a pattern knows an edge or not.

    Raises:
        IndexError: an edge names a node that is not there.

    Example:
        >>> edges_by_target(torch.tensor([[2, 0, 1], [0, 0, 2]]), 3, 3)[0].tensors
        (tensor([0, 2, 2, 3]), tensor([0, 2, 1]))
    """
    source, target = edge_index[0].long(), edge_index[1].long()
    for name, ends, count in (("sources", source, sources), ("targets", target, targets)):
        if ends.numel() and not 0 <= int(ends.min()) <= int(ends.max()) < count:
            raise IndexError(
                f"edges_by_target: expected {name} in [0, {count}), got {int(ends.min())} to "
                f"{int(ends.max())}"
            )
    places = target * sources + source
    if self_loops:
        loops = torch.arange(self_loops, device=places.device) * (sources + 1)
        places = torch.cat([places[source != target], loops])
    places = places.sort().values
    once = bool((places[1:] != places[:-1]).all())
    nodes = max(sources, 1)
    counts = torch.bincount(places.div(nodes, rounding_mode="floor"), minlength=targets)
    indptr = torch.zeros(targets + 1, dtype=torch.int64)
    torch.cumsum(counts, 0, out=indptr[1:])
    return graph(indptr, places % nodes), once


def _linear(layer: Any, x: Tensor) -> Tensor:
    """A linear layer of PyTorch Geometric on Heed's kernel, where nobody looks in."""
    if (
        type(layer) is not torch_geometric.nn.Linear
        or isinstance(layer.weight, torch.nn.parameter.UninitializedParameter)
        or layer._forward_hooks
        or layer._forward_pre_hooks
        or layer._backward_hooks
        or layer._backward_pre_hooks
    ):
        return layer(x)
    return functional.linear(x, layer.weight, layer.bias)


class _OverEdges(MessagePassing):  # type: ignore[misc]
    """What the layers share: whether a call is fused, and its edges as a pattern."""

    # Of PyTorch Geometric: the layer whose subclass this is. What its messages are made of, in
    # `propagate_type` and `edge_updater_type`, it would look for in the source of a class of this name.
    _plain: type[MessagePassing]
    _edges: tuple[Any, tuple[int, ...], Pattern | None] | None = None

    def _is_fused(self, edge_index: Any, edge_attr: Any, *features: Tensor | None) -> bool:
        """Whether what is asked for is attention over edges and nothing more."""
        return (
            edge_attr is None
            and isinstance(edge_index, Tensor)
            and edge_index.layout == torch.strided
            and edge_index.device.type == "cpu"
            and edge_index.dim() == 2
            and edge_index.shape[0] == 2
            and edge_index.shape[1] > 0
            and not edge_index.is_floating_point()
            and all(
                x is None or x.dtype in (torch.float32, torch.bfloat16) and x.device.type == "cpu"
                for x in features
            )
            and self.flow == "source_to_target"
            and self.aggr in ("add", "sum")
            and self.decomposed_layers == 1
            and not self.explain
            and not any(getattr(self, f"_{name}_forward{when}_hooks") for name in _HOOKED
                        for when in ("", "_pre"))
            and all(getattr(type(self), name) is getattr(self._plain, name) for name in _OWN)
            and torch._C._functorch.peek_interpreter_stack() is None
            and not torch.compiler.is_compiling()
        )  # fmt: skip

    def _pattern(
        self, edge_index: Tensor, sources: int, targets: int, self_loops: int = 0
    ) -> Pattern | None:
        """The edges, sorted once for the same ``edge_index``; None where they are no pattern."""
        asked = edge_index._version, sources, targets, self_loops
        kept = self._edges
        if kept is not None and kept[0]() is edge_index and kept[1] == asked:
            return kept[2]
        try:
            pattern, once = edges_by_target(edge_index, sources, targets, self_loops)
        except IndexError:
            return None  # PyTorch Geometric says what is wrong
        found = pattern if once else None
        self._edges = (weakref.ref(edge_index), asked, found)
        return found

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, pattern: Pattern, score: Score | None = None
    ) -> Tensor:
        """Of ``(nodes, heads, size)`` to ``(targets, heads, out)``."""
        output = attention(
            *(part.transpose(0, 1).unsqueeze(0) for part in (query, key, value)),
            score=score,
            pattern=pattern,
            dropout=self.dropout if self.training else 0.0,
        )
        return output.squeeze(0).transpose(0, 1)

    def _drops(self) -> bool:
        return self.training and self.dropout > 0

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(-1, self.heads, self.out_channels)

    def _joined(self, output: Tensor) -> Tensor:
        return output.flatten(1) if self.concat else output.mean(dim=1)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_edges"}

    def __prepare_scriptable__(self) -> MessagePassing:
        """For ``torch.jit.script``: PyTorch Geometric's own layer with the same parameters."""
        self._plain(1, 1)  # makes what its class needs for that
        plain = copy.copy(self)
        plain.__class__ = self._plain
        return plain


class TransformerConv(_OverEdges, torch_geometric.nn.TransformerConv):  # type: ignore[misc]
    """``torch_geometric.nn.TransformerConv`` (Shi et al. 2021): the same arguments and state_dict.

    Example:
        >>> layer = TransformerConv(8, 4, heads=2)
        >>> edges = torch.tensor([[0, 1, 2, 2], [1, 2, 0, 1]])
        >>> layer(torch.randn(3, 8), edges).shape
        torch.Size([3, 8])
    """

    _plain = torch_geometric.nn.TransformerConv
    propagate_type = {"query": Tensor, "key": Tensor, "value": Tensor, "edge_attr": OptTensor}

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
            ``(targets, heads · out)``, ``(targets, out)`` without ``concat``.
        """
        source, target = (x, x) if isinstance(x, Tensor) else x
        asked = isinstance(return_attention_weights, bool)
        pattern = None
        if (
            self.lin_edge is None
            and not (asked and self._drops())
            and source.dim() == target.dim() == 2
            and self._is_fused(edge_index, edge_attr, source, target)
        ):
            pattern = self._pattern(edge_index, source.shape[0], target.shape[0])
        if pattern is None:
            return super().forward(x, edge_index, edge_attr, return_attention_weights)
        output = self._fused(source, target, pattern)
        if not asked:
            return output
        return output, super().forward(x, edge_index, edge_attr, True)[1]

    def _fused(self, source: Tensor, target: Tensor, pattern: Pattern) -> Tensor:
        query = self._heads(_linear(self.lin_query, target))
        key = self._heads(_linear(self.lin_key, source))
        value = self._heads(_linear(self.lin_value, source))
        output = self._joined(self._attend(query, key, value, pattern))
        if not self.root_weight:
            return output
        root = _linear(self.lin_skip, target)
        if self.lin_beta is None:
            return output + root
        beta = self.lin_beta(torch.cat([output, root, output - root], dim=-1)).sigmoid()
        return beta * root + (1 - beta) * output


class _GraphAttention(_OverEdges):
    """What the two versions of graph attention share."""

    def _loops(self, sources: int, targets: int) -> int:
        return min(sources, targets) if self.add_self_loops else 0

    def _finish(self, output: Tensor, residual: Tensor | None) -> Tensor:
        output = self._joined(output)
        if residual is not None:
            output = output + residual
        return output if self.bias is None else output + self.bias


class GATConv(_GraphAttention, torch_geometric.nn.GATConv):  # type: ignore[misc]
    """``torch_geometric.nn.GATConv`` (Veličković et al. 2018): the same arguments and state_dict. Fused
    with the ``negative_slope`` of 0.2 that is its default.

    Example:
        >>> layer = GATConv(8, 4, heads=2)
        >>> edges = torch.tensor([[0, 1, 2, 2], [1, 2, 0, 1]])
        >>> layer(torch.randn(3, 8), edges).shape
        torch.Size([3, 8])
    """

    _plain = torch_geometric.nn.GATConv
    propagate_type = {"x": OptPairTensor, "alpha": Tensor}
    edge_updater_type = {"alpha": OptPairTensor, "edge_attr": OptTensor}

    def forward(
        self,
        x: Tensor | tuple[Tensor, Tensor | None],
        edge_index: Any,
        edge_attr: Tensor | None = None,
        size: tuple[int, int] | None = None,
        return_attention_weights: bool | None = None,
    ) -> Any:
        """As of PyTorch Geometric.

        Args:
            x: ``(nodes, in)``, or a pair for a bipartite graph, its second None for targets without
                features.
            edge_index: ``(2, edges)``.
            size: how many sources and targets; needed for targets without features.

        Returns:
            ``(targets, heads · out)``, ``(targets, out)`` without ``concat``.
        """
        given = (x, x) if isinstance(x, Tensor) else x
        pattern = None
        dropped = return_attention_weights and self._drops()
        if not dropped and self._is_fused(edge_index, edge_attr, *given):
            pattern = self._edges_of(given, edge_index, size)
        if pattern is None:
            return super().forward(x, edge_index, edge_attr, size, return_attention_weights)
        output = self._fused(*given, pattern)
        if not return_attention_weights:
            return output
        return output, super().forward(x, edge_index, edge_attr, size, True)[1]

    def _fused(self, from_source: Tensor, from_target: Tensor | None, pattern: Pattern) -> Tensor:
        of_sources, of_targets = (self.lin_src, self.lin_dst) if self.lin is None else (self.lin, self.lin)
        source = self._heads(_linear(of_sources, from_source))
        key = (source * self.att_src).sum(-1, keepdim=True)
        if from_target is None:
            query = key.new_zeros(pattern.tensors[0].shape[0] - 1, self.heads, 1)
        else:
            shared = of_sources is of_targets and from_target is from_source
            target = source if shared else self._heads(_linear(of_targets, from_target))
            query = (target * self.att_dst).sum(-1, keepdim=True)
        score = Leaky(key.new_ones(self.heads, 1))
        residual = None
        if self.res is not None and from_target is not None:
            residual = _linear(self.res, from_target)
        return self._finish(self._attend(query, key, source, pattern, score), residual)

    def _edges_of(
        self, given: tuple[Tensor, Tensor | None], edge_index: Tensor, size: tuple[int, int] | None
    ) -> Pattern | None:
        sources = given[0].shape[0]
        if given[1] is not None:
            targets = given[1].shape[0]
        elif size is not None:
            targets = size[1]
        else:
            return None
        if size is not None and tuple(size) != (sources, targets):
            return None
        if self.negative_slope != _SLOPE or any(x is not None and x.dim() != 2 for x in given):
            return None
        return self._pattern(edge_index, sources, targets, self._loops(sources, targets))


class GATv2Conv(_GraphAttention, torch_geometric.nn.GATv2Conv):  # type: ignore[misc]
    """``torch_geometric.nn.GATv2Conv`` (Brody et al. 2022): the same arguments and state_dict. Fused
    with the ``negative_slope`` of 0.2 that is its default.

    Example:
        >>> layer = GATv2Conv(8, 4, heads=2)
        >>> edges = torch.tensor([[0, 1, 2, 2], [1, 2, 0, 1]])
        >>> layer(torch.randn(3, 8), edges).shape
        torch.Size([3, 8])
    """

    _plain = torch_geometric.nn.GATv2Conv
    propagate_type = {"x": PairTensor, "alpha": Tensor}
    edge_updater_type = {"x": PairTensor, "edge_attr": OptTensor}

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
            ``(targets, heads · out)``, ``(targets, out)`` without ``concat``.
        """
        from_source, from_target = (x, x) if isinstance(x, Tensor) else x
        pattern = None
        if (
            not (return_attention_weights and self._drops())
            and self.negative_slope == _SLOPE
            and from_target is not None
            and from_source.dim() == from_target.dim() == 2
            and self._is_fused(edge_index, edge_attr, from_source, from_target)
        ):
            sources, targets = from_source.shape[0], from_target.shape[0]
            pattern = self._pattern(edge_index, sources, targets, self._loops(sources, targets))
        if pattern is None:
            return super().forward(x, edge_index, edge_attr, return_attention_weights)
        output = self._fused(from_source, from_target, pattern)
        if not return_attention_weights:
            return output
        return output, super().forward(x, edge_index, edge_attr, True)[1]

    def _fused(self, from_source: Tensor, from_target: Tensor, pattern: Pattern) -> Tensor:
        source = target = self._heads(_linear(self.lin_l, from_source))
        if not self.share_weights or from_target is not from_source:
            target = self._heads(_linear(self.lin_r, from_target))
        residual = None if self.res is None else _linear(self.res, from_target)
        score = Leaky(self.att[0])
        return self._finish(self._attend(target, source, source, pattern, score), residual)
