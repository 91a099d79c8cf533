#!/usr/bin/env python3
"""Tokenizers on many lines: for every kind, ids, type ids, offsets and the mask of special tokens are those of the
`tokenizers` package, on 100,000 lines of mixed scripts, each alone, and on 3,000 pairs.

    tools/tokenizer_lines.py TOOL [LINES] [KIND...]     TOOL is build/release/tests/heed_tokenizer_tool

Of each kind a small vocabulary is trained here, with a seed: nothing is fetched. What models without a tokenizer.json
have (vocab.txt, merges.txt, SentencePiece) is held to the same by `tests/python/test_tokenizer_directories.py TOOL
100000`. Prints a line for each kind; exit status 1 where anything differs. Minutes, so it is none of the tests; to be
run after work on heed/text.
"""

import json
import pathlib
import random
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "python"))

import test_tokenizer as base  # noqa: E402
import texts  # noqa: E402
import tokenizers  # noqa: E402
from test_tokenizer_pairs import BERT, BYTE_LEVEL, ROBERTA, byte_places, template, text  # noqa: E402
from test_tokenizer_pairs import special as token  # noqa: E402
from tokenizers import models, normalizers, pre_tokenizers, trainers  # noqa: E402

LINES = 100_000
PART = 10_000  # lines that are asked for at once
SPECIAL = ["<s>", "</s>", "[UNK]", "[CLS]", "[SEP]"]
PAIR = template([token("[CLS]"), text("A"), token("[SEP]")],
                [token("[CLS]"), text("A"), token("[SEP]"), text("B", 1), token("[SEP]", 1)])
# Of GPT-4 and Llama 3, without what is newer than the classes of Unicode 14.
SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def settings(size, **more):
    return dict(vocab_size=size, show_progress=False, special_tokens=SPECIAL) | more


def bpe(size=4000, **more):
    return trainers.BpeTrainer(**settings(size, limit_alphabet=1000), **more)


def byte_bpe():
    return trainers.BpeTrainer(**settings(4000), initial_alphabet=pre_tokenizers.ByteLevel.alphabet())


def kinds():
    """Name -> model, trainer, normalizer, pre-tokenizer, post-processor."""
    sentencepiece = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    level, metaspace = pre_tokenizers.ByteLevel, pre_tokenizers.Metaspace
    split = pre_tokenizers.Sequence([pre_tokenizers.Split(tokenizers.Regex(SPLIT), "isolated"),
                                     level(add_prefix_space=False, use_regex=False)])
    unknown = dict(unk_token="[UNK]")
    return {
        "word level": (models.WordLevel(**unknown), trainers.WordLevelTrainer(**settings(8000)),
                       normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()]),
                       pre_tokenizers.Whitespace(), PAIR),
        "wordpiece, bert": (models.WordPiece(**unknown), trainers.WordPieceTrainer(**settings(4000, limit_alphabet=1000)),
                            normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer(), BERT),
        "wordpiece, bert cased": (models.WordPiece(**unknown),
                                  trainers.WordPieceTrainer(**settings(4000, limit_alphabet=1000)),
                                  normalizers.BertNormalizer(lowercase=False), pre_tokenizers.BertPreTokenizer(), BERT),
        "byte-level bpe, gpt2": (models.BPE(), byte_bpe(), None, level(add_prefix_space=False), None),
        "byte-level bpe, roberta": (models.BPE(), byte_bpe(), None, level(add_prefix_space=False), ROBERTA),
        "byte-level bpe with a prefix": (models.BPE(), byte_bpe(), None, level(), BYTE_LEVEL),
        "byte-level bpe, llama3": (models.BPE(ignore_merges=True), byte_bpe(), None, split,
                                   {"type": "Sequence", "processors": [BYTE_LEVEL, PAIR]}),
        "bpe, llama": (models.BPE(byte_fallback=True, fuse_unk=True, **unknown), bpe(), sentencepiece, None, PAIR),
        "bpe, gemma": (models.BPE(byte_fallback=True, fuse_unk=True, **unknown), bpe(), normalizers.Replace(" ", "▁"),
                       pre_tokenizers.Split(" ", "merged_with_previous"), PAIR),
        "bpe, metaspace": (models.BPE(**unknown), bpe(), None, metaspace(), PAIR),
        "bpe of words": (models.BPE(continuing_subword_prefix="##", **unknown), bpe(continuing_subword_prefix="##"),
                         normalizers.NFKC(), pre_tokenizers.Whitespace(), PAIR),
        "unigram, xlm-roberta": (models.Unigram(), trainers.UnigramTrainer(**settings(4000), **unknown),
                                 normalizers.NFKC(), metaspace(), PAIR),
        "unigram of words": (models.Unigram(), trainers.UnigramTrainer(**settings(4000), **unknown), None,
                             metaspace(prepend_scheme="first"), PAIR),
    }


