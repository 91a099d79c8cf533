"""Directories of tiny random models with tokenizers, as `transformers` saves them, for tests of what the
program does with them."""

import json
import os
import shutil
import tempfile
import unittest
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import tokenizers
import torch
import transformers as tf

from program import heed

tf.logging.set_verbosity_error()
torch.set_num_threads(1)

WORDS = ("the a film is was not very good bad dull great one two three in of Anna Tim Cook Paris Rome "
         "visits said who where when what man eats food").split()  # fmt: skip
PIECES = list(dict.fromkeys(
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(chr, range(33, 127)),
     *("##" + chr(c) for c in range(97, 123)), *WORDS]))  # fmt: skip
SIZES = dict(hidden_size=32, num_attention_heads=4, num_hidden_layers=2, intermediate_size=48,
             max_position_embeddings=64)  # fmt: skip
TEXTS = ["the film is very good", "a dull film", "Anna visits Rome.", "not good; not bad, one zzz"]


def shaken(model, scale=0.15):
    """Weights that are not all alike."""
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn_like(parameter) * scale
    return model.eval()


def bert_tokenizer(folder):
    folder.mkdir(parents=True, exist_ok=True)
    pieces = tokenizers.Tokenizer(tokenizers.models.WordPiece(
        {piece: i for i, piece in enumerate(PIECES)}, unk_token="[UNK]"))  # fmt: skip
    pieces.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=False)
    pieces.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    pieces.decoder = tokenizers.decoders.WordPiece()
    pieces.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer = tf.PreTrainedTokenizerFast(
        tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]", model_input_names=["input_ids", "token_type_ids",
        "attention_mask"])  # fmt: skip
    return tokenizer


