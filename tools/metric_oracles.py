#!/usr/bin/env python3
"""Writes what seqeval and rouge_score say of given tags and texts: tests/python/testdata/*.json.

The two packages have no wheels, so set-up leaves them out, and tests/python/test_metrics.py compares
Heed with these files, in which the versions stand. To make them again:

    python3 -m venv build/oracles
    build/oracles/bin/pip install setuptools==65.5.0 setuptools_scm==7.1.0 wheel numpy==2.4.6 \\
        scikit-learn==1.9.1 nltk==3.10.4 absl-py==2.5.1 six==1.17.0
    build/oracles/bin/pip install --no-build-isolation --no-deps seqeval==1.2.2 rouge_score==0.1.2
    build/oracles/bin/python tools/metric_oracles.py
"""

import importlib.metadata
import json
import random
import re
import sys
import unicodedata
import warnings
from pathlib import Path

import seqeval.metrics
import seqeval.scheme
from rouge_score import rouge_scorer

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "python" / "testdata"
sys.path.insert(0, str(ROOT / "tests" / "python"))
import texts  # noqa: E402

SCHEMES = {"none": None, "iob1": seqeval.scheme.IOB1, "bio": seqeval.scheme.IOB2,
           "bioes": seqeval.scheme.IOBES}


def write(name, package, cases):
    made_by = {each: importlib.metadata.version(each) for each in (package, "numpy")}
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (FOLDER / name).write_text(f'{{"made_by": {json.dumps(made_by)}, "cases": [\n{lines}\n]}}\n',
                               "utf-8")


def report(actual, predicted, scheme):
    strict = {"mode": "strict", "scheme": SCHEMES[scheme]} if SCHEMES[scheme] else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a type that is never predicted
        values = seqeval.metrics.classification_report(actual, predicted, output_dict=True,
                                                       zero_division=0, **strict)
    return {name: {"precision": float(each["precision"]), "recall": float(each["recall"]),
                   "f1": float(each["f1-score"]), "support": int(each["support"])}
            for name, each in values.items()}


def entity_case(actual, predicted, scheme):
    def joined(sentences):
        return "|".join(" ".join(tags) for tags in sentences)

    return {"scheme": scheme, "actual": joined(actual), "predicted": joined(predicted),
            "report": report(actual, predicted, scheme)}


def guessed(source, sentences, known, right):
    return [[tag if source.random() < right else source.choice(known) for tag in tags]
            for tags in sentences]


def any_tags():
    source = random.Random(11)
    tags = ["O", "O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "E-Y", "S-Y", "B-Y-Z", "I-Y-Z",
            "I-X-", "B"]
    for letters, scheme in (("OBIES", "none"), ("OBI", "none"), ("OBI", "bio"), ("OBI", "iob1"),
                            ("OBIES", "bioes")):
        known = [tag for tag in tags if tag[0] in letters]
        for count in [1, 2] * 5 + [200]:
            sentences = [source.choices(known, k=source.randint(1, 12)) for _ in range(count)]
            # At least one entity, without which seqeval has no mean.
            sentences.append([{"bioes": "S-X", "iob1": "I-X"}.get(scheme, "B-X")])
            yield entity_case(sentences, guessed(source, sentences, known, 0.8), scheme)


def well_formed_tags():
    """As people annotate: entities of a few words, among many words that are none."""
    source = random.Random(2)
    kinds = ["person", "location", "corporation", "creative-work", "group"]
    sentences = []
    for _ in range(200):
        tags = []
        for _ in range(source.randint(1, 6)):
            tags += ["O"] * source.randint(0, 8)
            kind = source.choice(kinds)
            tags += ["B-" + kind] + ["I-" + kind] * source.choice([0, 0, 1, 1, 2, 4])
        sentences.append(tags)
    known = sorted({tag for tags in sentences for tag in tags})
    guesses = guessed(source, sentences, known, 0.95)
    for scheme in ("none", "bio"):
        yield entity_case(sentences, guesses, scheme)
    yield entity_case(sentences, sentences, "none")


def noisy(line, source):
    """A line with some words changed, dropped, doubled or moved."""
    words, result = line.split(" "), []
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


def rouge_cases():
    source = random.Random(3)
    symbols = [".", ",", "-", "1", "23", "a", "B", "the", "&amp;", "<skipped>", "$", "«", "½", "İ",
               "é", "中", " ", " ", " ", " ", "  ", "\t", "\u00a0", "'"]
    words = ("a an the two three men women dogs ball street red blue runs jumped over in on at near "
             "don't it's 3.14 e-mail playing people young").split()
    lines = [" ".join(source.choices(words, k=source.randint(1, 25))) for _ in range(160)]
    lines += texts.generated(80, seed=21)
    lines += ["".join(source.choices(symbols, k=source.randint(0, 40))) for _ in range(80)]
    # Nothing that ends a line or is no text, nor what one side may be too old to know.
    lines = ["".join(c for c in re.sub("[\r\n\0]", " ", line) if unicodedata.category(c) != "Cn")
             for line in lines]
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"])
    for line in lines:
        hypothesis, other = noisy(line, source), noisy(line, source)
        scores = scorer.score_multi([line, other], hypothesis)
        yield {"hypothesis": hypothesis, "references": [line, other],
               "scores": {kind: {"f1": score.fmeasure, "recall": score.recall}
                          for kind, score in scores.items()}}


def main():
    FOLDER.mkdir(exist_ok=True)
    write("entities.json", "seqeval", [*any_tags(), *well_formed_tags()])
    write("rouge.json", "rouge_score", rouge_cases())


if __name__ == "__main__":
    main()
