"""What modules of a model become. Each adds a ``forward`` and no state; the first base of a class that
is joined at run time (``swap.joined_class``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .. import functional

__all__ = [
    "AddDropoutNorm",
    "FusedActivation",
    "FusedLinear",
    "ResidualFeedForward",
    "RMSNorm",
    "TransposedLinear",
    "fuse",
    "unfuse",
]

_FUSED = "_heed_fused"


@dataclass(eq=False)
class _Fused:
    """What the linear layer and the activation of a pair both have while they are one; no tuple, of
    which torch.compile cannot tell whether two are the same. Not a module either: the parent does not
    become a part of its part."""

    parent: torch.nn.Module
    linear: str
    activation: str
    name: functional.Activation


def fuse(parent: torch.nn.Module, linear: str, activation: str, name: functional.Activation) -> None:
    """``parent.linear`` makes the activation too, and ``parent.activation`` nothing more, for as long
    as both stand there: a wrapper that takes the place of one (LoRA), or a hook on one, undoes it."""
    fused = _Fused(parent, linear, activation, name)
    for part in (linear, activation):
        getattr(parent, part).__dict__[_FUSED] = fused


def unfuse(module: torch.nn.Module) -> None:
    module.__dict__.pop(_FUSED, None)


def _hooked(module: torch.nn.Module) -> bool:
    return bool(
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
    )


def _fused_name(module: torch.nn.Module) -> functional.Activation:
    """The activation that is fused at this moment, or ``"none"``."""
    fused: _Fused | None = module.__dict__.get(_FUSED)
    if fused is None:
        return "none"
    linear, activation = getattr(fused.parent, fused.linear), getattr(fused.parent, fused.activation)
    stands = (
        linear.__dict__.get(_FUSED) is fused
        and activation.__dict__.get(_FUSED) is fused
        and not _hooked(linear)
        and not _hooked(activation)
    )
    return fused.name if stands else "none"


class FusedLinear(torch.nn.Module):
    """``torch.nn.Linear``, with the activation that follows where there is one."""

    weight: Tensor
    bias: Tensor | None

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, self.weight, self.bias, _fused_name(self))


class TransposedLinear(torch.nn.Module):
    """``Conv1D`` of ``transformers``, whose weight is ``(in, out)``."""

    weight: Tensor
    bias: Tensor

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight.t(), self.bias, _fused_name(self))


class FusedActivation(torch.nn.Module):
    """An activation; nothing where the linear layer before it has made it."""

    def forward(self, input: Tensor) -> Tensor:
        if _fused_name(self) != "none":
            return input
        return super().forward(input)


class RMSNorm(torch.nn.Module):
    """The RMS norms of ``transformers``: ``weight`` and ``variance_epsilon``."""

    weight: Tensor
    variance_epsilon: float

    def forward(self, hidden_states: Tensor) -> Tensor:
        return functional.rms_norm(hidden_states, self.weight, self.variance_epsilon)


class AddDropoutNorm(torch.nn.Module):
    """``norm(dropout(dense(hidden_states)) + input_tensor)``, with the sum in the dropout's pass."""

    dense: torch.nn.Module
    dropout: torch.nn.Dropout
    LayerNorm: torch.nn.Module

    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Any:
        drop = self.dropout
        if _hooked(drop):
            return super().forward(hidden_states, input_tensor)
        hidden_states = self.dense(hidden_states)
        total = functional.add_dropout(hidden_states, input_tensor, drop.p, drop.training)
        return self.LayerNorm(total)


class ResidualFeedForward(torch.nn.Module):
    """``hidden_states + dropout(feed_forward(norm(hidden_states)))`` of T5."""

    layer_norm: torch.nn.Module
    DenseReluDense: torch.nn.Module
    dropout: torch.nn.Dropout

    def forward(self, hidden_states: Tensor) -> Any:
        drop = self.dropout
        if _hooked(drop):
            return super().forward(hidden_states)
        forwarded = self.DenseReluDense(self.layer_norm(hidden_states))
        return functional.add_dropout(forwarded, hidden_states, drop.p, drop.training)
