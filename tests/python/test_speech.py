"""Sounds as a user meets them: training on folders and tables, classes of files, where a model listens, and what
is wrong with a sound.

Usage: test_speech.py HEED_PROGRAM
"""

import csv
import json
import math
import os
import random
import struct
import tempfile
import unittest
import wave
from pathlib import Path

from program import heed

RATE = 8000
SMALL = ["--sampling-rate", RATE, "--d-model", 32, "--num-heads", 2, "--num-layers", 1, "--num-mel-bins", 20,
         "--num-channels", 8, "--dropout", 0, "--epochs", 12, "--lr", 0.004, "--threads", 1]
DIGITS = Path(os.environ.get("HEED_SHARED_DATA", "../shared/data")) / "spoken_digits" / "recordings"


def samples(source, start, end, count=3000):
    """A tone from one frequency to another, by another voice each time."""
    factor, turn, result = source.uniform(0.85, 1.2), source.random(), []
    for i in range(count):
        turn += factor * (start + (end - start) * i / count) / RATE
        result.append(int(9000 * math.sin(2 * math.pi * turn) + source.gauss(0, 200)))
    return result


def write(file, values, channels=1):
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as out:
        out.setparams((channels, 2, RATE, 0, "NONE", ""))
        out.writeframes(struct.pack(f"<{len(values)}h", *values))


