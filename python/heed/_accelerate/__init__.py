"""``heed.accelerate``: the model that you have, on Heed's kernels."""

from .api import accelerate, restore
from .report import Report, report

__all__ = ["Report", "accelerate", "report", "restore"]
