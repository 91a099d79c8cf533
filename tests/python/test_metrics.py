"""The measures of `heed score` are those of sacrebleu, and of seqeval and rouge_score, whose numbers
stand in testdata/ (tools/metric_oracles.py made them).

    test_metrics.py HEED_PROGRAM
"""

import collections
import json
import random
import re
import string
import subprocess
import sys
import tempfile
import unicodedata
import unittest
from pathlib import Path

import texts

try:
    import sacrebleu
except ImportError as missing:
    print(f"skipped: {missing} (tools/setup.sh --tests)")
    sys.exit(77)

HEED = ""
DATA = texts.shared_data()
RECORDED = Path(__file__).resolve().parent / "testdata"
CLOSE = 1e-9  # both sides work in double precision


def heed(*words):
    result = subprocess.run([HEED, *map(str, words)], capture_output=True, check=False)
    if result.returncode != 0:
        raise AssertionError(result.stderr.decode("utf-8", "replace"))
    return [json.loads(line) for line in result.stdout.decode("utf-8").split("\n") if line]


def recorded(name):
    return json.loads((RECORDED / name).read_text("utf-8"))["cases"]


def noisy(line, source):
    """A line with some words changed, dropped, doubled or moved."""
    words = line.split(" ")
    result = []
    for word in words:
        chance = source.random()
        if chance < 0.1:
            continue
        result.append(source.choice(words) if chance < 0.2 else word)
        if chance > 0.95:
            result.append(word)
    if source.random() < 0.1:
        source.shuffle(result)
    return " ".join(result)


def lines_for_texts():
    """Real and random lines of many scripts, without what ends a line or is no text, and without
    characters that one of the two sides may be too old to know."""
    source = random.Random(7)
    lines = texts.generated(400, seed=21)
    if DATA is not None:
        for name in ("multi30k/test_2016_flickr.de", "multi30k/val.en"):
            lines += (DATA / name).read_text("utf-8").split("\n")[:400]
    symbols = [".", ",", "-", "1", "23", "a", "B", "the", "&amp;", "&quot;", "<skipped>", "$", "€",
               "«", "١", "½", "İ", "Σ", "é", "中", " ", " ", " ", " ", "  ", "\t", "\u00a0", "'"]
    lines += ["".join(source.choices(symbols, k=source.randint(0, 40))) for _ in range(400)]
    return ["".join(c for c in re.sub("[\r\n\0]", " ", line) if unicodedata.category(c) != "Cn")
            for line in lines]


