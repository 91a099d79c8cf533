"""Pictures of weights in a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence

import torch

__all__ = ["HeatMap", "show"]

# From white to dark blue, as the pictures of `heed attend`; far ends and the middle.
_COLOURS = ((255, 255, 255), (107, 174, 214), (8, 48, 107))


def _colour(weight: float, most: float) -> tuple[int, ...]:
    share = min(1.0, weight / most) if most > 0 else 0.0
    low, high = (_COLOURS[0], _COLOURS[1]) if share < 0.5 else (_COLOURS[1], _COLOURS[2])
    part = share * 2 - (0 if share < 0.5 else 1)
    return tuple(round(a + (b - a) * part) for a, b in zip(low, high))


class HeatMap:
    """A heat map that a notebook shows by itself, and that ``svg`` gives as text.

    Example:
        >>> heed.show(torch.eye(2), ["not", "bad"]).svg()[:4]
        '<svg'
    """

    def __init__(self, weights: list[list[float]], rows: list[str], columns: list[str]) -> None:
        self._weights, self._rows, self._columns = weights, rows, columns

    def svg(self) -> str:
        """The picture as a whole SVG document."""
        cell, letter = 24, 7.5
        left = 8 + letter * max((len(row) for row in self._rows), default=0)
        top = 8 + letter * max((len(column) for column in self._columns), default=0)
        width, height = left + cell * len(self._columns) + 8, top + cell * len(self._rows) + 8
        most = max((max(row, default=0.0) for row in self._weights), default=0.0)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            'font-family="DejaVu Sans, sans-serif" font-size="12">'
        ]
        for j, column in enumerate(self._columns):
            x, y = left + cell * (j + 0.65), top - 4
            parts.append(
                f'<text x="{x:.1f}" y="{y:.1f}" transform="rotate(-90 {x:.1f} {y:.1f})">'
                f"{html.escape(column)}</text>"
            )
        for i, (row, weights) in enumerate(zip(self._rows, self._weights)):
            y = top + cell * i
            parts.append(
                f'<text x="{left - 4:.1f}" y="{y + cell * 0.7:.1f}" text-anchor="end">'
                f"{html.escape(row)}</text>"
            )
            for j, weight in enumerate(weights):
                title = f"{row} → {self._columns[j]}: {weight:.3f}"
                parts.append(
                    f'<rect x="{left + cell * j:.1f}" y="{y:.1f}" width="{cell}" height="{cell}" '
                    f'fill="rgb{_colour(weight, most)}"><title>{html.escape(title)}</title></rect>'
                )
        return "\n".join([*parts, "</svg>\n"])

    def _repr_svg_(self) -> str:
        return self.svg()


def show(
    weights: torch.Tensor, tokens: Sequence[str], queries: Sequence[str] | None = None
) -> HeatMap:
    """A heat map of the weights of attention: queries are rows, keys are columns, the darker the more.

    Args:
        weights: ``(Nq, Nk)``; dimensions of size 1 before these are dropped.
        tokens: the Nk texts of the keys.
        queries: the Nq texts of the queries; None: ``tokens``.

    Returns:
        What a notebook shows as a picture; ``.svg()`` is its text.

    Raises:
        ValueError: the numbers of weights and tokens differ.

    Example:
        >>> heed.show(torch.eye(2), ["not", "bad"]).svg().count("<rect")
        4
    """
    while weights.dim() > 2 and weights.shape[0] == 1:
        weights = weights[0]
    rows = list(tokens if queries is None else queries)
    if weights.dim() != 2 or tuple(weights.shape) != (len(rows), len(tokens)):
        raise ValueError(
            f"heed.show: expected weights of ({len(rows)}, {len(tokens)}), one row for each query and "
            f"one column for each token, got {tuple(weights.shape)}; choose one text and one head, as "
            "in weights[0, 0]"
        )
    return HeatMap(weights.detach().float().cpu().tolist(), rows, list(tokens))
