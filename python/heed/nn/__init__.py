"""Layers with the arguments, the parameters and the state_dict of those of ``torch.nn``: each is a
subclass of its namesake, and computes with Heed's kernels."""

from .layers import (
    CrossEntropyLoss,
    Dropout,
    Embedding,
    LayerNorm,
    Linear,
    RMSNorm,
)
from .multihead_attention import MultiheadAttention
from .transformer import TransformerEncoderLayer

__all__ = [
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "LayerNorm",
    "Linear",
    "MultiheadAttention",
    "RMSNorm",
    "TransformerEncoderLayer",
]
