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
