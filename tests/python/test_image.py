"""Pictures as a user meets them: IDX files, folders of a class each, lists; what the model looks at; what is
wrong with a picture.

Usage: test_image.py HEED_PROGRAM
"""

import base64
import gzip
import json
import struct
import tempfile
import unittest
import zlib
from pathlib import Path

import texts
from program import heed

SMALL = ["--d-model", 16, "--num-heads", 2, "--num-layers", 1, "--patch-size", 4, "--max-shift", 1,
         "--epochs", 12, "--lr", 0.01, "--threads", 1]
SIZE = 12
# 12 × 12 grey, an upright bar at columns 5 and 6.
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYU"
    "GBIUFRT/wAALCAAMAAwBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEG"
    "E1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJ"
    "ipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/APmT9hT/AJuF"
    "/wCyP+If/bevl+vqD9hT/m4X/sj/AIh/9t6+X6//2Q==")


def png(width, height, pixels, color=False):
    """A PNG of 8 bits."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    step = 3 * width if color else width
    rows = b"".join(b"\0" + pixels[y * step : (y + 1) * step] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if color else 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def bar(i):
    """A bright bar, level for even i, upright for odd."""
    place = i // 2 % SIZE
    return bytes(240 if (y if i % 2 == 0 else x) == place else (i * 31 + x * 7 + y * 3) % 50
                 for y in range(SIZE) for x in range(SIZE))


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-image-"))
        cls.idx = cls.folder / "train-images-idx3-ubyte.gz"
        count = 200
        with gzip.open(cls.idx, "wb") as file:
            file.write(struct.pack(">BBBBIII", 0, 0, 8, 3, count, SIZE, SIZE))
            file.write(b"".join(bar(i) for i in range(count)))
        with gzip.open(cls.folder / "train-labels-idx1-ubyte.gz", "wb") as file:
            file.write(struct.pack(">BBBBI", 0, 0, 8, 1, count) + bytes(i % 2 for i in range(count)))
        cls.photos = cls.folder / "photos"
        for i in range(40):
            kind = cls.photos / ["level", "upright"][i % 2]
            kind.mkdir(parents=True, exist_ok=True)
            (kind / f"{i}.png").write_bytes(png(SIZE, SIZE, bar(i)))
        cls.model = cls.folder / "model"
        cls.trained = heed("train", "image", "--train", cls.idx, "--out", cls.model, *SMALL, code=0)

    def test_what_is_read_is_said(self):
        for said in ["180 pictures train, 20 validate", "12 × 12 pixels, grey; 2 classes", "this model", "linear"]:
            self.assertIn(said, self.trained.stderr)

    def test_evaluation(self):
        scores = json.loads(heed("eval", self.model, self.idx, "--json", code=0).stdout)
        self.assertEqual(scores["examples"], 200)
        self.assertGreater(scores["accuracy"], 0.9)
        self.assertEqual(scores["labels"], ["0", "1"])
        errors = self.folder / "wrong.tsv"
        heed("eval", self.model, self.idx, "--errors", errors, code=0)
        self.assertTrue(errors.exists())
        refused = heed("eval", self.model, self.photos, code=65).stderr
        self.assertIn('class "level" is none of "0", "1"', refused)

    def test_answers(self):
        level, upright = self.photos / "level" / "8.png", self.photos / "upright" / "9.png"
        lines = heed("predict", self.model, level, upright, code=0).stdout.splitlines()
        self.assertEqual([line.split("\t")[:2] for line in lines], [[str(level), "0"], [str(upright), "1"]])
        photo = self.folder / "photo.jpg"
        photo.write_bytes(JPEG)
        one = json.loads(heed("predict", self.model, photo, "--json", code=0).stdout)
        self.assertEqual(one["label"], "1")
        self.assertAlmostEqual(sum(one["probabilities"].values()), 1, 6)
        unsure = heed("predict", self.model, photo, "--threshold", 1, "--unknown", "?", code=0).stdout
        self.assertEqual(unsure.split("\t")[1], "?")
        table = heed("predict", self.model, photo, "--columns", "image,label,top", "--top", 1, code=0).stdout
        self.assertIn("photo.jpg\t1\t", table)
        large = self.folder / "large.png"  # of another size and in colours: brought to the model's
        pixels = b"".join(bytes([v]) * 6 for y in range(SIZE) for _ in range(2)
                          for v in bar(9)[y * SIZE : (y + 1) * SIZE])
        large.write_bytes(png(2 * SIZE, 2 * SIZE, pixels, color=True))
        self.assertEqual(heed("predict", self.model, large, code=0).stdout.split("\t")[1], "1")
        self.assertEqual(len(heed("predict", self.model, self.photos, code=0).stdout.splitlines()), 40)
        self.assertEqual(len(heed("predict", self.model, self.idx, code=0).stdout.splitlines()), 200)

    def test_where_it_looks(self):
        picture, shown = self.photos / "upright" / "9.png", self.folder / "look.png"
        result = heed("attend", self.model, picture, "--out", shown, code=0)
        self.assertIn("9.png: 1 (", result.stdout)
        self.assertTrue(shown.read_bytes().startswith(b"\x89PNG"))
        whole = len(shown.read_bytes())
        heed("attend", self.model, picture, "--out", shown, "--layer", 1, "--head", 2, code=0)
        self.assertNotEqual(len(shown.read_bytes()), whole)
        view = json.loads(heed("attend", self.model, picture, "--json", code=0).stdout)
        self.assertEqual(len(view["tokens"]), 10)
        self.assertEqual(view["tokens"][:3], ["[CLS]", "1,1", "1,2"])
        self.assertAlmostEqual(sum(map(sum, view["rollout"])), 1, 5)
        heed("attend", self.model, picture, "--out", self.folder / "look.html", code=0)
        self.assertIn("expected one picture", heed("attend", self.model, self.photos, code=2).stderr)

    def test_folders_lists_and_options(self):
        result = heed("train", "image", "--train", self.photos, "--valid", self.photos, "--out",
                      self.folder / "other", *SMALL, "--epochs", 2, "--image-size", 8, "--stem", "linear",
                      "--num-channels", 3, "--flip", "true", "--class-weight", "balanced", code=0)
        self.assertIn("8 × 8 pixels, colours", result.stderr)
        table = self.folder / "list.csv"
        table.write_text("file,label\n" + "".join(
            f"photos/{['level', 'upright'][i % 2]}/{i}.png,{i % 2}\n" for i in range(40)))
        scores = json.loads(heed("eval", self.model, table, "--json", code=0).stdout)
        self.assertEqual(scores["examples"], 40)

    def test_a_model_tells_of_itself(self):
        self.assertIn("patch_size", heed("inspect", self.model, code=0).stdout)
        report = heed("doctor", self.model, self.idx)
        self.assertIn(report.returncode, (0, 1))
        self.assertIn("accuracy", report.stdout)

    def test_a_few_digits_of_mnist(self):
        shared = texts.shared_data()
        if shared is None:
            self.skipTest("../shared/data is missing")
        mnist = shared / "mnist"
        images, labels = self.folder / "few-images-idx3-ubyte", self.folder / "few-labels-idx1-ubyte"
        count = 400
        with gzip.open(mnist / "train-images-idx3-ubyte.gz") as file:
            images.write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, count, 28, 28) + file.read(16 + 784 * count)[16:])
        with gzip.open(mnist / "train-labels-idx1-ubyte.gz") as file:
            labels.write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, count) + file.read(8 + count)[8:])
        result = heed("train", "image", "--train", images, "--out", self.folder / "digits", *SMALL, "--lr", 0.003,
                      "--batch-size", 16, code=0)
        self.assertIn("28 × 28 pixels, grey; 10 classes", result.stderr)
        scores = json.loads(heed("eval", self.folder / "digits", images, "--json", code=0).stdout)
        self.assertEqual(scores["examples"], count)
        self.assertGreater(scores["accuracy"], 0.2)  # of ten digits

    def test_refusals(self):
        bad = self.folder / "bad"
        for name in ["a", "b"]:
            (bad / name).mkdir(parents=True, exist_ok=True)
            for i in range(6):
                (bad / name / f"{i}.png").write_bytes(png(SIZE, SIZE, bar(i)))
        whole = png(SIZE, SIZE, bar(1))
        wrong = {"cut.png": (whole[:-30], "PNG cannot be read"), "cut.jpg": (JPEG[:-60], "JPEG cannot be read"),
                 "text.png": (b"hello", "begins as neither"), "empty.jpg": (b"", "empty file"),
                 "size.png": (png(4, 4, bar(1)[:16]), "4 × 4 pixels, expected 12 × 12"),
                 "bomb.png": (png(60, 60, bytes(3600)), "60 × 60 pixels, expected at most 1000")}
        for name, (content, _) in wrong.items():
            (bad / "a" / name).write_bytes(content)
        train = ["train", "image", "--train", bad, "--out", self.folder / "no", *SMALL, "--epochs", 1,
                 "--max-pixels", 1000, "--valid-share", 0.3]
        errors = heed(*train, code=65).stderr
        shown = 0
        for name, (_, what) in wrong.items():  # the first five of a kind are shown
            if name in errors:
                shown += 1
                self.assertIn(what, errors)
        self.assertEqual(shown, 5)
        self.assertIn("and 1 more", errors)
        self.assertFalse((self.folder / "no").exists())
        self.assertIn("6 pictures left out", heed(*train, "--skip-bad", code=0).stderr)
        # What can be answered is, each in its line.
        (bad / "b" / "6.png").write_bytes(whole[:-30])
        answered = heed("predict", self.model, bad / "b", code=65)
        lines = answered.stdout.splitlines()
        self.assertEqual([line != "" for line in lines], [True] * 6 + [False])
        self.assertIn("6.png: the PNG cannot be read", answered.stderr)
        left = heed("predict", self.model, bad / "b", "--skip-bad", code=0)
        self.assertEqual(len(left.stdout.splitlines()), 6)
        self.assertIn("1 pictures left out", left.stderr)
        errors = heed("predict", self.model, bad / "a" / "cut.png", code=65).stderr
        self.assertIn("cut.png", errors)
        heed("predict", self.model, self.folder / "none.png", code=66)
        alone = heed("train", "image", "--train", bad / "a" / "1.png", "--out", self.folder / "alone", code=65).stderr
        self.assertIn("says no class", alone)
        idx = self.folder / "cut-images-idx3-ubyte"
        idx.write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, 5, SIZE, SIZE) + bytes(700))
        self.assertIn("is the file whole?", heed("predict", self.model, idx, code=65).stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