def trained(kind, corpus):
    """Its tokenizer.json."""
    model, trainer, normalizer, pre_tokenizer, processor = kind
    tokenizer = tokenizers.Tokenizer(model)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(corpus, trainer)
    file = json.loads(tokenizer.to_str())
    if pre_tokenizer is None:  # it would learn whole lines
        file["pre_tokenizer"] = None
    file["post_processor"] = processor
    if file["model"].get("byte_fallback"):
        vocabulary = file["model"]["vocab"]
        for byte in range(256):
            vocabulary.setdefault(f"<0x{byte:02X}>", len(vocabulary))
    return json.dumps(file)


def difference(one, ours, theirs):
    """What of one text or pair differs; empty: nothing."""
    ids, types, spans, mask = ours
    for name, found, expected in (("ids", ids, theirs.ids), ("type ids", types, theirs.type_ids),
                                  ("mask", mask, theirs.special_tokens_mask)):
        if found != expected:
            return f"{name} {found}, expected {expected}"
    if len(one) == 1:
        wanted = base.byte_offsets(one[0], theirs.offsets)
    else:
        places = [byte_places(line) for line in one]
        wanted = [[0, 0] if sequence is None else [places[sequence][begin], places[sequence][end]]
                  for sequence, (begin, end) in zip(theirs.sequence_ids, theirs.offsets)]
    return "" if spans == wanted else f"offsets {spans}, expected {wanted}"


def compare(tokenizer_json, inputs):
    """How many differ, and the first of them."""
    oracle = tokenizers.Tokenizer.from_str(tokenizer_json)
    count, first = 0, ""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(tokenizer_json)
        file.flush()
        for start in range(0, len(inputs), PART):
            part = inputs[start : start + PART]
            answers = base.ask("texts", file.name, part)
            assert len(answers) == len(part)
            encoded = oracle.encode_batch([one[0] if len(one) == 1 else tuple(one) for one in part])
            for one, ours, theirs in zip(part, answers, encoded):
                what = difference(one, ours, theirs)
                count += bool(what)
                first = first or (what and f"{ascii(one)}: {what}")
    return count, first


def main():
    base.TOOL = sys.argv[1]
    wanted = sys.argv[2:]
    lines = int(wanted.pop(0)) if wanted and wanted[0].isdigit() else LINES
    corpus = [line for line in texts.generated(300, seed=51) + texts.real()[:6000]
              if not any(name in line for name in SPECIAL)]
    all_lines = texts.generated(lines * 9 // 10, seed=52)
    all_lines += texts.real()[: lines - len(all_lines)]
    all_lines += texts.generated(lines - len(all_lines), seed=53) + ["", " ", "  a  b ", "▁a", "<s>", "[SEP] a"]
    shuffled = random.Random(54).sample(all_lines, min(3000, len(all_lines)))
    inputs = [[line] for line in all_lines] + [[a, b] for a, b in zip(all_lines, shuffled)]
    bad = 0
    for name, kind in kinds().items():
        if wanted and name not in wanted:
            continue
        count, first = compare(trained(kind, corpus), inputs)
        bad += count
        print(f"{name:30}{len(all_lines):9} lines {len(shuffled):6} pairs: "
              + ("the same" if count == 0 else f"{count} DIFFER, first {first}"), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