class Speech(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-speech-"))
        source = random.Random(1)
        for name, start, end in (("up", 300, 1200), ("down", 1200, 300), ("same", 700, 700)):
            for take in range(24):
                write(cls.folder / "set" / name / f"{take}.wav", samples(source, start, end))
            for take in range(4):
                write(cls.folder / "test" / f"{name}_{take}.wav", samples(source, start, end, 2000 + 500 * take))
        cls.table = cls.folder / "test.csv"
        cls.table.write_text("file,label\n" + "".join(
            f"test/{name}_{take}.wav,{name}\n" for name in ("up", "down", "same") for take in range(4)))
        cls.model = cls.folder / "model"
        cls.trained = heed("train", "speech", "--train", cls.folder / "set", "--out", cls.model, *SMALL, code=0)

    def test_evaluation(self):
        self.assertIn("3 classes", self.trained.stderr)
        self.assertIn("held back", self.trained.stderr)
        scores = json.loads(heed("eval", self.model, self.table, "--json", code=0).stdout)
        self.assertEqual(scores["examples"], 12)
        self.assertGreater(scores["accuracy"], 0.9)
        self.assertEqual(scores["labels"], ["down", "same", "up"])
        whole = json.loads(heed("eval", self.model, self.folder / "set", "--json", code=0).stdout)
        self.assertEqual(whole["examples"], 72)
        wrong = self.folder / "wrong.tsv"
        turned = self.folder / "turned.csv"
        turned.write_text(f"up\ttest/down_0.wav\nup\ttest/up_0.wav\n")
        heed("eval", self.model, turned, "--file-column", 2, "--label-column", 1, "--errors", wrong, code=0)
        self.assertIn("down_0.wav", wrong.read_text())
        self.assertIn("turned.csv:1", wrong.read_text())

    def test_answers(self):
        file = self.folder / "test" / "up_1.wav"
        line = heed("predict", self.model, file, code=0).stdout.split("\t")
        self.assertEqual(line[:2], [str(file), "up"])
        lines = heed("predict", self.model, self.folder / "test", code=0).stdout.splitlines()
        self.assertEqual(len(lines), 12)
        right = sum(line.split("\t")[1] in line.split("\t")[0] for line in lines)
        self.assertGreater(right, 10)
        listed = heed("predict", self.model, "-", "--json", text=f"{file}\n", code=0)
        answer = json.loads(listed.stdout)
        self.assertEqual(answer["label"], "up")
        self.assertAlmostEqual(sum(answer["probabilities"].values()), 1, 4)
        self.assertAlmostEqual(answer["seconds"], 2500 / RATE)
        alone = heed("predict", self.model, self.folder / "test" / "up_1.wav", "--json", code=0)
        both = heed("predict", self.model, self.table, "--json", code=0)
        same = [json.loads(line) for line in both.stdout.splitlines()]
        same = next(each for each in same if each["file"].endswith("up_1.wav"))
        self.assertAlmostEqual(same["probability"], json.loads(alone.stdout)["probability"], 4)

    def test_where_it_listens(self):
        file = self.folder / "test" / "up_1.wav"
        view = json.loads(heed("attend", self.model, file, "--json", code=0).stdout)
        self.assertEqual(view["label"], "up")
        self.assertEqual(view["tokens"][:2], ["0.00 s", "0.04 s"])
        for head in view["attention"]:
            self.assertAlmostEqual(sum(head["weights"][0]), 1, 4)
        for name in ("view.svg", "view.png", "view.html"):
            heed("attend", self.model, file, "--out", self.folder / name, code=0)
            self.assertGreater((self.folder / name).stat().st_size, 2000)
        svg = (self.folder / "view.svg").read_text()
        self.assertIn("<title>up (", svg)
        self.assertEqual(svg.count("<image "), 3)  # the sound, and a strip for each of two heads
        self.assertIn("sampling_rate", heed("inspect", self.model, code=0).stdout)

    def test_what_cannot_be_heard(self):
        good = (self.folder / "test" / "up_0.wav").read_bytes()
        bad = {"cut.wav": (good[:1000], "cut off: expected"),
               "text.wav": (b"not a sound\n", "expected a sound"),
               "empty.wav": (b"", "expected a sound"),
               "long.wav": (None, "too long: expected at most 30 seconds"),
               "nan.wav": (good[:20] + b"\x03\x00" + good[22:28] + struct.pack("<IHH", RATE * 4, 4, 32)
                           + good[36:44] + b"\x00\x00\xc0\x7f" * 1000, "expected a finite number"),
               "gone.wav": (None, "no such file")}
        table = self.folder / "bad.csv"
        lines = ["file,label", "test/up_0.wav,up"]
        for name, (content, _) in bad.items():
            if content is not None:
                (self.folder / name).write_bytes(content)
            lines.append(f"{name},up")
        write(self.folder / "long.wav", [0] * (31 * RATE))
        table.write_text("\n".join(lines) + "\n")
        errors = heed("eval", self.model, table, code=65).stderr
        for place, (name, (_, why)) in enumerate(bad.items(), 3):
            if place < 8:  # the first five of a kind are shown
                self.assertIn(f"bad.csv:{place}: ", errors)
                self.assertIn(why, errors.replace("No such", "no such"))
        self.assertIn("6 places", errors)
        skipped = heed("eval", self.model, table, "--skip-bad", "--json", code=0)
        self.assertIn("6 sounds left out", skipped.stderr)
        self.assertEqual(json.loads(skipped.stdout)["examples"], 1)
        answers = heed("predict", self.model, table, code=65)
        self.assertEqual(len(answers.stdout.splitlines()), 7)
        self.assertIn("bad.csv:3: ", answers.stderr)
        self.assertIn("up_0.wav\tup", answers.stdout)

    def test_refusals(self):
        table = self.folder / "other.csv"
        table.write_text("file,label\ntest/up_0.wav,sideways\n")
        self.assertIn("sideways", heed("eval", self.model, table, code=65).stderr)
        heed("eval", self.model, self.folder / "gone.csv", code=66)
        heed("predict", self.model, self.folder / "gone.wav", code=66)
        heed("eval", self.model, self.folder / "test" / "up_0.wav", code=2)
        out = self.folder / "no"
        empty = self.folder / "empty"
        empty.mkdir()
        heed("train", "speech", "--train", empty, "--out", out, code=65)
        heed("train", "speech", "--train", self.table, "--subsampling", 3, "--out", out, code=2)
        heed("train", "speech", "--train", self.table, "--kernel-size", 4, "--out", out, code=2)
        one = self.folder / "one.csv"
        one.write_text("file,label\ntest/up_0.wav,up\ntest/up_1.wav,up\n")
        self.assertIn("classes", heed("train", "speech", "--train", one, "--valid", one, "--out", out,
                                      code=65).stderr)
        self.assertFalse(out.exists())


class Transcription(unittest.TestCase):
    """Words that are tones, told apart by their height."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-asr-"))
        source = random.Random(3)
        for part, count in (("train", 150), ("test", 20)):
            lines = ["file,text"]
            for number in range(count):
                values, words = [], []
                for _ in range(source.randint(1, 4)):
                    word, hertz = source.choice((("low", 400), ("high", 1600)))
                    words.append(word)
                    values += [0] * 600 + samples(source, hertz, hertz, 1600)
                write(cls.folder / part / f"{number}.wav", values + [0] * 600)
                lines.append(f"{part}/{number}.wav,{' '.join(words)}")
            (cls.folder / f"{part}.csv").write_text("\n".join(lines) + "\n")
        lines[1] = lines[1].rsplit(",", 1)[0] + ",never"  # not what is heard
        (cls.folder / "turned.csv").write_text("\n".join(lines) + "\n")
        cls.model = cls.folder / "model"
        cls.trained = heed("train", "asr", "--train", cls.folder / "train.csv", "--units", "words", "--subsampling",
                           2, "--out", cls.model, *SMALL, "--epochs", 25, code=0)

    def test_evaluation(self):
        self.assertIn("2 words", self.trained.stderr)
        scores = json.loads(heed("eval", self.model, self.folder / "test.csv", "--json", code=0).stdout)
        self.assertEqual(scores["examples"], 20)
        self.assertLess(scores["wer"], 0.1)
        self.assertLessEqual(scores["cer"], scores["wer"] * 1.5)
        # The same of what `heed predict` writes, in each of its forms.
        rows = [line.split(",") for line in (self.folder / "turned.csv").read_text().splitlines()[1:]]
        said = self.folder / "said.txt"
        said.write_text("".join(text + "\n" for _, text in rows))
        wrong = self.folder / "wrong.csv"
        values = json.loads(heed("eval", self.model, self.folder / "turned.csv", "--errors", wrong, "--json",
                                 code=0).stdout)
        worst = next(csv.DictReader(wrong.read_text().splitlines()))
        self.assertEqual((worst["where"], worst["expected"]), (f"{self.folder}/turned.csv:2", "never"))
        self.assertGreater(values["wer"], 0)
        for form in ([], ["--json"], ["--csv"], ["--columns", "text"]):
            written = self.folder / "written"
            written.write_text(heed("predict", self.model, self.folder / "turned.csv", *form, code=0).stdout)
            scored = json.loads(heed("score", "wer", written, "--references", said, "--json", code=0).stdout)
            self.assertEqual((scored["wer"], scored["cer"]), (values["wer"], values["cer"]), form)
            self.assertIn(worst["predicted"], written.read_text().splitlines()[1 if "-" in str(form) else 0])

    def test_words_and_their_times(self):
        said = dict(line.split(",") for line in (self.folder / "test.csv").read_text().splitlines()[1:])
        file, text = next((name, words) for name, words in said.items() if len(words.split()) == 3)
        answer = json.loads(heed("predict", self.model, self.folder / file, "--json", code=0).stdout)
        self.assertEqual(answer["text"], text)
        for number, word in enumerate(answer["words"]):
            begin = (number * 2200 + 600) / RATE
            self.assertGreater(word["start"], begin - 0.1)
            self.assertLess(word["end"], begin + 1600 / RATE + 0.1)
        line = heed("predict", self.model, self.folder / file, "--ctc-beams", 1, code=0).stdout
        self.assertEqual(line, f"{self.folder / file}\t{text}\n")
        view = json.loads(heed("attend", self.model, self.folder / file, "--json", code=0).stdout)
        self.assertEqual(view["text"], text)
        bad = self.folder / "bad.wav"
        bad.write_text("no sound")
        done = heed("transcribe", self.model, bad, self.folder / "gone.wav", self.folder / file, "--format",
                    "json", code=65)
        self.assertEqual([json.loads(line).get("text") for line in done.stdout.splitlines()], [None, None, text])
        self.assertEqual(done.stderr.count("bad.wav: "), 1)
        self.assertIn("2 inputs could not be answered", done.stderr)
        self.assertIn("tokens", heed("inspect", self.model, code=0).stdout)

    def test_refusals(self):
        out = self.folder / "no"
        folder = self.folder / "train"
        self.assertIn("a table", heed("train", "asr", "--train", folder, "--out", out, code=2).stderr)
        table = self.folder / "short.csv"
        table.write_text("file,text\ntrain/0.wav," + "low " * 200 + "\n")
        heed("train", "asr", "--train", table, "--valid", table, "--out", out, code=65)
        self.assertFalse(out.exists())


@unittest.skipUnless(DIGITS.exists(), "the spoken digits are not there")
class SpokenDigits(unittest.TestCase):
    def test_digits_of_two_speakers(self):
        folder = Path(tempfile.mkdtemp(prefix="heed-digits-"))
        parts = {"train": [], "test": []}
        for file in sorted(DIGITS.glob("*.wav")):
            digit, speaker, take = file.stem.split("_")
            if speaker in ("jackson", "lucas") and int(take) < 20:
                parts["test" if int(take) < 10 else "train"].append(f"{file.resolve()},{digit}\n")
        for name, lines in parts.items():
            (folder / f"{name}.csv").write_text("file,label\n" + "".join(lines))
        self.assertEqual((len(parts["train"]), len(parts["test"])), (200, 100))
        heed("train", "speech", "--train", folder / "train.csv", "--valid", folder / "test.csv", "--out",
             folder / "model", "--sampling-rate", RATE, "--epochs", 20, "--d-model", 48, "--num-layers", 2,
             "--threads", 1, code=0)
        scores = json.loads(heed("eval", folder / "model", folder / "test.csv", "--json", code=0).stdout)
        self.assertGreater(scores["accuracy"], 0.9)


if __name__ == "__main__":
    unittest.main(verbosity=1)
