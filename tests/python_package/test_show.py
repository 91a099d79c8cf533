"""heed.show: a heat map that a notebook shows.

usage: test_show.py LIBHEED
"""

import re
import unittest
import xml.etree.ElementTree as ElementTree

import package  # noqa: F401  (finds the package)
import torch

import heed

SVG = "{http://www.w3.org/2000/svg}"


class Show(unittest.TestCase):
    def cells(self, picture):
        """The colour and the title of each cell, row by row."""
        root = ElementTree.fromstring(picture.svg())
        return [(cell.get("fill"), cell.find(f"{SVG}title").text) for cell in root.iter(f"{SVG}rect")]

    def test_cells_are_the_weights(self):
        torch.manual_seed(1)
        query, key = torch.randn(1, 2, 3, 8), torch.randn(1, 2, 5, 8)
        weights = heed.attention_weights(query, key, heads=[1])
        picture = heed.show(weights, "a b c d e".split(), queries="x y z".split())
        cells = self.cells(picture)
        self.assertEqual(len(cells), 15)
        for (_, title), (i, j) in zip(cells, [(i, j) for i in range(3) for j in range(5)]):
            self.assertEqual(title, f"{'xyz'[i]} → {'abcde'[j]}: {weights[0, 0, i, j]:.3f}")
        lightness = [sum(map(int, re.findall(r"\d+", color))) for color, _ in cells]
        ordered = sorted(zip(weights.flatten().tolist(), lightness))
        self.assertEqual([light for _, light in ordered], sorted(lightness, reverse=True))
        self.assertEqual(picture._repr_svg_(), picture.svg())

    def test_markup_stays_text(self):
        tokens = ["<script>alert(1)</script>", '"&']
        root = ElementTree.fromstring(heed.show(torch.eye(2), tokens).svg())
        self.assertEqual([text.text for text in root.iter(f"{SVG}text")], tokens * 2)
        self.assertEqual({part.tag for part in root.iter()}, {f"{SVG}{tag}" for tag in ("svg", "text", "rect", "title")})

    def test_what_can_be_shown(self):
        for weights in (torch.zeros(2, 2), torch.ones(1, 1, 2, 2).bfloat16().requires_grad_()):
            self.assertEqual(len(self.cells(heed.show(weights, ["a", "b"]))), 4)
        for weights in (torch.ones(2, 3), torch.ones(2, 2, 2), torch.ones(4)):
            with self.assertRaisesRegex(ValueError, r"expected weights of \(2, 2\)"):
                heed.show(weights, ["a", "b"])


if __name__ == "__main__":
    unittest.main()
