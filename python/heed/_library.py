"""Loads libheed.so, whose operators then stand under ``torch.ops.heed``."""

from __future__ import annotations

import os
from pathlib import Path

import torch

__all__ = ["cmake_prefix", "keep_packed_weights", "library_path"]

_FOLDER = Path(__file__).resolve().parent


def library_path() -> Path:
    """The libheed.so in use: ``HEED_LIBRARY`` where that is set, else the one of this package.

    Raises:
        ImportError: there is none.

    Example:
        >>> heed.library_path().name
        'libheed.so'
    """
    chosen = os.environ.get("HEED_LIBRARY")
    path = Path(chosen) if chosen else _FOLDER / "lib" / "libheed.so"
    if not path.is_file():
        where = "HEED_LIBRARY names" if chosen else "the package should hold"
        raise ImportError(
            f"heed: {where} {path}, and there is no such file. Install the wheel (`make wheel`), or "
            "set HEED_LIBRARY to the libheed.so of a build."
        )
    return path


def cmake_prefix() -> Path:
    """Where CMake finds Heed, for ``-DCMAKE_PREFIX_PATH``.

    Example:
        ``cmake -DCMAKE_PREFIX_PATH="$(python -c 'import heed; print(heed.cmake_prefix())')" …``

    Raises:
        FileNotFoundError: this is no installed wheel but a checkout.
    """
    if not (_FOLDER / "lib" / "cmake" / "heed" / "heedConfig.cmake").is_file():
        raise FileNotFoundError(
            f"heed.cmake_prefix: {_FOLDER} holds no CMake package; install the wheel (`make wheel`)"
        )
    return _FOLDER


def _check_torch() -> None:
    """Says plainly what a dynamic linker says with a mangled name."""
    try:
        from ._built_with import TORCH  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return  # a checkout
    if torch.__version__.split(".")[:2] != TORCH.split(".")[:2]:
        raise ImportError(
            f"heed: built for torch {TORCH}, and this is torch {torch.__version__}; "
            f"pip install 'torch=={TORCH}'"
        )


if not os.environ.get("HEED_LIBRARY"):
    _check_torch()
torch.ops.load_library(str(library_path()))
# In Python weights are changed behind their version counters' backs, through `weight.data` (LoRA's
# merging does); a packed copy that is kept would not see it.
torch.ops.heed.keep_packed_weights(False)


def keep_packed_weights(keeps: bool) -> None:
    """Whether a linear layer that is not trained keeps a packed copy of its weight from one call to
    the next, which makes short inputs faster and takes the memory of the weight again. Not in Python,
    unless asked for: a write to ``weight.data`` is not seen then.

    Example:
        >>> heed.keep_packed_weights(True)
        >>> heed.keep_packed_weights(False)  # the default again
    """
    torch.ops.heed.keep_packed_weights(keeps)
