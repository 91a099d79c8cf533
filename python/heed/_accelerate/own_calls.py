"""Modules that call torch's ``scaled_dot_product_attention`` or ``cross_entropy`` themselves: those of
``transformers`` that cannot exchange them, and those of anybody else."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .._attention import attention
from .._transformers import pattern_of_mask
from ..nn.layers import cross_entropy
from ..patterns import Pattern, causal, from_mask, full
from .find import calls
from .swap import once

__all__ = ["OwnAttention", "OwnLoss", "calls_cross_entropy", "calls_sdpa"]

_SDPA = "scaled_dot_product_attention"

# Where a mask keeps its pattern, once for all layers.
_PATTERN = "_heed_sdpa_pattern"


@once
def calls_sdpa(kind: type[torch.nn.Module]) -> bool:
    """Whether the source of a class's ``forward`` calls it, or a function of the same file that
    ``forward`` names, also in a table of functions."""
    if not isinstance(kind.forward, FunctionType):
        return False
    if calls(kind.forward, _SDPA):
        return True
    for name in kind.forward.__code__.co_names:
        found = kind.forward.__globals__.get(name)
        for function in found.values() if isinstance(found, dict) else (found,):
            if isinstance(function, FunctionType) and function.__module__ == kind.__module__:
                if calls(function, _SDPA):
                    return True
    return False


@once
def calls_cross_entropy(kind: type[torch.nn.Module]) -> bool:
    """Whether the source of a class's ``forward`` calls it, or makes a ``CrossEntropyLoss``."""
    return any(calls(kind.forward, name) for name in ("cross_entropy", "CrossEntropyLoss"))


class OwnAttention(torch.nn.Module):
    """Its own forward, in which torch's attention and cross entropy are Heed's."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        with _Replacing():
            return super().forward(*args, **kwargs)


class OwnLoss(torch.nn.Module):
    """The same in training alone: where there is no loss, looking at each call would cost for nothing."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        if not self.training:
            return super().forward(*args, **kwargs)
        with _Replacing():
            return super().forward(*args, **kwargs)


class _Replacing(TorchFunctionMode):
    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.nn.functional.scaled_dot_product_attention:
            query = args[0] if args else kwargs["query"]
            if query.dim() == 4 and query.device.type == "cpu":
                return _sdpa(*args, **kwargs)
        if func is torch.nn.functional.cross_entropy:
            return cross_entropy(*args, **kwargs)
        return func(*args, **kwargs)


def _sdpa(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    if attn_mask is not None and is_causal:
        raise ValueError("scaled_dot_product_attention: expected attn_mask or is_causal, got both")
    pattern, bias = (causal("top_left") if is_causal else full()), None
    if attn_mask is not None:
        found = _pattern_of(attn_mask)
        pattern, bias = (pattern, attn_mask) if found is None else (found, None)
    return attention(query, key, value, pattern=pattern, bias=bias, dropout=dropout_p, scale=scale)


def _pattern_of(mask: Tensor) -> Pattern | None:
    """What a mask allows; None: its numbers are a bias."""
    if torch.compiler.is_compiling():
        return from_mask(mask) if mask.dtype == torch.bool else None
    if mask.is_inference():  # counts no versions
        return _found_pattern(mask)
    kept: tuple[int, Pattern | None] | None = getattr(mask, _PATTERN, None)
    if kept is None or kept[0] != mask._version:
        kept = mask._version, _found_pattern(mask)
        setattr(mask, _PATTERN, kept)
    return kept[1]


def _found_pattern(mask: Tensor) -> Pattern | None:
    allowed = mask
    if mask.dtype != torch.bool:
        # transformers writes a mask as zeros and the smallest number that there is.
        allowed = mask == 0
        forbidden = mask <= torch.finfo(mask.dtype).min
        if mask.requires_grad or not (allowed | forbidden).all() or not allowed.any(-1).all():
            return None
    return pattern_of_mask(allowed) if allowed.dim() == 4 else from_mask(allowed)
