"""``attn_implementation="heed"`` for the models of the ``transformers`` package."""

from __future__ import annotations

from typing import Any

import torch

from ._attention import attention, attention_weights
from .patterns import Pattern, causal, from_mask, full, padded, window

__all__ = ["NAME", "attention_forward", "mask_with_pattern", "pattern_of_mask", "register"]

NAME = "heed"

# Where a mask made by `mask_with_pattern` keeps what it says, once for all layers.
_PATTERN = "_heed_pattern"


def attention_forward(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    position_bias: torch.Tensor | None = None,
    softcap: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """What ``AttentionInterface`` asks for.

    Args:
        query: ``(B, H, Nq, D)``; key, value: ``(B, Hk, Nk, D)``.
        attention_mask: None, bool (True = may attend) or floating point (added), ``(B, 1 or H, Nq,
            Nk)``.
        position_bias: added to the scores, as T5's.

    Returns:
        ``(B, Nq, H, D)``, and the weights where ``output_attentions`` asks for them, else None.

    Raises:
        ValueError: something that the kernels do not have (attention sinks).
    """
    if kwargs.get("s_aux") is not None:
        raise ValueError(
            'heed: attention sinks (`s_aux`) are not supported; use attn_implementation="eager"'
        )
    pattern, bias = full(), position_bias
    if attention_mask is None:
        if is_causal is None:
            is_causal = getattr(module, "is_causal", True)
        if is_causal and query.shape[2] > 1:
            # The starts aligned, as with sdpa: a static cache is longer than what is read so far.
            pattern = causal("top_left")
    elif attention_mask.dtype == torch.bool:
        pattern = getattr(attention_mask, _PATTERN, None) or from_mask(attention_mask)
    else:
        bias = attention_mask if bias is None else bias + attention_mask
    if bias is not None and _is_nothing(bias):
        bias = None
    options: dict[str, Any] = {
        "pattern": pattern,
        "scale": scaling,
        "bias": bias,
        "softcap": softcap or 0.0,
    }
    output = attention(query, key, value, dropout=dropout, **options).transpose(1, 2)
    weights = None
    if kwargs.get("output_attentions"):
        weights = attention_weights(query, key, **options).to(query.dtype)
    return output.contiguous(), weights


def _is_nothing(bias: torch.Tensor) -> bool:
    """T5's layers without a bias of their own are given zeros."""
    if bias.requires_grad or torch.compiler.is_compiling():
        return False
    return not bias.any()


def mask_with_pattern(*args: Any, **kwargs: Any) -> torch.Tensor | None:
    """The mask that sdpa gets, and with it what it says as a pattern, so that a padded, causal or
    windowed one costs the kernels no look at each pair."""
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

    mask: torch.Tensor | None = ALL_MASK_ATTENTION_FUNCTIONS["sdpa"](*args, **kwargs)
    if mask is not None and mask.dtype == torch.bool and not torch.compiler.is_compiling():
        setattr(mask, _PATTERN, pattern_of_mask(mask))
    return mask


def pattern_of_mask(mask: torch.Tensor) -> Pattern:
    """A mask of bool ``(B, H, Nq, Nk)`` as a window with padding where it is exactly that, else
    itself.

    Example:
        >>> mask = torch.ones(2, 1, 4, 4, dtype=torch.bool).tril()
        >>> mask[1, :, :, 3:] = False
        >>> pattern_of_mask(mask)
        and(window(-1,0),padded(int64[2]))
    """
    _, _, queries, keys = mask.shape
    if mask.numel() == 0 or not mask.any():
        return from_mask(mask)
    ahead = torch.arange(keys, device=mask.device) - torch.arange(
        keys - queries, keys, device=mask.device
    ).unsqueeze(1)
    somewhere = mask.any(0).any(0)
    right = int(ahead[somewhere].max())
    left = int(-ahead[somewhere].min())
    band = (ahead <= right) & (ahead >= -left)
    if right < 0 or left < 0:  # a window holds the query's own place
        return from_mask(mask)
    alone = torch.equal(mask, band.expand_as(mask))
    used = mask.any(2, keepdim=True)
    if not alone and not torch.equal(mask, band & used):
        return from_mask(mask)

    right = -1 if right >= int(ahead.max()) else right
    left = -1 if left >= int(-ahead.min()) else left
    pattern = full() if left == right == -1 else window(left, right)
    if alone:
        return pattern
    lengths = used.sum(-1)
    at_the_end = torch.arange(keys, device=mask.device) < lengths.unsqueeze(-1)
    if mask.shape[1] == 1 and torch.equal(used, at_the_end):
        return pattern & padded(lengths.flatten())
    return pattern & from_mask(used.contiguous())


def register() -> None:
    """Makes ``attn_implementation="heed"`` known. Again: does nothing."""
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(NAME, attention_forward)
    ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, mask_with_pattern)
