"""Adapters of published models: LoRA and DoRA trained by the program and opened by `peft`, and what `peft` wrote.

Usage: test_published_adapters.py HEED_PROGRAM
"""

import json
import os
import shutil
import sys
import unittest

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import peft
    import torch
    import transformers as tf
    from safetensors.torch import load_file
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from program import heed
from published_tuning import LABELS, NO_DROPOUT, Tuning


class Adapters(Tuning):
    def adapter(self, out, directory, *options):
        return self.trained("classify", directory, out, "--train", self.labelled(), "--valid",
                            self.labelled(), "--epochs", 15, "--lr", "1e-2", "--lora-r", 4, *options)

    def opened_by_peft(self, directory, out):
        base = tf.AutoModelForSequenceClassification.from_pretrained(directory, id2label=LABELS)
        return peft.PeftModel.from_pretrained(base, out).eval(), tf.AutoTokenizer.from_pretrained(out)

    def test_written_and_read(self):
        directory, _, _ = self.bert("adapted", tf.BertModel, **NO_DROPOUT)
        for name, options in (("lora", []), ("dora", ["--use-dora", "true", "--lora-dropout", 0.1]),
                              ("dense", ["--target-modules", "query,dense", "--lora-alpha", 3]),
                              ("linear", ["--target-modules", "all-linear"])):  # fmt: skip
            with self.subTest(name):
                done = self.adapter(name, directory, *options)
                self.assertRegex(done.stderr, r"; \d+ of \d+ parameters learn")
                out = self.folder / name
                self.assertFalse((out / "model.safetensors").exists())
                self.same_answers(out, *self.opened_by_peft(directory, out))
                heed("merge", out, "--out", self.folder / f"{name}_merged", code=0)
                self.same_answers(out, *self.opened(tf.AutoModelForSequenceClassification,
                                                    self.folder / f"{name}_merged"))  # fmt: skip
        config = json.loads((self.folder / "lora" / "adapter_config.json").read_text())
        self.assertEqual(config["target_modules"], ["query", "value"])
        self.assertEqual(heed("eval", self.folder / "lora", self.labelled(), "--json", code=0).stdout[:1], "{")

    def test_saved_merged(self):
        directory, _, _ = self.bert("to_merge", tf.BertModel, **NO_DROPOUT)
        self.adapter("merged", directory, "--merge-adapter", "true")
        self.same_answers(self.folder / "merged", *self.opened(
            tf.AutoModelForSequenceClassification, self.folder / "merged"))  # fmt: skip

    def test_only_the_adapter_learns_and_goes_on(self):
        directory, _, _ = self.classifier("base_of_more")
        self.adapter("first", directory)
        first = load_file(self.folder / "first" / "adapter_model.safetensors")
        self.assertFalse([name for name in first if "lora_" not in name and "classifier" not in name])
        self.trained("classify", self.folder / "first", "second", "--train", self.labelled(), "--valid",
                     self.labelled(), "--epochs", 1, "--lr", "1e-2")  # fmt: skip
        second = load_file(self.folder / "second" / "adapter_model.safetensors")
        self.assertEqual(set(first), set(second))
        self.assertTrue(all(not torch.equal(first[name], second[name]) for name in first))

    def test_resumed(self):
        directory, _, _ = self.classifier("base_of_run", hidden_dropout_prob=0.1)
        options = ["--train", self.labelled(), "--valid", self.labelled(), "--lora-r", 2, "--lr", "1e-2",
                   "--lora-dropout", 0.1, "--batch-size", 3, "--lr-scheduler", "constant",
                   "--warmup-steps", 2]  # fmt: skip
        self.trained("classify", directory, "in_one_go", *options, "--epochs", 4)
        self.trained("classify", directory, "in_two", *options, "--epochs", 2)
        self.trained("classify", directory, "in_two", *options, "--epochs", 4, "--resume")
        weights = [load_file(self.folder / out / "adapter_model.safetensors") for out in ("in_one_go", "in_two")]
        for name in weights[0]:
            self.assertTrue(torch.equal(weights[0][name], weights[1][name]), name)

    def test_of_peft(self):
        """What peft wrote opens, its base as it is named or given, without a config.json of its own."""
        model = tf.BertForSequenceClassification
        directory, _, tokenizer = self.bert("peft_base", model, num_labels=3)
        for name, more in (("plain", {}), ("rslora", dict(use_rslora=True)), ("dora", dict(use_dora=True))):
            with self.subTest(name):
                config = peft.LoraConfig(task_type="SEQ_CLS", r=3, lora_alpha=5, target_modules=["key", "dense"],
                                         **more)  # fmt: skip
                adapted = peft.get_peft_model(model.from_pretrained(directory), config)
                with torch.no_grad():
                    for parameter in adapted.parameters():
                        if parameter.requires_grad:
                            parameter += torch.randn_like(parameter) * 0.1
                out = self.folder / f"peft_{name}"
                adapted.save_pretrained(out)
                reopened = peft.PeftModel.from_pretrained(model.from_pretrained(directory), out).eval()
                self.same_answers(out, reopened, tokenizer)
        said = json.loads(heed("inspect", out, "--json", code=0).stdout)
        self.assertTrue(all("base_model.model." in each["name"] for each in said["tensors"]))
        elsewhere = self.folder / "peft_elsewhere"
        shutil.copytree(out, elsewhere)
        config = json.loads((out / "adapter_config.json").read_text())
        (elsewhere / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": "no/where"}))
        done = heed("predict", elsewhere, text="x\n", code=66)
        self.assertIn("field 'base_model_name_or_path': expected the directory of the model", done.stderr)
        heed("merge", elsewhere, "--base", directory, "--out", self.folder / "from_elsewhere", code=0)
        self.same_answers(self.folder / "from_elsewhere", reopened, tokenizer)
        for change, words in (({"peft_type": "IA3"}, "peft_type"), ({"bias": "all"}, "bias"),
                              ({"alpha_pattern": {"query": 3}}, "alpha_pattern"),
                              ({"init_lora_weights": "pissa"}, "init_lora_weights")):  # fmt: skip
            (elsewhere / "adapter_config.json").write_text(json.dumps(
                config | {"base_model_name_or_path": str(directory)} | change))
            done = heed("predict", elsewhere, text="x\n", code=65)
            self.assertIn(words, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)

    def test_refusals(self):
        directory, _, _ = self.classifier("refuses")
        done = self.trained("classify", directory, "x", "--train", self.labelled(), "--valid", self.labelled(),
                            "--lora-r", 2, "--target-modules", "q_proj", code=2)  # fmt: skip
        self.assertIn("no linear layer of this model is called 'q_proj'; there are dense, key, query, value",
                      done.stderr)  # fmt: skip
        done = heed("merge", directory, "--out", self.folder / "x", code=2)
        self.assertIn("expected an adapter", done.stderr)


if __name__ == "__main__":
    unittest.main()
