"""Question answering as a user meets it: training on stories and on texts, measures of several
files, answers with their probabilities and places, what the question attends to, malformed files,
Ctrl-C.

Usage: test_qa.py HEED_PROGRAM
"""

import json
import random
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from program import HEED, heed

NAMES = ["Mary", "John", "Daniel"]
ROOMS = ["attic", "cellar", "garden", "kitchen"]


def stories(count, seed):
    """Where somebody went last, as bAbI writes it."""
    chance = random.Random(seed)
    lines = []
    for _ in range(count):
        where = {}
        for number in range(1, 7):
            if number in (3, 6):
                name = chance.choice(sorted(where))
                lines.append(f"{number} Where is {name}? \t{where[name][0]}\t{where[name][1]}")
            else:
                name, room = chance.choice(NAMES), chance.choice(ROOMS)
                where[name] = (room, number)
                lines.append(f"{number} {name} went to the {room}.")
    return "\n".join(lines) + "\n"


def texts(count, seed):
    """Where things are, and some of which nothing is said, as JSON lines of SQuAD."""
    chance = random.Random(seed)
    lines = []
    for _ in range(count):
        things = chance.sample(["bag", "lamp", "shoe", "cup"], 3)
        spots = chance.sample(["the élite café", "my attic", "an old garden", "a kitchen"], 2)
        context = " ".join(f"The {thing} stands in {spot}." for thing, spot in zip(things, spots))
        for thing, spot in zip(things, [*spots, None]):
            answers = [{"text": spot, "answer_start": context.index(spot)}] if spot else []
            lines.append(json.dumps({"context": context, "question": f"Where is the {thing}?",
                                     "answers": answers}))
    return "\n".join(lines) + "\n"


