"""Whisper that knows several languages, tiny random models of the `transformers` package: the language that is told
by the first step, the tokens of languages and tasks in front of what is written, what generation_config.json says
where nobody asks for one; and what preprocessor_config.json says of the sound.

Usage: test_whisper_languages.py PUBLISHED_TOOL HEED_PROGRAM
"""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

import test_whisper as base
import torch
import transformers as tf
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

LANGUAGES = {"<|en|>": 42, "<|de|>": 43, "<|haw|>": 44}
TASKS = {"translate": 45, "transcribe": 46}
NO_TIMES = 47
VOCABULARY = NO_TIMES + 1 + base.POSITIONS + 1


def make(seed, **generation):
    """A model to which it matters what stands in front, and what is heard."""
    model = base.make(seed, vocab_size=VOCABULARY)
    with torch.no_grad():
        for layer in model.model.decoder.layers:
            for attention in (layer.self_attn, layer.encoder_attn):
                attention.v_proj.weight *= 4
                attention.out_proj.weight *= 4
    settings = model.generation_config
    settings.no_repeat_ngram_size = 1
    settings.suppress_tokens = [3, *range(base.START, VOCABULARY)]
    for name, value in (dict(is_multilingual=True, lang_to_id=LANGUAGES, task_to_id=TASKS,
                             no_timestamps_token_id=NO_TIMES) | generation).items():
        setattr(settings, name, value)
    return model


def save(model, folder):
    model.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({f"w{i}": i for i in range(base.TEXT)}, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in (
        "<|endoftext|>", "<|startoftranscript|>", *LANGUAGES, "<|translate|>", "<|transcribe|>",
        "<|notimestamps|>")])
    tokenizer.add_tokens([AddedToken(f"<|{i * 0.02:.2f}|>") for i in range(base.POSITIONS + 1)])
    assert tokenizer.get_vocab_size() == VOCABULARY
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "WhisperTokenizer"}))


def heard(model, features):
    """The likeliest language behind the first token."""
    with torch.no_grad():
        logits = model(input_features=features, decoder_input_ids=torch.tensor([[base.START]])).logits[0, -1]
    return max(LANGUAGES, key=lambda name: float(logits[LANGUAGES[name]]))


def written(model, features, language, task):
    """What a greedy search writes, no token twice."""
    prompt = [base.START, LANGUAGES[f"<|{language}|>"], TASKS[task], NO_TIMES]
    settings = model.generation_config
    ids = list(prompt)
    while len(ids) < model.config.max_target_positions:
        with torch.no_grad():
            logits = model(input_features=features, decoder_input_ids=torch.tensor([ids])).logits[0, -1]
        logits[settings.suppress_tokens + ids] = -torch.inf
        if len(ids) == len(prompt):
            logits[settings.begin_suppress_tokens] = -torch.inf
        best = int(logits.argmax())
        if best == base.END:
            break
        ids.append(best)
    return ids[len(prompt):]


