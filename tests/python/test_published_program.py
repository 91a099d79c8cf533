"""Published models as a user of the program meets them: predict, eval, attend, rerank and train with
directories that the `transformers` package wrote, against what it says itself. Nothing is downloaded.

Usage: test_published_program.py HEED_PROGRAM FINETUNE
"""

import json
import os
import shutil
import subprocess
import sys
import unittest
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import torch
    import transformers as tf
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import texts
from program import HEED, heed
from published_directories import (
    PIECES, SIZES, TEXTS, Published, bert_tokenizer, byte_tokenizer, shaken, wrapped)

FINETUNE = Path(sys.argv.pop(1)).resolve()  # examples/finetune


class Classification(Published):
    LABELS = {0: "bad", 1: "good", 2: "so so"}

    def model(self, name="classifier", **config):
        return self.bert(name, tf.BertForSequenceClassification, id2label=self.LABELS, **config)

    def expected(self, model, tokenizer, text):
        with torch.no_grad():
            return model(**tokenizer(text, return_tensors="pt")).logits[0]

    def test_predict(self):
        directory, model, tokenizer = self.model()
        for text, answer in zip(TEXTS, self.predicted(directory, TEXTS)):
            expected = self.expected(model, tokenizer, text).softmax(-1)
            self.close(list(answer["probabilities"].values()), expected)
            self.assertEqual(answer["label"], self.LABELS[int(expected.argmax())])

    def test_eval_and_inspect(self):
        directory, model, tokenizer = self.model()
        file = self.folder / "labelled.tsv"
        labels = ["good", "bad", "so so", "bad"]
        file.write_text("".join(f"{label}\t{text}\n" for label, text in zip(labels, TEXTS)))
        scores = json.loads(heed("eval", directory, file, "--json", code=0).stdout)
        logits = torch.stack([self.expected(model, tokenizer, text) for text in TEXTS])
        wanted = torch.tensor([1, 0, 2, 0])
        self.close(scores["loss"], torch.nn.functional.cross_entropy(logits, wanted).item())
        self.assertEqual(scores["accuracy"], (logits.argmax(-1) == wanted).double().mean().item())
        said = json.loads(heed("inspect", directory, "--json", code=0).stdout)
        self.assertEqual(said["labels"], list(self.LABELS.values()))
        self.assertEqual(said["task"], "classify")

    def test_inspect_of_a_pickle(self):
        directory, model, _ = self.model("pickled")
        tensors = model.state_dict() | {"cls.seq_relationship.weight": torch.ones(2, 32)}
        torch.save(tensors, directory / "pytorch_model.bin")
        (directory / "model.safetensors").unlink()
        said = json.loads(heed("inspect", directory, "--json", code=0).stdout)
        self.assertEqual({each["name"]: each["shape"] for each in said["tensors"]},
                         {name: list(tensor.shape) for name, tensor in tensors.items()})
        self.assertEqual(said["left_out"], ["cls.seq_relationship.weight"])
        self.assertEqual(said["bytes"], 4 * said["parameters"])

    def test_labels_that_are_missing(self):
        """Trap 20: LABEL_0 …, of how many rows the head has; one label is a yes or no."""
        directory, model, tokenizer = self.bert("unnamed", tf.BertForSequenceClassification, num_labels=3)
        config = json.loads((directory / "config.json").read_text())
        for field in ("id2label", "label2id"):
            config.pop(field, None)
        (directory / "config.json").write_text(json.dumps(config | {"num_labels": 3}))
        answer = self.predicted(directory, TEXTS[:1])[0]
        self.assertEqual(list(answer["probabilities"]), ["LABEL_0", "LABEL_1", "LABEL_2"])
        directory, model, tokenizer = self.bert("yes_or_no", tf.BertForSequenceClassification, num_labels=1)
        answer = self.predicted(directory, TEXTS[:1])[0]
        self.close(list(answer["probabilities"].values()),
                   self.expected(model, tokenizer, TEXTS[0]).sigmoid())  # fmt: skip

    def test_lengths_that_files_say(self):
        """Traps 23, 28: what tokenizer.json cuts and pads to is not what the model reads."""
        directory, model, tokenizer = self.model("lengths")
        stored = json.loads((directory / "tokenizer.json").read_text())
        stored["truncation"] = {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}
        stored["padding"] = {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": None,
                             "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}  # fmt: skip
        (directory / "tokenizer.json").write_text(json.dumps(stored))
        self.changed(directory, "tokenizer_config.json", model_max_length=int(1e30))
        long = " ".join(["film"] * 40)
        (directory / "sentence_bert_config.json").write_text('{"max_seq_length": 20}')
        for text, ids in (("a film", None), (long, 20)):
            whole = tokenizer(text, truncation=True, max_length=ids or 64, padding=False, return_tensors="pt")
            with torch.no_grad():
                expected = model(**whole).logits[0].softmax(-1)
            self.close(list(self.predicted(directory, [text])[0]["probabilities"].values()), expected)
        (directory / "sentence_bert_config.json").unlink()
        self.changed(directory, "tokenizer_config.json", model_max_length=int(1e30))
        stored.update(truncation=None)
        (directory / "tokenizer.json").write_text(json.dumps(stored))
        self.close(list(self.predicted(directory, [long])[0]["probabilities"].values()),
                   self.expected(model, tokenizer, long).softmax(-1))  # the table of positions decides

    def test_spare_rows_and_padding(self):
        """Traps 24, 26: a table longer than the tokenizer; a text alone is a text in a batch."""
        directory = self.folder / "spare"
        tokenizer = bert_tokenizer(directory)
        model = shaken(tf.BertModel(tf.BertConfig(vocab_size=len(PIECES) + 8, **SIZES)))
        self.saved("spare", model, tokenizer)
        texts = [*TEXTS, " ".join(["film"] * 30)]
        together = heed("embed", directory, text="".join(text + "\n" for text in texts), code=0)
        rows = [json.loads(line)["vector"] for line in together.stdout.splitlines()]
        for text, row in zip(texts, rows):
            alone = json.loads(heed("embed", directory, text=text + "\n", code=0).stdout)["vector"]
            self.close(row, alone, 1e-6)
            with torch.no_grad():
                states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
            self.close(row, states.mean(0))

    def test_rerank(self):
        """A cross-encoder: one label, pairs with type ids."""
        directory, model, tokenizer = self.bert("reranker", tf.BertForSequenceClassification,
                                                num_labels=1)  # fmt: skip
        query = "who visits Paris"
        batch = tokenizer([query] * len(TEXTS), TEXTS, return_tensors="pt", padding=True)
        with torch.no_grad():
            logits = model(**batch).logits[:, 0]
        order = logits.argsort(descending=True)
        lines = "".join(text + "\n" for text in TEXTS)
        done = heed("rerank", directory, "--query", query, "--json", text=lines, code=0)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([row["index"] for row in rows], order.tolist())
        self.close([row["logit"] for row in rows], logits[order])
        self.close([row["score"] for row in rows], logits[order].sigmoid())
        done = heed("rerank", directory, "--query", query, "--top", 1, text=lines, code=0)
        self.assertEqual(done.stdout, f"{rows[0]['score']:.4f}\t{rows[0]['document']}\n")
        file = self.folder / "documents.txt"
        file.write_bytes(b"\xff\n" + lines.encode())
        done = heed("rerank", directory, "--query", query, "--json", file, code=65)
        self.assertEqual([json.loads(line)["document"] for line in done.stdout.splitlines()],
                         [row["document"] for row in rows])
        self.assertIn("documents.txt:1: ", done.stderr)
        several, _, _ = self.model("not_a_reranker")
        done = heed("rerank", several, "--query", "x", text="x\n", code=65)
        self.assertIn("expected a model with one label", done.stderr)

    def test_several_labels(self):
        directory, model, tokenizer = self.model("several",
                                                 problem_type="multi_label_classification")
        for text, answer in zip(TEXTS, self.predicted(directory, TEXTS)):
            expected = self.expected(model, tokenizer, text).sigmoid()
            self.close(list(answer["probabilities"].values()), expected)
            self.assertEqual(answer["labels"], [self.LABELS[i] for i in range(3) if expected[i] >= 0.5])

    def test_attend(self):
        directory, model, tokenizer = self.model()
        said = json.loads(heed("attend", directory, TEXTS[0], "--json", code=0).stdout)
        model.set_attn_implementation("eager")
        with torch.no_grad():
            weights = model(**tokenizer(TEXTS[0], return_tensors="pt"),
                            output_attentions=True).attentions  # fmt: skip
        self.assertEqual(said["tokens"], ["[CLS]", *TEXTS[0].split(), "[SEP]"])
        for each in said["attention"]:
            self.close(each["weights"], weights[each["layer"] - 1][0, each["head"] - 1], 1e-5)

    def test_attend_to_a_long_text(self):
        """Summaries of 4,096 tokens take less memory more than a short text than one of the 8 matrices, 64 MiB."""
        directory = self.folder / "long"
        tokenizer = bert_tokenizer(directory)
        sizes = SIZES | dict(max_position_embeddings=4096)
        self.saved("long", tf.BertModel(tf.BertConfig(vocab_size=len(tokenizer), **sizes)), tokenizer)
        measure = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
                   "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")  # fmt: skip
        for out in ([], ["--out", self.folder / "long.png"]):
            peaks = []
            for words in (62, 4094):
                done = subprocess.run([sys.executable, "-c", measure, HEED, "attend", directory, " ".join(["film"] * words),
                                       *out], capture_output=True, text=True, check=True)  # fmt: skip
                peaks.append(int(done.stdout))
            self.assertLess(peaks[1] - peaks[0], 64 * 1024, (peaks, out))

    def test_fine_tuning(self):
        """The directory that comes out opens in transformers, which gives what Heed gives."""
        directory, _, tokenizer = self.bert("features", tf.BertModel)
        rows = [("plus", f"the film is {word}") for word in ("good", "great")]
        rows += [("minus", f"the film is {word}") for word in ("bad", "dull")]
        file = self.folder / "train.tsv"
        file.write_text("".join(f"{label}\t{text}\n" for label, text in rows * 8))
        out = self.folder / "tuned"
        done = heed("train", "classify", "--from", directory, "--train", file, "--valid", file, "--out",
                    out, "--lr", "3e-3", "--epochs", 12, "--batch-size", 8, "--threads", 1,
                    "--json", code=0)  # fmt: skip
        self.assertIn("new: classifier.weight, classifier.bias", done.stderr)
        self.assertEqual(json.loads(done.stdout)["accuracy"], 1)
        model, said = tf.AutoModelForSequenceClassification.from_pretrained(
            out, output_loading_info=True, dtype=torch.float32)
        self.assertFalse(said["missing_keys"] or said["unexpected_keys"] or said["mismatched_keys"])
        self.assertEqual(model.config.id2label, {0: "minus", 1: "plus"})
        model.eval()
        again = tf.AutoTokenizer.from_pretrained(out)
        for text, answer in zip(TEXTS, self.predicted(out, TEXTS)):
            self.close(list(answer["probabilities"].values()),
                       self.expected(model, again, text).softmax(-1))
        # What has these labels goes on with its head, in its order.
        turned = json.loads((out / "config.json").read_text())
        self.assertEqual(turned["problem_type"], "single_label_classification")
        more = heed("train", "classify", "--from", out, "--train", file, "--valid", file, "--out",
                    self.folder / "again", "--max-steps", 1, "--threads", 1, "--json", code=0)
        self.assertNotIn("new:", more.stderr)
        self.assertEqual(json.loads(more.stdout)["accuracy"], 1)

    def test_fine_tuning_in_cpp(self):
        """What examples/finetune writes, the program and transformers open."""
        directory, _, _ = self.bert("for_the_example", tf.BertModel)
        file = self.folder / "example.tsv"
        file.write_text("label\ttext\n" + "plus\tgood film\nminus\tbad film\n" * 8)
        done = subprocess.run([FINETUNE, directory, file, file, self.folder / "from_cpp"],
                              capture_output=True, text=True)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^accuracy [01.]")
        model = tf.AutoModelForSequenceClassification.from_pretrained(self.folder / "from_cpp").eval()
        tokenizer = tf.AutoTokenizer.from_pretrained(self.folder / "from_cpp")
        answer = self.predicted(self.folder / "from_cpp", TEXTS[:1])[0]
        self.close(list(answer["probabilities"].values()),
                   self.expected(model, tokenizer, TEXTS[0]).softmax(-1))

    def test_refusals(self):
        directory, _, _ = self.bert("masked", tf.BertForMaskedLM)
        labelled = self.folder / "refused.tsv"
        labelled.write_text("good\ta film\n")
        done = heed("eval", directory, labelled, code=2)
        self.assertIn("a masked language model has nothing to measure", done.stderr)
        classifier, _, _ = self.model()
        done = heed("fill", classifier, text="x\n", code=65)
        self.assertIn("field 'architectures': expected a model for one of masked language model, "
                      "found one for sequence classification", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)
        done = heed("train", "classify", "--from", directory, "--train", "x", "--out", "y",
                    "--num-layers", 3, code=2)  # fmt: skip
        self.assertIn("--num-layers: has no meaning with --from", done.stderr)
        directory, _, _ = self.model("regression", problem_type="regression")
        self.assertIn("problem_type", heed("predict", directory, text="x\n", code=65).stderr)
        shutil.copytree(directory, self.folder / "unknown")
        config = json.loads((directory / "config.json").read_text()) | {"model_type": "rwkv"}
        (self.folder / "unknown" / "config.json").write_text(json.dumps(config))
        done = heed("predict", self.folder / "unknown", text="x\n", code=65)
        self.assertIn("albert, bart, bert", done.stderr)
        # Trap 9: without a model_type, and of a class that is not there.
        (self.folder / "unknown" / "config.json").write_text(json.dumps(
            config | {"model_type": None, "architectures": ["NobodyForSequenceClassification"]}))
        done = heed("predict", self.folder / "unknown", text="x\n", code=65)
        self.assertRegex(done.stderr, "^heed: .*config.json: field 'model_type' is missing, .* write it there, one of "
                                      "albert, bart, bert.*\n$")  # fmt: skip
        (self.folder / "unknown" / "config.json").write_text(json.dumps(
            config | {"model_type": "bert", "architectures": ["BertLMHeadModel"]}))
        done = heed("predict", self.folder / "unknown", text="x\n", code=65)
        self.assertIn("field 'architectures': expected one of BertModel, BertForMaskedLM", done.stderr)


