"""The kernels beside attention as functions: the names and arguments of ``torch.nn.functional``
where it has them.

float32 and bfloat16 on a CPU go to Heed's kernels, the rest to torch's operators. All have gradients,
and the results are the same for any number of threads. Under autocast a linear layer casts as torch's
does; the others keep the dtype of their input.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from . import _library  # noqa: F401  (loads the operators)
from ._options import draw_seed

__all__ = [
    "Activation",
    "add_dropout",
    "add_layer_norm",
    "add_rms_norm",
    "cross_entropy",
    "dropout",
    "embedding",
    "layer_norm",
    "linear",
    "rms_norm",
]

Activation = Literal["none", "relu", "gelu", "gelu_tanh", "silu"]

_ops = torch.ops.heed
_linear = _ops.linear.default
_layer_norm = _ops.layer_norm.default
_rms_norm = _ops.rms_norm.default
_cross_entropy = _ops.cross_entropy.default
_embedding = _ops.embedding.default


def linear(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, activation: Activation = "none"
) -> Tensor:
    """``activation(input · weightᵀ + bias)`` in one pass.

    Args:
        input: ``(..., in)``.
        weight: ``(out, in)``.
        bias: ``(out)``.
        activation: ``"gelu"`` is the exact one, ``"gelu_tanh"`` its approximation.

    Returns:
        ``(..., out)``.

    Raises:
        RuntimeError: shapes do not fit, or there is no such activation.

    Example:
        >>> heed.functional.linear(torch.ones(2, 3), -torch.ones(4, 3), activation="relu").sum()
        tensor(0.)
    """
    return _linear(input, weight, bias, activation)


def layer_norm(
    input: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Over the last dimension C (Ba, Kiros & Hinton 2016); weight and bias ``(C)``. The result has
    the dtype of ``input``.

    Example:
        >>> heed.functional.layer_norm(torch.tensor([[1.0, 3.0]]))
        tensor([[-1.0000,  1.0000]])
    """
    return _layer_norm(input, weight, bias, eps)


def rms_norm(input: Tensor, weight: Tensor | None = None, eps: float = 1e-6) -> Tensor:
    """Over the last dimension C (Zhang & Sennrich 2019); weight ``(C)``. The result has the dtype of
    ``input``.

    Example:
        >>> heed.functional.rms_norm(torch.tensor([[1.0, 7.0]]))
        tensor([[0.2000, 1.4000]])
    """
    return _rms_norm(input, weight, eps)


def add_layer_norm(
    input: Tensor,
    residual: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> tuple[Tensor, Tensor]:
    """``(input + residual, layer_norm(input + residual))`` in one pass, both in the wider dtype.

    Example:
        >>> input, residual = torch.ones(1, 2), torch.tensor([[0.0, 2.0]])
        >>> heed.functional.add_layer_norm(input, residual)
        (tensor([[1., 3.]]), tensor([[-1.0000,  1.0000]]))
    """
    total, normalised = _ops.add_layer_norm.default(input, residual, weight, bias, eps)
    return total, normalised


def add_rms_norm(
    input: Tensor, residual: Tensor, weight: Tensor | None = None, eps: float = 1e-6
) -> tuple[Tensor, Tensor]:
    """``(input + residual, rms_norm(input + residual))`` in one pass, both in the wider dtype.

    Example:
        >>> input, residual = torch.ones(1, 2), torch.tensor([[0.0, 6.0]])
        >>> heed.functional.add_rms_norm(input, residual)
        (tensor([[1., 7.]]), tensor([[0.2000, 1.4000]]))
    """
    total, normalised = _ops.add_rms_norm.default(input, residual, weight, eps)
    return total, normalised


def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, seed: Tensor | None = None
) -> Tensor:
    """Each element kept with probability 1 − p and divided by it (Srivastava et al. 2014). The mask
    is made again in the backward pass and not kept.

    Args:
        input: any shape.
        p: in [0, 1].
        training: False: the input itself.
        seed: int64, one value; None: drawn from torch's CPU generator.

    Example:
        >>> sorted(heed.functional.dropout(torch.ones(100), p=0.5).unique().tolist())
        [0.0, 2.0]
    """
    if not training or p == 0:
        return input
    return _ops.dropout.default(input, p, draw_seed() if seed is None else seed)


def add_dropout(
    input: Tensor,
    residual: Tensor,
    p: float = 0.5,
    training: bool = True,
    seed: Tensor | None = None,
) -> Tensor:
    """``residual + dropout(input)`` in one pass, in the wider dtype; shapes must be the same.

    Example:
        >>> sorted(heed.functional.add_dropout(torch.ones(100), torch.ones(100)).unique().tolist())
        [1.0, 3.0]
    """
    if not training or p == 0:
        return residual + input
    drawn = draw_seed() if seed is None else seed
    return _ops.add_dropout.default(input, residual, p, drawn)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    ignore_index: int = -100,
    reduction: Literal["mean", "sum", "none"] = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The loss of a classifier. Besides the logits and their gradient nothing as wide as V is made.

    Args:
        input: logits ``(..., V)``; V is the last dimension, wherever torch has it.
        target: ``(...)`` int64, in [0, V) or ``ignore_index``.
        reduction: ``"mean"`` over the targets that are not ignored, ``"sum"`` or ``"none"``.
        label_smoothing: in [0, 1].

    Returns:
        ``()`` or ``(...)``, float32 for logits of float32 and bfloat16.

    Raises:
        RuntimeError: shapes, dtypes or options do not fit, or a target is no class.

    Example:
        >>> heed.functional.cross_entropy(torch.zeros(2, 3, 4), torch.zeros(2, 3, dtype=torch.long))
        tensor(1.3863)
    """
    return _cross_entropy(input, target, ignore_index, reduction, label_smoothing)


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Rows of ``weight`` (V, C) by number: ``input`` (...) int64 gives (..., C). The row
    ``padding_idx`` gets no gradient.

    Example:
        >>> heed.functional.embedding(torch.tensor([2, 0]), torch.eye(3))
        tensor([[0., 0., 1.],
                [1., 0., 0.]])
    """
    if padding_idx is None:
        padding_idx = -1
    elif padding_idx < 0:
        padding_idx += weight.shape[0]
    return _embedding(weight, input, padding_idx)
