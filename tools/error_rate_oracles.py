#!/usr/bin/env python3
"""Writes what jiwer says of given texts: tests/python/testdata/error_rates.json, which
tests/python/test_metrics.py compares Heed with. To make it again:

    python3 -m venv build/oracles
    build/oracles/bin/pip install jiwer==4.0.0
    build/oracles/bin/python tools/error_rate_oracles.py
"""

import importlib.metadata
import json
import random
from pathlib import Path

import jiwer

FILE = Path(__file__).resolve().parent.parent / "tests" / "python" / "testdata" / "error_rates.json"
WORDS = "one two three vier fünf six 七 eight nine-ten o'clock a b".split()


def noisy(words, source):
    result = []
    for word in words:
        chance = source.random()
        if chance < 0.15:
            continue
        result.append(source.choice(WORDS) if chance < 0.3 else word)
        if chance > 0.9:
            result.append(source.choice(WORDS))
    return result


def texts(source):
    right = source.choices(WORDS, k=source.randint(1, 12))
    blanks = source.choice([" ", " ", "  "])
    return blanks.join(right), source.choice(["", " "]) + " ".join(noisy(right, source))


def main():
    source = random.Random(5)
    cases = []
    for size in [1] * 40 + [5, 20, 60]:
        pairs = [texts(source) for _ in range(size)]
        right, found = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        cases.append({"right": right, "found": found, "wer": jiwer.wer(right, found),
                      "cer": jiwer.cer(right, found)})
    cases.append({"right": ["a b"], "found": [""], "wer": 1.0, "cer": jiwer.cer(["a b"], [""])})
    made_by = {name: importlib.metadata.version(name) for name in ("jiwer", "rapidfuzz")}
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    FILE.write_text(f'{{"made_by": {json.dumps(made_by)}, "cases": [\n{lines}\n]}}\n', "utf-8")


if __name__ == "__main__":
    main()
