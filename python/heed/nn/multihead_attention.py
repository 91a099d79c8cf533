"""``torch.nn.MultiheadAttention`` on fused attention."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import functional
from .._attention import attention, attention_weights
from ..patterns import Pattern, causal, from_key_padding_mask, from_mask, full

__all__ = ["MultiheadAttention"]


class MultiheadAttention(torch.nn.MultiheadAttention):
    """``torch.nn.MultiheadAttention``: the same arguments and the same state_dict. Masks, dropout and
    ``need_weights`` keep the fused path.

    Other than torch's: the weights returned have no gradients and are those before dropout; a query
    that may attend to nothing gives the output projection's bias, not NaN; ``is_causal`` counts
    without an ``attn_mask``; nested tensors are refused.

    Example:
        >>> layer = heed.nn.MultiheadAttention(8, 2, dropout=0.1, batch_first=True)
        >>> x = torch.randn(3, 5, 8)
        >>> output, weights = layer(x, x, x, is_causal=True)
        >>> output.shape, weights.shape
        (torch.Size([3, 5, 8]), torch.Size([3, 5, 5]))
    """

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """As of torch.

        Args:
            query: ``(Nq, B, C)``, with ``batch_first`` ``(B, Nq, C)``, without a batch ``(Nq, C)``.
            key, value: the same with Nk.
            key_padding_mask: ``(B, Nk)``: bool, True = IGNORED, or floating point, added.
            need_weights: return the weights as well.
            attn_mask: ``(Nq, Nk)`` or ``(B · H, Nq, Nk)``: bool, True = NOT allowed, or floating
                point, added.
            average_attn_weights: over the heads.
            is_causal: key j where j <= i, where there is no ``attn_mask``.

        Returns:
            The output, shaped as ``query``, and None or the weights ``(B, Nq, Nk)``,
            ``(B, H, Nq, Nk)`` where they are not averaged.

        Raises:
            RuntimeError: shapes do not fit.
            TypeError: nested tensors.
        """
        if any(tensor.is_nested for tensor in (query, key, value)):
            raise TypeError(
                "heed.nn.MultiheadAttention: nested tensors are not supported; pad them and give a "
                "key_padding_mask"
            )
        batched = query.dim() == 3
        if not batched:
            query, key, value = (tensor.unsqueeze(0) for tensor in (query, key, value))
            if key_padding_mask is not None:
                key_padding_mask = key_padding_mask.unsqueeze(0)
        elif not self.batch_first:
            query, key, value = (tensor.transpose(0, 1) for tensor in (query, key, value))
        q, k, v = (self._heads(tensor) for tensor in self._projected(query, key, value))
        k, v, more = self._with_more_keys(k, v)
        pattern, bias = self._masks(key_padding_mask, attn_mask, is_causal, q.shape, more)

        output = attention(
            q, k, v, pattern=pattern, bias=bias, dropout=self.dropout if self.training else 0.0
        )
        output = output.transpose(1, 2).reshape(query.shape[0], query.shape[1], self.embed_dim)
        output = functional.linear(output, self.out_proj.weight, self.out_proj.bias)
        weights = None
        if need_weights:
            weights = attention_weights(q, k, pattern=pattern, bias=bias).to(output.dtype)
            weights = weights.mean(1) if average_attn_weights else weights
        if not batched:
            return output.squeeze(0), None if weights is None else weights.squeeze(0)
        return output if self.batch_first else output.transpose(0, 1), weights

    def _projected(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, ...]:
        width = self.embed_dim
        bias = self.in_proj_bias
        if self._qkv_same_embed_dim and query is key and key is value:
            return functional.linear(query, self.in_proj_weight, bias).split(width, dim=-1)
        if self._qkv_same_embed_dim:
            weights = self.in_proj_weight.split(width)
        else:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases = (None, None, None) if bias is None else bias.split(width)
        return tuple(
            functional.linear(x, weight, own)
            for x, weight, own in zip((query, key, value), weights, biases)
        )

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2)

    def _with_more_keys(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, int]:
        """The keys and values of ``add_bias_kv`` and ``add_zero_attn``, and how many they are."""
        more = []
        if self.bias_k is not None and self.bias_v is not None:
            more.append((self._heads(self.bias_k), self._heads(self.bias_v)))
        if self.add_zero_attn:
            more.append((key.new_zeros(1, 1, 1, 1), value.new_zeros(1, 1, 1, 1)))
        for own_key, own_value in more:
            shape = (key.shape[0], key.shape[1], 1, self.head_dim)
            key = torch.cat([key, own_key.expand(shape)], dim=2)
            value = torch.cat([value, own_value.expand(shape)], dim=2)
        return key, value, len(more)

    def _masks(
        self,
        key_padding_mask: Tensor | None,
        attn_mask: Tensor | None,
        is_causal: bool,
        shape: torch.Size,
        more: int,
    ) -> tuple[Pattern, Tensor | None]:
        """The masks of bool as a pattern, those of numbers as a bias."""
        pattern, bias = full(), None
        if is_causal and attn_mask is None:
            allowed = causal("top_left")
            if more:
                keys = torch.ones(shape[2], shape[2], dtype=torch.bool).tril()
                allowed = from_mask(torch.nn.functional.pad(keys, (0, more), value=True))
            pattern = pattern & allowed
        if key_padding_mask is not None:
            mask = torch.nn.functional.pad(key_padding_mask, (0, more))
            if mask.dtype == torch.bool:
                pattern = pattern & from_key_padding_mask(mask)
            else:
                bias = mask[:, None, None, :]
        if attn_mask is not None:
            mask = torch.nn.functional.pad(attn_mask, (0, more))
            if mask.dim() == 3:
                mask = mask.unflatten(0, (-1, self.num_heads))
            if mask.dtype == torch.bool:
                pattern = pattern & from_mask(mask.logical_not())
            else:
                bias = mask if bias is None else bias + mask
        return pattern, bias
