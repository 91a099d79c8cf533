#!/usr/bin/env python3
"""The side of `transformers` in accuracy.py: its Trainer, once; prints {"seconds", "right"}.

usage: accuracy_peer.py JSON
"""

import json
import sys
from pathlib import Path

import numpy
import torch
import transformers as tf
from common import clock


def rows_of(file):
    """(text, label) of a table."""
    return [line.split("\t", 1)[::-1] for line in Path(file).read_text("utf-8").splitlines()[1:]]


def sentences_of(file):
    """(words, tags) of lines with a word and a tag."""
    parts = [[line.split() for line in part.split("\n") if line.strip()]
             for part in Path(file).read_text("utf-8").split("\n\n")]
    return [([line[0] for line in part], [line[-1] for line in part]) for part in parts if part]


def read_texts(tokenizer, file, labels):
    return [{**tokenizer(text, truncation=True, max_length=256, padding=False), "labels": labels.index(label)}
            for text, label in rows_of(file)]


def read_tags(tokenizer, file, labels):
    """The tag of a word is that of its first piece."""
    examples = []
    for words, tags in sentences_of(file):
        example = tokenizer(words, is_split_into_words=True, truncation=True, max_length=256, padding=False)
        wanted, before = [], None
        for word in example.word_ids():
            wanted.append(labels.index(tags[word]) if word is not None and word != before else -100)
            before = word
        examples.append({**example, "labels": wanted})
    return examples


def entities(tags):
    """{(type, first, behind the last)} of BIO tags."""
    found, begin = set(), None
    for i, tag in enumerate([*tags, "O"]):
        if begin is not None and tag != "I-" + tags[begin][2:]:
            found.add((tags[begin][2:], begin, i))
            begin = None
        if begin is None and tag != "O":
            begin = i
    return found


def entity_f1(said, wanted, labels):
    right = ours = theirs = 0
    for row, targets in zip(said, wanted):
        kept = targets != -100
        found = entities([labels[i] for i in row[kept]])
        real = entities([labels[i] for i in targets[kept]])
        right, ours, theirs = right + len(found & real), ours + len(found), theirs + len(real)
    return 200 * right / max(1, ours + theirs)


def main():
    settings = json.loads(sys.argv[1])
    torch.set_num_threads(settings["threads"])
    tf.logging.set_verbosity_error()
    tags = settings["case"] == "wnut17"
    tokenizer = tf.AutoTokenizer.from_pretrained(settings["directory"])
    if tags:
        labels = sorted({tag for _, row in sentences_of(settings["files"][0]) for tag in row})
        kind, collator = tf.AutoModelForTokenClassification, tf.DataCollatorForTokenClassification
    else:
        labels = sorted({label for _, label in rows_of(settings["files"][0])})
        kind, collator = tf.AutoModelForSequenceClassification, tf.DataCollatorWithPadding
    train, valid = ((read_tags if tags else read_texts)(tokenizer, file, labels) for file in settings["files"])
    tf.set_seed(settings["seed"])
    model = kind.from_pretrained(settings["directory"], num_labels=len(labels))
    steps = settings["epochs"] * -(-len(train) // settings["rows"])
    trainer = tf.Trainer(
        model=model, train_dataset=train, data_collator=collator(tokenizer),
        args=tf.TrainingArguments(
            output_dir=settings["folder"], num_train_epochs=settings["epochs"], seed=settings["seed"],
            per_device_train_batch_size=settings["rows"], per_device_eval_batch_size=settings["rows"],
            learning_rate=settings["rate"], weight_decay=settings["decay"],
            warmup_steps=int(steps * settings["warm_up"]), use_cpu=True, report_to="none", save_strategy="no",
            logging_strategy="no", disable_tqdm=True))
    begin = clock(settings["clock"])
    trainer.train()
    result = trainer.predict(valid)
    seconds = clock(settings["clock"]) - begin
    said = result.predictions.argmax(-1)
    right = (entity_f1(said, result.label_ids, labels) if tags
             else 100 * float(numpy.mean(said == result.label_ids)))
    print(json.dumps({"seconds": seconds, "right": right}))


if __name__ == "__main__":
    main()
