"""The measures of `heed score` are those of seqeval, sacrebleu and rouge_score.

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
import warnings
from pathlib import Path

import texts

try:
    import sacrebleu
    import seqeval.metrics
    import seqeval.scheme
    from rouge_score import rouge_scorer
except ImportError as missing:
    print(f"skipped: {missing} (tools/requirements-test.txt)")
    sys.exit(77)

HEED = ""
DATA = texts.shared_data()
CLOSE = 1e-9  # both sides work in double precision


def heed(*words):
    result = subprocess.run([HEED, *map(str, words)], capture_output=True, check=False)
    if result.returncode != 0:
        raise AssertionError(result.stderr.decode("utf-8", "replace"))
    return [json.loads(line) for line in result.stdout.decode("utf-8").split("\n") if line]


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
    lines = texts.generated(800, seed=21)
    if DATA is not None:
        for name in ("multi30k/test_2016_flickr.de", "multi30k/val.en"):
            lines += (DATA / name).read_text("utf-8").split("\n")[:1000]
    symbols = [".", ",", "-", "1", "23", "a", "B", "the", "&amp;", "&quot;", "<skipped>", "$", "€",
               "«", "١", "½", "İ", "Σ", "é", "中", " ", " ", " ", " ", "  ", "\t", "\u00a0", "'"]
    lines += ["".join(source.choices(symbols, k=source.randint(0, 40))) for _ in range(800)]
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
                for count in (1, 2):
                    for smooth in ("exp", "none"):
                        oracle = sacrebleu.BLEU(tokenize=tokenize, lowercase=lowercase,
                                                smooth_method=smooth)
                        expected = oracle.corpus_score(self.hypotheses,
                                                       self.oracle_references(count))
                        ours, = self.score("bleu", "--tokenize", tokenize, "--smoothing", smooth,
                                           *["--lowercase"][:lowercase], references=count)
                        self.assertAlmostEqual(ours["bleu"], expected.score, delta=CLOSE)
                        self.assertEqual(ours["words"], expected.sys_len)
                        self.assertEqual(ours["reference_words"], expected.ref_len)
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

    def test_rouge(self):
        kinds = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
        oracle = rouge_scorer.RougeScorer(kinds)
        ours = self.score("rouge", "--sentences", references=2)
        sums = collections.Counter()
        for score, line, *references in zip(ours, self.hypotheses, self.references, self.others):
            expected = oracle.score_multi(references, line)
            for kind in kinds:
                self.assertAlmostEqual(score[kind], expected[kind].fmeasure, delta=CLOSE,
                                       msg=ascii((kind, line, references)))
                self.assertAlmostEqual(score["details"][kind]["recall"], expected[kind].recall,
                                       delta=CLOSE)
                sums[kind] += expected[kind].fmeasure
        mean, = self.score("rouge", references=2)
        for kind in kinds:
            self.assertAlmostEqual(mean[kind], sums[kind] / len(self.hypotheses), delta=CLOSE)

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


class Entities(unittest.TestCase):
    def compare(self, actual, predicted, scheme=None):
        strict = {"iob1": seqeval.scheme.IOB1, "bio": seqeval.scheme.IOB2,
                  "bioes": seqeval.scheme.IOBES}
        options = dict(mode="strict", scheme=strict[scheme]) if scheme else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = seqeval.metrics.classification_report(actual, predicted, output_dict=True,
                                                             zero_division=0, **options)
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for name, sentences in (("predicted", predicted), ("actual", actual)):
                file = Path(folder) / name
                file.write_text("".join("".join(f"word\t{tag}\n" for tag in tags) + "\n"
                                        for tags in sentences), "utf-8")
                files.append(file)
            ours, = heed("score", "ner", files[0], "--references", files[1], "--json",
                         "--strict", scheme or "none")
        for name in ("micro", "macro", "weighted"):
            self.check(ours[name], expected.pop(name + " avg"), (name, scheme))
        self.assertEqual(sorted(ours["types"]), sorted(expected))
        for name, values in expected.items():
            self.check(ours["types"][name], values, (name, scheme))

    def check(self, ours, theirs, what):
        for name, other in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score"),
                            ("support", "support")):
            self.assertAlmostEqual(ours[name], theirs[other], delta=CLOSE, msg=what)

    def test_any_tags(self):
        source = random.Random(11)
        tags = ["O", "O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "E-Y", "S-Y", "B-Y-Z", "I-Y-Z",
                "I-X-", "B"]
        for letters, scheme in (("OBIES", None), ("OBI", None), ("OBI", "bio"), ("OBI", "iob1"),
                                ("OBIES", "bioes")):
            known = [tag for tag in tags if tag[0] in letters]
            for count in (1, 2, 2000):
                sentences = [source.choices(known, k=source.randint(1, 12)) for _ in range(count)]
                # At least one entity, without which seqeval has no mean.
                sentences.append(["S-X" if scheme == "bioes" else "I-X" if scheme == "iob1"
                                  else "B-X"])
                guesses = [[tag if source.random() < 0.8 else source.choice(known) for tag in each]
                           for each in sentences]
                self.compare(sentences, guesses, scheme)

    @unittest.skipIf(DATA is None, "../shared/data is missing")
    def test_wnut17(self):
        source = random.Random(2)
        blocks = (DATA / "wnut17" / "emerging.dev.conll").read_text("utf-8").split("\n\n")
        sentences = [[line.split("\t")[-1] for line in re.split("\n", block) if line.strip()]
                     for block in re.sub("\n\\s*\n", "\n\n", "\n\n".join(blocks)).split("\n\n")]
        sentences = [tags for tags in sentences if tags]
        self.assertGreater(len(sentences), 1000)
        known = sorted({tag for tags in sentences for tag in tags})
        guesses = [[tag if source.random() < 0.95 else source.choice(known) for tag in tags]
                   for tags in sentences]
        self.compare(sentences, guesses)
        self.compare(sentences, guesses, "bio")
        self.compare(sentences, sentences)


if __name__ == "__main__":
    HEED = str(Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=1)
