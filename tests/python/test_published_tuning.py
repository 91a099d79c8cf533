"""Fine-tuning of published models: tiny ones of the `transformers` package, trained by the program, saved,
opened again by `transformers`; losses of 50 steps against a loop in PyTorch.

Usage: test_published_tuning.py HEED_PROGRAM
"""

import json
import re
import os
import sys
import unittest

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import torch
    import transformers as tf
    from safetensors.torch import load_file
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from program import heed
from published_directories import TEXTS, picture_of
from published_tuning import LABELS, LR, NO_DROPOUT, PAIRS, ROWS, SENTENCES, STEPS, TAGS, TRIPLETS, HeedsOrder, Tuning


class LearningCurves(Tuning):
    """Hugging Face's Trainer without its shuffling: AdamW, gradients clipped at 1, a rate that falls
    to 0; the same data, of which a batch holds all."""

    def curve(self, model, loss, parameters=None):
        optimizer = torch.optim.AdamW(parameters or model.parameters(), lr=LR, weight_decay=0.01)
        schedule = tf.get_linear_schedule_with_warmup(optimizer, 0, STEPS)
        losses = []
        model.train()
        for _ in range(STEPS):
            optimizer.zero_grad()
            value = loss()
            value.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(value.item())
        return losses

    def logged(self, out):
        rows = map(json.loads, (self.folder / f"{out}.run" / "log.jsonl").read_text().splitlines())
        return [row["loss"] for row in rows if row["event"] == "step"]

    def compare(self, out, expected):
        found = self.logged(out)
        self.assertEqual(len(found), STEPS)
        self.assertLess(expected[-1], 0.7 * expected[0])
        worst = max(abs(a - b) for a, b in zip(found, expected))
        self.assertLess(worst, 1e-4)

    def test_classify(self):
        directory, model, tokenizer = self.classifier("curve")
        self.trained("classify", directory, "curve_out", *self.whole(self.labelled()))
        batch = tokenizer([text for _, text in ROWS], return_tensors="pt", padding=True)
        wanted = torch.tensor([int(label == "plus") for label, _ in ROWS])
        self.compare("curve_out", self.curve(model, lambda: model(**batch, labels=wanted).loss))

    def test_trainer(self):
        """Hugging Face's Trainer itself, by its usual settings, over batches of two in Heed's order, which a seed
        draws anew for each epoch."""
        directory, model, tokenizer = self.classifier("trainer")
        file = self.labelled()
        seed = 7
        self.trained("classify", directory, "trainer_out", "--train", file, "--valid", file, "--batch-size", 2,
                     "--max-steps", STEPS, "--epochs", STEPS, "--eval-steps", STEPS, "--lr", LR, "--warmup-ratio", 0,
                     "--lr-scheduler", "linear", "--weight-decay", 0, "--logging-steps", 1, "--patience", 0, "--seed",
                     seed)  # fmt: skip
        examples = [tokenizer(text) | {"labels": int(label == "plus")} for label, text in ROWS]
        order = HeedsOrder([len(each["input_ids"]) for each in examples], 2, seed)
        losses = []

        class Recording(tf.Trainer):
            def get_train_dataloader(self):
                return torch.utils.data.DataLoader(self.train_dataset, batch_sampler=order,
                                                   collate_fn=self.data_collator)  # fmt: skip

            def compute_loss(self, *arguments, **more):
                loss = super().compute_loss(*arguments, **more)
                losses.append(loss.item())
                return loss

        Recording(model, tf.TrainingArguments(
            self.folder / "trainer", max_steps=STEPS, learning_rate=LR, lr_scheduler_type="linear", seed=seed,
            use_cpu=True, report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True),
            data_collator=tf.DataCollatorWithPadding(tokenizer), train_dataset=examples).train()  # fmt: skip
        found = self.logged("trainer_out")
        self.assertEqual((len(found), len(losses)), (STEPS, STEPS))
        self.assertLess(sum(losses[-8:]), 0.7 * sum(losses[:8]))
        self.assertLess(max(abs(a - b) for a, b in zip(found, losses)), 1e-4)

    def test_class_weights(self):
        """examples / (classes · examples of the class)."""
        directory, model, tokenizer = self.classifier("curve_weights")
        rows = [*ROWS, ("plus", "Rome is great"), ("plus", "good one")]
        file = self.file("uneven.tsv", "".join(f"{label}\t{text}\n" for label, text in rows))
        self.trained("classify", directory, "curve_weights_out", *self.whole(file), "--class-weight", "balanced")
        batch = tokenizer([text for _, text in rows], return_tensors="pt", padding=True)
        wanted = torch.tensor([int(label == "plus") for label, _ in rows])
        weights = len(rows) / (2 * torch.bincount(wanted))
        self.compare("curve_weights_out", self.curve(model, lambda: torch.nn.functional.cross_entropy(
            model(**batch).logits, wanted, weights)))  # fmt: skip

    def test_ner(self):
        directory, model, tokenizer = self.classifier(
            "curve_ner", tf.BertForTokenClassification, id2label=dict(enumerate(TAGS)))
        self.trained("ner", directory, "curve_ner_out", *self.whole(self.conll()))
        batch = tokenizer([words for words, _ in SENTENCES], is_split_into_words=True,
                          return_tensors="pt", padding=True)  # fmt: skip
        wanted = torch.full(batch.input_ids.shape, -100)
        for row, (words, tags) in enumerate(SENTENCES):
            places = batch.word_ids(row)
            for word, tag in enumerate(tags):
                wanted[row, places.index(word)] = tag
        self.compare("curve_ner_out", self.curve(model, lambda: model(**batch, labels=wanted).loss))
        again, _ = self.opened(tf.AutoModelForTokenClassification, self.folder / "curve_ner_out")
        self.assertEqual(again.config.id2label, dict(enumerate(TAGS)))
        said = json.loads(heed("attend", self.folder / "curve_ner_out", "Anna zz", "--json", code=0).stdout)
        self.assertEqual(said["tokens"], ["[CLS]", "Anna", "z", "##z", "[SEP]"])

    def test_lm(self):
        """A text that is read as one piece, its last token being the end of the line: all of the file."""
        directory, model, tokenizer = self.gpt2("curve_lm", resid_pdrop=0.0, attn_pdrop=0.0,
                                                embd_pdrop=0.0)  # fmt: skip
        text = "the film is the good food\n"
        self.trained("lm", directory, "curve_lm_out", *self.whole(self.file("text.txt", text)),
                     "--weight-decay", 0.01, "--beta2", 0.999)  # fmt: skip
        ids = tokenizer(text, return_tensors="pt").input_ids
        self.assertEqual(tokenizer.convert_ids_to_tokens(int(ids[0, -1])), "Ċ")
        self.compare("curve_lm_out", self.curve(model, lambda: model(ids, labels=ids).loss))
        again, _ = self.opened(tf.AutoModelForCausalLM, self.folder / "curve_lm_out")
        line = tokenizer(text.rstrip("\n"), return_tensors="pt").input_ids  # as predict reads it
        with torch.no_grad():
            expected = float(again(line, labels=line).loss.exp())
        said = self.predicted(self.folder / "curve_lm_out", [text.rstrip("\n")])[0]
        self.close(said["perplexity"] / expected, 1.0, 1e-4)

    def test_seq2seq(self):
        model, tokenizer = self.bart_model(dropout=0.0)
        directory = self.saved("curve_bart", model, tokenizer)
        file = self.file("pairs.tsv", "source\ttarget\n" + "".join("\t".join(pair) + "\n" for pair in PAIRS))
        self.trained("seq2seq", directory, "curve_bart_out", *self.whole(file), "--label-smoothing", 0)
        batch = tokenizer([source for source, _ in PAIRS], return_tensors="pt", padding=True)
        targets = tokenizer([target for _, target in PAIRS], return_tensors="pt", padding=True)
        wanted = targets.input_ids.masked_fill(targets.attention_mask == 0, -100)
        batch.pop("token_type_ids", None)
        self.compare("curve_bart_out", self.curve(model, lambda: model(**batch, labels=wanted).loss))
        again, _ = self.opened(tf.AutoModelForSeq2SeqLM, self.folder / "curve_bart_out")
        for (source, _), answer in zip(PAIRS, self.predicted(
                self.folder / "curve_bart_out", [source for source, _ in PAIRS], "--num-beams", 1)):
            with torch.no_grad():
                ids = again.generate(**tokenizer(source, return_tensors="pt"), max_new_tokens=30,
                                     num_beams=1)[0, 1:].tolist()  # fmt: skip
            expected = tokenizer.convert_ids_to_tokens([i for i in ids if i != 2])
            self.assertEqual(answer["tokens"][:len(expected)], expected)

    def test_image(self):
        from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

        labels = ["zebra", "ant", "bee"]  # in the model's order, not the data's
        directory, model = self.vit("curve_vit", dict(enumerate(labels)))
        processor = ViTImageProcessorPil(size={"height": 16, "width": 16}, image_mean=[0.4, 0.5, 0.6])
        processor.save_pretrained(directory)
        pictures = [picture_of(seed, 30, 20) for seed in range(9)]
        for i, picture in enumerate(pictures):
            picture.save(self.folder / f"curve{i}.png")
        file = self.file("pictures.csv", "file,label\n" + "".join(
            f"curve{i}.png,{labels[i % 3]}\n" for i in range(len(pictures))))
        self.trained("image", directory, "curve_vit_out", *self.whole(file), "--max-shift", 0, "--max-rotation", 0,
                     "--max-scale", 0)  # fmt: skip
        pixels = processor(images=pictures, return_tensors="pt").pixel_values
        wanted = torch.arange(len(pictures)) % 3
        self.compare("curve_vit_out", self.curve(model, lambda: model(pixels, labels=wanted).loss))
        again, said = tf.ViTForImageClassification.from_pretrained(
            self.folder / "curve_vit_out", output_loading_info=True)
        self.assertFalse(said["missing_keys"] or said["unexpected_keys"] or said["mismatched_keys"])
        self.assertEqual(again.config.id2label, dict(enumerate(labels)))
        self.assertTrue((self.folder / "curve_vit_out" / "preprocessor_config.json").exists())

    def test_embed(self):
        """MultipleNegativesRankingLoss: cosines times 20, all positives and negatives of the batch."""
        directory, model, tokenizer = self.bert("curve_embed", tf.BertModel, add_pooling_layer=False,
                                                **NO_DROPOUT)  # fmt: skip
        file = self.file("triplets.tsv", "".join("\t".join(row) + "\n" for row in TRIPLETS))
        self.trained("embed", directory, "curve_embed_out", *self.whole(file))

        def vectors(column):
            batch = tokenizer([row[column] for row in TRIPLETS], return_tensors="pt", padding=True)
            states = model(**batch).last_hidden_state
            mask = batch.attention_mask.unsqueeze(-1)
            return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)

        def loss():
            scores = 20 * vectors(0) @ torch.cat([vectors(1), vectors(2)]).T
            return torch.nn.functional.cross_entropy(scores, torch.arange(len(TRIPLETS)))

        self.compare("curve_embed_out", self.curve(model, loss))
        out = self.folder / "curve_embed_out"
        modules = [each["type"].split(".")[-1] for each in json.loads((out / "modules.json").read_text())]
        self.assertEqual(modules, ["Transformer", "Pooling"])
        self.assertTrue(json.loads((out / "1_Pooling/config.json").read_text())["pooling_mode_mean_tokens"])
        model, tokenizer = self.opened(tf.AutoModel, out)
        done = heed("embed", out, text=TEXTS[0] + "\n", code=0)
        with torch.no_grad():
            expected = model(**tokenizer(TEXTS[0], return_tensors="pt")).last_hidden_state[0].mean(0)
        self.close(json.loads(done.stdout)["vector"], expected)


    def decoder_head(self, name, model, tokenizer):
        """A head that reads the decoder, which reads the source too."""
        directory = self.saved(name, model, tokenizer)
        self.trained("classify", directory, f"{name}_out", *self.whole(self.labelled()))
        batch = tokenizer([text for _, text in ROWS], return_tensors="pt", padding=True)
        batch.pop("token_type_ids", None)
        wanted = torch.tensor([int(label == "plus") for label, _ in ROWS])
        self.compare(f"{name}_out", self.curve(model, lambda: model(**batch, labels=wanted).loss))
        out = self.folder / f"{name}_out"
        again, tokenizer = self.opened(tf.AutoModelForSequenceClassification, out)
        with torch.no_grad():
            expected = again(**batch).logits.softmax(-1)
        for row, answer in zip(expected, self.predicted(out, [text for _, text in ROWS])):
            self.close(list(answer["probabilities"].values()), row)
        self.same_attention(out, again, tokenizer)
        page = self.folder / f"{name}.html"  # with the gradients of the answer, which the decoder hands on
        heed("attend", out, ROWS[0][1], "--out", page, code=0)
        self.assertRegex(page.read_text("utf-8"), r'"gradient": ?true')

    def same_attention(self, directory, model, tokenizer):
        """Of the source with itself: the encoder's layers, and none of the decoder's."""
        ids = tokenizer(ROWS[2][1], return_tensors="pt").input_ids
        model.set_attn_implementation("eager")
        with torch.no_grad():
            expected = model(input_ids=ids, output_attentions=True).encoder_attentions
        said = json.loads(heed("attend", directory, ROWS[2][1], "--json", code=0).stdout)
        self.assertEqual(len(said["tokens"]), ids.shape[1])
        self.assertEqual([(each["layer"] - 1, each["head"] - 1) for each in said["attention"]],
                         [(layer, head) for layer in range(len(expected)) for head in range(expected[0].shape[1])])
        for each in said["attention"]:
            wanted = expected[each["layer"] - 1][0, each["head"] - 1]
            self.assertLess((torch.tensor(each["weights"]) - wanted).abs().max().item(), 1e-5)

    def test_bart_classifier(self):
        model, tokenizer = self.bart_model(tf.BartForSequenceClassification, dropout=0.0, id2label=LABELS)
        self.decoder_head("curve_bart_classes", model, tokenizer)

    def test_bart_features(self):
        model, tokenizer = self.bart_model(tf.BartModel, dropout=0.0)
        self.same_attention(self.saved("bart_features", model, tokenizer), model, tokenizer)

    def test_t5_classifier(self):
        model, tokenizer = self.t5_model(tf.T5ForSequenceClassification, id2label=LABELS)
        self.decoder_head("curve_t5_classes", model, tokenizer)


