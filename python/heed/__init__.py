"""Heed: fused attention, and the layers around it, on a CPU.

    >>> import heed
    >>> output = heed.attention(query, key, value, pattern=heed.causal() & heed.window(128, 0))
    >>> model = heed.accelerate(model)
"""

from . import _library, _vmap, functional, nn  # noqa: F401
from ._accelerate import Report, accelerate, report, restore
from ._attention import (
    AttentionOptions,
    TopWeights,
    attention,
    attention_weights,
    attention_with_sums,
    block_weights,
    column_weights,
    row_entropies,
    top_weights,
)
from ._library import cmake_prefix, keep_packed_weights, library_path
from ._registration import when_imported
from ._show import HeatMap, show
from .patterns import (
    Alignment,
    Pattern,
    block_sparse,
    causal,
    dilated,
    from_block_mask,
    from_key_padding_mask,
    from_mask,
    full,
    global_tokens,
    graph,
    packed,
    padded,
    prefix_lm,
    window,
)
from .scores import Additive, Cosine, Dot, Leaky, ScaledDot, Score

def _register() -> None:
    from ._transformers import register

    register()


# attn_implementation="heed", without importing transformers here.
when_imported("transformers.modeling_utils", _register)

__version__ = "0.1.0"

__all__ = [
    "Additive",
    "Alignment",
    "AttentionOptions",
    "Cosine",
    "Dot",
    "HeatMap",
    "Leaky",
    "Pattern",
    "Report",
    "ScaledDot",
    "Score",
    "TopWeights",
    "accelerate",
    "attention",
    "attention_weights",
    "attention_with_sums",
    "block_sparse",
    "block_weights",
    "causal",
    "cmake_prefix",
    "column_weights",
    "dilated",
    "from_block_mask",
    "from_key_padding_mask",
    "from_mask",
    "full",
    "functional",
    "global_tokens",
    "graph",
    "keep_packed_weights",
    "library_path",
    "nn",
    "packed",
    "padded",
    "prefix_lm",
    "report",
    "restore",
    "row_entropies",
    "show",
    "top_weights",
    "window",
]
