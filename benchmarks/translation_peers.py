#!/usr/bin/env python3
"""Seconds to translate 1,000 sentences with beam search: `heed predict` and CTranslate2.

usage: .venv/bin/python benchmarks/translation_peers.py MODEL [PROGRAM] [--source FILE]
       [--reference FILE] [--rounds N] [--threads N] [--batch N] [--num-workers N] [--sweep] [--json]

MODEL is what `heed train seq2seq` wrote; CTranslate2 gets the same weights, in float32. Both read
text and write text, with the same beams and length penalty, sentences of similar length together.
They run in turn, in one run; medians. "Translating" leaves the start out: the time of all sentences
less that of the first one alone, on both sides. Of CTranslate2's start only the loading of the
model is counted, not that of Python. --sweep tries settings of CTranslate2's batches instead, of
which the quickest on the machine of docs/performance.md are the defaults. Needs
tools/lock/bench.txt and, for BLEU, sacrebleu.

The outputs are compared, too. Both divide the log-probability of a hypothesis by a power of its
length, but CTranslate2 counts the end token and Heed does not; so, besides the lines as they are,
those are compared that CTranslate2 would have chosen among its own hypotheses by Heed's length.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import ctranslate2
import numpy as np
from ctranslate2.specs import TransformerSpec
from ctranslate2.specs.common_spec import Activation
from safetensors.numpy import load_file
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared/data/multi30k"
EPSILON = 1e-5  # of the layer norms, that of heed/nn/layers/layer_norm.h
ACTIVATIONS = {"relu": Activation.RELU, "gelu": Activation.GELU, "gelu_tanh": Activation.GELUTanh,
               "silu": Activation.SWISH}
MAPPED = {"model_type": ("heed_encoder_decoder",), "architecture": ("transformer",),
          "before_attention": ("none",), "norm": ("layer",),
          "norm_first": (True, False), "activation": tuple(ACTIVATIONS),
          "init": ("xavier_uniform",), "score": ("scaled_dot",),
          "pattern": ("full",), "softcap": (0,),
          "positions": ("sinusoidal", "learned"), "num_key_value_heads": (0,)}


class Weights:
    """Those of model.safetensors, put into the places of CTranslate2's specification."""

    def __init__(self, config, tensors):
        self.config = config
        self.tensors = tensors

    def linear(self, spec, name):
        spec.weight = self.tensors[name + ".weight"]
        if self.config["bias"]:
            spec.bias = self.tensors[name + ".bias"]

    def norm(self, spec, name):
        spec.gamma = self.tensors[name + ".weight"]
        spec.beta = self.tensors[name + ".bias"]

    def feed_forward(self, spec, name):
        self.norm(spec.layer_norm, name + "_norm")
        self.linear(spec.linear_0, name + ".up")
        self.linear(spec.linear_1, name + ".down")

    def attention(self, spec, name, projections):
        self.norm(spec.layer_norm, name + "_norm")
        for linear, projection in zip(spec.linear, projections, strict=True):
            self.linear(linear, f"{name}.{projection}")

    def positions(self, side):
        """(N, C); the sinusoids of Vaswani et al. 2017, sine and cosine by turns."""
        if self.config["positions"] == "learned":
            return self.tensors[side + ".positions.table"]
        width = self.config["d_model"]
        column = np.arange(width)
        angle = (np.arange(self.config["max_length"])[:, None]
                 * np.exp((column // 2 * 2) * (-math.log(10000.0) / width)))
        return np.where(column % 2 == 0, np.sin(angle), np.cos(angle)).astype(np.float32)

    def stack(self, spec, name, side):
        spec.scale_embeddings = True  # by √C, as Heed does
        spec.position_encodings.encodings = self.positions(side)
        if self.config["norm_first"]:
            self.norm(spec.layer_norm, name + ".final_norm")
        for i, layer in enumerate(spec.layer):
            self.attention(layer.self_attention, f"{name}.layer_{i}.attention",
                           ("query_key_value", "output"))
            if name == "decoder":
                self.attention(layer.attention, f"{name}.layer_{i}.cross_attention",
                               ("query", "key_value", "output"))
            self.feed_forward(layer.ffn, f"{name}.layer_{i}.feed_forward")

    def model(self):
        source = self.tensors["source.embedding.weight"]
        target = self.tensors.get("target.embedding.weight", source)
        spec = TransformerSpec.from_config(
            (self.config["num_layers"],
             self.config["num_decoder_layers"] or self.config["num_layers"]),
            self.config["num_heads"], pre_norm=self.config["norm_first"],
            activation=ACTIVATIONS[self.config["activation"]])
        spec.encoder.embeddings[0].weight = source
        spec.decoder.embeddings.weight = target
        spec.decoder.projection.weight = self.tensors.get("output.weight", target)
        self.stack(spec.encoder, "encoder", "source")
        self.stack(spec.decoder, "decoder", "target")
        spec.config.layer_norm_epsilon = EPSILON
        return spec


def words_of(tokenizer, size):
    return [tokenizer.id_to_token(i) or f"<unused {i}>" for i in range(size)]


class CTranslate2:
    """Text in, text out; tokens made and joined by the `tokenizers` package."""

    def __init__(self, directory, options):
        self.options = options
        config = json.loads((directory / "config.json").read_text())
        for field, known in MAPPED.items():
            if config.get(field, known[0]) not in known:
                sys.exit(f"{directory}/config.json: {field}: expected one of {known} (what is "
                         f"mapped to CTranslate2), got {config.get(field)!r}")
        self.source = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self.target = (self.source if config["shared_vocabulary"] else
                       Tokenizer.from_file(str(directory / "target_tokenizer.json")))
        self.longest = config["max_length"]
        spec = Weights(config, load_file(directory / "model.safetensors")).model()
        self.words = words_of(self.source, config["source_vocab_size"])
        spec.register_source_vocabulary(self.words)
        spec.register_target_vocabulary(words_of(self.target, config["target_vocab_size"]))
        spec.config.unk_token = "[UNK]"
        spec.config.decoder_start_token = spec.config.bos_token = "<s>"
        spec.config.eos_token = "</s>"
        spec.validate()
        spec.optimize()
        self.folder = tempfile.TemporaryDirectory()
        spec.save(self.folder.name)
        self.load()

    def load(self):
        """Seconds."""
        start = time.perf_counter()
        workers = self.options.num_workers
        self.translator = ctranslate2.Translator(
            self.folder.name, compute_type="float32", inter_threads=workers,
            intra_threads=max(1, self.options.threads // workers))
        return time.perf_counter() - start

    def found(self, texts, **more):
        sources = [[self.words[i] for i in each.ids[:self.longest - 1]] + ["</s>"]
                   for each in self.source.encode_batch(texts, add_special_tokens=False)]
        return self.translator.translate_batch(
            sources, max_batch_size=self.options.batch, batch_type="examples",
            beam_size=self.options.beams, length_penalty=self.options.length_penalty,
            max_decoding_length=self.longest, **more)

    def texts(self, hypotheses):
        ids = [[self.target.token_to_id(word) for word in words] for words in hypotheses]
        return self.target.decode_batch(ids)

    def translate(self, texts):
        return self.texts([each.hypotheses[0] for each in self.found(texts)])

    def translate_ranked_as_heed(self, texts):
        """[(text, score)]: the best of all that the search found, where n leaves out the end."""
        best = []
        for each in self.found(texts, num_hypotheses=self.options.beams, return_scores=True,
                               return_end_token=True):
            ranked = []
            for words, score in zip(each.hypotheses, each.scores):
                without = words[:-1] if words[-1] == "</s>" else words
                ratio = len(words) / max(1, len(without))
                ranked.append((score * ratio**self.options.length_penalty, without))
            best.append(max(ranked))
        return list(zip(self.texts([words for _, words in best]), (score for score, _ in best)))

    def seconds(self, texts):
        start = time.perf_counter()
        self.translate(texts)
        return time.perf_counter() - start

    def times(self, texts):
        """Loading and translating, and translating alone."""
        load = self.load()
        one, all_of_them = self.seconds(texts[:1]), self.seconds(texts)
        return load + all_of_them, all_of_them - one


class Heed:
    def __init__(self, options, texts):
        self.folder = tempfile.TemporaryDirectory()
        self.command = [options.program, "predict", str(options.model), "--num-beams",
                        str(options.beams), "--length-penalty", str(options.length_penalty),
                        "--threads", str(options.threads)]
        self.all = self.file("all.txt", texts)
        self.one = self.file("one.txt", texts[:1])

    def file(self, name, texts):
        path = pathlib.Path(self.folder.name, name)
        path.write_text("".join(text + "\n" for text in texts))
        return str(path)

    def translate(self):
        """[(text, score)]"""
        command = [*self.command, "--json", self.all]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        answers = [json.loads(line) for line in lines.splitlines()]
        return [(each["output"], each["score"]) for each in answers]

    def seconds(self, file):
        start = time.perf_counter()
        subprocess.run([*self.command, file], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    def times(self):
        """The whole command, and without its start."""
        one, all_of_them = self.seconds(self.one), self.seconds(self.all)
        return all_of_them, all_of_them - one


def bleu_of(lines, references):
    try:
        import sacrebleu
    except ImportError:
        return None
    return sacrebleu.corpus_bleu(lines, [references], lowercase=True).score


def compare(heed, peer, texts, references):
    """What differs: as CTranslate2 ranks, and ranked as Heed does."""
    ours, plain = heed.translate(), peer.translate(texts)
    ranked = peer.translate_ranked_as_heed(texts)
    lines = [text for text, _ in ours]
    apart = [(abs(a[1] - b[1]), a[0] == b[0]) for a, b in zip(ours, ranked, strict=True)]
    return {"lines": len(lines),
            "same": sum(a == b for a, b in zip(lines, plain, strict=True)),
            "same_ranked_as_heed": sum(same for _, same in apart),
            "scores_of_same_apart": max((score for score, same in apart if same), default=0),
            "scores_of_others_apart": max((score for score, same in apart if not same), default=0),
            "bleu": {"Heed": bleu_of(lines, references), "CTranslate2": bleu_of(plain, references)}}


def sweep(peer, texts):
    for workers in sorted({1, peer.options.threads}):
        peer.options.num_workers = workers
        peer.load()
        for batch in (16, 32, 64, 128):
            peer.options.batch = batch
            print(f"workers {workers}, batch {batch}: {peer.seconds(texts):.2f} s", flush=True)


def measure(options, heed, peer, texts):
    """The medians of (whole, translating) of each."""
    times = {"Heed": [], "CTranslate2": []}
    for _ in range(options.rounds):
        times["Heed"].append(heed.times())
        times["CTranslate2"].append(peer.times(texts))
    return {name: [statistics.median(each) for each in zip(*rounds)]
            for name, rounds in times.items()}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("program", nargs="?", default=str(ROOT / "build/release/heed"))
    parser.add_argument("--source", type=pathlib.Path, default=DATA / "test_2016_flickr.en")
    parser.add_argument("--reference", type=pathlib.Path, default=DATA / "test_2016_flickr.de")
    parser.add_argument("--num-beams", type=int, default=5)
    parser.add_argument("--length-penalty", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32, help="sentences of a CTranslate2 batch")
    parser.add_argument("--num-workers", type=int, default=2,
                        help="of CTranslate2, which share the threads")
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main():
    options = arguments()
    texts = options.source.read_text().splitlines()
    references = options.reference.read_text().splitlines()
    peer = CTranslate2(options.model, options)
    if options.sweep:
        sweep(peer, texts)
        return
    heed = Heed(options, texts)
    outputs = compare(heed, peer, texts, references)
    medians = measure(options, heed, peer, texts)
    if options.json:
        print(json.dumps({"threads": options.threads, "beams": options.beams,
                          "workers": options.num_workers, "batch": options.batch,
                          "outputs": outputs, "seconds": medians}))
        return
    print(f"{outputs['same']} of {outputs['lines']} lines are the same, "
          f"{outputs['same_ranked_as_heed']} where CTranslate2's hypotheses are ranked as Heed's "
          f"(scores of the same at most {outputs['scores_of_same_apart']:.2g} apart, of the others "
          f"{outputs['scores_of_others_apart']:.2g}); BLEU {outputs['bleu']}")
    for i, name in enumerate(("with the start", "translating")):
        ours, theirs = medians["Heed"][i], medians["CTranslate2"][i]
        print(f"{name}: Heed {ours:.2f} s, CTranslate2 {theirs:.2f} s ({theirs / ours:.2f}x)")


if __name__ == "__main__":
    main()