class Questions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-qa-"))
        (cls.folder / "one.txt").write_text(stories(200, 1), encoding="utf-8")
        (cls.folder / "two.txt").write_text(stories(100, 2), encoding="utf-8")
        (cls.folder / "texts.jsonl").write_text(texts(150, 3), encoding="utf-8")
        (cls.folder / "test.jsonl").write_text(texts(40, 4), encoding="utf-8")
        cls.model = cls.folder / "model"
        cls.trained = heed("train", "qa", "--train", cls.folder / "one.txt",
                           cls.folder / "two.txt", "--out", cls.model, "--d-model", 32,
                           "--num-hops", 2,
                           "--epochs", 30, "--lr", "5e-3", "--threads", 1, "--json")
        cls.spans = cls.folder / "spans"
        cls.trained_spans = heed("train", "qa", "--train", cls.folder / "texts.jsonl", "--out",
                                 cls.spans, "--d-model", 32, "--num-hops", 2, "--num-layers", 1,
                                 "--epochs", 60, "--lr", "3e-3", "--batch-size", 16, "--dropout", 0, "--threads", 1,
                                 "--json")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_training_learns(self):
        self.assertEqual(self.trained.returncode, 0, self.trained.stderr)
        self.assertGreater(json.loads(self.trained.stdout)["exact_match"], 0.9)
        self.assertEqual(self.trained_spans.returncode, 0, self.trained_spans.stderr)
        self.assertGreater(json.loads(self.trained_spans.stdout)["f1"], 0.9)

    def test_size_follows_the_kind_of_data(self):
        for file, hops, layers in (("one.txt", 4, 1), ("texts.jsonl", 1, 4)):
            model = self.folder / f"default-{file}"
            result = heed("train", "qa", "--train", self.folder / file, "--out", model,
                          "--max-steps", 1, "--threads", 1)
            self.assertEqual(result.returncode, 0, result.stderr)
            config = json.loads((model / "config.json").read_text("utf-8"))
            self.assertEqual((config["num_hops"], config["num_layers"]), (hops, layers))

    def test_eval_of_several_files(self):
        files = [self.folder / "one.txt", self.folder / "two.txt"]
        both = json.loads(heed("eval", self.model, *files, "--json").stdout)
        self.assertEqual(both["questions"], 600)
        self.assertIsInstance(both["questions"], int)
        self.assertEqual([each["file"] for each in both["files"]], [str(file) for file in files])
        for each in both["files"]:
            alone = json.loads(heed("eval", self.model, each["file"], "--json").stdout)
            self.assertNotIn("files", alone)
            for name, value in alone.items():
                self.assertEqual(each[name], value)
        mean = sum(each["exact_match"] * each["questions"] for each in both["files"]) / 600
        self.assertAlmostEqual(both["exact_match"], mean)
        table = heed("eval", self.model, *files).stdout
        self.assertRegex(table, r"\none\.txt +[01]\.\d{4} +[01]\.\d{4} +400\n")

    def test_forms_of_a_question(self):
        story = ["Mary went to the attic.", "John went to the garden."]
        question = "Where is Mary?"
        forms = [" ".join([*story, question]), " ".join(story) + "\t" + question,
                 json.dumps({"story": story, "question": question}),
                 json.dumps({"context": " ".join(story), "question": question})]
        # A file, not a pipe: its lines are one batch, so that all are rounded alike.
        file = self.folder / "forms.txt"
        file.write_text("\n".join(forms) + "\n", encoding="utf-8")
        result = heed("predict", self.model, file, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        answers = [json.loads(line) for line in result.stdout.splitlines()]
        for each in answers:
            self.assertEqual(each["answer"], "attic")
            self.assertEqual(each, answers[0])
        self.assertEqual(len(answers[0]["top"]), 4)
        self.assertAlmostEqual(sum(each["probability"] for each in answers[0]["top"]), 1)
        line = heed("predict", self.model, text=forms[0] + "\n").stdout
        self.assertRegex(line, r"^attic\t[01]\.\d{4}\n$")
        unsure = heed("predict", self.model, "--threshold", 1, "--unknown", "?", text=forms[0])
        self.assertTrue(unsure.stdout.startswith("?\t"))

    def test_a_babi_file_is_answered(self):
        answers = heed("predict", self.model, self.folder / "two.txt").stdout.splitlines()
        lines = [line.split("\t") for line in (self.folder / "two.txt").read_text().splitlines()]
        expected = [line[1] for line in lines if len(line) > 1]
        right = sum(a.split("\t")[0] == b for a, b in zip(answers, expected, strict=True))
        metrics = json.loads(heed("eval", self.model, self.folder / "two.txt", "--json").stdout)
        self.assertAlmostEqual(right / len(expected), metrics["exact_match"])

    def test_spans_have_places(self):
        asked = [json.loads(line) for line in
                 (self.folder / "test.jsonl").read_text(encoding="utf-8").splitlines()]
        result = heed("predict", self.spans, self.folder / "test.jsonl", "--json", "--top", 3)
        self.assertEqual(result.returncode, 0, result.stderr)
        answers = [json.loads(line) for line in result.stdout.splitlines()]
        right = 0
        for question, answer in zip(asked, answers, strict=True):
            self.assertEqual(len(answer["top"]), 3)
            for each in answer["top"]:
                self.assertEqual(question["context"][each["start"]:each["end"]], each["answer"])
            texts_of = [each["text"] for each in question["answers"]] or [None]
            right += answer["answer"] in texts_of
        self.assertGreater(right / len(asked), 0.8)
        metrics = json.loads(heed("eval", self.spans, self.folder / "test.jsonl",
                                  "--json").stdout)
        self.assertGreaterEqual(metrics["exact_match"], right / len(asked))
        self.assertGreaterEqual(metrics["f1"], metrics["exact_match"])

    def test_a_squad_document(self):
        context = "The bag stands in my attic. The lamp stands in a kitchen."
        document = {"data": [{"paragraphs": [{"context": context, "qas": [
            {"id": "a", "question": "Where is the bag?",
             "answers": [{"text": "my attic", "answer_start": 18}]}]}]}]}
        file = self.folder / "document.json"
        file.write_text(json.dumps(document), encoding="utf-8")
        answer = json.loads(heed("predict", self.spans, file, "--json").stdout)
        self.assertEqual((answer["answer"], answer["start"], answer["end"]), ("my attic", 18, 26))
        metrics = json.loads(heed("eval", self.spans, file, "--json").stdout)
        self.assertEqual(metrics, {"exact_match": 1, "f1": 1, "questions": 1})

    def test_attend(self):
        text = "Mary went to the attic. John went to the garden. Where is Mary?"
        view = json.loads(heed("attend", self.model, text, "--json").stdout)
        self.assertEqual(view["answer"], "attic")
        self.assertEqual(view["tokens"], ["Where is Mary?"])
        self.assertEqual(view["keys"], ["Mary went to the attic.", "John went to the garden.",
                                        "Where is Mary?"])
        self.assertEqual(len(view["attention"]), 2 * 4)  # hops, heads
        for each in view["attention"]:
            self.assertAlmostEqual(sum(each["weights"][0]), 1, places=4)
        every = json.loads(heed("attend", self.model, text, "--json", "--part", "all").stdout)
        self.assertEqual(every["tokens"], view["keys"])
        self.assertEqual(every["attention"][0]["weights"][2], view["attention"][0]["weights"][0])
        text = "The bag stands in my attic. The lamp stands in a kitchen. Where is the bag?"
        picture = self.folder / "heat.svg"
        self.assertEqual(heed("attend", self.spans, text, "--out", picture).returncode, 0)
        self.assertRegex(picture.read_text(encoding="utf-8")[:500], r"<title>my attic \(\d+ %\)<")

    def test_any_score_and_pattern(self):
        for score, pattern in (("cosine", "window:3:3|global:1"), ("additive", "causal")):
            out = self.folder / score
            result = heed("train", "qa", "--train", self.folder / "two.txt", "--out", out,
                          "--d-model", 16, "--epochs", 1, "--score", score, "--pattern", pattern)
            self.assertEqual(result.returncode, 0, result.stderr)
            shown = json.loads(heed("inspect", out, "--json").stdout)
            self.assertEqual((shown["score"], shown["pattern"]), (score, pattern))

    def test_malformed_files_are_refused_with_their_line(self):
        def refused(name, text, *places):
            file = self.folder / name
            file.write_text(text, encoding="utf-8")
            result = heed("train", "qa", "--train", file, "--out", self.folder / "none")
            self.assertEqual(result.returncode, 65, result.stderr)
            for place in places:
                self.assertIn(place, result.stderr)
            self.assertFalse((self.folder / "none").exists())

        refused("order.txt", "1 Mary ran.\n3 Who ran?\tMary\t1\n", "order.txt:2", "line 2")
        refused("number.txt", "Mary ran.\n", "number.txt:1", "number")
        refused("same.txt", "1 Mary ran.\n2 Who ran?\tMary\t1\n" * 20, "two different answers")
        refused("broken.jsonl", "{\"context\": \"a\",\n", "broken.jsonl:1")
        refused("place.jsonl", json.dumps({"context": "abc", "question": "b?", "answers": [
            {"text": "c", "answer_start": 0}]}) + "\n", "place.jsonl:1", "character 0")
        for line, place in (("{\"question\": 3}", "field 'question'"),
                            ("{\"question\": \"a\", \"story\": \"b\"}", "field 'story'"),
                            ("\n", "question"),
                            ("{\"question\": \"a\"", "byte")):
            result = heed("predict", self.model, text="Mary ran. Who?\n" + line + "\n")
            self.assertEqual(result.returncode, 65)
            self.assertIn("standard input:2: ", result.stderr)
            self.assertIn(place, result.stderr)
        result = heed("predict", self.model, "--num-beams", 2, text="Mary ran. Who?\n")
        self.assertEqual(result.returncode, 2)

    def test_interrupted_and_resumed_is_uninterrupted(self):
        command = ["train", "qa", "--train", self.folder / "two.txt", "--d-model", 32, "--epochs",
                   6,
                   "--threads", 1, "--seed", 3]
        whole = self.folder / "whole"
        self.assertEqual(heed(*command, "--out", whole).returncode, 0)
        parts = self.folder / "parts"
        program = subprocess.Popen([HEED, *map(str, command), "--out", parts],
                                   stderr=subprocess.PIPE, text=True)
        for line in program.stderr:
            if line.startswith("epoch 2"):
                program.send_signal(signal.SIGINT)
                break
        program.communicate(timeout=120)
        self.assertEqual(program.returncode, 130)
        resumed = heed(*command, "--out", parts, "--resume")
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        self.assertEqual((parts / "model.safetensors").read_bytes(),
                         (whole / "model.safetensors").read_bytes())


if __name__ == "__main__":
    unittest.main(verbosity=1)
