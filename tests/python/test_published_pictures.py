"""Published models of pictures: tiny random ViTs of the `transformers` package. Pixels are those that its
ViTImageProcessor makes of the pictures, by what preprocessor_config.json says in its old and new spellings; what
Heed does not have is refused by its field.

Usage: test_published_pictures.py HEED_PROGRAM
"""

import json
import os
import shutil
import sys
import unittest

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import torch
    import transformers as tf
    from safetensors.torch import load_file, save_file
    from PIL import Image
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from program import heed
from published_directories import Published, picture_of

SETTINGS = dict(image_mean=[0.4, 0.5, 0.6], image_std=[0.2, 0.3, 0.25])
LABELS = {0: "zebra", 1: "ant", 2: "bee"}


class Pictures(Published):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pictures = []
        # Wide ones, of which Pillow makes the rows first, whatever its version.
        for seed, (width, height, mode) in enumerate([(40, 24, "RGB"), (33, 17, "RGB"), (16, 16, "RGB"),
                                                      (21, 12, "L"), (9, 9, "RGB")]):
            file = cls.folder / f"{seed}.png"
            picture_of(seed, width, height, mode).save(file)
            cls.pictures.append(file)

    def preprocessed(self, name, settings, file="preprocessor_config.json"):
        """A copy of the model's directory with this preprocessor; None: with none."""
        directory, model = self.vit("vit", LABELS)
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(directory, folder)
        if settings is not None:
            (folder / file).write_text(json.dumps(settings))
        return folder, model

    def expected(self, model, processor, file):
        pixels = processor(images=Image.open(file).convert("RGB"), return_tensors="pt").pixel_values
        with torch.no_grad():
            return model(pixels).logits[0]

    def answers(self, directory, files, *options):
        done = heed("predict", directory, *files, "--json", *options, code=0)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def compare(self, directory, model, processor, files=None):
        files = self.pictures if files is None else files
        answers = self.answers(directory, files)
        self.assertEqual([answer["image"] for answer in answers], [str(file) for file in files])
        for file, answer in zip(files, answers):
            wanted = self.expected(model, processor, file).softmax(-1)
            self.assertEqual(list(answer["probabilities"]), list(LABELS.values()))
            self.close(list(answer["probabilities"].values()), wanted, 1e-4)
            self.assertEqual(answer["label"], LABELS[int(wanted.argmax())])

    def test_as_transformers_saves_it(self):
        folder, model = self.preprocessed("saved_processor", None)
        processor = ViTImageProcessorPil(size={"height": 16, "width": 16}, **SETTINGS)
        processor.save_pretrained(folder)
        self.compare(folder, model, processor)
        # They are not all alike, and another preparation is seen.
        found = [self.expected(model, processor, file).softmax(-1) for file in self.pictures]
        other = ViTImageProcessorPil(size={"height": 16, "width": 16})
        changed = [self.expected(model, other, file).softmax(-1) for file in self.pictures]
        self.assertGreater(max((a - b).abs().max().item() for a, b in zip(found, found[1:])), 0.01)
        self.assertGreater(max((a - b).abs().max().item() for a, b in zip(found, changed)), 0.01)

    def test_other_spellings_and_settings(self):
        size = {"height": 16, "width": 16}
        old = {"feature_extractor_type": "ViTFeatureExtractor", "do_resize": True, "size": 16, "resample": 2,
               "do_normalize": True, **SETTINGS}
        new = {"image_processor_type": "ViTImageProcessorFast", "size": size, **SETTINGS}
        for name, settings, theirs in (
                ("old", old, dict(size=size, **SETTINGS)),
                ("bicubic", new | {"resample": 3}, dict(size=size, resample=3, **SETTINGS)),
                ("lanczos", new | {"resample": 1}, dict(size=size, resample=1, **SETTINGS)),
                ("nearest", new | {"resample": 0}, dict(size=size, resample=0, **SETTINGS)),
                ("plain", new | {"do_normalize": False}, dict(size=size, do_normalize=False)),
                ("twice", new | {"rescale_factor": 1 / 127.5}, dict(size=size, rescale_factor=1 / 127.5, **SETTINGS)),
                ("nulls", {"size": size, "resample": None, "do_center_crop": None, "image_mean": None,
                           "crop_size": None}, dict(size=size))):
            with self.subTest(name):
                folder, model = self.preprocessed(name, settings)
                self.compare(folder, model, ViTImageProcessorPil(**theirs))
        # Bytes as they are: what a patch sees is large, so its numbers are coarser.
        folder, model = self.preprocessed("bytes", new | {"do_rescale": False, "image_mean": [120, 130, 110],
                                                          "image_std": [60, 50, 70]})
        self.compare(folder, model, ViTImageProcessorPil(
            size=size, do_rescale=False, image_mean=[120, 130, 110], image_std=[60, 50, 70]))

    def test_without_and_within_another_file(self):
        folder, model = self.preprocessed("without", None)
        self.compare(folder, model, ViTImageProcessorPil(size={"height": 16, "width": 16}))
        folder, model = self.preprocessed("within", {"image_processor": {"size": 16, **SETTINGS}},
                                          "processor_config.json")
        self.compare(folder, model, ViTImageProcessorPil(size={"height": 16, "width": 16}, **SETTINGS))

    def test_another_size_than_the_models(self):
        """Positions are interpolated."""
        folder, model = self.preprocessed("larger", {"size": {"height": 20, "width": 24}, **SETTINGS})
        processor = ViTImageProcessorPil(size={"height": 20, "width": 24}, **SETTINGS)
        file = self.pictures[1]
        pixels = processor(images=Image.open(file), return_tensors="pt").pixel_values
        with torch.no_grad():
            wanted = model(pixels, interpolate_pos_encoding=True).logits[0].softmax(-1)
        self.close(list(self.answers(folder, [file])[0]["probabilities"].values()), wanted, 1e-4)

    def test_pictures_that_stay_as_they_are(self):
        folder, model = self.preprocessed("stay", {"size": 16, "do_resize": False, **SETTINGS})
        processor = ViTImageProcessorPil(do_resize=False, **SETTINGS)
        self.compare(folder, model, processor, self.pictures[2:3])
        done = heed("predict", folder, self.pictures[0], code=65)
        self.assertIn("a picture of 40 × 24 pixels, expected 16 × 16, as the model's preprocessor_config.json "
                      "has no do_resize", done.stderr)

    def test_evaluation_and_the_likeliest(self):
        folder, model = self.preprocessed("measured", {"size": 16, **SETTINGS})
        processor = ViTImageProcessorPil(size={"height": 16, "width": 16}, **SETTINGS)
        table = self.folder / "measured.csv"
        table.write_text("file,label\n" + "".join(f"{file.name},{LABELS[i % 3]}\n"
                                                  for i, file in enumerate(self.pictures)))
        logits = torch.stack([self.expected(model, processor, file) for file in self.pictures])
        wanted = torch.arange(len(self.pictures)) % 3
        said = json.loads(heed("eval", folder, table, "--json", code=0).stdout)
        self.assertEqual(said["labels"], list(LABELS.values()))
        self.assertAlmostEqual(said["accuracy"], (logits.argmax(-1) == wanted).double().mean().item(), 6)
        self.assertAlmostEqual(said["loss"], torch.nn.functional.cross_entropy(logits, wanted).item(), 3)
        given = self.answers(folder, self.pictures[:1])[0]["probabilities"]
        best = logits[0].softmax(-1).topk(2)
        self.assertEqual(sorted(given, key=given.get)[:-3:-1], [LABELS[i] for i in best.indices.tolist()])
        inspected = json.loads(heed("inspect", folder, "--json", code=0).stdout)
        self.assertIn("zebra", json.dumps(inspected))

    def test_where_it_looks(self):
        folder, model = self.preprocessed("looks", {"size": 16, **SETTINGS})
        processor = ViTImageProcessorPil(size={"height": 16, "width": 16}, **SETTINGS)
        file = self.pictures[0]
        pixels = processor(images=Image.open(file), return_tensors="pt").pixel_values
        model.set_attn_implementation("eager")
        with torch.no_grad():
            layers = model(pixels, output_attentions=True).attentions
        model.set_attn_implementation("sdpa")
        view = json.loads(heed("attend", folder, file, "--json", code=0).stdout)
        self.assertEqual(len(view["tokens"]), 17)
        for each in view["attention"]:
            self.close(each["weights"], layers[each["layer"] - 1][0, each["head"] - 1], 1e-4)
        heard = torch.eye(17)
        for layer in layers:
            heard = (layer[0].mean(0) + torch.eye(17)) / 2 @ heard
        rollout = heard[0, 1:] / heard[0, 1:].sum()
        self.close(view["rollout"], rollout.view(4, 4), 1e-4)
        shown = self.folder / "look.png"
        heed("attend", folder, file, "--out", shown, code=0)
        self.assertTrue(shown.read_bytes().startswith(b"\x89PNG"))

    def test_refusals(self):
        for settings, words in (
                ({"do_center_crop": True}, "field 'do_center_crop': expected false"),
                ({"do_pad": True}, "field 'do_pad': expected false"),
                ({"size": {"shortest_edge": 16}}, "field 'size': expected height and width"),
                ({"size": {"height": 16}}, "'size.width'"),
                ({"size": 18}, "field 'size': expected a multiple of the patches of 4 x 4"),
                ({"resample": 9}, "field 'resample'"),
                ({"do_resize": "yes"}, "field 'do_resize'"),
                ({"rescale_factor": 0}, "field 'rescale_factor'"),
                ({"image_mean": [0.5, 0.5]}, "field 'image_mean': expected 3 numbers"),
                ({"image_std": [0.5, 0.5, 0]}, "field 'image_std[2]'"),
                ({"image_processor_type": "CLIPImageProcessor"}, "field 'image_processor_type'")):
            with self.subTest(words):
                folder, _ = self.preprocessed("refused", settings)
                done = heed("predict", folder, self.pictures[2], code=65)
                self.assertIn(words, done.stderr)
                self.assertIn("preprocessor_config.json", done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)
                shutil.rmtree(folder)
        folder, _ = self.preprocessed("several", None)
        self.changed(folder, "config.json", problem_type="multi_label_classification")
        self.assertIn("problem_type", heed("predict", folder, self.pictures[2], code=65).stderr)

    def test_a_new_head(self):
        """Other classes than the model's; what is saved opens in transformers with its processor."""
        base = self.folder / "photos"
        for i in range(12):
            kind = base / ["dark", "light"][i % 2]
            kind.mkdir(parents=True, exist_ok=True)
            picture_of(i, 20, 14, "RGB", (0, 90) if i % 2 == 0 else (160, 255)).save(kind / f"{i}.png")
        folder, _ = self.preprocessed("base", {"image_processor_type": "ViTImageProcessor", "size": 16, **SETTINGS})
        out = self.folder / "tuned"
        done = heed("train", "image", "--from", folder, "--train", base, "--valid", base, "--out", out, "--lr",
                    "5e-3", "--epochs", 40, "--threads", 1, "--json", code=0)
        self.assertIn("new: classifier.weight, classifier.bias", done.stderr)
        self.assertEqual(json.loads(done.stdout)["accuracy"], 1)
        model, said = tf.ViTForImageClassification.from_pretrained(out, output_loading_info=True)
        for part in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            self.assertFalse(said[part], part)
        self.assertEqual(model.config.id2label, {0: "dark", 1: "light"})
        processor = ViTImageProcessorPil.from_pretrained(out)
        self.assertEqual(list(processor.image_mean), SETTINGS["image_mean"])
        for answer in self.answers(out, self.pictures):
            wanted = self.expected(model.eval(), processor, answer["image"]).softmax(-1)
            self.close(list(answer["probabilities"].values()), wanted, 1e-4)
        # A directory without a processor gets one; labels that are the same keep their head.
        (out / "preprocessor_config.json").unlink()
        again = self.folder / "again"
        done = heed("train", "image", "--from", out, "--train", base, "--valid", base, "--out", again,
                    "--max-steps", 1, "--threads", 1, code=0)
        self.assertNotIn("new:", done.stderr)
        said = json.loads((again / "preprocessor_config.json").read_text())
        self.assertEqual(said["size"], {"height": 16, "width": 16})
        self.assertEqual(list(ViTImageProcessorPil.from_pretrained(again).image_std), [0.5, 0.5, 0.5])
        for option in ("--image-size", "--num-channels", "--patch-size"):
            done = heed("train", "image", "--from", folder, "--train", base, "--out", self.folder / "x", option, 1,
                        code=2)
            self.assertIn(f"{option}: has no meaning with --from", done.stderr)

    def test_an_adapter(self):
        """Learnt by the program and opened by peft; of transformers 4, whose modules had other names, it opens too."""
        try:
            import peft
        except ImportError:
            self.skipTest("the package peft is not installed")
        directory, _ = self.vit("to_adapt", LABELS)
        rows = self.folder / "to_adapt.csv"
        rows.write_text("file,label\n" + "".join(f"{file.name},{LABELS[i % 3]}\n"
                                                 for i, file in enumerate(self.pictures)))
        out = self.folder / "vit_adapter"
        heed("train", "image", "--from", directory, "--train", rows, "--valid", rows, "--out", out, "--lora-r", 3,
             "--lr", "1e-2", "--epochs", 3, "--threads", 1, code=0)
        config = json.loads((out / "adapter_config.json").read_text())
        self.assertEqual(config["target_modules"], ["q_proj", "v_proj"])
        base = tf.ViTForImageClassification.from_pretrained(directory)
        model = peft.PeftModel.from_pretrained(base, out).eval()
        tensors = load_file(out / "adapter_model.safetensors")
        self.assertGreater(max(tensor.abs().max().item() for name, tensor in tensors.items() if "lora_B" in name), 1e-3)
        old = self.folder / "vit_adapter_of_4"
        shutil.copytree(out, old)
        renamed = {}
        for name, tensor in tensors.items():
            for new, before in (("vit.layers", "vit.encoder.layer"), ("attention.q_proj", "attention.attention.query"),
                                ("attention.v_proj", "attention.attention.value")):
                name = name.replace(new, before)
            renamed[name] = tensor
        self.assertFalse(set(renamed) <= set(tensors))
        save_file(renamed, old / "adapter_model.safetensors")
        processor = ViTImageProcessorPil(size={"height": 16, "width": 16}, image_mean=[0.5] * 3, image_std=[0.5] * 3)
        for folder in (out, old):
            self.compare(folder, model, processor)


if __name__ == "__main__":
    unittest.main()
