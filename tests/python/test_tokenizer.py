"""Heed's tokenizers give the ids of the `tokenizers` package: both read the same tokenizer.json.

    test_tokenizer.py TOOL        TOOL is the program made of tests/tokenizer_tool.cpp
    test_tokenizer.py TOOL time   prints the speed of both on one thread instead
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

os.environ["TOKENIZERS_PARALLELISM"] = "false"

try:
    import tokenizers
except ImportError:
    print("skipped: the package tokenizers is not installed (tools/setup.sh --tests)")
    sys.exit(77)

import texts

TOOL = ""


def ask(command, argument, lines):
    """The JSON values that the tool answers, one a line."""
    asked = "".join(json.dumps(line) + "\n" for line in lines)
    answer = subprocess.run([TOOL, command, argument], input=asked.encode("utf-8"),
                            stdout=subprocess.PIPE, check=True).stdout.decode("utf-8")
    if command == "build":
        return answer
    return [json.loads(line) for line in answer.split("\n") if line]


def byte_offsets(line, offsets):
    """Offsets in characters to offsets in bytes."""
    if line.isascii():
        return [list(span) for span in offsets]
    at = [0]
    for c in line:
        at.append(at[-1] + len(c.encode("utf-8")))
    return [[at[begin], at[end]] for begin, end in offsets]


def same(case, ours, theirs, text):
    """assertEqual of thousands, which writes its message only where it is needed."""
    if ours != theirs:
        case.assertEqual(ours, theirs, ascii(text))


class SameIds(unittest.TestCase):
    def compare(self, tokenizer_json, lines):
        """Both read tokenizer_json. The ids and offsets of every line must be equal."""
        oracle = tokenizers.Tokenizer.from_str(tokenizer_json)
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            file.write(tokenizer_json)
            file.flush()
            answers = ask("encode", file.name, lines)
            fast = ask("ids", file.name, lines)
        self.assertEqual(len(answers), len(lines))
        # One text at a time: encode_batch pads where the file asks for it.
        for line, (ids, spans), fast_ids in zip(lines, answers, fast):
            expected = oracle.encode(line, add_special_tokens=False)
            expected_ids = expected.ids
            same(self, ids, expected_ids, line)
            same(self, fast_ids, expected_ids, line)
            same(self, spans, byte_offsets(line, expected.offsets), line)

    def build(self, lines, **settings):
        return ask("build", json.dumps(settings), lines)

    def test_the_default_on_real_and_generated_lines(self):
        lines = texts.real()[:15000] + texts.generated(12000)
        self.assertGreaterEqual(len(lines), 10000)
        self.compare(self.build(lines[:5000]), lines)

    def test_every_normalizer(self):
        lines = texts.generated(1500, seed=1) + texts.real()[:500]
        for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Strip",
                     "BertNormalizer"):
            with self.subTest(name):
                self.compare(self.build(lines, vocab_size=1000000, normalizers=[name]), lines)

    def test_every_pre_tokenizer(self):
        lines = texts.generated(1500, seed=2) + texts.real()[:500]
        for name in ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "Punctuation", "Digits"):
            with self.subTest(name):
                self.compare(self.build(lines, vocab_size=1000000, normalizers=[],
                                        pre_tokenizers=[name]), lines)

    def test_settings_that_are_not_the_default(self):
        lines = texts.generated(600, seed=3)
        plain = json.loads(self.build(lines, vocab_size=1000000, normalizers=[]))
        normalizers = [
            {"type": "Strip", "strip_left": True, "strip_right": False},
            {"type": "Strip", "strip_left": False, "strip_right": True},
            {"type": "Replace", "pattern": {"String": "'"}, "content": "’"},
            {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"},
                                                 {"type": "Lowercase"}]},
        ] + [{"type": "BertNormalizer", "clean_text": a, "handle_chinese_chars": b,
              "strip_accents": c, "lowercase": d}
             for a in (True, False) for b in (True, False) for c in (True, False, None)
             for d in (True, False)]
        for normalizer in normalizers:
            with self.subTest(normalizer):
                self.compare(json.dumps(plain | {"normalizer": normalizer}), lines)
        pre_tokenizers = [
            {"type": "Punctuation", "behavior": behavior}
            for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext",
                             "Contiguous")
        ] + [
            {"type": "Digits", "individual_digits": True},
            {"type": "Digits", "individual_digits": False},
            {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"},
                                                   {"type": "Punctuation"},
                                                   {"type": "Digits",
                                                    "individual_digits": True}]},
            None,
        ]
        for pre_tokenizer in pre_tokenizers:
            with self.subTest(pre_tokenizer):
                self.compare(json.dumps(plain | {"pre_tokenizer": pre_tokenizer}), lines)

    def test_added_tokens(self):
        lines = texts.generated(2000, seed=4)
        plain = json.loads(self.build(lines, vocab_size=1000, normalizers=["Lowercase"]))
        next_id = len(plain["model"]["vocab"])
        added = plain["added_tokens"]
        for content, flags in (
                ("<br>", "lstrip rstrip"), ("<s>", "special"), ("hello", "normalized single_word"),
                ("the ", "normalized"), ("NEW-YORK", "normalized rstrip"), ("12", "single_word"),
                ("123", ""), ("😀", "lstrip special"), ("don", "single_word")):
            token = {"content": content}
            for flag in ("single_word", "lstrip", "rstrip", "normalized", "special"):
                token[flag] = flag in flags.split()
            if content in plain["model"]["vocab"]:
                token["id"] = plain["model"]["vocab"][content]
            else:
                token["id"] = next_id
                next_id += 1
            added.append(token)
        self.compare(json.dumps(plain), lines)

    def test_truncation(self):
        lines = texts.generated(300, seed=5)
        plain = json.loads(self.build(lines))
        for direction in ("Left", "Right"):
            plain["truncation"] = {"direction": direction, "max_length": 5,
                                   "strategy": "LongestFirst", "stride": 0}
            self.compare(json.dumps(plain), lines)

    def test_every_code_point(self):
        lines = texts.every_code_point()
        for normalizer, pre_tokenizer in (("NFKC", "Whitespace"), ("Lowercase", "Digits"),
                                          ("BertNormalizer", "BertPreTokenizer")):
            with self.subTest(normalizer):
                self.compare(self.build(lines, vocab_size=2000000, normalizers=[normalizer],
                                        pre_tokenizers=[pre_tokenizer]), lines)

    def test_decode(self):
        lines = texts.generated(500, seed=6)
        tokenizer_json = self.build(lines)
        oracle = tokenizers.Tokenizer.from_str(tokenizer_json)
        ids = [oracle.encode(line).ids for line in lines]
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            file.write(tokenizer_json)
            file.flush()
            decoded = ask("decode", file.name, ids)
        self.assertEqual(decoded, [oracle.decode(line) for line in ids])

    def test_the_package_writes_what_heed_reads(self):
        lines = texts.generated(500, seed=7)
        oracle = tokenizers.Tokenizer(tokenizers.models.WordLevel(unk_token="[UNK]"))
        oracle.normalizer = tokenizers.normalizers.BertNormalizer()
        oracle.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
        oracle.train_from_iterator(lines, tokenizers.trainers.WordLevelTrainer(
            special_tokens=["[PAD]", "[UNK]"], vocab_size=500, show_progress=False))
        oracle.enable_truncation(20)
        oracle.enable_padding(pad_id=0, pad_token="[PAD]")
        self.compare(oracle.to_str(), lines)


def time_both():
    lines = [line for line in texts.real() if line] * 5
    tokenizer_json = ask("build", "{}", lines)
    oracle = tokenizers.Tokenizer.from_str(tokenizer_json)
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(tokenizer_json)
        file.flush()
        heed = ask("time", file.name, lines)[0]["texts_per_second"]
    start = time.perf_counter()
    oracle.encode_batch_fast(lines, add_special_tokens=False)
    package = len(lines) / (time.perf_counter() - start)
    print(f"heed {heed:.0f} texts/s, tokenizers {tokenizers.__version__} {package:.0f} texts/s, "
          f"{heed / package:.2f} times as fast")


if __name__ == "__main__":
    TOOL = sys.argv[1]
    if sys.argv[2:] == ["time"]:
        time_both()
    else:
        unittest.main(argv=sys.argv[:1] + sys.argv[2:])
