"""The small layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .. import functional

__all__ = ["CrossEntropyLoss", "Dropout", "Embedding", "LayerNorm", "Linear", "RMSNorm"]


class Linear(torch.nn.Linear):
    """``torch.nn.Linear``.

    Example:
        >>> heed.nn.Linear(3, 4)(torch.zeros(2, 3)).shape
        torch.Size([2, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, self.weight, self.bias)


def _as_rows(input: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Normalised over the last dimensions ``shape`` is the same as over one of their size."""
    if input.shape[input.dim() - len(shape) :] != torch.Size(shape):
        raise RuntimeError(
            f"heed: expected an input whose last dimensions are {tuple(shape)}, got {tuple(input.shape)}"
        )
    return input.flatten(-len(shape)) if len(shape) > 1 else input


def _flat(tensor: Tensor | None) -> Tensor | None:
    return tensor if tensor is None or tensor.dim() == 1 else tensor.flatten()


class LayerNorm(torch.nn.LayerNorm):
    """``torch.nn.LayerNorm``.

    Example:
        >>> heed.nn.LayerNorm(4)(torch.randn(2, 3, 4)).shape
        torch.Size([2, 3, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        rows = _as_rows(input, self.normalized_shape)
        weight, bias = _flat(self.weight), _flat(self.bias)
        return functional.layer_norm(rows, weight, bias, self.eps).view(input.shape)


class RMSNorm(torch.nn.RMSNorm):
    """``torch.nn.RMSNorm``.

    Example:
        >>> heed.nn.RMSNorm(4)(torch.randn(2, 3, 4)).shape
        torch.Size([2, 3, 4])
    """

    def forward(self, x: Tensor) -> Tensor:
        rows = _as_rows(x, self.normalized_shape)
        eps = torch.finfo(x.dtype).eps if self.eps is None else self.eps
        return functional.rms_norm(rows, _flat(self.weight), eps).view(x.shape)


class Dropout(torch.nn.Dropout):
    """``torch.nn.Dropout``; ``inplace`` is not, and the mask is another one for the same seed.

    Example:
        >>> heed.nn.Dropout(0.1).eval()(torch.ones(2))
        tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout(input, self.p, self.training)


class Embedding(torch.nn.Embedding):
    """``torch.nn.Embedding``. With ``sparse``, ``scale_grad_by_freq`` or ``max_norm`` torch's own
    operator is used, which has them.

    Example:
        >>> heed.nn.Embedding(10, 4, padding_idx=0)(torch.tensor([[1, 2, 0]])).shape
        torch.Size([1, 3, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        if self.sparse or self.scale_grad_by_freq or self.max_norm is not None:
            return super().forward(input)
        return functional.embedding(input.long(), self.weight, self.padding_idx)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """``torch.nn.functional.cross_entropy``, which has the classes in the second dimension."""
    if (
        weight is not None
        or target.is_floating_point()
        or size_average is not None
        or reduce is not None
    ):
        return torch.nn.functional.cross_entropy(
            input, target, weight, size_average, ignore_index, reduce, reduction, label_smoothing
        )
    logits = input.movedim(1, -1) if input.dim() > 2 else input
    checked: Any = reduction
    return functional.cross_entropy(logits, target, ignore_index, checked, label_smoothing)


class CrossEntropyLoss(torch.nn.CrossEntropyLoss):
    """``torch.nn.CrossEntropyLoss``. With ``weight`` or with targets that are probabilities torch's
    own operator is used.

    Example:
        >>> heed.nn.CrossEntropyLoss()(torch.zeros(2, 4), torch.tensor([1, 3]))
        tensor(1.3863)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
