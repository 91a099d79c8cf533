"""The examples of the docstrings run, and mypy finds nothing in the package.

usage: test_types_and_examples.py LIBHEED
"""

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
        self.assertGreaterEqual(count, 25)


class Exports(unittest.TestCase):
    def test_all_is_sorted_and_there(self):
        self.assertEqual(heed.__all__, sorted(heed.__all__))
        for name in heed.__all__:
            value = getattr(heed, name)
            if inspect.isfunction(value) or inspect.isclass(value) or inspect.ismodule(value):
                self.assertTrue(value.__doc__, f"heed.{name} has no docstring")


class Types(unittest.TestCase):
    def test_mypy(self):
        if importlib.util.find_spec("mypy") is None:
            self.skipTest("mypy is not installed")
        result = subprocess.run(
            [sys.executable, "-m", "mypy", "--cache-dir", package.ROOT / "build" / "mypy"],
            cwd=package.ROOT / "python", capture_output=True, text=True,
        )  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