class Tokens(Published):
    def test_entities(self):
        labels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
        directory, model, tokenizer = self.bert("ner", tf.BertForTokenClassification,
                                                id2label=dict(enumerate(labels)))
        texts = ["Anna Cook visits Rome", "Tim said zzzyx", "Paris"]
        for text, answer in zip(texts, self.predicted(directory, texts)):
            batch = tokenizer(text.split(), is_split_into_words=True, return_tensors="pt")
            with torch.no_grad():
                scores = model(**batch).logits[0].log_softmax(-1)
            words = batch.word_ids()
            first = [words.index(i) for i in range(len(text.split()))]
            self.assertEqual(answer["tokens"], text.split())
            self.assertEqual(answer["tags"], self.best_tags(scores[first], labels))

    def test_aggregation_strategies(self):
        """Trap 21: what the package's own pipeline gives, of pieces with and without a prefix."""
        labels = dict(enumerate(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "S-X"]))
        lines = ["Anna Cook visits Rome", "Tim said zzzyx, not bad", "Anna's film is über!", "Paris",
                 "who   visits(Rome)and Paris?", "x"]
        bert = self.bert("pieces", tf.BertForTokenClassification, id2label=labels)
        bpe = wrapped(byte_tokenizer(), bos_token="<s>", eos_token="</s>")
        torch.manual_seed(7)
        model = shaken(tf.GPT2ForTokenClassification(tf.GPT2Config(
            vocab_size=len(bpe), n_positions=64, n_embd=32, n_layer=2, n_head=4, id2label=labels)), 0.3)
        gpt2 = (self.saved("bytes", model, bpe), model, bpe)
        several = 0
        for directory, model, tokenizer in (bert, gpt2):
            for strategy in ("none", "simple", "first", "average", "max"):
                pipeline = tf.pipeline("token-classification", model=model, tokenizer=tokenizer,
                                       aggregation_strategy=strategy)
                answers = self.predicted(directory, lines, "--aggregation-strategy", strategy)
                for line, answer in zip(lines, answers):
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        expected = pipeline(line)
                    found = [(each["type"], each["begin"], each["end"]) for each in answer["entities"]]
                    self.assertEqual(found, [(each.get("entity_group", each.get("entity")), each["start"],
                                              each["end"]) for each in expected], (strategy, line))  # fmt: skip
                    self.close([each["probability"] for each in answer["entities"]],
                               [float(each["score"]) for each in expected])
                    self.assertTrue(all(line[each["begin"]:each["end"]] == each["text"]
                                        for each in answer["entities"]))  # fmt: skip
                    several += len(found) > 1
        self.assertGreater(several, 10)
        done = heed("predict", bert[0], "--aggregation-strategy", "last", text="x\n", code=2)
        self.assertIn("--aggregation-strategy", done.stderr)

    def best_tags(self, scores, labels):
        """The likeliest that BIO allows."""
        def allowed(before, tag):
            return tag[0] != "I" or before[1:] == tag[1:] and before != "O"

        paths = {tag: (float(scores[0][i]), [tag]) for i, tag in enumerate(labels) if tag[0] != "I"}
        for row in scores[1:]:
            paths = {tag: max((score + float(row[i]), tags + [tag])
                              for before, (score, tags) in paths.items() if allowed(before, tag))
                     for i, tag in enumerate(labels)
                     if any(allowed(before, tag) for before in paths)}  # fmt: skip
        return max(paths.values())[1]

    def test_labels_that_are_types(self):
        labels = ["NOUN", "VERB", "ADJ"]
        directory, model, tokenizer = self.bert("pos", tf.BertForTokenClassification,
                                                id2label=dict(enumerate(labels)))
        text = "the man eats food"
        batch = tokenizer(text.split(), is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            best = model(**batch).logits[0].argmax(-1)[1:-1].tolist()
        self.assertEqual(self.predicted(directory, [text])[0]["tags"],
                         ["I-" + labels[i] for i in best])

    def test_answers(self):
        directory, model, tokenizer = self.bert("qa", tf.BertForQuestionAnswering)
        context, question = "Anna visits Rome in one film of Tim Cook", "who visits Paris"
        answer = self.predicted(directory, [f"{context}\t{question}"])[0]
        batch = tokenizer(question, context, return_tensors="pt", return_offsets_mapping=True)
        offsets = batch.pop("offset_mapping")[0]
        with torch.no_grad():
            out = model(**batch)
        inside = [i for i, s in enumerate(batch.sequence_ids()) if s == 1]
        spans = [(float(out.start_logits[0, i] + out.end_logits[0, j]), i, j)
                 for i in inside for j in inside if i <= j < i + 30]  # fmt: skip
        score, i, j = max(spans)
        self.assertEqual(answer["answer"], context[offsets[i][0]:offsets[j][1]])
        total = torch.tensor([s[0] for s in spans]).double().logsumexp(0)
        self.close(answer["probability"], float((score - total).exp()))


if __name__ == "__main__":
    unittest.main()
