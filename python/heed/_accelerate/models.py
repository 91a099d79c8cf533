"""What belongs to a whole model of the ``transformers`` package: its attention and its loss."""

from __future__ import annotations

import sys
from typing import Any

from torch import Tensor, nn

from .. import functional
from .._transformers import NAME
from .find import calls
from .report import Report

__all__ = ["is_conv1d", "put_back", "replace"]

_ATTENTION = "_heed_attention_before"
_LOSS = "_heed_loss"


def _loaded(name: str) -> Any:
    """A module of ``transformers`` where somebody has imported it: without, no model is of it."""
    return sys.modules.get(f"transformers.{name}")


def is_conv1d(kind: type) -> bool:
    """GPT-2's linear layer."""
    module = _loaded("pytorch_utils")
    return module is not None and kind is module.Conv1D


def _pretrained(model: nn.Module) -> list[Any]:
    """The models of ``transformers`` in it, outer ones first."""
    modeling = _loaded("modeling_utils")
    if modeling is None:
        return []
    return [module for module in model.modules() if isinstance(module, modeling.PreTrainedModel)]


def replace(model: nn.Module, made: Report) -> None:
    inside: set[int] = set()
    for module in _pretrained(model):
        _replace_loss(module, made)
        if id(module) not in inside:
            # The outermost model sets the attention of those inside.
            inside.update(id(part) for part in module.modules())
            _replace_attention(module, made)


def _replace_attention(model: Any, made: Report) -> None:
    parts = _pretrained(model)
    for part in parts:
        if part.config._attn_implementation != NAME:
            part.__dict__.setdefault(_ATTENTION, part.config._attn_implementation)
    model.set_attn_implementation(NAME)
    for part in parts:
        name = type(part).__name__
        if part.config._attn_implementation == NAME:
            made.replaced[f"attention of {name}"] += 1
        else:
            part.__dict__.pop(_ATTENTION, None)
            made.kept[f"attention of {name}: it has no exchangeable attention"] += 1


def _replace_loss(model: Any, made: Report) -> None:
    losses = _loaded("loss.loss_utils")
    if losses is None or "_loss_function" in model.__dict__:
        return
    if not calls(type(model).forward, "loss_function"):
        return
    # A model without a name for its loss (GPT-2) has that of models that write.
    theirs = losses.LOSS_MAPPING.get(getattr(model, "loss_type", None), losses.ForCausalLMLoss)
    own = {
        losses.ForCausalLMLoss: causal_lm_loss,
        losses.ForMaskedLMLoss: masked_lm_loss,
    }.get(theirs)
    if own is None:
        made.kept[f"{theirs.__name__}: a loss of transformers that has no counterpart"] += 1
    else:
        model.loss_function = own
        model.__dict__[_LOSS] = True
        made.replaced["cross entropy"] += 1


def put_back(model: nn.Module) -> None:
    for module in _pretrained(model):
        if module.__dict__.pop(_LOSS, False):
            del module._loss_function
        before = module.__dict__.pop(_ATTENTION, None)
        if before is not None:
            module.config._attn_implementation = before


def _loss(
    logits: Tensor, labels: Tensor, items: Tensor | int | None, ignore_index: int
) -> Tensor:
    reduction: Any = "mean" if items is None else "sum"
    loss = functional.cross_entropy(logits, labels, ignore_index, reduction)
    if items is None:
        return loss
    return loss / (items.to(loss.device) if isinstance(items, Tensor) else items)


def causal_lm_loss(
    logits: Tensor,
    labels: Tensor,
    vocab_size: int,
    num_items_in_batch: Tensor | int | None = None,
    ignore_index: int = -100,
    shift_labels: Tensor | None = None,
    **kwargs: Any,
) -> Tensor:
    """``ForCausalLMLoss`` of ``transformers``."""
    if shift_labels is None:
        shift_labels = nn.functional.pad(labels, (0, 1), value=ignore_index)[..., 1:]
    shift_labels = shift_labels.reshape(-1).to(logits.device)
    return _loss(logits.view(-1, vocab_size), shift_labels, num_items_in_batch, ignore_index)


def masked_lm_loss(
    logits: Tensor,
    labels: Tensor,
    vocab_size: int,
    num_items_in_batch: Tensor | int | None = None,
    ignore_index: int = -100,
    **kwargs: Any,
) -> Tensor:
    """``ForMaskedLMLoss`` of ``transformers``."""
    labels = labels.view(-1).to(logits.device)
    return _loss(logits.view(-1, vocab_size), labels, num_items_in_batch, ignore_index)
