"""Resuming on other data is refused by every task of `heed train`, though the files are as long as before; on the
same data it goes on. Of texts with labels test_training.py sees to it, of embedders test_published_tuning.py.

Usage: test_other_data.py HEED_PROGRAM
"""

import json
import random
import tempfile
import unittest
from pathlib import Path

from program import heed

# Their generators of data; importing them runs no test.
import test_detect
import test_forecast
import test_graph
import test_image
import test_image_generation
import test_ner
import test_qa
import test_recommend
import test_seq2seq
import test_speech
import test_table

LINES = ["the film was good and the people were kind", "the sea was grey and the sky was blue"] * 20


def named_entities(folder):
    both = list(test_ner.sentences())
    (folder / "train.conll").write_text(test_ner.columns(both[:40]), "utf-8")
    (folder / "valid.conll").write_text(test_ner.columns(both[40:]), "utf-8")


def plain_texts(folder):
    for name in ("train.txt", "valid.txt"):
        (folder / name).write_text("\n".join(LINES) + "\n", "utf-8")


def pairs(folder):
    for name, seed in (("train", 1), ("valid", 2)):
        both = test_seq2seq.pairs(60, seed)
        for side, extension in ((0, "en"), (1, "de")):
            (folder / f"{name}.{extension}").write_text("".join(each[side] + "\n" for each in both), "utf-8")


def stories(folder):
    (folder / "train.txt").write_text(test_qa.stories(40, 1), "utf-8")
    (folder / "valid.txt").write_text(test_qa.stories(20, 2), "utf-8")


def spans(folder):
    (folder / "train.jsonl").write_text(test_qa.texts(20, 3), "utf-8")
    (folder / "valid.jsonl").write_text(test_qa.texts(20, 4), "utf-8")


def series(folder):
    (folder / "waves.csv").write_text(test_forecast.waves(240))


def graph(folder):
    (folder / "nodes.tsv").write_text(test_graph.nodes())
    (folder / "edges.tsv").write_text(test_graph.edges())


def interactions(folder):
    (folder / "taken.csv").write_text(test_recommend.walks())
    (folder / "names.csv").write_text("item,title\n" + "".join(f"i{i},Number {i}.\n" for i in range(25)))


def pictures(folder):
    kinds = ["level", "upright"]
    for name, first in (("train", 0), ("valid", 20)):
        lines = ["file,label"]
        for i in range(first, first + 20):
            pixels = test_image.bar(i)
            (folder / f"{i}.png").write_bytes(test_image.png(test_image.SIZE, test_image.SIZE, pixels))
            lines.append(f"{i}.png,{kinds[i % 2]}")
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")


def objects(folder):
    for name, first in (("train", 0), ("valid", 8)):
        images, annotations = [], []
        for i in range(first, first + 8):
            pixels, bars = test_detect.scene(i)
            (folder / f"{i}.png").write_bytes(test_detect.png(test_detect.SIZE, test_detect.SIZE, pixels))
            images.append({"id": i, "file_name": f"{i}.png", "width": test_detect.SIZE, "height": test_detect.SIZE})
            for category, box in bars:
                annotations.append({"id": len(annotations) + 1, "image_id": i, "category_id": category, "bbox": box,
                                    "area": box[2] * box[3], "iscrowd": 0})
        content = {"images": images, "annotations": annotations, "categories": test_detect.CATEGORIES}
        (folder / f"{name}.json").write_text(json.dumps(content))


def table(folder):
    header, *rows = test_table.table(lambda fee: "high" if fee > 210 else "low").splitlines()
    for name, part in (("train", rows[:150]), ("valid", rows[150:])):
        (folder / f"{name}.csv").write_text("\n".join([header, *part]) + "\n")


def sounds(folder):
    """Tones that rise or fall, each with a label and with words."""
    source = random.Random(1)
    for name, first in (("train", 0), ("valid", 12)):
        labels, words = ["file,label"], ["file,text"]
        for i in range(first, first + 12):
            ends = (300, 1200) if i % 2 == 0 else (1200, 300)
            test_speech.write(folder / f"{i}.wav", test_speech.samples(source, *ends))
            labels.append(f"{i}.wav,{'up' if i % 2 == 0 else 'down'}")
            words.append(f"{i}.wav,{'low high' if i % 2 == 0 else 'high low'}")
        (folder / f"{name}.csv").write_text("\n".join(labels) + "\n")
        (folder / f"{name}_words.csv").write_text("\n".join(words) + "\n")


