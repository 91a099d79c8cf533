"""What ``heed.accelerate`` did with a model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import torch

__all__ = ["Report", "report", "write"]

_REPORT = "_heed_report"


@dataclass
class Report:
    """What was replaced, and what not and why: how often, by a line that says it.

    Example:
        >>> model = heed.accelerate(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh()))
        >>> print(heed.report(model))
        replaced
             1  Linear
    """

    replaced: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        lines = []
        for title, counts in (("replaced", self.replaced), ("kept", self.kept)):
            if counts:
                lines.append(title)
                lines += [f"{count:6}  {line}" for line, count in sorted(counts.items())]
        return "\n".join(lines)


def write(model: torch.nn.Module, made: Report) -> None:
    model.__dict__[_REPORT] = made


def report(model: torch.nn.Module) -> Report:
    """What ``heed.accelerate`` did with this model; empty where it did nothing.

    Example:
        >>> model = heed.accelerate(torch.nn.Sequential(torch.nn.LayerNorm(8)))
        >>> heed.report(model).replaced
        Counter({'LayerNorm': 1})
    """
    found = model.__dict__.get(_REPORT)
    return found if isinstance(found, Report) else Report()
