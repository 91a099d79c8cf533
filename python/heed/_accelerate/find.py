"""What the source of a module's class shows, and what a module computes."""

from __future__ import annotations

import ast
import inspect
import textwrap

import torch
from torch import nn

from ..functional import Activation
from .swap import once

__all__ = ["activation_name", "calls", "is_rms_norm", "linear_then_activation", "same_forward"]

_ACTIVATIONS: dict[Activation, object] = {
    "relu": nn.functional.relu,
    "gelu": nn.functional.gelu,
    "gelu_tanh": lambda x: nn.functional.gelu(x, approximate="tanh"),
    "silu": nn.functional.silu,
}


def activation_name(module: nn.Module) -> Activation | None:
    """Which activation a module computes, found by asking it; None: none of Heed's."""
    if any(True for _ in module.parameters()) or any(True for _ in module.buffers()):
        return None
    x = torch.linspace(-8, 8, 1001, dtype=torch.float64)
    try:
        with torch.no_grad():
            found = module(x)
    except Exception:  # whatever a module may do with an input that it does not expect
        return None
    if not isinstance(found, torch.Tensor) or found.shape != x.shape or found.dtype != x.dtype:
        return None
    for name, function in _ACTIVATIONS.items():
        if torch.allclose(found, function(x), rtol=1e-7, atol=1e-8):  # type: ignore[operator]
            return name
    return None


def is_rms_norm(module: nn.Module) -> bool:
    """Whether a module with ``weight`` and ``variance_epsilon`` is an RMS norm, found by asking it:
    some add 1 to their weight."""
    weight = getattr(module, "weight", None)
    epsilon = getattr(module, "variance_epsilon", None)
    if not isinstance(weight, nn.Parameter) or weight.dim() != 1 or not isinstance(epsilon, float):
        return False
    if list(module._parameters) != ["weight"] or weight.device.type != "cpu":
        return False
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(3, weight.shape[0], generator=generator)
    expected = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + epsilon) * weight.float()
    try:
        with torch.no_grad():
            found = module(x)
    except Exception:
        return False
    return isinstance(found, torch.Tensor) and torch.allclose(
        found.float(), expected, rtol=1e-2 if weight.dtype != torch.float32 else 1e-5, atol=1e-6
    )


def _tree(source: object) -> ast.Module | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(source)))  # type: ignore[arg-type]
    except (OSError, TypeError, SyntaxError):
        return None


def calls(function: object, name: str) -> bool:
    """Whether the source of a function calls something of this name."""
    tree = _tree(function)
    return tree is not None and any(
        isinstance(node, ast.Call)
        and name in (getattr(node.func, "attr", None), getattr(node.func, "id", None))
        for node in ast.walk(tree)
    )


def _attribute_call(node: ast.AST) -> tuple[str, ast.AST] | None:
    """``self.NAME(argument)`` as (NAME, argument)."""
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
        return None
    called = node.func
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        if called.value.id == "self":
            return called.attr, node.args[0]
    return None


def _uses(tree: ast.AST) -> dict[str, int]:
    """How often each ``self.NAME`` is read."""
    counts: dict[str, int] = {}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
            and isinstance(node.ctx, ast.Load)
        ):
            counts[node.attr] = counts.get(node.attr, 0) + 1
    return counts


@once
def linear_then_activation(kind: type[nn.Module]) -> tuple[tuple[str, str], ...]:
    """The pairs of attributes (linear, activation) of which the methods of a class say
    ``self.activation(self.linear(x))``, in one expression or in two statements one after the other,
    and use neither elsewhere."""
    tree = _tree(kind)
    if tree is None or any(base is not nn.Module for base in kind.__bases__ if _has_forward(base)):
        return ()
    pairs = []
    for method in tree.body[0].body:  # type: ignore[attr-defined]
        if not isinstance(method, ast.FunctionDef) or method.name == "__init__":
            continue
        before: tuple[str, str] | None = None  # the name assigned last, and by which attribute
        for statement in method.body:
            for node in ast.walk(statement):
                outer = _attribute_call(node)
                inner = _attribute_call(outer[1]) if outer else None
                if outer and inner:
                    pairs.append((inner[0], outer[0]))
                elif outer and before and isinstance(outer[1], ast.Name) and outer[1].id == before[0]:
                    if isinstance(statement, ast.Assign) and statement.value is node:
                        pairs.append((before[1], outer[0]))
            before = _assigned_by(statement)
    body = [m for m in tree.body[0].body if getattr(m, "name", "") != "__init__"]  # type: ignore[attr-defined]
    uses = _uses(ast.Module(body=body, type_ignores=[]))
    return tuple(pair for pair in pairs if all(uses.get(name) == 1 for name in pair))


def _assigned_by(statement: ast.stmt) -> tuple[str, str] | None:
    """``NAME = self.ATTRIBUTE(…)`` as (NAME, ATTRIBUTE)."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target, call = statement.targets[0], _attribute_call(statement.value)
    return (target.id, call[0]) if isinstance(target, ast.Name) and call else None


def _has_forward(kind: type) -> bool:
    return "forward" in vars(kind)


@once
def same_forward(kind: type[nn.Module], template: str) -> bool:
    """Whether the ``forward`` of a class is, statement for statement, that of the template: its
    annotations, decorators and docstring do not count."""
    tree = _tree(kind.forward)
    return tree is not None and _bare(tree) == _bare(ast.parse(textwrap.dedent(template)))


def _bare(tree: ast.Module) -> str:
    function = tree.body[0]
    if not isinstance(function, ast.FunctionDef):
        return ""
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    names = [argument.arg for argument in function.args.args]
    return f"{names} {[ast.dump(statement) for statement in body]}"
