"""How much a query and a key have to do with each other."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

__all__ = ["Additive", "Cosine", "Dot", "Leaky", "Score", "ScaledDot"]


@dataclass(frozen=True, eq=False)
class Score:
    """A score by name. The built-in ones are subclasses; one that was added in C++
    (docs/adding_a_score.md) is ``Score("its_name", parameter)``.

    Args:
        name: what the library calls it.
        parameter: what it learns, ``(H)`` or ``(H, D)``; None where it learns nothing.

    Raises:
        TypeError: the parameter is no tensor.

    Example:
        >>> query = torch.randn(1, 4, 10, 8)
        >>> heed.attention(query, query, query, score=heed.Score("dot")).shape
        torch.Size([1, 4, 10, 8])
    """

    name: str
    parameter: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if self.parameter is not None and not isinstance(self.parameter, torch.Tensor):
            raise TypeError(
                f"heed: what the score {self.name!r} learns must be a tensor, got {self.parameter!r}"
            )


@dataclass(frozen=True, eq=False)
class ScaledDot(Score):
    """``q · k / √D`` (Vaswani et al. 2017, eq. 1). The default.

    Example:
        >>> query = torch.eye(2).view(1, 1, 2, 2)
        >>> heed.attention_weights(query, query, score=heed.ScaledDot())
        tensor([[[[0.6698, 0.3302],
                  [0.3302, 0.6698]]]])
    """

    name: str = field(default="scaled_dot", init=False)
    parameter: torch.Tensor | None = field(default=None, init=False)


@dataclass(frozen=True, eq=False)
class Dot(Score):
    """``q · k`` (Luong et al. 2015).

    Example:
        >>> query = torch.eye(2).view(1, 1, 2, 2)
        >>> heed.attention_weights(query, query, score=heed.Dot())
        tensor([[[[0.7311, 0.2689],
                  [0.2689, 0.7311]]]])
    """

    name: str = field(default="dot", init=False)
    parameter: torch.Tensor | None = field(default=None, init=False)


class Cosine(Score):
    """``temperature_h · q · k / (|q| |k|)`` (Henry et al. 2020).

    Args:
        temperature: ``(H)``; has a gradient.

    Example:
        >>> query = torch.randn(1, 4, 10, 8)
        >>> temperature = torch.full((4,), 10.0, requires_grad=True)
        >>> heed.attention(query, query, query, score=heed.Cosine(temperature)).sum().backward()
        >>> temperature.grad.shape
        torch.Size([4])
    """

    def __init__(self, temperature: torch.Tensor) -> None:
        super().__init__("cosine", temperature)


class Additive(Score):
    """``Σ_d v_hd · tanh(q_d + k_d)`` (Bahdanau et al. 2015). The projections of queries and keys
    belong to the layer above.

    Args:
        v: ``(H, D)``; has a gradient.

    Example:
        >>> query, v = torch.randn(1, 4, 10, 8), torch.randn(4, 8, requires_grad=True)
        >>> heed.attention(query, query, query, score=heed.Additive(v)).sum().backward()
        >>> v.grad.shape
        torch.Size([4, 8])
    """

    def __init__(self, v: torch.Tensor) -> None:
        super().__init__("additive", v)


class Leaky(Score):
    """``Σ_d v_hd · LeakyReLU(q_d + k_d)``, with a slope of 0.2 below zero: the attention of graphs in
    its second version (Brody et al. 2022, GATv2). That of Veličković et al. 2018 (GAT) is the same
    with one number a token and head, and ``v`` of ones. The projections of queries and keys belong
    to the layer above.

    Args:
        v: ``(H, D)``; has a gradient.

    Example:
        >>> query, v = torch.randn(1, 4, 10, 8), torch.randn(4, 8, requires_grad=True)
        >>> heed.attention(query, query, query, score=heed.Leaky(v)).sum().backward()
        >>> v.grad.shape
        torch.Size([4, 8])
    """

    def __init__(self, v: torch.Tensor) -> None:
        super().__init__("leaky", v)
