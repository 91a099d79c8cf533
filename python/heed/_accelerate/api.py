"""The two functions."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TypeVar

import torch
from torch import nn

from .. import nn as heed_nn
from . import find, layers, models
from .own_calls import OwnAttention, OwnLoss, calls_cross_entropy, calls_sdpa
from .report import Report, report, write
from .swap import joined_class, original_class, put_back, swap

__all__ = ["accelerate", "restore"]

_LOG = logging.getLogger("heed")

Model = TypeVar("Model", bound=nn.Module)

# Exactly these classes; a subclass may compute something else.
_KNOWN: dict[type[nn.Module], type[nn.Module]] = {
    nn.LayerNorm: heed_nn.LayerNorm,
    nn.RMSNorm: heed_nn.RMSNorm,
    nn.Dropout: heed_nn.Dropout,
    nn.Embedding: heed_nn.Embedding,
    nn.CrossEntropyLoss: heed_nn.CrossEntropyLoss,
    nn.MultiheadAttention: heed_nn.MultiheadAttention,
    nn.TransformerEncoderLayer: heed_nn.TransformerEncoderLayer,
}

# A forward, what it becomes, and what it says in a report.
_BLOCKS = (
    (
        """
        def forward(self, hidden_states, input_tensor):
            hidden_states = self.dense(hidden_states)
            hidden_states = self.dropout(hidden_states)
            hidden_states = self.LayerNorm(hidden_states + input_tensor)
            return hidden_states
        """,
        layers.AddDropoutNorm,
        "dropout + residual",
    ),
    (
        """
        def forward(self, hidden_states):
            forwarded_states = self.layer_norm(hidden_states)
            forwarded_states = self.DenseReluDense(forwarded_states)
            hidden_states = hidden_states + self.dropout(forwarded_states)
            return hidden_states
        """,
        layers.ResidualFeedForward,
        "dropout + residual",
    ),
)


def accelerate(model: Model) -> Model:
    """Replaces what Heed has kernels for in any torch or ``transformers`` model, in place: attention
    (``attn_implementation="heed"``, or where a module's own source calls torch's
    ``scaled_dot_product_attention``), linear layers with the activation that follows, norms,
    embeddings, dropout (with the sum that follows, where the source shows it) and cross entropy, that
    which a ``forward`` computes itself too while it trains.

    Parameters, buffers, names, hooks and the state_dict stay as they are, and ``isinstance`` too: a
    layer becomes a subclass of its own class. Results are as close to the model's own as another
    order of the same sums is; dropout draws other masks from the same generator. ``heed.report``
    says what was replaced, and what not and why; it is also logged (logger ``heed``, level INFO).
    ``heed.restore`` undoes it.

    Put adapters (LoRA) in before or after: a layer that is wrapped later computes what it did.

    Args:
        model: on any device; on others than a CPU torch's operators compute.

    Returns:
        The same model.

    Raises:
        TypeError: it is no ``torch.nn.Module``.

    Example:
        >>> model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.LayerNorm(8))
        >>> x = torch.randn(2, 8)
        >>> before = model(x)
        >>> torch.testing.assert_close(heed.accelerate(model)(x), before)
        >>> type(heed.restore(model)[0])
        <class 'torch.nn.modules.linear.Linear'>
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"heed.accelerate: expected a torch.nn.Module, got {type(model).__name__}")
    made = report(model)
    models.replace(model, made)
    seen = Counter(id(part) for part in _all_modules(model))
    for module in list(model.modules()):
        _replace_pairs(module, made, seen)
        _replace(module, made)
    write(model, made)
    _LOG.info("accelerate: %s\n%s", type(model).__name__, made)
    return model


def restore(model: Model) -> Model:
    """Undoes ``heed.accelerate``: every module computes as before.

    Returns:
        The same model.

    Example:
        >>> model = torch.nn.Sequential(torch.nn.Linear(8, 8))
        >>> type(heed.restore(heed.accelerate(model))[0])
        <class 'torch.nn.modules.linear.Linear'>
    """
    for module in model.modules():
        layers.unfuse(module)
        put_back(module)
    models.put_back(model)
    write(model, Report())
    return model


def _all_modules(model: nn.Module) -> list[nn.Module]:
    """Each as often as it stands in a parent."""
    return [child for module in model.modules() for child in module._modules.values() if child]


def _is_linear(module: object) -> bool:
    if not isinstance(module, nn.Module):
        return False
    kind = original_class(module) or type(module)
    return kind is nn.Linear or models.is_conv1d(kind)


def _replace_pairs(parent: nn.Module, made: Report, seen: Counter[int]) -> None:
    kind = original_class(parent) or type(parent)
    for linear_name, activation_name in find.linear_then_activation(kind):
        linear = getattr(parent, linear_name, None)
        activation = getattr(parent, activation_name, None)
        if not isinstance(activation, nn.Module) or original_class(activation) is not None:
            continue
        if type(activation) in _KNOWN:  # a dropout, say
            continue
        name = find.activation_name(activation)
        where = f"{type(activation).__name__} after a linear layer"
        if not isinstance(linear, nn.Module) or not _is_linear(linear):
            if name is not None:
                made.kept[f"{where}: it follows a {type(linear).__name__}"] += 1
        elif name is None:
            made.kept[f"{where}: no activation of Heed's"] += 1
        elif seen[id(linear)] != 1 or seen[id(activation)] != 1:
            made.kept[f"{where}: it stands in several places"] += 1
        else:
            layers.fuse(parent, linear_name, activation_name, name)
            swap(activation, joined_class(layers.FusedActivation, type(activation)))
            made.replaced[where] += 1


def _replace(module: nn.Module, made: Report) -> None:
    kind = type(module)
    if original_class(module) is not None:
        return
    if kind is nn.Linear:
        swap(module, joined_class(layers.FusedLinear, kind))
    elif models.is_conv1d(kind):
        swap(module, joined_class(layers.TransposedLinear, kind))
    elif kind in _KNOWN:
        swap(module, _KNOWN[kind])
    elif hasattr(module, "variance_epsilon"):
        if not find.is_rms_norm(module):
            made.kept[f"{kind.__name__}: its formula is no RMS norm"] += 1
            return
        swap(module, joined_class(layers.RMSNorm, kind))
    else:
        _replace_block(module, made)
        return
    made.replaced[kind.__name__] += 1


def _replace_block(module: nn.Module, made: Report) -> None:
    kind = type(module)
    attends, has_loss = calls_sdpa(kind), calls_cross_entropy(kind)
    if attends or has_loss:
        swap(module, joined_class(OwnAttention if attends else OwnLoss, kind))
        if attends:
            made.replaced[f"attention of {kind.__name__}"] += 1
        if has_loss:
            made.replaced["cross entropy"] += 1
        return
    for template, mixin, what in _BLOCKS:
        drop = getattr(module, "dropout", None)
        if find.same_forward(kind, template) and isinstance(drop, nn.Dropout):
            swap(module, joined_class(mixin, kind))
            made.replaced[f"{what} of {kind.__name__}"] += 1
            return
    if any(True for _ in module.parameters(recurse=False)) and not any(module.children()):
        known = next((one.__name__ for one in (*_KNOWN, nn.Linear) if isinstance(module, one)), None)
        why = f"its own kind of {known}" if known else "no kernel of Heed's"
        made.kept[f"{kind.__name__}: {why}"] += 1