class Texts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        source = random.Random(3)
        cls.references = lines_for_texts()
        cls.others = [noisy(line, source) for line in cls.references]
        cls.hypotheses = [noisy(line, source) for line in cls.references]
        cls.folder = tempfile.TemporaryDirectory()
        cls.files = []
        for name in ("hypotheses", "references", "others"):
            file = Path(cls.folder.name) / name
            file.write_bytes("".join(line + "\n" for line in getattr(cls, name)).encode("utf-8"))
            cls.files.append(file)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def score(self, measure, *options, references=1):
        return heed("score", measure, self.files[0], "--references",
                    *self.files[1:1 + references], "--json", *options)

    def oracle_references(self, count):
        return [self.references, self.others][:count]

    def test_bleu(self):
        for tokenize in ("13a", "none", "char", "intl"):
            for lowercase in (False, True):
                oracle = sacrebleu.BLEU(tokenize=tokenize, lowercase=lowercase)
                for count in (1, 2):
                    ours, = self.score("bleu", "--tokenize", tokenize,
                                       *["--lowercase"][:lowercase], references=count)
                    self.same_bleu(ours, oracle.corpus_score(self.hypotheses,
                                                             self.oracle_references(count)))

    def test_smoothing_of_bleu(self):
        """Of texts of which no three words in a row are right: smoothing changes nothing else."""
        hypotheses = ["the cat sat on the mat", "a dog ran"]
        references = ["the cat is on a mat", "a dog sat"]
        files = [Path(self.folder.name) / name for name in ("h", "r1")]
        for file, lines in zip(files, (hypotheses, references)):
            file.write_text("".join(line + "\n" for line in lines), "utf-8")
        scores = set()
        for smooth in ("exp", "none"):
            expected = sacrebleu.BLEU(smooth_method=smooth).corpus_score(hypotheses, [references])
            ours, = heed("score", "bleu", files[0], "--references", files[1], "--json",
                         "--smoothing", smooth)
            self.same_bleu(ours, expected)
            scores.add(expected.score)
        self.assertEqual(len(scores), 2)
        ours, = self.score("bleu", "--smoothing", "none")
        self.same_bleu(ours, sacrebleu.BLEU(smooth_method="none").corpus_score(
            self.hypotheses, self.oracle_references(1)))

    def same_bleu(self, ours, expected):
        self.assertAlmostEqual(ours["bleu"], expected.score, delta=CLOSE)
        self.assertEqual(ours["words"], expected.sys_len)
        self.assertEqual(ours["reference_words"], expected.ref_len)
        self.assertEqual(len(ours["precisions"]), len(expected.precisions))
        for a, b in zip(ours["precisions"], expected.precisions):
            self.assertAlmostEqual(a, b, delta=CLOSE)

    def test_bleu_of_sentences(self):
        for tokenize in ("13a", "none", "char", "intl"):
            oracle = sacrebleu.BLEU(tokenize=tokenize, effective_order=True)
            ours = self.score("bleu", "--sentences", "--tokenize", tokenize, references=2)
            self.assertEqual(len(ours), len(self.hypotheses))
            for score, line, *references in zip(ours, self.hypotheses, self.references,
                                                self.others):
                expected = oracle.sentence_score(line, references)
                self.assertAlmostEqual(score["bleu"], expected.score, delta=CLOSE,
                                       msg=ascii((tokenize, line, references)))

    def test_chrf(self):
        for word_order in (0, 1, 2):
            for lowercase in (False, True):
                options = ["--word-order", word_order, *["--lowercase"][:lowercase]]
                oracle = sacrebleu.CHRF(word_order=word_order, lowercase=lowercase)
                for count in (1, 2):
                    expected = oracle.corpus_score(self.hypotheses, self.oracle_references(count))
                    ours, = self.score("chrf", *options, references=count)
                    self.assertAlmostEqual(ours["chrf"], expected.score, delta=CLOSE)
                ours = self.score("chrf", "--sentences", *options, references=2)
                for score, line, *references in zip(ours, self.hypotheses, self.references,
                                                    self.others):
                    expected = oracle.sentence_score(line, references)
                    self.assertAlmostEqual(score["chrf"], expected.score, delta=CLOSE,
                                           msg=ascii((line, references)))

    def test_answers(self):
        def normalized(answer):  # SQuAD's evaluation script, as its paper describes it
            answer = "".join(c for c in answer.lower() if c not in string.punctuation)
            return " ".join(re.sub(r"\b(a|an|the)\b", " ", answer).split())

        def f1(answer, right):
            ours, theirs = normalized(answer).split(), normalized(right).split()
            if not ours or not theirs:
                return float(ours == theirs)
            both = sum((collections.Counter(ours) & collections.Counter(theirs)).values())
            return 2 * both / (len(ours) + len(theirs))

        source = random.Random(5)
        words = ["a", "an", "the", "The", "cat", "cat's", "Zürich", "1,000", "-", "…", "a\u0301",
                 "thé", "A-b", "", " ", "中", "_", "_the_", "²"]

        def answer():
            return " ".join(source.choices(words, k=source.randint(0, 5)))

        answers = [answer() for _ in range(3000)]
        right = [[answer() for _ in range(source.randint(1, 3))] for _ in answers]
        answers_file, right_file = (Path(self.folder.name) / name for name in ("a", "r"))
        answers_file.write_text("".join(line + "\n" for line in answers), "utf-8")
        right_file.write_text("".join("\t".join(line) + "\n" for line in right), "utf-8")
        ours = heed("score", "qa", answers_file, "--references", right_file, "--sentences",
                    "--json")
        self.assertEqual(len(ours), len(answers))
        for score, line, references in zip(ours, answers, right):
            exact = max(normalized(line) == normalized(each) for each in references)
            self.assertEqual(score["exact_match"], float(exact), (line, references))
            self.assertAlmostEqual(score["f1"], max(f1(line, each) for each in references),
                                   delta=CLOSE, msg=(line, references))


