"""A module computes with another class and stays the same module: parameters, buffers, hooks and names
do not move, and the class it had is remembered in it, so that copies can be restored too."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper, wraps
from types import FunctionType
from typing import Any, ParamSpec, TypeVar, cast

import torch

__all__ = ["joined_class", "once", "original_class", "put_back", "swap"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def once(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """``functools.cache``, which does not take a class of modules for hashable."""
    results: dict[object, Result] = {}

    @wraps(function)
    def remembered(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        if args not in results:
            results[args] = function(*args, **kwargs)
        return results[args]

    return remembered

_ORIGINAL = "_heed_original_class"


def original_class(module: torch.nn.Module) -> type[torch.nn.Module] | None:
    """The class that the module had before ``swap``; None: it was not swapped."""
    return cast("type[torch.nn.Module] | None", module.__dict__.get(_ORIGINAL))


def swap(module: torch.nn.Module, to: type[torch.nn.Module]) -> None:
    """``to`` must be a subclass of the module's class that adds no state."""
    module.__dict__.setdefault(_ORIGINAL, type(module))
    module.__class__ = to


def put_back(module: torch.nn.Module) -> None:
    """Undoes ``swap``."""
    original = module.__dict__.pop(_ORIGINAL, None)
    if original is not None:
        module.__class__ = original


def _new(mixin: type, original: type) -> Any:
    joined: Any = joined_class(mixin, original)
    return joined.__new__(joined)


class _Joined:
    """What lets a class that exists only at run time be copied and pickled."""

    _heed_parts: tuple[type, type]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _new, self._heed_parts, self.__dict__


@once
def joined_class(mixin: type, original: type) -> type:
    """A subclass of ``original`` with the ``forward`` of ``mixin``, under the name that it had, and with
    the signature of the original's, which the Trainer of ``transformers`` looks at."""
    own: Any = vars(mixin)["forward"]
    forward = FunctionType(
        own.__code__, own.__globals__, own.__name__, own.__defaults__, own.__closure__
    )
    return type(
        original.__name__,
        (_Joined, mixin, original),
        {
            "_heed_parts": (mixin, original),
            "__module__": original.__module__,
            "forward": update_wrapper(forward, cast(Any, original).forward),
        },
    )
