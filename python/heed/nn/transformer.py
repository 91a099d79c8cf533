"""``torch.nn.TransformerEncoderLayer`` on Heed's kernels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .. import functional
from .layers import Dropout, LayerNorm, Linear
from .multihead_attention import MultiheadAttention

__all__ = ["TransformerEncoderLayer"]


def _fused_activation(activation: object) -> functional.Activation | None:
    """The name of an activation that a linear layer can take along."""
    if activation is torch.nn.functional.relu or isinstance(activation, torch.nn.ReLU):
        return "relu"
    if activation is torch.nn.functional.gelu:
        return "gelu"
    if isinstance(activation, torch.nn.GELU):
        return "gelu" if activation.approximate == "none" else "gelu_tanh"
    if activation is torch.nn.functional.silu or isinstance(activation, torch.nn.SiLU):
        return "silu"
    return None


class TransformerEncoderLayer(torch.nn.TransformerEncoderLayer):
    """``torch.nn.TransformerEncoderLayer``: the same arguments and the same state_dict.

    ReLU, GELU and SiLU are fused with the linear layer before them, dropout with the sum that follows.

    Example:
        >>> layer = heed.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
        >>> layer(torch.randn(3, 5, 8)).shape
        torch.Size([3, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = torch.nn.functional.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
            device,
            dtype,
        )
        self.self_attn.__class__ = MultiheadAttention
        for layer in (self.linear1, self.linear2):
            layer.__class__ = Linear
        for norm in (self.norm1, self.norm2):
            norm.__class__ = LayerNorm
        for drop in (self.dropout, self.dropout1, self.dropout2):
            drop.__class__ = Dropout

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """As of torch; masks as of ``heed.nn.MultiheadAttention``.

        Args:
            src: ``(N, B, C)``, with ``batch_first`` ``(B, N, C)``, without a batch ``(N, C)``.

        Returns:
            The same shape.
        """
        x = self.norm1(src) if self.norm_first else src
        attended = self.self_attn(
            x,
            x,
            x,
            attn_mask=src_mask,
            key_padding_mask=src_key_padding_mask,
            need_weights=False,
            is_causal=is_causal,
        )[0]
        if self.norm_first:
            x = self._residual(attended, src, self.dropout1)
            return self._residual(self._feed_forward(self.norm2(x)), x, self.dropout2)
        x = self.norm1(self._residual(attended, src, self.dropout1))
        return self.norm2(self._residual(self._feed_forward(x), x, self.dropout2))

    @staticmethod
    def _residual(x: Tensor, residual: Tensor, dropout: torch.nn.Dropout) -> Tensor:
        return functional.add_dropout(x, residual, dropout.p, dropout.training)

    def _feed_forward(self, x: Tensor) -> Tensor:
        fused = _fused_activation(self.activation)
        x = functional.linear(x, self.linear1.weight, self.linear1.bias, fused or "none")
        if fused is None:
            x = self.activation(x)
        return self.linear2(self.dropout(x))
