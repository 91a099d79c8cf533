"""All that the package exports has an example, the examples run, and mypy finds nothing.

usage: test_types_and_examples.py LIBHEED
"""

import ast
import doctest
import importlib.util
import inspect
import pkgutil
import subprocess
import sys
import unittest

import package
import torch

import heed

NEEDS = {"heed.pyg": "torch_geometric"}


def modules():
    for found in pkgutil.walk_packages(heed.__path__, "heed."):
        if found.name != "heed.__main__":
            yield found.name


class Examples(unittest.TestCase):
    def test_run(self):
        count = 0
        for name in modules():
            if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
                continue
            module = importlib.import_module(name)
            torch.manual_seed(1)
            with self.subTest(name):
                own = {key: getattr(module, key) for key in getattr(module, "__all__", ())}
                found = doctest.testmod(module, globs={"heed": heed, "torch": torch, **own})
                self.assertEqual(found.failed, 0)
                count += found.attempted
        self.assertGreaterEqual(count, 100)


class Exports(unittest.TestCase):
    def test_all_is_sorted_and_there(self):
        self.assertEqual(heed.__all__, sorted(heed.__all__))
        for name in heed.__all__:
            value = getattr(heed, name)
            if inspect.isfunction(value) or inspect.isclass(value) or inspect.ismodule(value):
                self.assertTrue(value.__doc__, f"heed.{name} has no docstring")

    def test_all_have_an_example_that_runs(self):
        """But for the types of arguments, and what works in an installed wheel alone (test_wheel.py)."""
        without = {"AttentionOptions", "cmake_prefix"}
        parts = [heed, heed.functional, heed.nn]
        if importlib.util.find_spec("torch_geometric") is not None:
            parts.append(importlib.import_module("heed.pyg"))
        for module in parts:
            for name in module.__all__:
                value = getattr(module, name)
                if (inspect.isfunction(value) or inspect.isclass(value)) and name not in without:
                    with self.subTest(f"{module.__name__}.{name}"):
                        self.assertTrue(doctest.DocTestParser().get_examples(value.__doc__ or ""))


class Types(unittest.TestCase):
    def test_mypy(self):
        if importlib.util.find_spec("mypy") is None:
            self.skipTest("mypy is not installed")
        result = subprocess.run(
            [sys.executable, "-m", "mypy", "--cache-dir", package.ROOT / "build" / "mypy"],
            cwd=package.ROOT / "python", capture_output=True, text=True,
        )  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_the_language_is_that_of_python_3_10(self):
        files = sorted((package.ROOT / "python").rglob("*.py"))
        self.assertGreater(len(files), 20)
        for file in files:
            ast.parse(file.read_text("utf-8"), str(file), feature_version=(3, 10))


if __name__ == "__main__":
    unittest.main()
