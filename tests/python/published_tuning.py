"""What tests of fine-tuning published models have in common: examples, and the program's training."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers as tf

from program import heed
from published_directories import TEXTS, Published

STEPS = 50
LR = 1e-3
NO_DROPOUT = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
LABELS = {0: "minus", 1: "plus"}
ROWS = [("plus", "the film is good"), ("minus", "a dull film"), ("plus", "Anna eats good food in Rome"),
        ("minus", "not good; not bad"), ("plus", "very very great"), ("minus", "Tim said it was bad"),
        ("plus", "one great film of two"), ("minus", "zzz")]  # fmt: skip
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
SENTENCES = [(["Anna", "Cook", "visits", "Rome"], [1, 2, 0, 3]), (["Tim", "said", "zzz"], [1, 0, 0]),
             (["in", "Paris"], [0, 3]), (["food"], [0])]  # fmt: skip
PAIRS = [("the film", "is good"), ("a man eats", "food in Rome"), ("who", "Tim Cook"),
         ("two", "very dull of it")]  # fmt: skip
TRIPLETS = [("who visits Rome", "Anna visits Rome", "Tim eats food"),
            ("what was said", "Tim said one", "the film is bad"),
            ("good food", "a great man eats", "three of two"), ("dull film", "bad film", "very good")]


class HeedsOrder:
    """The batches of each epoch as heed/data/length_buckets.h draws them: an iteration is an epoch."""

    def __init__(self, lengths, batch_size, seed):
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def __len__(self):
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self):
        self.epoch += 1
        random = mersenne_twister(self.seed * 1_000_003 + self.epoch)
        order = shuffled(list(range(len(self.lengths))), random)
        order.sort(key=lambda example: self.lengths[example])
        size = self.batch_size
        return iter(shuffled([order[i:i + size] for i in range(0, len(order), size)], random))


def shuffled(items, random):
    for i in range(len(items), 1, -1):
        j = next(random) % i
        items[i - 1], items[j] = items[j], items[i - 1]
    return items


def mersenne_twister(seed):
    """The 64 bit one.                                                    Nishimura 2000"""
    mask, high = (1 << 64) - 1, (1 << 64) - (1 << 31)
    state = [seed & mask]
    for i in range(1, 312):
        state.append((6364136223846793005 * (state[-1] ^ state[-1] >> 62) + i) & mask)
    while True:
        for i in range(312):
            bits = state[i] & high | state[(i + 1) % 312] & ~high & mask
            state[i] = state[(i + 156) % 312] ^ bits >> 1 ^ (0xB5026F5AA96619E9 if bits & 1 else 0)
        for x in state:
            x ^= x >> 29 & 0x5555555555555555
            x ^= x << 17 & 0x71D67FFFEDA60000 & mask
            x ^= x << 37 & 0xFFF7EEE000000000 & mask
            yield x ^ x >> 43


class Tuning(Published):
    def trained(self, task, directory, out, *options, code=0, **more):
        return heed("train", task, "--from", directory, "--out", self.folder / out, "--threads", 1,
                    *options, code=code, **more)  # fmt: skip

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def whole(self, file):
        """All examples in one batch, learnt and validated on."""
        return ["--train", file, "--valid", file, "--epochs", STEPS, "--max-steps", STEPS, "--eval-steps",
                STEPS, "--batch-size", 100, "--lr", LR, "--warmup-ratio", 0, "--lr-scheduler", "linear",
                "--logging-steps", 1, "--patience", 0]  # fmt: skip

    def labelled(self):
        return self.file("labelled.tsv", "".join(f"{label}\t{text}\n" for label, text in ROWS))

    def conll(self):
        return self.file("words.conll", "".join(
            "".join(f"{word}\t{TAGS[tag]}\n" for word, tag in zip(words, tags)) + "\n"
            for words, tags in SENTENCES))  # fmt: skip

    def classifier(self, name, kind=tf.BertForSequenceClassification, **config):
        return self.bert(name, kind, **(dict(id2label=LABELS) | NO_DROPOUT | config))

    def probabilities(self, model, tokenizer, text):
        with torch.no_grad():
            return model(**tokenizer(text, return_tensors="pt")).logits[0].softmax(-1)

    def same_answers(self, directory, model, tokenizer):
        for text, answer in zip(TEXTS, self.predicted(directory, TEXTS)):
            self.close(list(answer["probabilities"].values()),
                       self.probabilities(model.eval(), tokenizer, text))
