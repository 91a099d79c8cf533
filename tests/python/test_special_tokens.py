"""Text is text: the spelling of a special token in a user's text comes back as it was, in every task.

Usage: test_special_tokens.py HEED_PROGRAM
"""

import json
import random
import re
import shutil
import tempfile
import unittest
from pathlib import Path

from program import heed

# Their generators of data; importing them runs no test.
import test_recommend
import test_speech

SMALL = ["--d-model", 16, "--num-heads", 2, "--num-layers", 1, "--threads", 1]


class SpecialTokens(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-special-"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")
        return self.folder / name

    def run_heed(self, *arguments, **options):
        result = heed(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_tokenize(self):
        text = self.write("t.txt", "the cat sat on the mat.\n" * 50)
        for kind, line in (("byte_bpe", "a <|endoftext|> b"), ("characters", "the [PAD] [UNK]")):
            tokenizer = self.folder / f"{kind}.json"
            learnt = [text, self.write("line.txt", line + "\n")]
            self.run_heed("tokenize", "train", "--kind", kind, "--vocab-size", 300, "--out",
                          tokenizer, *learnt)
            use = ["--tokenizer", tokenizer]
            ids = self.run_heed("tokenize", "encode", *use, text=line + "\n")
            self.assertEqual(self.run_heed("tokenize", "decode", *use, text=ids), line + "\n")
            self.assertNotIn("0", ids.split())
            trusted = self.run_heed("tokenize", "encode", "--special-tokens", *use,
                                    text=line + "\n")
            self.assertIn("0", trusted.split())

    def test_language_model(self):
        text = self.write("lm.txt", "one [PAD] two [UNK]\n" * 200)
        model = self.folder / "lm"
        self.run_heed("train", "lm", "--train", text, "--valid", text, "--tokenizer", "characters",
                      "--max-length", 24, "--max-steps", 40, "--lr", "1e-2", "--out", model, *SMALL)
        ask = ["generate", model, "--prompt", "one [PAD] tw", "--temperature", 0,
               "--max-new-tokens", 2,
               "--json", "--threads", 1]
        self.assertIn("text", json.loads(self.run_heed(*ask)))
        line = "one [PAD] two"
        told = json.loads(self.run_heed("predict", model, "--json", "--threads", 1,
                                        text=line + "\n"))
        trusted = json.loads(self.run_heed("predict", model, "--json", "--threads", 1,
                                           "--special-tokens", text=line + "\n"))
        self.assertNotEqual(told, trusted)

    def test_sequence_to_sequence(self):
        sources = self.write("s", "".join(f"<s>ein hund {i % 5}</s>\n" for i in range(40)))
        targets = self.write("t", "".join(f"<s>a dog {i % 5}</s> end\n" for i in range(40)))
        model = self.folder / "s2s"
        self.run_heed("train", "seq2seq", "--train", sources, targets, "--valid", sources, targets,
                      "--tokenizer", "characters", "--d-model", 32, "--num-heads", 2,
                      "--num-layers", 1,
                      "--threads", 1, "--lr", "5e-3", "--epochs", 40, "--out", model)
        answer = self.run_heed("predict", model, "--threads", 1, text="<s>ein hund 0</s>\n")
        self.assertRegex(answer, r"^<s>a dog \d</s> end\n$")

    def test_entities(self):
        data = self.write("train.conll", "Ana B-X\nlives O\n\n[PAD] O\nx B-X\n")
        model = self.folder / "ner"
        self.run_heed("train", "ner", "--train", data, "--valid", data, "--out", model, "--epochs",
                      1, *SMALL)
        answers = self.run_heed("predict", model, data, "--json", "--threads", 1)
        self.assertNotIn("null", answers)
        self.assertNotIn("nan", answers)
        refused = heed("predict", model, data, "--special-tokens")
        self.assertEqual(refused.returncode, 2, refused.stderr)

    def test_entities_are_right_beside_such_words(self):
        rows = "[PAD] O\n[PAD] B-X\n[UNK] O\n\nAna B-X\n[PAD] O\n\n" * 20
        data = self.write("pads.conll", rows)
        model = self.folder / "ner_pads"
        self.run_heed("train", "ner", "--train", data, "--valid", data, "--out", model, "--epochs", 2, *SMALL)
        scores = json.loads(self.run_heed("eval", model, data, "--json", "--threads", 1))
        self.assertTrue(0 < scores["loss"] < 100, scores)
        # A sentence is read alone as it is beside others, which are longer.
        alone = self.write("alone.conll", "Ana B-X\n[PAD] O\n")
        one = json.loads(self.run_heed("predict", model, alone, "--json", "--threads", 1))
        both = [json.loads(line) for line in
                self.run_heed("predict", model, data, "--json", "--threads", 1).splitlines()]
        self.assertEqual(one["tokens"], ["Ana", "[PAD]"])
        self.assertEqual(one["tags"], both[1]["tags"])

    def test_questions_about_stories(self):
        rooms = ["attic", "garden"]
        lines = []
        for i in range(40):
            lines += [f"1 [PAD] went to the {rooms[i % 2]}.", f"2 [UNK] went to the {rooms[i // 2 % 2]}.",
                      f"3 Where is [PAD]? \t{rooms[i % 2]}\t1", f"4 Where is [UNK]? \t{rooms[i // 2 % 2]}\t2"]
        data = self.write("stories.txt", "\n".join(lines) + "\n")
        model = self.folder / "stories"
        self.run_heed("train", "qa", "--train", data, "--valid", data, "--out", model, "--epochs", 2, *SMALL)
        scores = json.loads(self.run_heed("eval", model, data, "--json", "--threads", 1))
        self.assertTrue(0 < scores["loss"] < 100, scores)
        answers = [json.loads(line) for line in
                   self.run_heed("predict", model, data, "--json", "--threads", 1).splitlines()]
        self.assertEqual(len(answers), 80)
        for answer in answers:
            self.assertIn(answer["answer"], rooms)
            self.assertTrue(0 < answer["probability"] <= 1, answer)

    def test_questions_about_texts(self):
        lines = []
        for i in range(40):
            context = f"[PAD] stands in the [UNK] garden. Ana stands in the {'old' if i % 2 else '[PAD]'} attic."
            answer = "the [UNK] garden"
            lines.append(json.dumps({"context": context, "question": "Where is [PAD]?", "answers": [
                {"text": answer, "answer_start": context.index(answer)}]}))
        data = self.write("spans.jsonl", "\n".join(lines) + "\n")
        model = self.folder / "spans"
        self.run_heed("train", "qa", "--train", data, "--valid", data, "--out", model, "--epochs", 2, *SMALL)
        scores = json.loads(self.run_heed("eval", model, data, "--json", "--threads", 1))
        self.assertTrue(0 <= scores["exact_match"] <= 1, scores)
        for line, asked in zip(self.run_heed("predict", model, data, "--json", "--threads", 1).splitlines(), lines):
            answer = json.loads(line)
            self.assertIn(answer["answer"], json.loads(asked)["context"])  # as it was spelt
            self.assertTrue(0 < answer["probability"] <= 1, answer)

    def test_classes(self):
        data = self.write("c.tsv", "label\ttext\n" + "a\t[PAD] [PAD]\nb\t[UNK] good\n" * 10)
        model = self.folder / "classify"
        self.run_heed("train", "classify", "--train", data, "--valid", data, "--out", model,
                      "--epochs", 20, "--lr", "1e-2", *SMALL)
        answers = self.run_heed("predict", model, "--threads", 1, text="[PAD] [PAD]\n[UNK] good\n")
        self.assertEqual([line.split("\t")[0] for line in answers.splitlines()], ["a", "b"])

    def test_what_is_said(self):
        """Words and letters spelt like the blank of CTC and the padding are as others in the same order."""
        source = random.Random(1)
        for i in range(40):
            hertz = (400, 1600)[i % 2]
            tone = test_speech.samples(source, hertz, hertz, 1600)
            test_speech.write(self.folder / f"{i}.wav", [0] * 600 + tone + [0] * 600)
        for units, special, plain in (("words", ("[PAD]", "<blank>"), ("low", "high")),
                                      ("characters", ("|", "_"), ("b", "a"))):
            said = []
            for texts in (special, plain):
                table = self.write("said.csv", "file,text\n" + "".join(f"{i}.wav,{texts[i % 2]}\n" for i in range(40)))
                model = self.folder / "asr"
                self.run_heed("train", "asr", *test_speech.SMALL, "--subsampling", 2, "--units", units, "--epochs", 4,
                              "--train", table, "--valid", table, "--out", model, "--overwrite")
                lines = self.run_heed("predict", model, table)
                said.append(lines.replace(special[0], plain[0]).replace(special[1], plain[1]))
                self.assertGreater(sum(lines.count(text) for text in texts), 5)
            self.assertEqual(said[0], said[1])

    def test_items(self):
        names = {"i3": "[PAD]", "i4": "[UNK]", "i5": "<s>"}
        walks = re.sub(r"\bi[345]\b", lambda item: names[item.group()], test_recommend.walks())
        model = self.folder / "items"
        self.run_heed("train", "recommend", "--train", self.write("walks.csv", walks), "--out", model,
                      *test_recommend.SMALL)
        for history, next_one in (("i1,i2", "[PAD]"), ("i1,i2,[PAD]", "[UNK]"), ("i2,[PAD],[UNK]", "<s>"),
                                  ("[UNK],<s>", "i6")):
            best = json.loads(self.run_heed("recommend", model, "--history", history, "--json"))
            self.assertEqual(best["items"][0]["item"], next_one, history)


if __name__ == "__main__":
    unittest.main()
