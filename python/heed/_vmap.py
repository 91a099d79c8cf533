"""``torch.vmap`` of attention and of its weights: into the batch where the options are the same for all, else one call
after the other."""

from __future__ import annotations

import re
from collections.abc import Callable
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


def _batched(operator: Any, tensors: int) -> Callable[..., Any]:
    """The rule of an operator whose first so many arguments are ``(B, …)``, as its results are."""

    def rule(keyset: Any, *arguments: Any, **options: Any) -> Any:
        interpreter: Any = retrieve_current_functorch_interpreter()
        level, count = interpreter.level(), interpreter.batch_size()
        (given, options), (dims, option_dims) = unwrap_batched((arguments, options), level)
        # Below this level: what is called now belongs to the next one.
        with torch._C._ExcludeDispatchKeyGuard(_BATCHED):
            moved = [
                tensor.unsqueeze(0).expand(count, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
                for tensor, dim in zip(given[:tensors], dims)
            ]
            more = given[tensors:]
            if _folds(options, option_dims):
                flat = operator(*(tensor.flatten(0, 1) for tensor in moved), *more, **options)
                results = pytree.tree_map(lambda result: result.unflatten(0, (count, -1)), flat)
            else:
                leaves, spec = pytree.tree_flatten(options)
                places = pytree.tree_flatten(option_dims, is_leaf=lambda x: x is None)[0]
                each = []
                for i in range(count):
                    own = [
                        leaf if place is None else leaf.select(place, i)
                        for leaf, place in zip(leaves, places)
                    ]
                    chosen = pytree.tree_unflatten(own, spec)
                    each.append(operator(*(tensor[i] for tensor in moved), *more, **chosen))
                results = pytree.tree_map(lambda *parts: torch.stack(parts), *each)
        return pytree.tree_map(lambda result: _add_batch_dim(result, 0, level), results)

    return rule


_LIBRARY = torch.library.Library("heed", "FRAGMENT")
for _name, _tensors in (
    ("attention", 3),
    ("attention_weights", 2),
    ("top_weights", 2),
    ("block_weights", 2),
    ("column_weights", 2),
    ("row_entropies", 2),
):
    _rule = _batched(getattr(torch.ops.heed, _name).default, _tensors)
    _LIBRARY.impl(_name, _rule, "FuncTorchBatched", with_keyset=True)
