"""The options of attention as its operators take them."""

from __future__ import annotations

from typing import Any

import torch

from .patterns import Alignment, Pattern
from .scores import Score

_SEEDS = -(2**63), 2**63 - 1


def draw_seed() -> torch.Tensor:
    """A seed for one mask of dropout, from torch's CPU generator (``torch.manual_seed``): int64 ()."""
    return torch.randint(*_SEEDS, (), dtype=torch.int64, device="cpu")


def operator_options(
    score: Score | None = None,
    pattern: Pattern | None = None,
    scale: float | None = None,
    softcap: float = 0.0,
    alibi_slopes: torch.Tensor | None = None,
    relative_table: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    alignment: Alignment = "bottom_right",
) -> dict[str, Any]:
    """Only what differs from the defaults, so that a plain call stays a short one.

    Raises:
        TypeError: a score or a pattern is something else.
    """
    options: dict[str, Any] = {}
    if score is not None:
        if not isinstance(score, Score):
            raise TypeError(
                f"heed: score must be a heed.Score such as heed.Cosine(temperature), got {score!r}"
            )
        options["score"] = score.name
        options["score_parameter"] = score.parameter
    if pattern is not None:
        if not isinstance(pattern, Pattern):
            raise TypeError(
                "heed: pattern must be a heed.Pattern such as heed.causal() or heed.from_mask(mask), "
                f"got {type(pattern).__name__}"
            )
        options["pattern"] = pattern.expression
        if pattern.tensors:
            options["pattern_tensors"] = list(pattern.tensors)
        if pattern.numbers:
            options["pattern_numbers"] = list(pattern.numbers)
    if scale is not None:
        options["scale"] = scale
    if softcap:
        options["softcap"] = softcap
    if alibi_slopes is not None:
        options["alibi_slopes"] = alibi_slopes
    if relative_table is not None:
        options["relative_table"] = relative_table
    if bias is not None:
        options["bias"] = bias
    if alignment != "bottom_right":
        options["alignment"] = alignment
    return options