class Recorded(unittest.TestCase):
    """What seqeval and rouge_score said when tools/metric_oracles.py ran them."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, name, lines):
        (self.folder / name).write_bytes("".join(line + "\n" for line in lines).encode("utf-8"))
        return self.folder / name

    def test_rouge(self):
        cases = recorded("rouge.json")
        self.assertGreater(len(cases), 300)
        options = [self.file("hypotheses", [case["hypothesis"] for case in cases]), "--references",
                   *[self.file(f"references{i}", [case["references"][i] for case in cases])
                     for i in range(2)], "--json"]
        ours = heed("score", "rouge", "--sentences", *options)
        self.assertEqual(len(ours), len(cases))
        sums = collections.Counter()
        for score, case in zip(ours, cases):
            for kind, expected in case["scores"].items():
                self.assertAlmostEqual(score[kind], expected["f1"], delta=CLOSE,
                                       msg=ascii((kind, case)))
                self.assertAlmostEqual(score["details"][kind]["recall"], expected["recall"],
                                       delta=CLOSE)
                sums[kind] += expected["f1"]
        mean, = heed("score", "rouge", *options)
        self.assertEqual(len(sums), 4)
        for kind, total in sums.items():
            self.assertAlmostEqual(mean[kind], total / len(cases), delta=CLOSE)

    def test_entities(self):
        cases = recorded("entities.json")
        self.assertEqual({case["scheme"] for case in cases}, {"none", "bio", "iob1", "bioes"})
        # heed/metrics/entities_test.cpp has them all; here those of many sentences.
        cases = [case for case in cases if case["actual"].count("|") > 100]
        self.assertEqual(collections.Counter(case["scheme"] for case in cases),
                         {"none": 4, "bio": 2, "iob1": 1, "bioes": 1})
        for case in cases:
            files = [self.file(name, [line for tags in case[name].split("|")
                                      for line in [*(f"word\t{tag}" for tag in tags.split(" ")), ""]])
                     for name in ("predicted", "actual")]
            ours, = heed("score", "ner", files[0], "--references", files[1], "--json",
                         "--strict", case["scheme"])
            expected = case["report"]
            for name in ("micro", "macro", "weighted"):
                self.check(ours[name], expected.pop(name + " avg"), (name, case["scheme"]))
            self.assertEqual(sorted(ours["types"]), sorted(expected))
            for name, values in expected.items():
                self.check(ours["types"][name], values, (name, case["scheme"]))

    def check(self, ours, theirs, what):
        for name, value in theirs.items():
            self.assertAlmostEqual(ours[name], value, delta=CLOSE, msg=what)


class ErrorRates(unittest.TestCase):
    def test_words_and_characters(self):
        cases = recorded("error_rates.json")
        lines = [case for case in cases if len(case["right"]) == 1]
        files = [case for case in cases if len(case["right"]) > 1]
        self.assertGreater(len(lines), 30)
        self.assertGreater(len(files), 2)
        with tempfile.TemporaryDirectory() as folder:
            # All texts of one line at once, a score for each.
            both = {name: [line for case in lines for line in case[name]]
                    for name in ("right", "found")}
            self.same(lines, self.rates(folder, both, "--sentences"))
            for case in files:
                self.same([case], self.rates(folder, case))

    def rates(self, folder, texts_of, *options):
        right, found = Path(folder) / "right", Path(folder) / "found"
        right.write_text("\n".join(texts_of["right"]) + "\n", "utf-8")
        found.write_text("\n".join(texts_of["found"]) + "\n", "utf-8")
        return heed("score", "wer", found, "--references", right, "--json", *options)

    def same(self, cases, answers):
        self.assertEqual(len(answers), len(cases))
        for case, ours in zip(cases, answers):
            self.assertAlmostEqual(ours["wer"], case["wer"], delta=CLOSE, msg=case)
            self.assertAlmostEqual(ours["cer"], case["cer"], delta=CLOSE, msg=case)


if __name__ == "__main__":
    HEED = str(Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=1)
