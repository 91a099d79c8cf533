"""Attention, and its weights on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict

import torch
from typing_extensions import Unpack

from . import _library  # noqa: F401  (loads the operators)
from ._options import draw_seed, operator_options
from .patterns import Alignment, Pattern
from .scores import Score

__all__ = [
    "AttentionOptions",
    "TopWeights",
    "attention",
    "attention_weights",
    "attention_with_sums",
    "block_weights",
    "column_weights",
    "row_entropies",
    "top_weights",
]


class AttentionOptions(TypedDict, total=False):
    """What decides the weights; the keyword arguments of ``heed.attention`` but for dropout."""

    score: Score | None
    pattern: Pattern | None
    scale: float | None
    softcap: float
    alibi_slopes: torch.Tensor | None
    relative_table: torch.Tensor | None
    bias: torch.Tensor | None
    alignment: Alignment


_attention = torch.ops.heed.attention.default


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    score: Score | None = None,
    pattern: Pattern | None = None,
    scale: float | None = None,
    softcap: float = 0.0,
    alibi_slopes: torch.Tensor | None = None,
    relative_table: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    alignment: Alignment = "bottom_right",
    dropout: float = 0.0,
    dropout_seed: int | torch.Tensor | None = None,
) -> torch.Tensor:
    """Exact attention in O(N) memory, fused in both directions::

        weights = dropout(softmax(mask(bias(softcap(scale · score(query, key))))))
        output  = weights · value

    float32 and bfloat16 on a CPU go to Heed's kernels, the rest to torch's operators. Has gradients
    for ``query``, ``key``, ``value``, what a score learns, ``alibi_slopes``, ``relative_table`` and
    ``bias``. Under autocast ``query``, ``key`` and ``value`` are
    cast. A row that may attend to nothing gives 0.

    Args:
        query: ``(B, H, Nq, D)``.
        key: ``(B, Hk, Nk, D)``; H is a multiple of Hk.
        value: ``(B, Hk, Nk, Dv)``.
        score: ``heed.ScaledDot()`` (the default), ``heed.Dot()``, ``heed.Cosine(temperature)``,
            ``heed.Additive(v)``, ``heed.Leaky(v)``.
        pattern: which keys a query sees, such as ``heed.causal() & heed.window(128, 0)``; None: all.
        scale: a factor instead of the score's own.
        softcap: ``c · tanh(score / c)``; 0: none.
        alibi_slopes: ``(H)``, ``−slope_h · |j − p(i)|`` is added (Press et al. 2022).
        relative_table: ``(H or 1, 2 · reach + 1)``,
            ``table[h, clamp(j − p(i), −reach, reach) + reach]`` is added (Raffel et al. 2020).
        bias: added; broadcast to ``(B, H, Nq, Nk)``.
        alignment: where query 0 stands among the keys, for ALiBi and the relative table:
            ``"bottom_right"``, p(i) = i + Nk − Nq, or ``"top_left"``, p(i) = i.
        dropout: the probability with which a weight is dropped, in [0, 1).
        dropout_seed: an int or an int64 tensor of one value; None: drawn from torch's CPU generator.

    Returns:
        ``(B, H, Nq, Dv)``, in the dtype of ``query``.

    Raises:
        TypeError: a score or a pattern is something else.
        RuntimeError: shapes, dtypes or options do not fit; the message says which.

    Example:
        >>> query, key, value = (torch.randn(2, 4, 10, 8, requires_grad=True) for _ in range(3))
        >>> pattern = heed.causal() & heed.window(3, 0) | heed.global_tokens(1)
        >>> heed.attention(query, key, value, pattern=pattern, dropout=0.1).sum().backward()
        >>> query.grad.shape
        torch.Size([2, 4, 10, 8])
    """
    options = operator_options(
        score, pattern, scale, softcap, alibi_slopes, relative_table, bias, alignment
    )
    if dropout:
        _add_dropout(options, dropout, dropout_seed)
    return _attention(query, key, value, **options)[0]


def _add_dropout(
    options: dict[str, Any], dropout: float, seed: int | torch.Tensor | None
) -> None:
    options["dropout"] = dropout
    if isinstance(seed, int):
        options["dropout_seed"] = seed
    else:
        options["dropout_seed_tensor"] = draw_seed() if seed is None else seed


def attention_with_sums(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    dropout: float = 0.0,
    dropout_seed: int | torch.Tensor | None = None,
    **options: Unpack[AttentionOptions],
) -> tuple[torch.Tensor, torch.Tensor]:
    """As ``heed.attention``, with the log-sum-exp of the scores of each query, which joins attention
    over parts of the keys to attention over all of them. Both have gradients.

    Returns:
        ``(B, H, Nq, Dv)`` and ``(B, H, Nq)``, the latter float32 (float64 for float64), −∞ where a
        query has no key.

    Example:
        >>> query, key, value = (torch.randn(1, 2, 6, 8) for _ in range(3))
        >>> halves = zip(key.split(3, 2), value.split(3, 2))
        >>> parts = [heed.attention_with_sums(query, *half) for half in halves]
        >>> shares = torch.stack([sums for _, sums in parts]).softmax(0).unsqueeze(-1)
        >>> joined = sum(share * output for share, (output, _) in zip(shares, parts))
        >>> torch.testing.assert_close(joined, heed.attention(query, key, value))
    """
    given = operator_options(**options)
    if dropout:
        _add_dropout(given, dropout, dropout_seed)
    output, sums, _ = _attention(query, key, value, **given)
    return output, sums


def attention_weights(
    query: torch.Tensor,
    key: torch.Tensor,
    *,
    heads: Sequence[int] | None = None,
    queries: Sequence[int] | None = None,
    **options: Unpack[AttentionOptions],
) -> torch.Tensor:
    """The weights that ``heed.attention`` uses, before dropout, of chosen heads and queries. They
    have no gradients, and take the memory of the result alone.

    Args:
        query, key, options: as for ``heed.attention``.
        heads, queries: which, by number; None: all.

    Returns:
        ``(B, heads, queries, Nk)``, float32 (float64 for float64); a pair that the pattern leaves
        out weighs 0.

    Example:
        >>> query = key = torch.zeros(1, 2, 4, 8)
        >>> heed.attention_weights(query, key, heads=[1], queries=[1], pattern=heed.causal())
        tensor([[[[0.5000, 0.5000, 0.0000, 0.0000]]]])
    """
    for name, some in (("heads", heads), ("queries", queries)):
        if some is not None and not len(some):
            raise ValueError(f"attention_weights: {name} must name at least one; None: all")
    return torch.ops.heed.attention_weights.default(
        query, key, heads=heads, queries=queries, **operator_options(**options)
    )


class TopWeights(NamedTuple):
    """``values`` (B, H, Nq, count) and ``keys``, int64 of the same shape; where a query has fewer
    keys, the rest is value 0 and key −1.

    Example:
        >>> query = torch.zeros(1, 1, 2, 8)
        >>> heed.top_weights(query, query, 2, pattern=heed.causal())
        TopWeights(values=tensor([[[[1.0000, 0.0000],
                  [0.5000, 0.5000]]]]), keys=tensor([[[[ 0, -1],
                  [ 0,  1]]]]))
    """

    values: torch.Tensor
    keys: torch.Tensor


def top_weights(
    query: torch.Tensor, key: torch.Tensor, count: int, **options: Unpack[AttentionOptions]
) -> TopWeights:
    """The ``count`` largest weights of each query, largest first, equal ones by key.

    Example:
        >>> query = torch.eye(3).view(1, 1, 3, 3)
        >>> heed.top_weights(query, query, 1).keys.flatten()
        tensor([0, 1, 2])
    """
    return TopWeights(
        *torch.ops.heed.top_weights.default(query, key, count, **operator_options(**options))
    )


def block_weights(
    query: torch.Tensor,
    key: torch.Tensor,
    query_block: int = 64,
    key_block: int = 64,
    **options: Unpack[AttentionOptions],
) -> torch.Tensor:
    """The mean weight of each block of pairs, a picture of any size of a matrix of any size.

    Returns:
        ``(B, H, ⌈Nq / query_block⌉, ⌈Nk / key_block⌉)``.

    Example:
        >>> query = torch.zeros(1, 1, 4, 8)
        >>> heed.block_weights(query, query, 2, 2, pattern=heed.causal())
        tensor([[[[0.5000, 0.0000],
                  [0.2917, 0.2083]]]])
    """
    return torch.ops.heed.block_weights.default(
        query, key, query_block, key_block, **operator_options(**options)
    )


def column_weights(
    query: torch.Tensor, key: torch.Tensor, **options: Unpack[AttentionOptions]
) -> torch.Tensor:
    """What each key receives from all queries: ``(B, H, Nk)``.

    Example:
        >>> query = torch.zeros(1, 1, 2, 8)
        >>> heed.column_weights(query, query, pattern=heed.causal())
        tensor([[[1.5000, 0.5000]]])
    """
    return torch.ops.heed.column_weights.default(
        query, key, **operator_options(**options)
    )


def row_entropies(
    query: torch.Tensor, key: torch.Tensor, **options: Unpack[AttentionOptions]
) -> torch.Tensor:
    """``−Σ weight · ln weight`` of each query in nats: ``(B, H, Nq)``; 0 where it has no key.

    Example:
        >>> query = key = torch.zeros(1, 1, 2, 8)
        >>> heed.row_entropies(query, key, pattern=heed.causal())
        tensor([[[0.0000, 0.6931]]])
    """
    return torch.ops.heed.row_entropies.default(
        query, key, **operator_options(**options)
    )