class Heads(Tuning):
    """A head that is new, on a model of another class."""

    def test_ner(self):
        directory, _, _ = self.bert("ner_base", tf.BertForMaskedLM)
        done = self.trained("ner", directory, "ner_out", "--train", self.conll(), "--valid", self.conll(),
                            "--epochs", 40, "--lr", "5e-3", "--patience", 0, "--json")  # fmt: skip
        self.assertIn("new: classifier.weight, classifier.bias; left out: cls.predictions.bias, ", done.stderr)
        self.assertEqual(json.loads(done.stdout)["f1"], 1)
        model, tokenizer = self.opened(tf.AutoModelForTokenClassification, self.folder / "ner_out")
        self.assertEqual(sorted(model.config.id2label.values()), sorted(TAGS))
        batch = tokenizer(SENTENCES[0][0], is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            best = model(**batch).logits[0].argmax(-1)
        first = [batch.word_ids().index(i) for i in range(len(SENTENCES[0][0]))]
        self.assertEqual([model.config.id2label[int(best[i])] for i in first],
                         [TAGS[tag] for tag in SENTENCES[0][1]])

    def test_qa(self):
        directory, _, _ = self.bert("qa_base", tf.BertModel)
        questions = [("Anna visits Rome in one film", "who visits", "Anna", 0),
                     ("Tim Cook said not very good", "who said", "Tim Cook", 0),
                     ("the man eats food of Paris", "what eats", "food", 13)]  # fmt: skip
        document = {"data": [{"paragraphs": [
            {"context": context, "qas": [{"id": str(i), "question": question, "answers": [
                {"text": text, "answer_start": start}]}]}
            for i, (context, question, text, start) in enumerate(questions)]}]}  # fmt: skip
        file = self.file("squad.json", json.dumps(document))
        done = self.trained("qa", directory, "qa_out", "--train", file, "--valid", file, "--epochs", 40,
                            "--lr", "5e-3", "--max-length", 32, "--json")  # fmt: skip
        self.assertIn("new: qa_outputs.weight, qa_outputs.bias", done.stderr)
        self.assertEqual(json.loads(done.stdout)["exact_match"], 1)
        out = self.folder / "qa_out"
        model, tokenizer = self.opened(tf.AutoModelForQuestionAnswering, out)
        for context, question, text, _ in questions:
            answer = self.predicted(out, [f"{context}\t{question}"])[0]
            self.assertEqual(answer["answer"], text)
            batch = tokenizer(question, context, return_tensors="pt", return_offsets_mapping=True)
            offsets = batch.pop("offset_mapping")[0]
            with torch.no_grad():
                found = model(**batch)
            first, last = int(found.start_logits.argmax()), int(found.end_logits.argmax())
            self.assertEqual(context[offsets[first][0]:offsets[last][1]], text)
        stories = self.file("qa1.txt", "1 Mary went home.\n2 Where is Mary? \thome\t1\n")
        done = self.trained("qa", directory, "x", "--train", stories, "--format", "babi", code=2)
        self.assertIn("answers are spans", done.stderr)

    def test_marian(self):
        """What is saved is complete with one vocabulary for both sides and with one for each."""
        file = self.file("shouted.tsv", "source\ttarget\n" + "".join(
            f"{text}\t{text.upper()}\n" for text in TEXTS))  # fmt: skip
        for separate in (False, True):
            directory, _, _ = self.marian(f"marian_{separate}", separate)
            out = self.folder / f"marian_{separate}_out"
            self.trained("seq2seq", directory, out, "--train", file, "--valid", file, "--epochs", 2,
                         "--lr", "1e-2")  # fmt: skip
            model, tokenizer = self.opened(tf.MarianMTModel, out)
            for text, answer in zip(TEXTS, self.predicted(out, TEXTS, "--num-beams", 1,
                                                          "--max-new-tokens", 12)):  # fmt: skip
                with torch.no_grad():
                    ids = model.generate(**tokenizer(text, return_tensors="pt"), max_new_tokens=12,
                                         num_beams=1)[0, 1:].tolist()  # fmt: skip
                expected = [i for i in ids if i != tokenizer.eos_token_id]
                self.assertEqual(answer["tokens"], tokenizer.convert_ids_to_tokens(expected))

    def test_embed(self):
        """Judged pairs: Spearman; others: nDCG. modules.json and its folders stay."""
        directory, model, tokenizer = self.bert("embed_base", tf.BertModel)
        kinds = ["Transformer", "Pooling", "Dense"]
        (directory / "modules.json").write_text(json.dumps([
            {"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "",
             "type": "sentence_transformers.models." + kind} for i, kind in enumerate(kinds)]))
        for folder in ("1_Pooling", "2_Dense"):
            (directory / folder).mkdir()
        (directory / "1_Pooling" / "config.json").write_text(json.dumps(
            {"word_embedding_dimension": 32, "pooling_mode_cls_token": True}))
        torch.save({"linear.weight": torch.randn(7, 32)}, directory / "2_Dense" / "pytorch_model.bin")
        (directory / "2_Dense" / "config.json").write_text(json.dumps(
            {"in_features": 32, "out_features": 7, "bias": False,
             "activation_function": "torch.nn.modules.activation.Tanh"}))
        train = self.file("more.tsv", "".join("\t".join(row) + "\n" for row in TRIPLETS))
        judged = self.file("judged.jsonl", "".join(json.dumps(
            {"sentence1": row[0], "sentence2": row[i], "score": score}) + "\n"
            for row in TRIPLETS for i, score in ((1, 4.5), (2, 0.5))))  # fmt: skip
        done = self.trained("embed", directory, "embed_out", "--train", train, "--valid", judged,
                            "--epochs", 60, "--lr", "3e-3", "--json")  # fmt: skip
        out = self.folder / "embed_out"
        self.assertEqual(sorted(path.name for path in out.iterdir() if path.is_dir()),
                         ["1_Pooling", "2_Dense"])
        self.assertEqual([path.name for path in (out / "2_Dense").iterdir() if path.suffix != ".json"],
                         ["model.safetensors"])
        report = (self.folder / "embed_out.run" / "report.html").read_text("utf-8")
        self.assertEqual(len(re.findall(r"<p>What is right: [04]\.5, as judged</p>\s*<p>→ cosine -?[01]\.\d{4}</p>",
                                        report)), 3)  # fmt: skip
        said = json.loads(heed("eval", out, judged, "--json", code=0).stdout)
        self.assertAlmostEqual(said["spearman"], json.loads(done.stdout)["spearman"], 6)
        self.assertGreater(said["spearman"], 0.5)
        said = json.loads(heed("eval", out, train, "--json", code=0).stdout)
        self.assertEqual(said["examples"], len(TRIPLETS))
        long = self.file("long.jsonl", "".join(json.dumps(
            {"sentence1": TRIPLETS[0][0] * size, "sentence2": TRIPLETS[0][1], "score": 1 if size == 1 else 2}) + "\n"
            for size in (1, 600)))  # fmt: skip
        self.assertIn("1 of 4 texts have more than ", heed("eval", out, long, code=0).stderr)
        vectors = {}
        for line in heed("embed", out, text="".join("\n".join(row) + "\n" for row in TRIPLETS),
                         code=0).stdout.splitlines():  # fmt: skip
            row = json.loads(line)
            vectors[row["text"]] = torch.nn.functional.normalize(torch.tensor(row["vector"]), dim=0)
        gains = 0.0
        for query, wanted, _ in TRIPLETS:
            documents = [row[i] for row in TRIPLETS for i in (1, 2)]
            documents.sort(key=lambda text: -float(vectors[query] @ vectors[text]))
            place = documents.index(wanted)
            gains += 1 / torch.tensor(place + 2.0).log2().item() if place < 10 else 0
        self.assertAlmostEqual(said["ndcg@10"], gains / len(TRIPLETS), 5)
        done = self.trained("embed", directory, "x", "--train", judged, "--valid", judged, code=2)
        self.assertIn("pairs with scores", done.stderr)
        # Resuming on other data is refused, as test_other_data.py shows of the other tasks.
        def resumed(epochs, code):
            return self.trained("embed", directory, "embed_out", "--train", train, "--valid", judged,
                                "--epochs", epochs, "--lr", "3e-3", "--resume", code=code).stderr  # fmt: skip

        for file, old, new, what in ((train, "dull film", "dull Rome", "training data"),
                                     (judged, "4.5", "4.0", "validation data")):  # fmt: skip
            text = file.read_text("utf-8")
            file.write_text(text.replace(old, new, 1), encoding="utf-8")
            self.assertIn(f"other contents of the {what}", resumed(61, 2))
            file.write_text(text, encoding="utf-8")
        resumed(61, 0)

    def test_sentence_transformer_becomes_a_classifier(self):
        directory, _, _ = self.bert("with_modules", tf.BertModel)
        (directory / "modules.json").write_text(json.dumps(
            [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
             {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]))
        (directory / "1_Pooling").mkdir()
        (directory / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
        for _ in range(2):  # what was saved may be replaced
            self.trained("classify", directory, "kept", "--train", self.labelled(), "--valid",
                         self.labelled(), "--epochs", 2, "--overwrite")  # fmt: skip
        for name in ("modules.json", "1_Pooling/config.json", "tokenizer.json", "tokenizer_config.json"):
            self.assertEqual((self.folder / "kept" / name).read_text(), (directory / name).read_text())


class WhatLearns(Tuning):
    def tensors(self, directory):
        return load_file(directory / "model.safetensors")

    def run_of(self, out, directory, *options):
        epochs = [] if "--epochs" in options else ["--epochs", 2]
        self.trained("classify", directory, out, "--train", self.labelled(), "--valid", self.labelled(),
                     "--lr", "1e-2", *epochs, *options)  # fmt: skip
        return self.tensors(self.folder / out)

    def changed(self, before, after):
        return {name for name in before if not torch.equal(before[name], after[name])}

    def test_frozen_layers(self):
        directory, _, _ = self.classifier("to_freeze")
        before = self.tensors(directory)
        changed = self.changed(before, self.run_of("frozen", directory, "--freeze-layers", 1))
        self.assertFalse([name for name in changed if "embeddings" in name or "layer.0." in name])
        self.assertTrue(any("layer.1." in name for name in changed))
        changed = self.changed(before, self.run_of("frozen_embeddings", directory,
                                                   "--freeze-embeddings", "true"))  # fmt: skip
        self.assertFalse([name for name in changed if "embeddings" in name])
        self.assertTrue(any("layer.0." in name for name in changed))
        done = self.trained("classify", directory, "x", "--train", self.labelled(), "--valid",
                            self.labelled(), "--freeze-layers", 3, code=2)  # fmt: skip
        self.assertIn("freeze-layers: expected at most 2", done.stderr)
        done = heed("train", "classify", "--train", "x", "--out", "y", "--lora-r", 3, code=2)
        self.assertIn("--lora-r: has a meaning with --from alone", done.stderr)

    def test_layer_rates(self):
        """The step of AdamW is nearly the rate, whatever the gradient."""
        directory, _, _ = self.classifier("for_rates")
        before = self.tensors(directory)
        after = self.run_of("rates", directory, "--layer-lr-decay", 0.5, "--max-steps", 1,
                            "--weight-decay", 0, "--warmup-ratio", 0)  # fmt: skip
        for part, rate in (("classifier.weight", 1e-2), ("layer.1.output.dense.weight", 5e-3),
                           ("layer.0.output.dense.weight", 2.5e-3),
                           ("position_embeddings.weight", 1.25e-3)):  # fmt: skip
            name = next(name for name in before if name.endswith(part))
            step = (after[name] - before[name]).abs().max().item()
            self.assertAlmostEqual(step / rate, 1, 2, part)

    def test_resumed(self):
        """Bit by bit what comes in one go."""
        directory, _, _ = self.classifier("to_resume", hidden_dropout_prob=0.1)
        options = ["--batch-size", 3, "--lr-scheduler", "constant", "--warmup-steps", 2]
        whole = self.run_of("in_one_go", directory, *options, "--epochs", 4)
        self.run_of("in_two", directory, *options)
        self.assertFalse(self.changed(whole, self.run_of("in_two", directory, *options, "--epochs", 4, "--resume")))

    def test_resumed_with_class_weights_and_other_tasks(self):
        """The same of a classifier whose classes weigh differently, of tags, of a language model and of pairs."""
        rows = [*ROWS, ("plus", "Rome is great"), ("plus", "good one")]
        uneven = self.file("uneven.tsv", "".join(f"{label}\t{text}\n" for label, text in rows))
        pairs = self.file("some.tsv", "source\ttarget\n" + "".join("\t".join(pair) + "\n" for pair in PAIRS))
        text = self.file("text.txt", "the film is the good food\n" * 6)
        dropout = dict(hidden_dropout_prob=0.1)
        gpt2, _, _ = self.gpt2("gpt2_to_resume", resid_pdrop=0.1)
        bart, tokenizer = self.bart_model(dropout=0.1)
        for task, directory, file, more in (
                ("classify", self.classifier("weights_to_resume", **dropout)[0], uneven, ["--class-weight", "balanced"]),
                ("ner", self.bert("ner_to_resume", tf.BertModel, **dropout)[0], self.conll(), []),
                ("lm", gpt2, text, []), ("seq2seq", self.saved("bart_to_resume", bart, tokenizer), pairs, [])):
            with self.subTest(task):
                options = ["--train", file, "--valid", file, "--batch-size", 3, "--lr", "1e-2", "--lr-scheduler",
                           "constant", "--warmup-steps", 1, *more]
                self.trained(task, directory, f"{task}_in_one", *options, "--epochs", 3)
                self.trained(task, directory, f"{task}_in_two", *options, "--epochs", 1)
                begun = self.tensors(self.folder / f"{task}_in_two")
                self.trained(task, directory, f"{task}_in_two", *options, "--epochs", 3, "--resume")
                whole, resumed = (self.tensors(self.folder / f"{task}_in_{name}") for name in ("one", "two"))
                self.assertFalse(self.changed(whole, resumed))
                self.assertTrue(self.changed(begun, resumed))

    def test_gradient_checkpointing(self):
        """Bit by bit what comes without it, dropout included; with an encoder-decoder as well."""
        directory, _, _ = self.classifier("to_checkpoint", hidden_dropout_prob=0.2,
                                          attention_probs_dropout_prob=0.1)  # fmt: skip
        plain = self.run_of("plain", directory)
        again = self.run_of("again", directory, "--gradient-checkpointing", "true")
        self.assertFalse(self.changed(plain, again))
        model, tokenizer = self.bart_model(dropout=0.1)
        directory = self.saved("bart_to_checkpoint", model, tokenizer)
        file = self.file("some.tsv", "source\ttarget\n" + "".join("\t".join(pair) + "\n" for pair in PAIRS))
        found = []
        for wanted in ("false", "true"):
            self.trained("seq2seq", directory, f"bart_{wanted}", "--train", file, "--valid", file,
                         "--epochs", 2, "--gradient-checkpointing", wanted)  # fmt: skip
            found.append(self.tensors(self.folder / f"bart_{wanted}"))
        for name in self.changed(*found):  # sums in another order where layers share a memory
            self.close(found[0][name], found[1][name], 1e-6)


if __name__ == "__main__":
    unittest.main()
