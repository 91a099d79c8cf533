"""Pictures that a model writes, as a user meets them: training, bits per dimension, sheets and folders of samples,
which class a picture is likeliest under, what is refused.

Usage: test_image_generation.py HEED_PROGRAM
"""

import gzip
import json
import struct
import tempfile
import unittest
import zlib
from pathlib import Path

import texts
from program import heed

SIZE = 8
SMALL = ["--d-model", 32, "--num-heads", 2, "--num-layers", 1, "--levels", 2, "--epochs", 30, "--batch-size", 16,
         "--lr", 0.005, "--threads", 1]


def bar(i):
    """A bright bar on black ground, level for even i, upright for odd."""
    place = i // 2 % SIZE
    return bytes(255 if (y if i % 2 == 0 else x) == place else 0 for y in range(SIZE) for x in range(SIZE))


def write_idx(file, pictures, labels, size=SIZE):
    with gzip.open(file, "wb") as out:
        out.write(struct.pack(">BBBBIII", 0, 0, 8, 3, len(pictures), size, size) + b"".join(pictures))
    with gzip.open(str(file).replace("images-idx3", "labels-idx1"), "wb") as out:
        out.write(struct.pack(">BBBBI", 0, 0, 8, 1, len(labels)) + bytes(labels))


def grey_png(path):
    """(width, height, rows) of a grey PNG of 8 bits."""
    content, at, data = path.read_bytes(), 8, b""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    while at < len(content):
        length, name = struct.unpack(">I4s", content[at : at + 8])
        part = content[at + 8 : at + 8 + length]
        if name == b"IHDR":
            width, height, bits, color = struct.unpack(">IIBB", part[:10])
            assert (bits, color) == (8, 0)
        if name == b"IDAT":
            data += part
        at += length + 12
    data, rows, above = zlib.decompress(data), [], [0] * width
    for y in range(height):
        kind, line = data[y * (width + 1)], data[y * (width + 1) + 1 : (y + 1) * (width + 1)]
        row = []
        for x, value in enumerate(line):
            left, up, corner = row[x - 1] if x else 0, above[x], above[x - 1] if x else 0
            nearest = min((left, up, corner), key=lambda each: abs(left + up - corner - each))
            row.append((value + [0, left, up, (left + up) // 2, nearest][kind]) % 256)
        rows.append(row)
        above = row
    return width, height, rows


class ImageGeneration(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-generation-"))
        cls.idx = cls.folder / "train-images-idx3-ubyte.gz"
        write_idx(cls.idx, [bar(i) for i in range(160)], [i % 2 for i in range(160)])
        cls.model = cls.folder / "model"
        cls.trained = heed("train", "image-generation", "--train", cls.idx, "--out", cls.model, *SMALL, code=0)

    def generate(self, *options, code=0):
        return heed("generate", self.model, "--threads", 1, *options, code=code)

    def samples(self, *options):
        return [json.loads(line) for line in self.generate("--json", *options).stdout.splitlines()]

    def test_what_is_read_is_said(self):
        for said in ["144 pictures train, 16 validate; 8 × 8 pixels, grey; 2 classes",
                     "16 tokens each, 16 codes, one for each patch that there can be",
                     "on the pictures that validate:", "this model", "place, class", "code before"]:
            self.assertIn(said, self.trained.stderr)

    def test_bits_per_dimension(self):
        scores = json.loads(heed("eval", self.model, self.idx, "--json", code=0).stdout)
        self.assertEqual(scores["examples"], 160)
        self.assertTrue(scores["exact"])
        self.assertEqual(scores["quantization_rmse"], 0)
        # Where the bar is are 3 bits of 64 pixels: no model has less than 3 / 64.
        self.assertGreater(scores["bits_per_dim"], 3 / 64 - 1e-4)
        self.assertLess(scores["bits_per_dim"], 0.1)
        self.assertAlmostEqual(scores["nats_per_image"], 16 * scores["loss"], 4)
        self.assertAlmostEqual(scores["bits_per_dim"], scores["nats_per_image"] / 64 / 0.6931472, 5)
        shown = heed("eval", self.model, self.idx, code=0).stdout
        self.assertIn("bits_per_dim\t0.0", shown)
        self.assertNotIn("no figure", shown)

    def test_the_likeliest_class(self):
        lines = heed("predict", self.model, self.idx, code=0).stdout.splitlines()
        right = sum(line.split("\t")[1] == str(i % 2) for i, line in enumerate(lines))
        self.assertGreater(right, 150)
        one = json.loads(heed("predict", self.model, self.idx, "--json", code=0).stdout.splitlines()[0])
        self.assertAlmostEqual(sum(one["probabilities"].values()), 1, 6)
        self.assertGreater(one["bits_per_dim"], 0)

    def test_a_sheet_has_a_row_for_each_class(self):
        sheet = self.folder / "sheet.png"
        printed = self.generate("--num-samples", 5, "--out", sheet, "--json")
        samples = [json.loads(line) for line in printed.stdout.splitlines()]
        self.assertIn(f"wrote 10 pictures to {sheet}", printed.stderr)
        self.assertEqual([(each["class"], each["sample"], each["row"], each["column"]) for each in samples],
                         [(str(c), i + 1, c + 1, i + 1) for c in range(2) for i in range(5)])
        width, height, rows = grey_png(sheet)
        self.assertEqual((width, height), (5 * (SIZE + 2) + 2, 2 * (SIZE + 2) + 2))
        for each in samples:
            top, left = 2 + (each["row"] - 1) * (SIZE + 2), 2 + (each["column"] - 1) * (SIZE + 2)
            shown = [row[left : left + SIZE] for row in rows[top : top + SIZE]]
            self.assertEqual(shown, each["pixels"])
        self.assertEqual(rows[0], [128] * width)

    def test_one_class_is_a_square(self):
        sheet = self.folder / "square.png"
        self.generate("--class", 1, "--num-samples", 9, "--out", sheet)
        width, height, _ = grey_png(sheet)
        self.assertEqual((width, height), (3 * (SIZE + 2) + 2, 3 * (SIZE + 2) + 2))

    def test_samples_show_their_class(self):
        bars = [{bar(i) for i in range(c, 2 * SIZE, 2)} for c in range(2)]
        samples = self.samples("--num-samples", 50, "--temperature", 0.7)
        right = sum(bytes(sum(each["pixels"], [])) in bars[int(each["class"])] for each in samples)
        self.assertGreater(right, 40)  # of 100: so small a model loses its place now and then
        wanted = {bytes(sum(each["pixels"], [])) for each in samples}
        self.assertGreater(len(wanted), 8)  # and not always the same

    def test_the_same_seed_gives_the_same_pictures(self):
        first = self.samples("--num-samples", 6)
        self.assertEqual(self.samples("--num-samples", 6), first)
        self.assertEqual(self.samples("--num-samples", 6, "--threads", 2), first)
        self.assertNotEqual(self.samples("--num-samples", 6, "--seed", 2), first)
        surest = self.samples("--class", 0, "--num-samples", 3, "--temperature", 0)
        self.assertEqual(surest[0]["pixels"], surest[2]["pixels"])
        self.assertEqual(self.samples("--class", 0, "--num-samples", 3, "--top-k", 1), surest)

    def test_a_folder_is_read_as_training_data_is(self):
        folder = self.folder / "samples"
        self.generate("--num-samples", 12, "--temperature", 0.5, "--out", folder)
        self.assertEqual(sorted(str(each.relative_to(folder)) for each in folder.glob("*/*"))[:2],
                         ["0/0001.png", "0/0002.png"])
        scores = json.loads(heed("eval", self.model, folder, "--json", code=0).stdout)
        self.assertEqual(scores["examples"], 24)
        self.assertEqual(scores["quantization_rmse"], 0)
        self.generate("--num-samples", 1, "--out", folder)  # its own folders are replaced
        self.assertEqual(len(list(folder.glob("*/*"))), 2)
        (folder / "mine.txt").write_text("mine")
        self.generate("--num-samples", 1, "--out", folder, code=2)
        self.assertEqual((folder / "mine.txt").read_text(), "mine")

    def test_what_a_code_looks_at(self):
        self.generate("--class", 1, "--num-samples", 1, "--out", self.folder / "one", "--temperature", 0)
        picture = self.folder / "one" / "1" / "0001.png"
        view = json.loads(heed("attend", self.model, picture, "--json", code=0).stdout)
        self.assertEqual(view["label"], "1")
        self.assertEqual(view["tokens"][:3], ["[1]", "1,1", "1,2"])
        self.assertEqual(len(view["tokens"]), 16)
        weights = view["attention"][0]["weights"]
        self.assertEqual(weights[0][1:], [0] * 15)  # the class sees nothing behind it
        for row in weights:
            self.assertAlmostEqual(sum(row), 1, 5)
        for name in ["look.png", "look.html"]:
            heed("attend", self.model, picture, "--out", self.folder / name, code=0)
            self.assertGreater((self.folder / name).stat().st_size, 1000)
        self.assertIn("expected one picture", heed("attend", self.model, self.idx, code=2).stderr)

    def test_a_model_tells_of_itself(self):
        shown = heed("inspect", self.model, code=0).stdout
        for said in ["codebook_size", "levels", "exact"]:
            self.assertIn(said, shown)
        self.assertIn(heed("doctor", self.model, self.idx).returncode, (0, 1))

    def test_greys_and_a_codebook(self):
        greys = self.folder / "grey-images-idx3-ubyte.gz"
        write_idx(greys, [bytes((x * 31 + y * 7 + i * 13) % 256 for y in range(SIZE) for x in range(SIZE))
                          for i in range(60)], [i % 3 for i in range(60)])
        out = self.folder / "grey"
        command = ["train", "image-generation", "--train", greys, "--out", out, *SMALL, "--levels", 256, "--epochs", 1]
        result = heed(*command, "--codebook-size", 20, code=0)
        self.assertIn("codes, each for the patches nearest to it", result.stderr)
        self.assertIn("as they are quantised:", result.stderr)
        scores = heed("eval", out, greys, code=0).stdout
        self.assertIn("no figure to hold beside those of other models", scores)
        first = (out / "model.safetensors").read_bytes()
        heed(*command, "--codebook-size", 20, "--overwrite", "--threads", 2, code=0)
        self.assertEqual((out / "model.safetensors").read_bytes(), first)
        # Single pixels of a few levels: a token each, and nothing else is lost.
        result = heed(*command, "--patch-size", 1, "--levels", 4, "--overwrite", code=0)
        self.assertIn("64 tokens each, 4 codes, one for each", result.stderr)
        scores = json.loads(heed("eval", out, greys, "--json", code=0).stdout)
        self.assertTrue(scores["exact"])
        self.assertLess(scores["bits_per_dim"], 2.5)  # of 2 that there are
        self.assertGreater(scores["quantization_rmse"], 10)

    def test_a_few_digits_of_mnist(self):
        shared = texts.shared_data()
        if shared is None:
            self.skipTest("../shared/data is missing")
        images, count = self.folder / "few-images-idx3-ubyte.gz", 300
        with gzip.open(shared / "mnist" / "train-images-idx3-ubyte.gz") as file:
            pixels = file.read(16 + 784 * count)[16:]
        with gzip.open(shared / "mnist" / "train-labels-idx1-ubyte.gz") as file:
            labels = file.read(8 + count)[8:]
        write_idx(images, [pixels[784 * i : 784 * (i + 1)] for i in range(count)], labels, 28)
        result = heed("train", "image-generation", "--train", images, "--out", self.folder / "digits", *SMALL,
                      "--epochs", 2, "--levels", 256, "--codebook-size", 64, code=0)
        self.assertIn("28 × 28 pixels, grey; 10 classes", result.stderr)
        sheet = self.folder / "digits.png"
        heed("generate", self.folder / "digits", "--num-samples", 3, "--out", sheet, code=0)
        self.assertEqual(grey_png(sheet)[:2], (3 * 30 + 2, 10 * 30 + 2))

    def test_refusals(self):
        self.assertIn("expected one of 0, 1, got '7'",
                      self.generate("--class", 7, "--out", self.folder / "no.png", code=2).stderr)
        self.assertIn("--out: expected a sheet", self.generate(code=2).stderr)
        for option in [["--prompt", "a"], ["--num-beams", 2], ["--repetition-penalty", 2], ["--stop", "a"]]:
            refused = self.generate("--out", self.folder / "no.png", *option, code=2).stderr
            self.assertIn(f"{option[0]}: has no meaning for a model that writes pictures", refused)
        self.assertFalse((self.folder / "no.png").exists())
        heed("generate", self.folder / "nowhere", "--out", self.folder / "no.png", code=66)
        text = self.folder / "text.txt"
        text.write_text("to be or not to be\n" * 40)
        heed("train", "lm", "--train", text, "--out", self.folder / "lm", "--tokenizer", "bytes", "--d-model", 16,
             "--num-heads", 2, "--num-layers", 1, "--max-length", 16, "--max-steps", 1, "--threads", 1, code=0)
        self.assertIn("--class: has no meaning for a model that writes text",
                      heed("generate", self.folder / "lm", "--prompt", "a", "--class", 1, code=2).stderr)
        large = ["train", "image-generation", "--train", self.idx, "--out", self.folder / "no", *SMALL]
        self.assertIn("patch_size", heed(*large, "--patch-size", 17, code=2).stderr.replace("-", "_"))
        self.assertIn("levels", heed(*large, "--levels", 1, code=2).stderr)
        cut = self.folder / "cut-images-idx3-ubyte"
        cut.write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, 5, SIZE, SIZE) + bytes(100))
        self.assertIn("is the file whole?", heed("predict", self.model, cut, code=65).stderr)
        bad = self.folder / "bad"
        self.generate("--num-samples", 2, "--out", bad)
        whole = (bad / "0" / "0001.png").read_bytes()
        (bad / "0" / "0001.png").write_bytes(whole[:-20])
        self.assertIn("0001.png", heed("eval", self.model, bad, code=65).stderr)
        left = heed("eval", self.model, bad, "--skip-bad", "--json", code=0)
        self.assertIn("1 pictures left out", left.stderr)
        self.assertEqual(json.loads(left.stdout)["examples"], 3)
        answered = heed("predict", self.model, bad / "0", code=65)
        self.assertEqual([line != "" for line in answered.stdout.splitlines()], [False, True])


if __name__ == "__main__":
    unittest.main(verbosity=1)