class Multilingual(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def spoken(self, seed, model, seconds=0.6):
        """The model's directory, a sound, and what the package hears of it."""
        directory = self.folder / f"model{seed}"
        save(model, directory)
        samples = base.sound(seconds, seed)
        file = self.folder / f"{seed}.wav"
        base.write(file, samples)
        return directory, file, samples

    def heed(self, directory, file, *arguments, code=0):
        done = subprocess.run([base.HEED, "transcribe", directory, file, "--format", "json", "--threads", "1",
                               "--no-timestamps", *arguments], capture_output=True, text=True)  # fmt: skip
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr if code else json.loads(done.stdout)

    def check(self, said, model, features, language, task):
        expected = written(model, features, language, task)
        self.assertEqual(said["language"], language)
        self.assertEqual([token for segment in said["segments"] for token in segment["tokens"]], expected)
        return tuple(expected)


class Languages(Multilingual):
    def test_languages_and_tasks_that_are_asked_for(self):
        found = set()
        for seed in range(2):
            model = make(50 + seed)
            directory, file, samples = self.spoken(seed, model)
            for language in ("en", "de", "haw"):
                for task in TASKS:
                    said = self.heed(directory, file, "--language", language, "--task", task)
                    found.add(self.check(said, model, base.features_of(samples), language, task))
        self.assertGreater(len(found), 6)  # the prompt is read

    def test_languages_that_are_heard(self):
        told = set()
        for seed in range(8):
            model = make(60 + seed)
            directory, file, samples = self.spoken(seed, model)
            features = base.features_of(samples)
            language = heard(model, features)[2:-2]
            told.add(language)
            self.check(self.heed(directory, file), model, features, language, "transcribe")
        self.assertGreater(len(told), 1)

    def test_what_generation_config_says(self):
        model = make(70, language="<|haw|>", task="translate")
        directory, file, samples = self.spoken(0, model)
        features = base.features_of(samples)
        self.check(self.heed(directory, file), model, features, "haw", "translate")
        self.check(self.heed(directory, file, "--language", "de", "--task", "transcribe"), model, features, "de",
                   "transcribe")
        path = directory / "generation_config.json"
        settings = json.loads(path.read_text())
        for name in ("language", "task"):
            del settings[name]
        for forced, language, task in (([[1, 44], [2, 45]], "haw", "translate"),
                                       ([[1, None], [2, 45], [3, NO_TIMES]], None, "translate"),
                                       ([[1, 43]], "de", "transcribe")):
            path.write_text(json.dumps(settings | {"forced_decoder_ids": forced}))
            self.check(self.heed(directory, file), model, features, language or heard(model, features)[2:-2], task)
        # Without their list, languages are told by the spelling of their tokens.
        del settings["lang_to_id"]
        path.write_text(json.dumps(settings))
        self.check(self.heed(directory, file), model, features, heard(model, features)[2:-2], "transcribe")
        path.write_text(json.dumps(settings | {"task": "sing"}))
        self.assertIn("field 'task'", self.heed(directory, file, code=65))
        path.write_text(json.dumps(settings | {"lang_to_id": {"<|en|>": 4242}}))
        self.assertIn("lang_to_id", self.heed(directory, file, code=65))

    def test_refusals(self):
        directory, file, _ = self.spoken(0, make(80))
        self.assertIn("language: 'fr' is none of the model's: en, de, haw",
                      self.heed(directory, file, "--language", "fr", code=2))
        self.assertIn("--task", self.heed(directory, file, "--task", "sing", code=2))


class Sounds(Multilingual):
    """preprocessor_config.json."""

    def setUp(self):
        super().setUp()
        self.model = make(90)
        self.directory, self.file, self.samples = self.spoken(0, self.model, seconds=1.2)
        self.usual = {"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 80, "n_fft": 400,
                      "hop_length": 160, "sampling_rate": 16000, "chunk_length": 0.02 * base.POSITIONS,
                      "padding_value": 0.0, "dither": 0.0, "return_attention_mask": False}

    def preprocessed(self, **change):
        (self.directory / "preprocessor_config.json").write_text(json.dumps(self.usual | change))

    def features(self, **change):
        length = change.pop("chunk_length", 0.02 * base.POSITIONS)
        extractor = tf.WhisperFeatureExtractor(chunk_length=length, **change)
        extractor.n_samples = round(length * 16000)
        extractor.nb_max_frames = 2 * base.POSITIONS
        return extractor(self.samples.float().numpy() / 32768, sampling_rate=16000, return_tensors="pt",
                         padding="max_length", max_length=extractor.n_samples)["input_features"]

    def test_the_usual_changes_nothing(self):
        before = self.heed(self.directory, self.file, "--language", "en")
        self.preprocessed()
        self.assertEqual(self.heed(self.directory, self.file, "--language", "en"), before)

    def test_other_frames(self):
        """Twice as far apart, of 1.2 seconds; wider ones."""
        length = 0.04 * base.POSITIONS
        self.preprocessed(hop_length=320, chunk_length=length)
        said = self.heed(self.directory, self.file, "--language", "de")
        self.check(said, self.model, self.features(hop_length=320, chunk_length=length), "de", "transcribe")
        self.preprocessed(hop_length=320, chunk_length=length, n_fft=512)
        said = self.heed(self.directory, self.file, "--language", "de")
        self.check(said, self.model, self.features(hop_length=320, chunk_length=length, n_fft=512), "de",
                   "transcribe")

    def test_what_it_has_not(self):
        for change in (dict(feature_size=81), dict(chunk_length=30), dict(dither=0.1), dict(padding_value=1.0),
                       dict(sampling_rate=8000), dict(n_fft=0), dict(hop_length="160"), dict(do_normalize=True),
                       dict(feature_extractor_type="Wav2Vec2FeatureExtractor")):
            with self.subTest(change):
                self.preprocessed(**change)
                stderr = self.heed(self.directory, self.file, code=65)
                self.assertIn(f"field '{next(iter(change))}'", stderr)
                self.assertIn("preprocessor_config.json", stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