BOTH = ["--train", "train.csv", "--valid", "valid.csv"]
TEXT_SIZES = ["--d-model", 32, "--num-heads", 2, "--threads", 1]
# name -> task, its data, its options, and the changes: file, what stands there once, what stands there instead,
# and what is said to be other.
CASES = {
    "ner": ("ner", named_entities, ["--train", "train.conll", "--valid", "valid.conll", *test_ner.SMALL],
            [("train.conll", "Paris\tB-place", "Paris\tB-person", "training data"),
             ("valid.conll", "nothing\t", "nobody\t", "validation data")]),
    "lm": ("lm", plain_texts,
           ["--train", "train.txt", "--valid", "valid.txt", "--tokenizer", "characters", "--max-length", 48,
            "--num-layers", 1, *TEXT_SIZES],
           [("train.txt", "good", "grey", "training text"), ("valid.txt", "good", "grey", "validation text")]),
    "seq2seq": ("seq2seq", pairs,
                ["--train", "train.en", "train.de", "--valid", "valid.en", "valid.de", *test_seq2seq.SMALL],
                [("train.de", "eins", "zwei", "training data"), ("valid.en", "one", "two", "validation data")]),
    "stories": ("qa", stories, ["--train", "train.txt", "--valid", "valid.txt", *TEXT_SIZES],
                [("train.txt", "to the attic.", "to the cellar.", "training data"),
                 ("valid.txt", "to the attic.", "to the cellar.", "validation data")]),
    "spans": ("qa", spans, ["--train", "train.jsonl", "--valid", "valid.jsonl", "--num-layers", 1, *TEXT_SIZES],
              [("train.jsonl", "Where is the bag?", "Where is the cup?", "training data"),
               ("valid.jsonl", "Where is the bag?", "Where is the cup?", "validation data")]),
    "forecast": ("forecast", series, ["--train", "waves.csv", *test_forecast.SMALL],
                 [("waves.csv", "10.0000", "11.0000", "series")]),
    "graph": ("graph", graph, ["--train", "nodes.tsv", "--edges", "edges.tsv", *test_graph.SMALL],
              [("nodes.tsv", "n0\tclass0", "n0\tclass1", "graph"), ("edges.tsv", "n0\tn1\n", "n0\tn2\n", "graph")]),
    "links": ("links", graph, ["--train", "nodes.tsv", "--edges", "edges.tsv", *test_graph.SMALL],
              [("nodes.tsv", "topic0\t0\n", "topic0\t6\n", "graph"), ("edges.tsv", "n0\tn1\n", "n0\tn2\n", "graph")]),
    "recommend": ("recommend", interactions,
                  ["--train", "taken.csv", "--item-names", "names.csv", *test_recommend.SMALL],
                  [("taken.csv", "u0,i0,0", "u0,i9,0", "interactions"),
                   ("names.csv", "Number 1.", "Number I.", "item names")]),
    "image": ("image", pictures, [*BOTH, *test_image.SMALL],
              [("train.csv", "0.png,level", "0.png,upright", "training data"),
               ("valid.csv", "20.png,level", "20.png,upright", "validation data")]),
    "detect": ("detect", objects, ["--train", "train.json", "--valid", "valid.json", *test_detect.SMALL],
               [("train.json", '"category_id": 3', '"category_id": 8', "training data"),
                ("valid.json", '"category_id": 3', '"category_id": 8', "validation data")]),
    "image_generation": ("image-generation", pictures, [*BOTH, *test_image_generation.SMALL],
                         [("train.csv", "0.png,level", "0.png,upright", "training data"),
                          ("valid.csv", "20.png,level", "20.png,upright", "validation data")]),
    "table": ("table", table, [*BOTH, "--target", "fee", *test_table.SMALL],
              [("train.csv", ",high\n", ",low\n", "training data"),
               ("valid.csv", ",high\n", ",low\n", "validation data")]),
    "speech": ("speech", sounds, [*BOTH, *test_speech.SMALL],
               [("train.csv", ",up\n", ",down\n", "training data"),
                ("valid.csv", ",up\n", ",down\n", "validation data")]),
    "asr": ("asr", sounds,
            ["--train", "train_words.csv", "--valid", "valid_words.csv", "--units", "words", "--subsampling", 2,
             *test_speech.SMALL],
            [("train_words.csv", "low high", "high low", "training data"),
             ("valid_words.csv", "low high", "high low", "validation data")]),
}


class OtherData(unittest.TestCase):
    def test_every_task_has_a_row(self):
        """But `classify`, see above, and `embed`, which begins with a published model: test_published_tuning.py."""
        tasks = {file.stem.removeprefix("train_").replace("_", "-")
                 for file in Path("heed/cli/commands").glob("train_*.cpp")}
        self.assertEqual(tasks - {task for task, *_ in CASES.values()}, {"classify", "embed"})

    def check(self, task, options, changes, folder):
        def train(epochs, *more, code):
            # The last of several is what counts.
            return heed("train", task, *options, "--out", "model", "--epochs", epochs, *more, code=code, cwd=folder)

        train(1, code=0)
        for file, old, new, what in changes:
            text = (folder / file).read_text("utf-8")
            self.assertIn(old, text)
            (folder / file).write_text(text.replace(old, new, 1), "utf-8")
            self.assertIn(f"other contents of the {what}", train(2, "--resume", code=2).stderr)
            (folder / file).write_text(text, "utf-8")
        train(2, "--resume", code=0)


def add_test(name, task, write, options, changes):
    def test(self):
        with tempfile.TemporaryDirectory(prefix="heed-other-data-") as folder:
            write(Path(folder))
            self.check(task, options, changes, Path(folder))

    setattr(OtherData, f"test_{name}", test)


for each, case in CASES.items():
    add_test(each, *case)


if __name__ == "__main__":
    unittest.main(verbosity=1)
