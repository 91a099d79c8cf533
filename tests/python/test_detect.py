"""Objects in pictures as a user meets them: files of COCO, what is found and how well, where the model looks;
what is wrong with annotations and pictures.

Usage: test_detect.py HEED_PROGRAM
"""

import json
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

import texts
from program import heed

SMALL = ["--d-model", 32, "--num-heads", 2, "--num-layers", 1, "--num-decoder-layers", 2, "--d-ff", 64,
         "--patch-size", 4, "--num-queries", 5, "--max-shift", 0, "--max-scale", 0, "--batch-size", 4,
         "--lr", 0.003, "--threads", 1]
SIZE = 16
COUNT = 32
ROOT = Path(__file__).resolve().parent.parent.parent
CATEGORIES = [{"id": 3, "name": "level"}, {"id": 8, "name": "upright"}]


def png(width, height, pixels):
    """A grey PNG of 8 bits."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    rows = b"".join(b"\0" + pixels[y * width : (y + 1) * width] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def scene(i):
    """Pixels of bright bars, level ones above upright ones, and (category, box) of each."""
    pixels, bars = bytearray((i * 7 + at * 3) % 30 for at in range(SIZE * SIZE)), []
    for kind, (width, height) in enumerate([(6, 2), (3, 4)]):
        if (i + kind) % 4 == 3:
            continue
        left, top = (1 + 3 * i + kind) % 9, 1 + 8 * kind + i % 3
        for y in range(top, top + height):
            pixels[y * SIZE + left : y * SIZE + left + width] = bytes([250]) * width
        bars.append((CATEGORIES[kind]["id"], [left, top, width, height]))
    return bytes(pixels), bars


class Objects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-detect-"))
        (cls.folder / "pictures").mkdir()
        images, annotations = [], []
        for i in range(COUNT):
            pixels, bars = scene(i)
            name = f"pictures/{i:03d}.png"
            (cls.folder / name).write_bytes(png(SIZE, SIZE, pixels))
            images.append({"id": 100 + i, "file_name": name, "width": SIZE, "height": SIZE})
            for category, box in bars:
                annotations.append({"id": len(annotations) + 1, "image_id": 100 + i, "category_id": category,
                                    "bbox": box, "area": box[2] * box[3], "iscrowd": 0})
        cls.set = {"images": images, "annotations": annotations, "categories": CATEGORIES}
        cls.file = cls.written("set.json", cls.set)
        cls.model = cls.folder / "model"
        cls.trained = heed("train", "detect", "--train", cls.file, "--valid", cls.file, "--out", cls.model, *SMALL,
                           "--epochs", 25, code=0)

    @classmethod
    def written(cls, name, content):
        file = cls.folder / name
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    def test_what_is_read_is_said(self):
        objects = len(self.set["annotations"])
        for said in [f"{COUNT} pictures train, {COUNT} validate", "16 × 16 pixels, grey",
                     f"{objects} objects of 2 categories", "this model", "regions"]:
            self.assertIn(said, self.trained.stderr)
        held = heed("train", "detect", "--train", self.file, "--out", self.folder / "held", *SMALL, "--epochs", 1,
                    "--num-queries", 1, "--flip", "true", "--auxiliary-loss", "false", code=0).stderr
        self.assertIn("29 pictures train, 3 validate", held)
        self.assertIn("more objects than the 1 queries can find, up to 2", held)

    def test_evaluation(self):
        scores = json.loads(heed("eval", self.model, self.file, "--json", code=0).stdout)
        self.assertEqual(scores["examples"], COUNT)
        self.assertEqual(scores["objects"], len(self.set["annotations"]))
        self.assertGreater(scores["ap50"], 0.6)
        self.assertGreaterEqual(scores["ap50"], scores["ap75"])
        self.assertEqual(sorted(scores["categories"]), ["level", "upright"])
        self.assertEqual(scores["ap"], scores["ap_small"])  # all of them are
        self.assertNotIn("ap_large", scores)
        wrong = self.folder / "wrong.jsonl"
        self.assertIn("upright", heed("eval", self.model, self.file, "--errors", wrong, code=0).stdout)
        # What was found and is wrong leaves as many as what is there and was found.
        rows = [json.loads(line) for line in wrong.read_text().splitlines()]
        found = heed("predict", self.model, self.file, "--json", code=0).stdout.splitlines()
        self.assertEqual(sum(len(json.loads(line)["objects"]) for line in found)
                         - sum(row["predicted"] != "" for row in rows),
                         scores["objects"] - sum(row["expected"] != "" for row in rows))
        self.assertEqual([row["score"] for row in rows], sorted((row["score"] for row in rows), reverse=True))

    def test_results_are_those_of_coco(self):
        results = self.folder / "results.json"
        heed("predict", self.model, self.file, "--results", results, code=0)
        rows = json.loads(results.read_text())
        self.assertEqual(len(rows), 5 * COUNT)
        self.assertEqual(sorted(rows[0]), ["bbox", "category_id", "image_id", "score"])
        self.assertEqual({row["image_id"] for row in rows}, {100 + i for i in range(COUNT)})
        self.assertLessEqual({row["category_id"] for row in rows}, {3, 8})
        for row in rows:
            x, y, width, height = row["bbox"]
            self.assertTrue(0 <= x <= x + width <= SIZE + 1e-6 and 0 <= y <= y + height <= SIZE + 1e-6, row)
        scored = json.loads(heed("score", "detect", results, "--references", self.file, "--json", code=0).stdout)
        scores = json.loads(heed("eval", self.model, self.file, "--json", code=0).stdout)
        for name, value in scored.items():
            self.assertAlmostEqual(value, scores[name], delta=1e-9, msg=name)
        answers = self.folder / "answers.jsonl"
        answers.write_text(heed("predict", self.model, self.file, "--threshold", 0, "--json", code=0).stdout)
        of_answers = heed("score", "detect", answers, "--references", self.file, "--json", code=0).stdout
        self.assertEqual(json.loads(of_answers), scored)

    def test_answers(self):
        picture = self.folder / "pictures" / "004.png"
        name, *found = heed("predict", self.model, picture, "--threshold", 0, code=0).stdout.strip().split("\t")
        self.assertEqual(name, str(picture))
        self.assertEqual(len(found), 5 * 3)  # a category, a score and a box for each query
        self.assertIn(found[0], ["level", "upright"])
        self.assertEqual(len(found[2].split(",")), 4)
        none = heed("predict", self.model, picture, "--threshold", 1, code=0).stdout
        self.assertEqual(none, f"{picture}\n")
        one = json.loads(heed("predict", self.model, picture, "--threshold", 0, "--json", code=0).stdout)
        self.assertEqual(one["image_id"], str(picture))
        self.assertEqual(len(one["objects"]), 5)
        scores = [each["score"] for each in one["objects"]]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertEqual(len(heed("predict", self.model, self.folder / "pictures", code=0).stdout.splitlines()), COUNT)
        table = heed("predict", self.model, self.file, "--columns", "image,image_id,objects", code=0).stdout
        self.assertIn("000.png\t100\t", table)
        # A picture of another size: boxes are in its own pixels.
        large = self.folder / "large.png"
        pixels, _ = scene(4)
        large.write_bytes(png(2 * SIZE, SIZE, b"".join(bytes([v, v]) for v in pixels)))
        wide = json.loads(heed("predict", self.model, large, "--threshold", 0, "--json", code=0).stdout)
        reach = max(each["bbox"][0] + each["bbox"][2] for each in wide["objects"])
        self.assertGreater(reach, max(each["bbox"][0] + each["bbox"][2] for each in one["objects"]) + 1)

    def test_where_it_looks(self):
        picture, shown = self.folder / "pictures" / "004.png", self.folder / "look.png"
        result = heed("attend", self.model, picture, "--out", shown, code=0)
        self.assertIn("004.png: ", result.stdout)
        self.assertTrue(shown.read_bytes().startswith(b"\x89PNG"))
        view = json.loads(heed("attend", self.model, picture, "--json", code=0).stdout)
        self.assertEqual(len(view["tokens"]), 5)
        self.assertEqual(view["keys"][:2], ["1,1", "1,2"])
        self.assertEqual(len(view["attention"]), 2 * 2)
        self.assertEqual([len(view["attention"][0]["weights"]), len(view["attention"][0]["weights"][0])], [5, 16])
        self.assertLessEqual({each["category"] for each in view["objects"]}, {"level", "upright"})
        for part, size in [("encoder", 16), ("decoder", 5)]:
            tokens = json.loads(heed("attend", self.model, picture, "--part", part, "--json", code=0).stdout)["tokens"]
            self.assertEqual(len(tokens), size)
        heed("attend", self.model, picture, "--out", self.folder / "look.html", code=0)
        heed("attend", self.model, picture, "--out", shown, "--layer", 2, "--head", 1, code=0)

    def test_a_model_tells_of_itself(self):
        told = heed("inspect", self.model, code=0).stdout
        self.assertIn("num_queries", told)
        self.assertIn("category_ids", told)

    def test_scores_are_those_of_pycocotools(self):
        recorded = ROOT / "heed" / "metrics" / "testdata" / "detection.json"  # tools/detection_oracles.py
        # heed/metrics/detection_test.cpp has them all; here some, with crowds, of one category and of many.
        cases = json.loads(recorded.read_text())["cases"]
        for case in (cases[2], cases[5], cases[6]):
            annotations = [{"id": i + 1, "image_id": row[0] + 1, "category_id": row[1] + 1, "bbox": row[2:6],
                            "area": row[6], "iscrowd": row[7]} for i, row in enumerate(case["real"])]
            results = [{"image_id": row[0] + 1, "category_id": row[1] + 1, "bbox": row[2:6], "score": row[6]}
                       for row in case["found"]]
            real = self.written("real.json", {
                "images": [{"id": i + 1, "file_name": f"{i}.png"} for i in range(case["images"])],
                "annotations": annotations,
                "categories": [{"id": i + 1, "name": f"c{i}"} for i in range(case["categories"])]})
            found = self.written("found.json", results)
            scores = json.loads(heed("score", "detect", found, "--references", real, "--json", code=0).stdout)
            self.assertEqual(scores.pop("objects"), len(annotations))
            expected = {name: value for name, value in case["scores"].items() if value >= 0}
            self.assertEqual(sorted(scores), sorted(expected))
            for name, value in expected.items():
                self.assertAlmostEqual(scores[name], value, delta=1e-9, msg=name)

    def changed(self, part, item, **members):
        """The set with some members of an item of it changed; None: without it."""
        content = json.loads(json.dumps(self.set))
        for name, value in members.items():
            content[part][item][name] = value
            if value is None:
                del content[part][item][name]
        return self.written("changed.json", content)

    def test_refusals(self):
        train = ["train", "detect", "--out", self.folder / "no", *SMALL, "--epochs", 1, "--train"]
        for file, said in [
                (("annotations", 2, {"image_id": 7}), "'annotations[2].image_id': expected the id of one of the"),
                (("annotations", 2, {"category_id": 7}), "'annotations[2].category_id'"),
                (("annotations", 2, {"bbox": [9, 9, 9, 9]}), "a box inside the picture of 16 × 16 pixels"),
                (("annotations", 2, {"bbox": None}), "'annotations[2].bbox' is missing"),
                (("annotations", 2, {"id": 1}), "'annotations[2].id': expected an id that no other object has"),
                (("images", 2, {"id": 100}), "'images[2].id': expected an id that no other picture has"),
                (("images", 2, {"width": 17}), "expected a picture of 17 × 16 pixels"),
                (("images", 2, {"file_name": "none.png"}), "found no file")]:
            part, item, members = file
            errors = heed(*train, self.changed(part, item, **members), code=65).stderr
            self.assertIn(said, errors)
            self.assertIn("changed.json", errors)
        self.assertFalse((self.folder / "no").exists())
        nan = self.written("nan.json", json.dumps(self.set).replace("[1, ", "[NaN, ", 1))
        self.assertIn("nan.json", heed(*train, nan, code=65).stderr)
        self.assertIn("annotations", heed(*train, self.written("few.json", {"images": [], "categories": []}),
                                          code=65).stderr)
        heed(*train, self.folder / "nothing.json", code=66)
        empty = self.written("empty.json", {**self.set, "annotations": []})
        self.assertIn("expected objects in the pictures", heed(*train, empty, code=65).stderr)
        heed(*train, self.file, "--num-queries", 17, code=2)  # of 16 patches
        left = heed(*train, self.changed("annotations", 2, bbox=[9, 9, 9, 9]), "--skip-bad", code=0).stderr
        self.assertIn("1 pictures and objects left out", left)

    def test_what_can_be_answered_is(self):
        file = self.changed("images", 1, file_name="none.png")
        answered = heed("predict", self.model, file, code=65)
        lines = answered.stdout.splitlines()
        self.assertEqual([line != "" for line in lines], [True, False] + [True] * (COUNT - 2))
        self.assertIn("none.png: expected a picture, found no file", answered.stderr)
        left = heed("predict", self.model, file, "--skip-bad", code=0)
        self.assertEqual(len(left.stdout.splitlines()), COUNT - 1)

    def test_pictures_stand_in_a_folder_of_their_own(self):
        content = json.loads(json.dumps(self.set))
        for image in content["images"]:
            image["file_name"] = image["file_name"].removeprefix("pictures/")
        bare = self.written("bare.json", content)
        self.assertIn("found no file", heed("eval", self.model, bare, code=65).stderr)
        scores = heed("eval", self.model, bare, "--images", self.folder / "pictures", "--json", code=0).stdout
        self.assertEqual(json.loads(scores)["examples"], COUNT)

    def test_scenes_of_digits(self):
        shared = texts.shared_data()
        if shared is None:
            self.skipTest("../shared/data is missing")
        made = []
        for seed in "1", "1", "2":
            scenes = self.folder / f"scenes{len(made)}"
            subprocess.run([sys.executable, ROOT / "tools" / "digit_scenes.py", shared / "mnist", scenes,
                            "--scenes", "8", "--seed", seed], check=True)
            made.append([(scenes / name).read_bytes() for name in ("train.json", "train/00003.png", "test.json")])
        self.assertEqual(made[0], made[1])
        self.assertNotEqual(made[0], made[2])
        train = json.loads(made[2][0])
        self.assertEqual((len(train["images"]), len(train["categories"])), (8, 10))
        counts = [sum(each["image_id"] == image["id"] for each in train["annotations"]) for image in train["images"]]
        self.assertTrue(all(2 <= count <= 6 for count in counts), counts)
        said = heed("train", "detect", "--train", scenes / "train.json", "--valid", scenes / "valid.json", "--out",
                    self.folder / "digits", *SMALL, "--patch-size", 8, "--epochs", 1, code=0).stderr
        self.assertIn("8 pictures train, 1 validate; 96 × 96 pixels, grey", said)


if __name__ == "__main__":
    unittest.main(verbosity=1)
