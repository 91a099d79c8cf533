"""``torch.vmap`` of attention: into the batch where the options are the same for all, else one call
after the other."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch._C._functorch import _add_batch_dim
from torch._functorch.pyfunctorch import retrieve_current_functorch_interpreter
from torch._functorch.vmap import unwrap_batched
from torch.utils import _pytree as pytree

__all__: list[str] = []

# Patterns that say the same of every batch.
_SAME_FOR_ALL = {
    "and", "or", "full", "causal", "causal_top_left", "window", "window_top_left", "dilated",
    "dilated_top_left", "global_tokens", "graph", "packed",
}  # fmt: skip

_operator = torch.ops.heed.attention.default
_BATCHED = torch._C.DispatchKeySet(torch._C.DispatchKey.FuncTorchBatched)


def _folds(options: dict[str, Any], dims: dict[str, Any]) -> bool:
    """Whether more batches are all that a dimension more in query, key and value is."""
    same = all(dim is None for dim in pytree.tree_leaves(dims, is_leaf=lambda x: x is None))
    bias = options.get("bias")
    return (
        same
        and set(re.findall(r"\w+", options.get("pattern", "full"))) <= _SAME_FOR_ALL
        and not options.get("dropout", 0.0)
        and (bias is None or bias.dim() < 4 or bias.shape[0] == 1)
    )


def _attention(keyset: Any, *arguments: torch.Tensor, **options: Any) -> tuple[torch.Tensor, ...]:
    interpreter: Any = retrieve_current_functorch_interpreter()
    level, count = interpreter.level(), interpreter.batch_size()
    (tensors, given), (dims, option_dims) = unwrap_batched((arguments, options), level)
    # Below this level: what is called now belongs to the next one.
    with torch._C._ExcludeDispatchKeyGuard(_BATCHED):
        moved = [
            tensor.unsqueeze(0).expand(count, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
            for tensor, dim in zip(tensors, dims)
        ]
        if _folds(given, option_dims):
            flat = _operator(*(tensor.flatten(0, 1) for tensor in moved), **given)
            results = [result.unflatten(0, (count, -1)) for result in flat]
        else:
            leaves, spec = pytree.tree_flatten(given)
            places = pytree.tree_flatten(option_dims, is_leaf=lambda x: x is None)[0]
            each = []
            for i in range(count):
                own = [
                    leaf if place is None else leaf.select(place, i)
                    for leaf, place in zip(leaves, places)
                ]
                each.append(
                    _operator(*(tensor[i] for tensor in moved), **pytree.tree_unflatten(own, spec))
                )
            results = [torch.stack(parts) for parts in zip(*each)]
    return tuple(_add_batch_dim(result, 0, level) for result in results)


_LIBRARY = torch.library.Library("heed", "FRAGMENT")
_LIBRARY.impl("attention", _attention, "FuncTorchBatched", with_keyset=True)
