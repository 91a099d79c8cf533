"""Which keys each query may attend to, as values that are joined with ``&`` and ``|``.

True always means "may attend". Query i stands at position p(i) among the keys: with the ends aligned
(``"bottom_right"``, the default) p(i) = i + Nk − Nq, with the starts aligned (``"top_left"``)
p(i) = i. Both are the same where Nq = Nk.

What is no tensor or no integer is refused at once (``TypeError``); shapes and values are checked when the
pattern meets queries and keys, in ``heed.attention``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from torch.nn.attention.flex_attention import BlockMask

__all__ = [
    "Alignment",
    "Pattern",
    "block_sparse",
    "causal",
    "dilated",
    "from_block_mask",
    "from_key_padding_mask",
    "from_mask",
    "full",
    "global_tokens",
    "graph",
    "packed",
    "padded",
    "prefix_lm",
    "window",
]

Alignment = Literal["bottom_right", "top_left"]


@dataclass(frozen=True, eq=False)
class Pattern:
    """A pattern: an expression of names, and in their order the tensors and numbers that they take
    (docs/adding_a_pattern.md). Made by the functions of this module.

    Example:
        >>> causal() & window(2, 0) | global_tokens(1)
        or(and(causal,window(2,0)),global_tokens(1))
    """

    expression: str
    tensors: tuple[torch.Tensor, ...] = ()
    numbers: tuple[int, ...] = ()
    text: str = ""

    def __and__(self, other: Pattern) -> Pattern:
        """Allowed by both."""
        if not isinstance(other, Pattern):
            return NotImplemented
        if self.is_full():
            return other
        return self if other.is_full() else _joined("and", self, other)

    def __or__(self, other: Pattern) -> Pattern:
        """Allowed by one or the other."""
        if not isinstance(other, Pattern):
            return NotImplemented
        return full() if self.is_full() or other.is_full() else _joined("or", self, other)

    def __repr__(self) -> str:
        return self.text

    def is_full(self) -> bool:
        return self.expression == "full"


def _joined(word: str, left: Pattern, right: Pattern) -> Pattern:
    return Pattern(
        f"{word}({left.expression},{right.expression})",
        left.tensors + right.tensors,
        left.numbers + right.numbers,
        f"{word}({left.text},{right.text})",
    )


def _leaf(
    name: str, numbers: tuple[int, ...] = (), tensors: tuple[torch.Tensor, ...] = ()
) -> Pattern:
    for number in numbers:
        if not hasattr(number, "__index__"):  # as sizes of a graph that is traced have, too
            raise TypeError(f"{name}: expected an integer, got {number!r}")
    for tensor in tensors:
        _check_tensor(name, tensor)
    values = [str(number) for number in numbers]
    values += [f"{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}" for tensor in tensors]
    return Pattern(name, tensors, numbers, f"{name}({','.join(values)})" if values else name)


def _check_tensor(name: str, value: object) -> None:
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name}: expected a tensor, got {type(value).__name__}")


def _aligned(name: str, alignment: Alignment) -> str:
    if alignment not in ("bottom_right", "top_left"):
        raise ValueError(f"{name}: alignment {alignment!r}: expected 'bottom_right' or 'top_left'")
    return name if alignment == "bottom_right" else f"{name}_top_left"


def full() -> Pattern:
    """Every query sees every key.

    Example:
        >>> x = torch.zeros(1, 1, 3, 8)
        >>> heed.attention_weights(x, x, pattern=heed.full())[0, 0].sign().long()
        tensor([[1, 1, 1],
                [1, 1, 1],
                [1, 1, 1]])
    """
    return Pattern("full", text="full")


def causal(alignment: Alignment = "bottom_right") -> Pattern:
    """Key j where j <= p(i).

    Example:
        >>> x = torch.zeros(1, 1, 3, 8)
        >>> heed.attention_weights(x, x, pattern=heed.causal())[0, 0].sign().long()
        tensor([[1, 0, 0],
                [1, 1, 0],
                [1, 1, 1]])
    """
    return _leaf(_aligned("causal", alignment))


def window(left: int = -1, right: int = -1, alignment: Alignment = "bottom_right") -> Pattern:
    """Keys from p(i) − left to p(i) + right, both included; −1: unlimited (Beltagy et al. 2020).

    Example:
        >>> x = torch.zeros(1, 1, 4, 8)
        >>> heed.attention_weights(x, x, pattern=heed.window(1, 0))[0, 0].sign().long()
        tensor([[1, 0, 0, 0],
                [1, 1, 0, 0],
                [0, 1, 1, 0],
                [0, 0, 1, 1]])
    """
    return _leaf(_aligned("window", alignment), (left, right))


def dilated(
    left: int = -1, right: int = -1, dilation: int = 1, alignment: Alignment = "bottom_right"
) -> Pattern:
    """Keys p(i) + t · dilation for −left <= t <= right; −1: unlimited (Beltagy et al. 2020).

    Example:
        >>> x = torch.zeros(1, 1, 4, 8)
        >>> heed.attention_weights(x, x, pattern=heed.dilated(1, 1, dilation=2))[0, 0].sign().long()
        tensor([[1, 0, 1, 0],
                [0, 1, 0, 1],
                [1, 0, 1, 0],
                [0, 1, 0, 1]])
    """
    return _leaf(_aligned("dilated", alignment), (left, right, dilation))


def global_tokens(count: int) -> Pattern:
    """The first ``count`` positions see every key and are seen by every query (Zaheer et al. 2020).

    Example:
        >>> x = torch.zeros(1, 1, 4, 8)
        >>> heed.attention_weights(x, x, pattern=heed.global_tokens(1))[0, 0].sign().long()
        tensor([[1, 1, 1, 1],
                [1, 0, 0, 0],
                [1, 0, 0, 0],
                [1, 0, 0, 0]])
    """
    return _leaf("global_tokens", (count,))


def prefix_lm(lengths: torch.Tensor) -> Pattern:
    """Keys before ``lengths[b]`` are seen by all, the others causally (Raffel et al. 2020).

    Args:
        lengths: ``(B)`` or ``(1)``, integers.

    Example:
        >>> x = torch.zeros(1, 1, 4, 8)
        >>> heed.attention_weights(x, x, pattern=heed.prefix_lm(torch.tensor([2])))[0, 0].sign().long()
        tensor([[1, 1, 0, 0],
                [1, 1, 0, 0],
                [1, 1, 1, 0],
                [1, 1, 1, 1]])
    """
    return _leaf("prefix_lm", tensors=(lengths,))


def block_sparse(allowed: torch.Tensor, query_block: int = 64, key_block: int = 64) -> Pattern:
    """Blocks of ``query_block × key_block`` pairs; the last ones may be cut off by the end.

    Args:
        allowed: bool ``(B or 1, H or 1, ⌈Nq / query_block⌉, ⌈Nk / key_block⌉)``.

    Example:
        >>> x = torch.zeros(1, 1, 4, 8)
        >>> allowed = torch.eye(2, dtype=torch.bool)[None, None]
        >>> heed.attention_weights(x, x, pattern=heed.block_sparse(allowed, 2, 2))[0, 0].sign().long()
        tensor([[1, 1, 0, 0],
                [1, 1, 0, 0],
                [0, 0, 1, 1],
                [0, 0, 1, 1]])
    """
    return _leaf("block_sparse", (query_block, key_block), (allowed,))


def graph(indptr: torch.Tensor, indices: torch.Tensor) -> Pattern:
    """The keys of query i are ``indices[indptr[i]:indptr[i + 1]]`` (compressed sparse rows).

    Args:
        indptr: ``(Nq + 1)``, integers from 0 to the number of indices.
        indices: ``(edges)``, integers, ascending in each row, none twice, below Nk.

    Example:
        >>> x = torch.zeros(1, 1, 3, 8)
        >>> indptr, indices = torch.tensor([0, 2, 3, 5]), torch.tensor([0, 2, 1, 0, 2])
        >>> heed.attention_weights(x, x, pattern=heed.graph(indptr, indices))[0, 0].sign().long()
        tensor([[1, 0, 1],
                [0, 1, 0],
                [1, 0, 1]])
    """
    return _leaf("graph", tensors=(indptr, indices))


def packed(offsets: torch.Tensor, key_offsets: torch.Tensor | None = None) -> Pattern:
    """Sequences one after the other in one row; each sees only itself.

    Args:
        offsets: ``(sequences + 1)``, integers from 0, where each begins among the queries.
        key_offsets: the same among the keys; None: as ``offsets``.

    Example:
        >>> x = torch.zeros(1, 1, 4, 8)
        >>> heed.attention_weights(x, x, pattern=heed.packed(torch.tensor([0, 1, 4])))[0, 0].sign().long()
        tensor([[1, 0, 0, 0],
                [0, 1, 1, 1],
                [0, 1, 1, 1],
                [0, 1, 1, 1]])
    """
    return _leaf("packed", tensors=(offsets, offsets if key_offsets is None else key_offsets))


def padded(key_lengths: torch.Tensor, query_lengths: torch.Tensor | None = None) -> Pattern:
    """Sequences filled up at the end.

    Args:
        key_lengths: ``(B)``, integers, how many keys are there.
        query_lengths: ``(B)``, how many queries are there; None: all.

    Example:
        >>> x = torch.zeros(1, 1, 3, 8)
        >>> heed.attention_weights(x, x, pattern=heed.padded(torch.tensor([2])))[0, 0].sign().long()
        tensor([[1, 1, 0],
                [1, 1, 0],
                [1, 1, 0]])
    """
    if query_lengths is None:
        return _leaf("padded", tensors=(key_lengths,))
    return _leaf("padded_both", tensors=(key_lengths, query_lengths))


def from_mask(may_attend: torch.Tensor) -> Pattern:
    """Any mask.

    Args:
        may_attend: bool, broadcast to ``(B, H, Nq, Nk)``, True = may attend: as the ``attn_mask`` of
            ``scaled_dot_product_attention``, the opposite of that of ``nn.MultiheadAttention``.

    Example:
        >>> mask = torch.tensor([[True, False], [True, True]])
        >>> x = torch.zeros(1, 1, 2, 8)
        >>> heed.attention_weights(x, x, pattern=heed.from_mask(mask))[0, 0].sign().long()
        tensor([[1, 0],
                [1, 1]])
    """
    return _leaf("mask", tensors=(may_attend,))


def from_key_padding_mask(ignored: torch.Tensor) -> Pattern:
    """torch's ``key_padding_mask``.

    Args:
        ignored: bool ``(B, Nk)``, True = ignored.

    Raises:
        ValueError: it is something else.

    Example:
        >>> ignored = torch.tensor([[False, False, True]])
        >>> x = torch.zeros(1, 1, 3, 8)
        >>> heed.attention_weights(x, x, pattern=heed.from_key_padding_mask(ignored))[0, 0].sign().long()
        tensor([[1, 1, 0],
                [1, 1, 0],
                [1, 1, 0]])
    """
    _check_tensor("from_key_padding_mask", ignored)
    if ignored.dtype != torch.bool or ignored.dim() != 2:
        raise ValueError(
            "from_key_padding_mask: expected a tensor of bool (B, Nk), True = ignored, got "
            f"{ignored.dtype} {tuple(ignored.shape)}"
        )
    return from_mask(ignored.logical_not()[:, None, None, :])


def _blocks(counts: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    """bool (B, H, rows, columns) of a list of columns for each row."""
    places = torch.arange(indices.shape[-1], device=indices.device)
    used = places < counts.unsqueeze(-1)
    # One column more takes what stands behind the end of a list.
    blocks = torch.zeros(*indices.shape[:-1], indices.shape[-1] + 1, dtype=torch.bool)
    columns = indices.long().masked_fill(~used, indices.shape[-1])
    return blocks.to(indices.device).scatter_(-1, columns, True)[..., :-1]


def from_block_mask(block_mask: BlockMask) -> Pattern:
    """The mask of torch's FlexAttention, exactly: full blocks whole, and in partial blocks the pairs
    that ``mask_mod`` allows. Blocks that it leaves out cost nothing.

    ``mask_mod`` is asked once here, for all pairs: ``B · H · Nq · Nk`` bytes where it depends on all
    of them.

    Raises:
        TypeError: it is something else.

    Example:
        >>> from torch.nn.attention.flex_attention import create_block_mask
        >>> mask = create_block_mask(lambda b, h, i, j: i >= j, 1, 1, 256, 256, device="cpu")
        >>> query = torch.randn(1, 2, 256, 16)
        >>> heed.attention(query, query, query, pattern=heed.from_block_mask(mask)).shape
        torch.Size([1, 2, 256, 16])
    """
    from torch.nn.attention.flex_attention import BlockMask, create_mask

    if not isinstance(block_mask, BlockMask):
        raise TypeError(f"from_block_mask: expected a BlockMask, got {type(block_mask).__name__}")
    queries, keys = block_mask.seq_lengths
    query_block, key_block = block_mask.BLOCK_SIZE
    counts, indices = block_mask.kv_num_blocks, block_mask.kv_indices
    batch, heads = counts.shape[:2]
    rows, columns = -(-queries // query_block), -(-keys // key_block)

    def pattern_of(counts: torch.Tensor, indices: torch.Tensor) -> Pattern:
        allowed = _blocks(counts, indices)[..., :rows, :columns]
        return block_sparse(allowed.contiguous(), query_block, key_block)

    exact = create_mask(block_mask.mask_mod, batch, heads, queries, keys, str(counts.device))
    pattern = pattern_of(counts, indices) & from_mask(exact)
    full_counts, full_indices = block_mask.full_kv_num_blocks, block_mask.full_kv_indices
    if full_counts is not None and full_indices is not None:
        pattern = pattern_of(full_counts, full_indices) | pattern
    return pattern
