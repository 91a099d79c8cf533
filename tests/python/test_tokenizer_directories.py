"""Directories of models without a tokenizer.json: ids, type ids and offsets are those of
transformers' tokenizers, on LINES lines of mixed scripts each.

    test_tokenizer_directories.py TOOL [LINES]     TOOL is made of tests/tokenizer_tool.cpp

The vocabularies are trained here, with seeds: nothing is fetched. As a test it takes few lines;
after work on heed/text give it 100000.
"""

import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import unicodedata
import unittest

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["HF_HUB_OFFLINE"] = "1"

try:
    import sentencepiece
    import tokenizers
    import transformers
    import google.protobuf  # noqa: F401  (transformers reads SentencePiece's files with it)
except ImportError as error:
    print(f"skipped: {error.name} is not installed (pip install transformers sentencepiece "
          "protobuf tokenizers)")
    sys.exit(77)

import test_tokenizer as base
import texts

LINES = 1200
FLAGS = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}


def known(line):
    """Without characters that are newer than Unicode 14, whose classes Heed's Oniguruma lacks."""
    return all(unicodedata.category(c) != "Cn" for c in line)


class Directories(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        cls.lines = texts.generated(LINES * 9 // 10, seed=41)
        cls.lines += texts.real()[:LINES - len(cls.lines)]
        cls.lines += ["", " ", "  a  b ", "▁a", " ▁ a", "<s>", "a <mask> b", "[MASK] a",
                      "a <s>NOTUSED b", " <mask> a",
                      "--- ---- -----", "\xa0\u030a\U00010efa", "क्क़́ e\u0301\u0323 á\u0323", "he\ufeff"]
        cls.few = cls.lines[:LINES // 5] + cls.lines[-14:]
        corpus = [line for line in texts.generated(150, seed=42) + texts.real()[:800]
                  if line.strip() and "\n" not in line and "\r" not in line]
        (cls.root / "corpus.txt").write_text("\n".join(corpus), encoding="utf-8")
        cls.corpus = corpus
        cls.byte_level(corpus)
        cls.words(corpus)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def pieces(cls, name, **settings):
        """A SentencePiece model, of fewer pieces where the texts give no more."""
        sentencepiece.SentencePieceTrainer.train(
            input=str(cls.root / "corpus.txt"), model_prefix=str(cls.root / name),
            vocab_size=1800, hard_vocab_limit=False, seed_sentencepiece_size=8000,
            character_coverage=0.98, minloglevel=2, num_threads=1, **settings)
        return cls.root / f"{name}.model"

    @classmethod
    def byte_level(cls, corpus):
        bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
        bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        bpe.train_from_iterator(corpus, tokenizers.trainers.BpeTrainer(
            vocab_size=1500, show_progress=False,
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()))
        bpe.model.save(str(cls.root))
        vocabulary = json.loads((cls.root / "vocab.json").read_text(encoding="utf-8"))
        names = ["<s>", "<pad>", "</s>", "<unk>"]
        roberta = names + sorted(vocabulary, key=vocabulary.get) + ["<mask>"]
        (cls.root / "roberta.json").write_text(json.dumps({t: i for i, t in enumerate(roberta)}))
        vocabulary["<|endoftext|>"] = len(vocabulary)
        (cls.root / "gpt2.json").write_text(json.dumps(vocabulary))
        cls.gpt2_size = len(vocabulary)

    @classmethod
    def words(cls, corpus):
        trained = tokenizers.BertWordPieceTokenizer()
        trained.train_from_iterator(corpus, vocab_size=2000, show_progress=False)
        trained.save_model(str(cls.root))

    def directory(self, name, model_type, files, config=None, **others):
        folder = self.root / name
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
        for source, target in files.items():
            shutil.copy(self.root / source, folder / target)
        if config is not None:
            (folder / "tokenizer_config.json").write_text(json.dumps(config))
        for file, content in others.items():
            (folder / f"{file}.json").write_text(json.dumps(content))
        return folder

    def check(self, folder, lines=None):
        """Every line alone, and at most 3,000 pairs; then what names and lengths are."""
        lines = self.lines if lines is None else lines
        theirs = transformers.AutoTokenizer.from_pretrained(folder)
        backend = theirs._tokenizer
        backend.no_truncation()
        backend.no_padding()
        shuffled = random.Random(43).sample(lines, min(3000, len(lines) // 4))
        inputs = [[line] for line in lines] + [[a, b] for a, b in zip(lines, shuffled)]
        answers = base.ask("texts", str(folder), inputs)
        self.assertEqual(len(answers), len(inputs))
        for start in range(0, len(inputs), 5000):
            part = inputs[start:start + 5000]
            encoded = backend.encode_batch([i[0] if len(i) == 1 else tuple(i) for i in part])
            for one, (ids, types, spans, mask), expected in zip(part, answers[start:], encoded):
                self.assertEqual(ids, expected.ids, ascii(one))
                self.assertEqual(types, expected.type_ids, ascii(one))
                self.assertEqual(mask, expected.special_tokens_mask, ascii(one))
                if len(one) == 1:
                    expected = base.byte_offsets(one[0], expected.offsets)
                    self.assertEqual(spans, expected, ascii(one))
        self.check_names(folder, theirs)
        self.check_decoding(folder, theirs, [answer[0] for answer in answers[:2000:4]])

    def check_names(self, folder, theirs):
        ours = base.ask("describe", str(folder), [])[0]
        for name in ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token",
                     "mask_token"):
            expected = getattr(theirs, name + "_id")
            if expected is not None:
                self.assertEqual(ours[name], expected, name)
        limit = theirs.model_max_length
        self.assertEqual(ours["max_length"], limit if limit < 10 ** 9 else None)
        self.assertEqual(ours["size"], len(theirs))

    def check_decoding(self, folder, theirs, ids):
        ours = base.ask("decode", str(folder), ids)
        expected = theirs._tokenizer.decode_batch(ids, skip_special_tokens=True)
        for line, our, their in zip(ids, ours, expected):
            self.assertEqual(our, their, line)

    def test_bert(self):
        files = {"vocab.txt": "vocab.txt"}
        self.check(self.directory("bert", "bert", files))
        self.check(self.directory(
            "bert cased", "distilbert", files,
            {"do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False,
             "tokenizer_class": "BertTokenizer", "model_max_length": 512}), self.few)
        self.check(self.directory(
            "bert added", "electra", files, {"tokenizer_class": "ElectraTokenizer",
                                             "additional_special_tokens": ["[X]", "[SEP]"]},
            added_tokens={"hello": self.bert_size(), "[Y]": self.bert_size() + 1},
            special_tokens_map={"mask_token": FLAGS | {"content": "[MASK]", "lstrip": True}}),
            self.few)

    def bert_size(self):
        return len((self.root / "vocab.txt").read_text(encoding="utf-8").splitlines())

    def test_gpt2(self):
        files = {"gpt2.json": "vocab.json", "merges.txt": "merges.txt"}
        self.check(self.directory("gpt2", "gpt2", files))
        self.check(self.directory(
            "gpt2 bos", "gpt2", files,
            {"add_bos_token": True, "add_prefix_space": True, "pad_token": "<pad>",
             "tokenizer_class": "GPT2Tokenizer", "model_max_length": 1024}), self.few)
        self.check(self.directory("neox", "gpt_neox", files), self.few)
        self.check(self.directory(
            "whisper", "whisper", files, {"tokenizer_class": "WhisperTokenizer"},
            added_tokens={"<|startoftranscript|>": self.gpt2_size, "<|en|>": self.gpt2_size + 1,
                          "<|notimestamps|>": self.gpt2_size + 2}), self.few)

    def test_qwen2(self):
        self.check(self.directory(
            "qwen2", "qwen2", {"gpt2.json": "vocab.json", "merges.txt": "merges.txt"},
            {"tokenizer_class": "Qwen2Tokenizer", "bos_token": None, "eos_token": "<|im_end|>",
             "pad_token": "<|endoftext|>", "additional_special_tokens": ["<|im_start|>"],
             "added_tokens_decoder": {
                 str(self.gpt2_size): FLAGS | {"content": "<|im_start|>", "special": True}}}),
            [line for line in self.lines if known(line)])

    def test_roberta(self):
        files = {"roberta.json": "vocab.json", "merges.txt": "merges.txt"}
        self.check(self.directory("roberta", "roberta", files))
        self.check(self.directory(
            "bart", "bart", files, {"tokenizer_class": "BartTokenizer", "model_max_length": 1024},
            special_tokens_map={"mask_token": FLAGS | {"content": "<mask>", "lstrip": True}}),
            self.few)

    def test_xlm_roberta_and_camembert(self):
        model = self.pieces("xlmr", model_type="unigram")
        for kind in ("xlm-roberta", "camembert"):
            with self.subTest(kind):
                self.check(self.directory(kind, kind, {model.name: "sentencepiece.bpe.model"}))

    def test_t5(self):
        model = self.pieces("t5", model_type="unigram", pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
        self.check(self.directory("t5", "t5", {model.name: "spiece.model"}))

    def test_albert(self):
        model = self.pieces(
            "albert", model_type="unigram", pad_id=0, unk_id=1, bos_id=-1, eos_id=-1,
            control_symbols=["[CLS]", "[SEP]", "[MASK]"], normalization_rule_name="nmt_nfkc_cf")
        self.check(self.directory("albert", "albert", {model.name: "spiece.model"}))
        self.check(self.directory("albert cased", "albert", {model.name: "spiece.model"},
                                  {"do_lower_case": False, "keep_accents": True}),
                   self.few)

    def test_llama(self):
        model = self.pieces("llama", model_type="bpe", byte_fallback=True, split_digits=True,
                            normalization_rule_name="identity", remove_extra_whitespaces=False)
        configs = {
            "new": {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "legacy": False},
            "legacy": {"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": True,
                       "add_eos_token": True, "legacy": True, "pad_token": "<pad>"},
            "no prefix": {"tokenizer_class": "LlamaTokenizer", "add_prefix_space": False},
            "no class": None,
        }
        for name, config in configs.items():
            with self.subTest(name):
                self.check(self.directory(f"llama {name}", "llama",
                                          {model.name: "tokenizer.model"}, config),
                           self.lines if name == "new" else self.few)
        self.check(self.directory("mistral", "mistral", {model.name: "tokenizer.model"},
                                  {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True}),
                   self.few)

    def test_gemma(self):
        model = self.pieces(
            "gemma", model_type="bpe", byte_fallback=True, add_dummy_prefix=False, pad_id=0,
            eos_id=1, bos_id=2, unk_id=3, pad_piece="<pad>", eos_piece="<eos>", bos_piece="<bos>",
            normalization_rule_name="identity", remove_extra_whitespaces=False,
            user_defined_symbols=["<start_of_turn>", "<end_of_turn>"])
        self.check(self.directory("gemma", "gemma2", {model.name: "tokenizer.model"},
                                  {"tokenizer_class": "GemmaTokenizer", "add_bos_token": True}))

    def test_other_classes_as_sentencepiece(self):
        model = self.pieces("other", model_type="bpe", byte_fallback=True,
                            user_defined_symbols=["ab", "a.b*", "▁▁"])
        self.check(self.directory("other", "mistral", {model.name: "tokenizer.model"}),
                   self.few)

    def test_marian(self):
        source = self.pieces("source", model_type="unigram")
        target = self.pieces("target", model_type="unigram", normalization_rule_name="nmt_nfkc_cf")
        names = {}
        for model in (source, target):
            with open(model.with_suffix(".vocab"), encoding="utf-8") as vocabulary:
                # A few pieces are missing, as in published vocabularies.
                for i, line in enumerate(vocabulary):
                    if i % 50 != 7:
                        names.setdefault(line.split("\t")[0], len(names))
        for name in (">>fr<<", "<pad>", "<unk>", "</s>"):
            names.setdefault(name, len(names))
        folder = self.directory("marian", "marian", {source.name: "source.spm",
                                                     target.name: "target.spm"},
                                {"source_lang": "en", "target_lang": "fr"}, vocab=names)
        theirs = transformers.AutoTokenizer.from_pretrained(folder)
        # SentencePiece ends a text at a zero byte; the method that is compared below sees no tokens in
        # a text.
        lines = [line for line in self.few + [">>fr<< a b", ">>fr<<a"]
                 if not any(name in line for name in ("\0", "</s>", "<pad>", "<unk>"))]
        for side, keyword in (("", "text"), (":target", "text_target")):
            answers = base.ask("texts", f"{folder}{side}", [[line] for line in lines])
            ours = [answer[0] for answer in answers]
            for line, ids in zip(lines, ours):
                # One at a time and as the tokenizer's own method: it strips a text between tokens.
                self.assertEqual(ids, self.marian_ids(theirs, line, keyword), ascii(line))
        self.check_names(folder, theirs)

    def marian_ids(self, theirs, line, keyword):
        if keyword == "text_target":
            theirs._switch_to_target_mode()
        else:
            theirs._switch_to_input_mode()
        tokens = theirs._tokenize(line)
        return theirs.convert_tokens_to_ids(tokens) + [theirs.eos_token_id]


if __name__ == "__main__":
    base.TOOL = sys.argv[1]
    if len(sys.argv) > 2 and sys.argv[2].isdigit():
        LINES = int(sys.argv.pop(2))
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