def byte_tokenizer():
    """Bytes, and a few merges."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("i", "s"), ("Ġ", "is"), ("o", "o"), ("Ġ", "f")]
    vocabulary = {token: i for i, token in enumerate(
        ["<pad>", "<s>", "</s>", *alphabet, *("".join(pair) for pair in merges)])}  # fmt: skip
    bpe = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, merges))
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = tokenizers.decoders.ByteLevel()
    return bpe


def wrapped(bpe, **tokens):
    return tf.PreTrainedTokenizerFast(tokenizer_object=bpe, pad_token="<pad>", **tokens)


def picture_of(seed, width, height, mode="RGB", bytes_=(0, 255)):
    """A smooth picture that is never the same twice."""
    from PIL import Image

    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 3, 4, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")[0].clamp(0, 1)
    values = (fine * (bytes_[1] - bytes_[0]) + bytes_[0]).round().to(torch.uint8)
    picture = Image.frombytes("RGB", (width, height), bytes(values.permute(1, 2, 0).flatten().tolist()))
    return picture.convert(mode)


class Published(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-published-program-"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def saved(self, name, model, tokenizer):
        directory = self.folder / name
        model.save_pretrained(directory)
        tokenizer.save_pretrained(directory)
        return directory

    def bert(self, name, kind, **config):
        directory = self.folder / name
        tokenizer = bert_tokenizer(directory)
        torch.manual_seed(4)
        model = shaken(kind(tf.BertConfig(vocab_size=len(PIECES), **SIZES, **config)))
        return self.saved(name, model, tokenizer), model, tokenizer

    def changed(self, directory, file, **change):
        path = directory / file
        path.write_text(json.dumps(json.loads(path.read_text()) | change))

    def predicted(self, directory, lines, *options):
        done = heed("predict", directory, "--json", *options, text="".join(x + "\n" for x in lines),
                    code=0)  # fmt: skip
        return [json.loads(line) for line in done.stdout.splitlines()]

    def close(self, found, expected, bound=2e-5):
        found, expected = torch.as_tensor(found), torch.as_tensor(expected)
        self.assertEqual(found.shape, expected.shape)
        if expected.numel() == 0:
            return
        self.assertLess((found - expected).abs().max().item(), bound)

    def gpt2(self, name="gpt2", **config):
        tokenizer = wrapped(byte_tokenizer(), bos_token="<s>", eos_token="</s>")
        torch.manual_seed(4)
        model = shaken(tf.GPT2LMHeadModel(tf.GPT2Config(
            vocab_size=len(tokenizer), n_positions=64, n_embd=32, n_layer=2, n_head=4, bos_token_id=1,
            eos_token_id=2, pad_token_id=0, **config)), 0.3)  # fmt: skip
        return self.saved(name, model, tokenizer), model, tokenizer

    def bart_model(self, kind=tf.BartForConditionalGeneration, **config):
        bpe = byte_tokenizer()
        bpe.post_processor = tokenizers.processors.RobertaProcessing(("</s>", 2), ("<s>", 1))
        tokenizer = wrapped(bpe, bos_token="<s>", eos_token="</s>")
        torch.manual_seed(4)
        model = shaken(kind(tf.BartConfig(
            vocab_size=len(tokenizer), d_model=32, encoder_layers=2, decoder_layers=2,
            encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=40,
            decoder_ffn_dim=40, max_position_embeddings=64, pad_token_id=0, bos_token_id=1,
            eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=2,
            **config)), 0.3)  # fmt: skip
        return model, tokenizer

    def t5_model(self, kind, **config):
        """Texts that end with </s>."""
        bpe = byte_tokenizer()
        bpe.post_processor = tokenizers.processors.TemplateProcessing(
            single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 2)])
        torch.manual_seed(4)
        tokenizer = wrapped(bpe, eos_token="</s>")
        return shaken(kind(tf.T5Config(
            vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=40, num_layers=2, num_heads=4, dropout_rate=0.0,
            pad_token_id=0, eos_token_id=2, decoder_start_token_id=0, **config)), 0.3), tokenizer  # fmt: skip

    def marian(self, name, separate):
        """Of a SentencePiece model for each side, and one vocabulary for both, or one for each."""
        import sentencepiece

        directory = self.folder / name
        directory.mkdir()
        vocabularies = []
        for side, texts in (("source", TEXTS), ("target", [text.upper() for text in TEXTS])):
            (directory / "texts").write_text("\n".join(texts * 3), encoding="utf-8")
            sentencepiece.SentencePieceTrainer.train(
                input=str(directory / "texts"), model_prefix=str(directory / side), vocab_size=40,
                hard_vocab_limit=False, minloglevel=2, num_threads=1, model_type="unigram")
            (directory / f"{side}.model").rename(directory / f"{side}.spm")
            pieces = (directory / f"{side}.vocab").read_text(encoding="utf-8").splitlines()
            vocabularies.append([piece.split("\t")[0] for piece in pieces])
            (directory / f"{side}.vocab").unlink()
        (directory / "texts").unlink()
        if not separate:
            vocabularies = [vocabularies[0] + vocabularies[1]]
        vocabularies = [list(dict.fromkeys(["</s>", "<unk>", *pieces])) for pieces in vocabularies]
        size = 1 + max(map(len, vocabularies))  # <pad> is the last of each
        for file, pieces in zip(("vocab.json", "target_vocab.json"), vocabularies):
            pieces += [f"spare{i}" for i in range(size - 1 - len(pieces))] + ["<pad>"]
            (directory / file).write_text(json.dumps({piece: i for i, piece in enumerate(pieces)}))
        (directory / "tokenizer_config.json").write_text(json.dumps(
            {"tokenizer_class": "MarianTokenizer", "separate_vocabs": separate, "source_lang": "en",
             "target_lang": "EN"}))
        torch.manual_seed(4)
        model = shaken(tf.MarianMTModel(tf.MarianConfig(
            vocab_size=size, decoder_vocab_size=size, share_encoder_decoder_embeddings=not separate, d_model=32,
            encoder_layers=1, decoder_layers=1, encoder_attention_heads=4, decoder_attention_heads=4,
            encoder_ffn_dim=40, decoder_ffn_dim=40, max_position_embeddings=64, pad_token_id=size - 1,
            eos_token_id=0, decoder_start_token_id=size - 1, forced_eos_token_id=0, dropout=0.0)), 0.3)
        model.save_pretrained(directory)
        return directory, model, tf.MarianTokenizer.from_pretrained(directory)

    def vit(self, name, labels):
        """16 × 16 pixels in patches of 4 × 4; no preprocessor_config.json."""
        torch.manual_seed(3)
        model = shaken(tf.ViTForImageClassification(tf.ViTConfig(
            hidden_size=24, num_attention_heads=3, num_hidden_layers=2, intermediate_size=40, image_size=16,
            patch_size=4, num_channels=3, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
            id2label=labels)), 0.3)  # fmt: skip
        directory = self.folder / name
        model.save_pretrained(directory)
        return directory, model

    def opened(self, kind, directory):
        """By transformers, with nothing missing, unexpected or of another shape."""
        model, said = kind.from_pretrained(directory, output_loading_info=True, dtype=torch.float32)
        for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            self.assertFalse(said[what], what)
        return model.eval(), tf.AutoTokenizer.from_pretrained(directory)
