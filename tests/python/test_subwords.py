"""Heed's subword tokenizers give the ids of the `tokenizers` package.

    test_subwords.py TOOL        TOOL is the program made of tests/tokenizer_tool.cpp
    test_subwords.py TOOL time   prints the speed of both on one thread instead
"""

import json
import subprocess
import sys
import tempfile
import time
import unicodedata
import unittest

import test_tokenizer as base
import texts

sys.path.insert(0, str(texts.ROOT / "tools"))
import regex_oracle  # noqa: E402
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

VOCAB = texts.shared_data() / "vocab" if texts.shared_data() else None


def from_tool(command):
    return subprocess.run([base.TOOL, command, str(VOCAB)], stdout=subprocess.PIPE,
                          check=True).stdout.decode("utf-8")


def gpt2():
    """GPT-2's tokenizer, made by the package from the published files."""
    oracle = tokenizers.Tokenizer(models.BPE.from_file(str(VOCAB / "gpt2_bpe_encoder.json"),
                                                       str(VOCAB / "gpt2_bpe_vocab.bpe")))
    oracle.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    oracle.decoder = decoders.ByteLevel()
    oracle.add_special_tokens(["<|endoftext|>"])
    return oracle


def bert():
    oracle = tokenizers.Tokenizer(models.WordPiece.from_file(
        str(VOCAB / "bert_base_uncased_vocab.txt"), unk_token="[UNK]"))
    oracle.normalizer = normalizers.BertNormalizer()
    oracle.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    oracle.decoder = decoders.WordPiece()
    oracle.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    oracle.post_processor = processors.BertProcessing(
        ("[SEP]", oracle.token_to_id("[SEP]")), ("[CLS]", oracle.token_to_id("[CLS]")))
    return oracle


def known(lines):
    """Those without newer characters: Heed's Oniguruma has the classes of Unicode 14, as Python 3.11
    has them, the package's those of Unicode 16."""
    return [line for line in lines if all(unicodedata.category(c) != "Cn" for c in line)]


