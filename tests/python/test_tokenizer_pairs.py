"""Pairs of texts, type ids, special tokens and truncation, and what tokenizer.json of published
models needs: equal to the `tokenizers` package.

    test_tokenizer_pairs.py TOOL        TOOL is the program made of tests/tokenizer_tool.cpp
"""

import json
import random
import sys
import tempfile
import unittest

import test_tokenizer as base
import texts
import tokenizers

NAMES = ("<s>", "</s>", "[UNK]", "[CLS]", "[SEP]")


def word_level(lines):
    """A tokenizer of whole words whose special tokens have the first ids."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    train = [line for line in lines if not any(name in line for name in NAMES)]
    tokenizer.train_from_iterator(train, tokenizers.trainers.WordLevelTrainer(
        vocab_size=5000, show_progress=False, special_tokens=list(NAMES)))
    return json.loads(tokenizer.to_str())


def special(name, type_id=0):
    return {"SpecialToken": {"id": name, "type_id": type_id}}


def text(name, type_id=0):
    return {"Sequence": {"id": name, "type_id": type_id}}


def template(single, pair):
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": {
        "[CLS]": {"id": "[CLS]", "ids": [3], "tokens": ["[CLS]"]},
        "[SEP]": {"id": "[SEP]", "ids": [4], "tokens": ["[SEP]"]},
        "twice": {"id": "twice", "ids": [0, 1], "tokens": ["<s>", "</s>"]}}}


BYTE_LEVEL = {"type": "ByteLevel", "trim_offsets": True, "add_prefix_space": True,
              "use_regex": True}
ROBERTA = {"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0],
           "trim_offsets": True, "add_prefix_space": False}
BERT = {"type": "BertProcessing", "sep": ["[SEP]", 4], "cls": ["[CLS]", 3]}
LLAMA_3 = template([special("<s>"), text("A")], [special("<s>"), text("A"), text("B", 1)])
LLAMA_3["special_tokens"]["<s>"] = {"id": "<s>", "ids": [0], "tokens": ["<s>"]}
PROCESSORS = [
    None, BYTE_LEVEL, ROBERTA, BERT,
    template([special("[CLS]"), text("A"), special("[SEP]")],
             [special("[CLS]"), text("A"), special("[SEP]"), text("B", 1), special("[SEP]", 1)]),
    template([special("twice", 3), text("A", 5)],
             [text("B", 7), special("twice", 9), text("A", 1)]),
    template([text("A")], [text("A", 2)]),
    template([text("A")], [text("A"), text("B", 1), special("[SEP]", 1), text("A", 3)]),
    {"type": "Sequence", "processors": [BYTE_LEVEL, LLAMA_3]},
    {"type": "Sequence", "processors": [BERT, BYTE_LEVEL]},
    {"type": "Sequence", "processors": []},
]


class SameEncodings(unittest.TestCase):
    def compare(self, tokenizer_json, inputs, offsets=lambda line: True):
        """ids, type ids, offsets and special_tokens_mask of [text] and [first, second]."""
        oracle = tokenizers.Tokenizer.from_str(json.dumps(tokenizer_json))
        oracle.no_padding()  # Heed leaves padding to batches
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(tokenizer_json, file)
            file.flush()
            answers = base.ask("texts", file.name, inputs)
        self.assertEqual(len(answers), len(inputs))
        encoded = oracle.encode_batch([one[0] if len(one) == 1 else tuple(one) for one in inputs])
        for one, (ids, types, spans, mask), expected in zip(inputs, answers, encoded):
            base.same(self, ids, expected.ids, one)
            base.same(self, types, expected.type_ids, one)
            base.same(self, mask, expected.special_tokens_mask, one)
            if all(map(offsets, one)):
                theirs = [[0, 0]] * len(ids)
                at = [byte_places(line) for line in one]
                for i, (sequence, (begin, end)) in enumerate(zip(expected.sequence_ids,
                                                                 expected.offsets)):
                    if not mask[i]:
                        places = at[sequence or 0]
                        theirs[i] = [places[begin], places[end]]
                base.same(self, spans, theirs, one)

    def test_every_processor(self):
        lines = texts.generated(800, seed=31) + ["", " "]
        shuffled = random.Random(31).sample(lines, len(lines))
        inputs = [[line] for line in lines] + [[a, b] for a, b in zip(lines, shuffled)]
        tokenizer = word_level(lines)
        for processor in PROCESSORS:
            with self.subTest(processor):
                # The package forgets which text a token is of where one stands in a pair twice.
                twice = json.dumps(processor).count('"id": "A"') > 2
                self.compare(tokenizer | {"post_processor": processor}, inputs,
                             offsets=lambda line: not twice)

    def test_truncation(self):
        lines = texts.generated(300, seed=32)
        shuffled = random.Random(32).sample(lines, len(lines))
        pairs = [[a, b] for a, b in zip(lines, shuffled)]
        tokenizer = word_level(lines)
        oracle = tokenizers.Tokenizer.from_str(json.dumps(tokenizer))
        count = {tuple(pair): [len(oracle.encode(part).ids) for part in pair] for pair in pairs}
        for processor in (PROCESSORS[4], ROBERTA, None):
            added = {"TemplateProcessing": 3, "RobertaProcessing": 4}.get(
                processor and processor["type"], 0)
            for strategy in ("LongestFirst", "OnlyFirst", "OnlySecond"):
                for direction in ("Left", "Right"):
                    for longest in (5, 8, 13):
                        # The package refuses where the one text that it may cut is too short.
                        cut = {"OnlyFirst": 0, "OnlySecond": 1}.get(strategy)
                        fits = [pair for pair in pairs if cut is None or
                                count[tuple(pair)][1 - cut] < longest - added or
                                sum(count[tuple(pair)]) <= longest - added]
                        self.assertGreater(len(fits), 10)
                        if strategy != "OnlySecond":
                            fits = fits + [[line] for line in lines]
                        truncation = {"direction": direction, "max_length": longest,
                                      "strategy": strategy, "stride": 0}
                        with self.subTest(processor=added, truncation=truncation):
                            self.compare(tokenizer | {"post_processor": processor,
                                                      "truncation": truncation}, fits)

    def test_what_padding_says_is_left_to_batches(self):
        lines = texts.generated(50, seed=33)
        tokenizer = word_level(lines)
        for strategy in ("BatchLongest", {"Fixed": 128}):
            padding = {"strategy": strategy, "direction": "Right", "pad_to_multiple_of": None,
                       "pad_id": 0, "pad_type_id": 0, "pad_token": "<s>"}
            self.compare(tokenizer | {"padding": padding, "post_processor": BERT},
                         [[line] for line in lines])

    def test_subword_normalizers(self):
        lines = texts.generated(4000, seed=34) + ["", " ", "▁a"]
        bpe = tokenizers.Tokenizer(tokenizers.models.BPE(byte_fallback=True))
        bpe.train_from_iterator(lines[:300], tokenizers.trainers.BpeTrainer(
            vocab_size=3000, show_progress=False, limit_alphabet=500))
        plain = json.loads(bpe.to_str())
        for byte in range(256):
            plain["model"]["vocab"].setdefault(f"<0x{byte:02X}>", len(plain["model"]["vocab"]))
        prepend = {"type": "Prepend", "prepend": "▁"}
        to_mark = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
        blanks = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}
        every = texts.every_code_point()  # where what is done depends on the character
        for normalizer, more in (
                ({"type": "Sequence", "normalizers": [prepend, to_mark]}, []),
                ({"type": "Sequence", "normalizers": [blanks, {"type": "Prepend", "prepend": "ab"}]},
                 []),
                ({"type": "Nmt"}, every), ({"type": "ByteLevel"}, every)):
            with self.subTest(normalizer):
                self.compare(plain | {"normalizer": normalizer},
                             [[line] for line in lines + more])

    def test_old_fields_of_metaspace_and_characters_as_delimiters(self):
        lines = texts.generated(1000, seed=35)
        plain = word_level(lines)
        for pre_tokenizer in (
                {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True,
                 "str_rep": "▁"},
                {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True,
                 "prepend_scheme": "first", "split": False},
                {"type": "CharDelimiterSplit", "delimiter": "a"}):
            with self.subTest(pre_tokenizer):
                self.compare(plain | {"pre_tokenizer": pre_tokenizer},
                             [[line] for line in lines])

    def test_both_spellings_of_merges(self):
        lines = texts.generated(1000, seed=36)
        bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
        bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel()
        bpe.train_from_iterator(lines[:500], tokenizers.trainers.BpeTrainer(
            vocab_size=2000, show_progress=False))
        pairs = json.loads(bpe.to_str())
        self.assertIsInstance(pairs["model"]["merges"][0], list)
        strings = json.loads(bpe.to_str())
        strings["model"]["merges"] = [" ".join(merge) for merge in pairs["model"]["merges"]]
        for spelling in (pairs, strings):
            self.compare(spelling, [[line] for line in lines])


def byte_places(line):
    """Where each character begins in UTF-8, and the end."""
    if line.isascii():
        return range(len(line) + 1)
    places = [0]
    for c in line:
        places.append(places[-1] + (1 if c < "\x80" else 2 if c < "\u0800" else
                                    3 if c < "\U00010000" else 4))
    return places


if __name__ == "__main__":
    base.TOOL = sys.argv[1]
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