class Subwords(unittest.TestCase):
    def compare(self, tokenizer_json, lines, oracle=None):
        """Heed reads tokenizer_json; ids and decoded texts of every line are those of the oracle,
        by default the package with the same tokenizer_json."""
        oracle = oracle or tokenizers.Tokenizer.from_str(tokenizer_json)
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            file.write(tokenizer_json)
            file.flush()
            ids = base.ask("ids", file.name, lines)
            decoded = base.ask("decode", file.name, ids)
        self.assertEqual(len(ids), len(lines))
        self.assertEqual(len(decoded), len(lines))
        expected = [encoding.ids for encoding in oracle.encode_batch_fast(lines)]
        for line, ours, theirs in zip(lines, ids, expected):
            base.same(self, ours, theirs, line)
        for line, ours, theirs in zip(lines, decoded, oracle.decode_batch(expected)):
            base.same(self, ours, theirs, line)

    def published_lines(self):
        lines = texts.more_real() + texts.every_code_point() + texts.generated(10000, seed=8)
        self.assertGreaterEqual(len(lines), 200000)
        return list(dict.fromkeys(lines))  # each once

    @unittest.skipIf(VOCAB is None, "../shared/data is missing")
    def test_gpt2(self):
        self.compare(from_tool("gpt2"), self.published_lines(), gpt2())

    @unittest.skipIf(VOCAB is None, "../shared/data is missing")
    def test_bert(self):
        self.compare(from_tool("bert"), self.published_lines(), bert())

    def trained(self, model, trainer, lines, pre_tokenizer, decoder=None):
        """A tokenizer that the package trains, as tokenizer.json."""
        tokenizer = tokenizers.Tokenizer(model)
        tokenizer.pre_tokenizer = pre_tokenizer
        if decoder:
            tokenizer.decoder = decoder
        tokenizer.train_from_iterator(lines, trainer)
        return tokenizer.to_str()

    def test_bpe_in_every_way(self):
        train = texts.generated(800, seed=9)
        lines = texts.generated(1200, seed=10)
        bpe = tokenizers.trainers.BpeTrainer
        options = {"vocab_size": 3000, "show_progress": False,
                   "special_tokens": ["[UNK]"], "limit_alphabet": 800}
        whitespace = pre_tokenizers.Whitespace()
        cases = {
            "plain": (models.BPE(unk_token="[UNK]"), bpe(**options), whitespace, None),
            "no unknown": (models.BPE(), bpe(**options), whitespace, None),
            "fused": (models.BPE(unk_token="[UNK]", fuse_unk=True), bpe(**options), whitespace,
                      None),
            "suffix": (models.BPE(unk_token="[UNK]", end_of_word_suffix="</w>"),
                       bpe(end_of_word_suffix="</w>", **options), whitespace,
                       decoders.BPEDecoder()),
            "prefix": (models.BPE(unk_token="[UNK]", continuing_subword_prefix="##"),
                       bpe(continuing_subword_prefix="##", **options), whitespace,
                       decoders.WordPiece()),
            "bytes": (models.BPE(), bpe(**options), pre_tokenizers.ByteLevel(),
                      decoders.ByteLevel()),
            "bytes in a row": (models.BPE(), bpe(**options),
                               pre_tokenizers.ByteLevel(use_regex=False), decoders.ByteLevel()),
            "metaspace": (models.BPE(unk_token="[UNK]"), bpe(**options),
                          pre_tokenizers.Metaspace(), decoders.Metaspace()),
            "metaspace first": (models.BPE(unk_token="[UNK]"), bpe(**options),
                                pre_tokenizers.Metaspace(prepend_scheme="first"),
                                decoders.Metaspace(prepend_scheme="first")),
            "metaspace whole": (models.BPE(unk_token="[UNK]"), bpe(**options),
                                pre_tokenizers.Metaspace(prepend_scheme="never", split=False),
                                decoders.Metaspace(prepend_scheme="never")),
        }
        for name, (model, trainer, pre_tokenizer, decoder) in cases.items():
            with self.subTest(name):
                tokenizer_json = self.trained(model, trainer, train, pre_tokenizer, decoder)
                if decoder is None or name in ("suffix", "prefix"):
                    # Its BPE decoder panics where there is no token at all.
                    some = [line for line in lines if line.strip()]
                else:
                    some = lines
                self.compare(tokenizer_json, some)
                changed = json.loads(tokenizer_json)
                changed["model"]["ignore_merges"] = True
                self.compare(json.dumps(changed), some)

    def test_byte_fallback(self):
        lines = texts.generated(1200, seed=11)
        changed = json.loads(self.trained(
            models.BPE(unk_token="[UNK]"),
            tokenizers.trainers.BpeTrainer(vocab_size=1000, limit_alphabet=100,
                                           show_progress=False, special_tokens=["[UNK]"]),
            lines[:500], pre_tokenizers.Metaspace(), decoders.Sequence(
                [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                 decoders.Strip(" ", 1, 0)])))
        changed["model"]["byte_fallback"] = True
        for byte in range(256):
            changed["model"]["vocab"].setdefault(f"<0x{byte:02X}>", len(changed["model"]["vocab"]))
        self.compare(json.dumps(changed), [line for line in lines if line])

    def test_word_piece(self):
        lines = texts.generated(1500, seed=12)
        trainer = tokenizers.trainers.WordPieceTrainer(
            vocab_size=3000, show_progress=False, special_tokens=["[UNK]"], limit_alphabet=800)
        self.compare(self.trained(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=9),
                                  trainer, lines[:800], pre_tokenizers.BertPreTokenizer(),
                                  decoders.WordPiece()), lines)

    def test_unigram(self):
        train = texts.generated(300, seed=13) + texts.real()[:2000]
        lines = texts.generated(1500, seed=14) + texts.real()[:2000]
        trainer = tokenizers.trainers.UnigramTrainer(
            vocab_size=8000, show_progress=False, special_tokens=["<unk>"], unk_token="<unk>")
        tokenizer_json = self.trained(models.Unigram(), trainer, train,
                                      pre_tokenizers.Metaspace(), decoders.Metaspace())
        # The package reads numbers with an error in the last bit, which decides between "!" "!!"
        # and "!!" "!"; rounded scores are read exactly by both.
        changed = json.loads(tokenizer_json)
        for entry in changed["model"]["vocab"]:
            entry[1] = round(entry[1] * 1024) / 1024
        self.compare(json.dumps(changed), lines)
        changed["model"]["byte_fallback"] = True
        known = {token for token, _ in changed["model"]["vocab"]}
        changed["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)
                                      if f"<0x{byte:02X}>" not in known]
        self.compare(json.dumps(changed), lines)

    def test_characters(self):
        lines = texts.generated(1500, seed=15)
        tokenizer = tokenizers.Tokenizer(models.WordLevel(unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.FixedLength(length=1)
        tokenizer.decoder = decoders.Fuse()
        tokenizer.train_from_iterator(lines[:1000], tokenizers.trainers.WordLevelTrainer(
            show_progress=False, special_tokens=["[UNK]"]))
        self.compare(tokenizer.to_str(), lines)

    def test_split_at_a_string(self):
        lines = texts.generated(500, seed=16)
        tokenizer = tokenizers.Tokenizer(models.WordLevel(unk_token="[UNK]"))
        for invert in (False, True):
            for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next",
                             "contiguous"):
                with self.subTest(behavior, invert=invert):
                    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior, invert)
                    # A "[UNK]" in the texts would leave a gap in the ids that the package gives.
                    train = [line for line in lines if "[UNK]" not in line]
                    tokenizer.train_from_iterator(train, tokenizers.trainers.WordLevelTrainer(
                        show_progress=False, special_tokens=["[UNK]"], vocab_size=10 ** 6))
                    self.compare(tokenizer.to_str(), lines)

    def test_split_at_a_regular_expression(self):
        lines = texts.generated(1500, seed=17) + texts.real()[:1500]
        compared = known(lines + texts.every_code_point())
        published = {
            "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
            "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
                      r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            "qwen2": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
                     r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            "o200k": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*"
                     r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
                     r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
                     r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|"
                     r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            "words": r"\w+|[^\w\s]+",
        }
        for name, pattern in published.items():
            with self.subTest(name):
                tokenizer_json = self.trained(
                    models.BPE(), tokenizers.trainers.BpeTrainer(
                        vocab_size=2000, show_progress=False,
                        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()),
                    lines, pre_tokenizers.Sequence([
                        pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated"),
                        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]),
                    decoders.ByteLevel())
                self.compare(tokenizer_json, compared)

    def test_the_recorded_cases_are_those_of_the_package(self):
        self.assertEqual(regex_oracle.FILE.read_text(encoding="utf-8"), regex_oracle.cases())

    def test_trimmed_offsets(self):
        lines = [line for line in texts.generated(2000, seed=19) + texts.real()[:1000]
                 if line.isascii()] + ["  a  b ", " \n a", "", " ", "a ", "\u3000a \u00a0b"]
        trainer = tokenizers.trainers.BpeTrainer(vocab_size=400, show_progress=False,
                                                 special_tokens=["<s>", "</s>"])
        for prefix in (False, True):
            changed = json.loads(self.trained(
                models.BPE(), trainer, lines, pre_tokenizers.ByteLevel(add_prefix_space=prefix),
                decoders.ByteLevel()))
            roberta = {"type": "RobertaProcessing", "cls": ["<s>", 0], "sep": ["</s>", 1]}
            for trim in (False, True):
                for processor in ({"type": "ByteLevel", "use_regex": True}, roberta):
                    with self.subTest(prefix=prefix, trim=trim, processor=processor["type"]):
                        changed["post_processor"] = processor | {
                            "trim_offsets": trim, "add_prefix_space": prefix}
                        oracle = tokenizers.Tokenizer.from_str(json.dumps(changed))
                        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                            json.dump(changed, file)
                            file.flush()
                            answers = base.ask("encode", file.name, lines)
                        for line, (ids, spans) in zip(lines, answers):
                            expected = oracle.encode(line)
                            base.same(self, ids, expected.ids, line)
                            base.same(self, spans, base.byte_offsets(line, expected.offsets), line)

    def test_models_without_a_type(self):
        lines = texts.generated(300, seed=20)
        for model, trainer in (
                (models.BPE(unk_token="[UNK]"), tokenizers.trainers.BpeTrainer),
                (models.WordPiece(unk_token="[UNK]"), tokenizers.trainers.WordPieceTrainer),
                (models.WordLevel(unk_token="[UNK]"), tokenizers.trainers.WordLevelTrainer)):
            with self.subTest(model):
                changed = json.loads(self.trained(
                    model, trainer(vocab_size=1000, show_progress=False,
                                   special_tokens=["[UNK]"]), lines, pre_tokenizers.Whitespace()))
                del changed["model"]["type"]
                self.compare(json.dumps(changed), [line for line in lines if line.strip()])

    def test_replace_a_regular_expression(self):
        lines = known(texts.generated(2000, seed=18))
        for pattern, content in ((r"\s+", " "), (r"[\p{L}]{2}", "ab"), (r"(\d)(?=\d)", r"$1-")):
            with self.subTest(pattern):
                tokenizer = tokenizers.Tokenizer(models.WordLevel(unk_token="[UNK]"))
                tokenizer.normalizer = normalizers.Replace(tokenizers.Regex(pattern), content)
                tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
                train = [line for line in lines if "[UNK]" not in line]
                tokenizer.train_from_iterator(train, tokenizers.trainers.WordLevelTrainer(
                    show_progress=False, special_tokens=["[UNK]"], vocab_size=10 ** 6))
                self.compare(tokenizer.to_str(), lines)


def time_both():
    lines = [line for line in texts.more_real() if line]
    for name, oracle in (("gpt2", gpt2()), ("bert", bert())):
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            file.write(from_tool(name))
            file.flush()
            heed = base.ask("time", file.name, lines)[0]["texts_per_second"]
        start = time.perf_counter()
        oracle.encode_batch_fast(lines)
        package = len(lines) / (time.perf_counter() - start)
        print(f"{name}: heed {heed:.0f} texts/s, tokenizers {package:.0f} texts/s, "
              f"{heed / package:.2f} times as fast")


if __name__ == "__main__":
    base.TOOL = sys.argv[1]
    if sys.argv[2:] == ["time"]:
        time_both()
    else:
        unittest.main(argv=sys.argv[:1] + sys.argv[2:])
