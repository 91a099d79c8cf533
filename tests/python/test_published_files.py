"""Published models as the files of others are: old names and spellings, pickles, shards, halves, and configs that
do not fit. Tiny ones of the `transformers` package, whose files are changed.

usage: test_published_files.py HEED_PUBLISHED_TOOL"""

import argparse
import json
import os

# It comes first, as it says that a package is missing.
from published_tool import answers, any_field, bert_case, check, masked, opened, prepared_copy, refused, run, tiny

import torch
import transformers
from safetensors.torch import save_file


def same(what, directory, expected, batch, bound=1e-5, **more):
    told, logits = opened(directory, **more)
    check("error" not in told, what, told.get("error"))
    if logits is None:
        return told
    error = (masked(logits, batch) - expected).abs().max().item()
    check(error <= bound, what, "differs by", error)
    return told


def config_of(directory, change):
    path = directory / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def test_old_names_prefixes_and_leftovers():
    """Traps 6, 7, 8."""
    directory, tensors, expected, batch = prepared_copy("old_names")
    old = {}
    for name, tensor in tensors.items():
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        name = name.replace("LayerNorm.bias", "LayerNorm.beta").removeprefix("bert.")
        old[name] = tensor
    old["embeddings.position_ids"] = torch.arange(30)[None]
    old["cls.seq_relationship.weight"] = torch.ones(2, 24)
    save_file(old, directory / "model.safetensors")
    told = same("old names", directory, expected, batch)
    check(told["left_out"] == ["cls.seq_relationship.weight", "embeddings.position_ids"], told)


def test_gpt2_without_prefix_and_with_buffers():
    """Trap 3."""
    case = next(case for case in tiny.cases() if case.name == "GPT2LMHeadModel")
    directory, tensors, expected, batch = prepared_copy("old_gpt2", case)
    old = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
    old["h.0.attn.bias"] = torch.ones(1, 1, 30, 30).tril()
    old["h.0.attn.masked_bias"] = torch.tensor(-1e4)
    save_file(old, directory / "model.safetensors")
    told = same("GPT-2 without its prefix", directory, expected, batch)
    check(told["left_out"] == ["h.0.attn.bias", "h.0.attn.masked_bias"], told)


def test_tied_weights_that_are_missing():
    """Trap 4: what is not tied must be there."""
    case = next(case for case in tiny.cases() if case.name == "LlamaForCausalLM")
    directory, tensors, _, _ = prepared_copy("untied", case)
    tensors.pop("lm_head.weight")
    save_file(tensors, directory / "model.safetensors")
    refused("no output layer", directory, "model.safetensors", "lm_head.weight")


def test_activations():
    """Trap 14: by each name that they have."""
    for name in ("gelu", "gelu_python", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "relu", "silu", "swish"):
        directory, _, _, batch = prepared_copy("activation_" + name)
        config_of(directory, lambda config: config.update(hidden_act=name))
        model = transformers.BertForMaskedLM.from_pretrained(directory).eval()
        same(name, directory, answers(model, batch), batch)
    config_of(directory, lambda config: config.update(hidden_act="quick_gelu"))
    refused("quick_gelu", directory, "field 'hidden_act'", "gelu_fast", "quick_gelu")


def test_biases_in_two_places():
    """Trap 17: tied, and in the file both times."""
    for head, bias, copy in (("BertForMaskedLM", "cls.predictions.bias", "cls.predictions.decoder.bias"),
                             ("AlbertForMaskedLM", "predictions.bias", "predictions.decoder.bias"),
                             ("RobertaForMaskedLM", "lm_head.bias", "lm_head.decoder.bias")):  # fmt: skip
        case = next(case for case in tiny.cases() if case.name == head)
        directory, tensors, expected, batch = prepared_copy("two_biases_" + head, case)
        save_file(tensors | {copy: tensors[bias].clone()}, directory / "model.safetensors")
        same("both of " + head, directory, expected, batch)
        tensors[copy] = tensors.pop(bias)
        save_file(tensors, directory / "model.safetensors")
        same("the other of " + head, directory, expected, batch)


def test_scalings_that_are_not_there():
    """Trap 38."""
    case = next(case for case in tiny.cases() if case.name == "LlamaForCausalLM")
    directory, _, _, _ = prepared_copy("scalings", case)
    for kind in ("dynamic", "longrope", "unheard"):
        config_of(directory, lambda config: config.update(
            rope_parameters={"rope_type": kind, "factor": 2.0, "rope_theta": 1e4}))  # fmt: skip
        refused(kind, directory, "rope_type", 'expected one of "linear"', f'found "{kind}"')


def test_missing_head_begins_anew():
    """Trap 7: the labels are new, and what is fresh is named."""
    directory, _, _, _ = prepared_copy("headless", bert_case("Model"))
    told, logits = opened(directory, purpose="sequence classification", labels=["a", "b", "c", "d"])
    check(told.get("fresh") == ["classifier.weight", "classifier.bias"], told)
    check(told.get("labels") == ["a", "b", "c", "d"] and logits.shape == (tiny.ROWS, 4), told)


def test_aliases_in_the_metadata():
    """Trap 5."""
    case = next(case for case in tiny.cases() if case.name == "Bart")
    directory, tensors, expected, batch = prepared_copy("aliases", case)
    tensors["model.decoder.embed_tokens.weight"] = tensors.pop("model.shared.weight")
    aliases = {"format": "pt", "model.shared.weight": "model.decoder.embed_tokens.weight"}
    save_file(tensors, directory / "model.safetensors", aliases)
    same("an alias", directory, expected, batch)


def test_pickles():
    """Traps 45, 46: both layouts, views of one storage; nothing is executed."""
    directory, tensors, expected, batch = prepared_copy("pickle")
    (directory / "model.safetensors").unlink()
    views = dict(tensors)
    square = "bert.encoder.layer.0.attention.self.query.weight"
    views[square] = tensors[square].t().contiguous().t()
    both = torch.cat([tensors[square.replace("query", part)] for part in ("key", "value")])
    views[square.replace("query", "key")] = both[:24]
    views[square.replace("query", "value")] = both[24:]
    for old in (False, True):
        torch.save(views, directory / "pytorch_model.bin", _use_new_zipfile_serialization=not old)
        same(f"a pickle, old {old}", directory, expected, batch)

    class Harmful:
        def __reduce__(self):
            return os.system, (f"touch {directory}/executed",)

    for old in (False, True):
        torch.save({"a": Harmful()}, directory / "pytorch_model.bin",
                   _use_new_zipfile_serialization=not old)  # fmt: skip
        refused("a harmful pickle", directory, "system", "nothing is executed")
        torch.save({"model": tensors, "args": argparse.Namespace(layers=2)}, directory / "pytorch_model.bin",
                   _use_new_zipfile_serialization=not old)  # fmt: skip
        refused("settings among the weights", directory, "argparse.Namespace", "nothing is executed")
    torch.save({"a": Harmful()}, directory / "pytorch_model.bin")
    (directory / "pytorch_model.bin").rename(directory / "training_args.bin")  # nobody reads it
    save_file(tensors, directory / "model.safetensors")
    same("a harmful pickle beside the weights", directory, expected, batch)
    check(not (directory / "executed").exists(), "a pickle was executed")


def test_shards():
    """Trap 44: safetensors and pickles in several files, whose names stay in the directory."""
    case = bert_case()
    directory, tensors, expected, batch = prepared_copy("shards", case)
    (directory / "model.safetensors").unlink()
    case.model().save_pretrained(directory, max_shard_size="20KB")
    check(len(list(directory.glob("model-*.safetensors"))) > 1, "one shard only")
    same("shards", directory, expected, batch)
    index = directory / "model.safetensors.index.json"
    text = index.read_text()
    index.write_text(text.replace("model-00001", "../model-00001"))
    refused("a shard elsewhere", directory, "weight_map", "same directory")
    index.unlink()
    names = sorted(tensors)
    torch.save({name: tensors[name] for name in names[:9]}, directory / "first.bin")
    torch.save({name: tensors[name] for name in names[9:]}, directory / "second.bin")
    places = {name: "first.bin" if name in names[:9] else "second.bin" for name in names}
    old = directory / "pytorch_model.bin.index.json"
    old.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    same("shards of pickles", directory, expected, batch)
    old.write_text(json.dumps({"weight_map": places | {"x": "/etc/passwd"}}))
    refused("a shard elsewhere", directory, "weight_map")
    old.unlink()
    save_file(tensors, directory / "model.fp16.safetensors")
    refused("a variant", directory, "a variant, model.fp16.safetensors; call the file model.safetensors")
    (directory / "model.fp16.safetensors").rename(directory / "model.safetensors")
    (directory / "pytorch_model.fp16.bin").write_bytes(b"")
    same("a variant beside it", directory, expected, batch)


def test_halves_are_computed_in_float32():
    """Trap 47."""
    directory, tensors, expected, batch = prepared_copy("halves")
    for dtype, bound in ((torch.float16, 2e-2), (torch.bfloat16, 1e-1)):
        rounded = {name: tensor.to(dtype) for name, tensor in tensors.items()}
        save_file(rounded, directory / "model.safetensors")
        same(f"{dtype}", directory, expected, batch, bound)
        model = transformers.BertForMaskedLM.from_pretrained(directory, dtype=torch.float32)
        same(f"{dtype} in float32", directory, answers(model.eval(), batch), batch)


def test_large_halves():
    """Trap 47: the largest number of float16, and what is beyond it, come out as they are."""
    directory, tensors, _, batch = prepared_copy("large_halves")
    halves = {name: tensor.half() for name, tensor in tensors.items()}
    bias = halves["cls.predictions.bias"]
    bias[3], bias[4], bias[5] = 65_504, -65_504, float("inf")
    halves["bert.encoder.layer.0.intermediate.dense.bias"][7] = 65_504  # of which products are larger
    save_file(halves, directory / "model.safetensors")
    model = transformers.BertForMaskedLM.from_pretrained(directory, dtype=torch.float32)
    expected = answers(model.eval(), batch)
    _, logits = opened(directory)
    real = batch["attention_mask"].bool()
    found, expected = logits[real], expected[real]
    check(found[:, 5].isposinf().all() and expected[:, 5].isposinf().all(), "infinity became", found[0, 5])
    rest = [i for i in range(found.shape[1]) if i != 5]
    error = ((found - expected) / expected.abs().clamp(min=1))[:, rest].abs().max().item()
    check(error <= 1e-4, "large halves differ by", error)


def test_old_spellings_of_the_config():
    """Trap 10."""
    case = next(case for case in tiny.cases() if case.name == "LlamaForCausalLM llama3")
    directory, _, expected, batch = prepared_copy("spellings", case)

    def older(config):
        rope = config.pop("rope_parameters")
        config["rope_theta"] = rope.pop("rope_theta")
        config["rope_scaling"] = {"type" if key == "rope_type" else key: value
                                  for key, value in rope.items()}  # fmt: skip
        config["torch_dtype"] = config.pop("dtype")
        config.pop("head_dim")

    config_of(directory, older)
    same("old spellings", directory, expected, batch)
    case = next(case for case in tiny.cases() if case.name == "GPT2LMHeadModel")
    directory, _, expected, batch = prepared_copy("spellings_gpt2", case)

    def newer(config):
        for old, new in (("n_embd", "hidden_size"), ("n_head", "num_attention_heads"),
                         ("n_layer", "num_hidden_layers"),
                         ("n_positions", "max_position_embeddings")):  # fmt: skip
            config[new] = config.pop(old)

    config_of(directory, newer)
    same("GPT-2 with the usual names", directory, expected, batch)


def test_unknown_architectures():
    """Trap 9."""
    directory, _, expected, batch = prepared_copy("unknown")
    config_of(directory, lambda config: config.pop("model_type"))
    told = same("the class tells the architecture", directory, expected, batch)
    check(told.get("purpose") == "masked language model", told)
    config_of(directory, lambda config: config.update(architectures=["NobodyForMaskedLM"]))
    refused("no model_type", directory, "config.json", "field 'model_type' is missing",
            "write it there, one of albert, bart, bert")  # fmt: skip
    same("an option in its place", directory, expected, batch, model_type="bert",
         purpose="masked language model")  # fmt: skip
    config_of(directory, lambda config: config.update(model_type="rwkv"))
    refused("an unknown one", directory, "field 'model_type'", "albert, bart, bert", "rwkv.cpp",
            "docs/adding_an_architecture.md")  # fmt: skip


def test_unknown_classes():
    """Trap 9: a class that Heed does not have is no model without a head."""
    for name, known, unknown in (("LlamaForCausalLM", "LlamaModel, LlamaForCausalLM", "LlamaForMaskedLM"),
                                 ("BertForMaskedLM", "BertModel, BertForMaskedLM", "BertLMHeadModel"),
                                 ("Bart", "BartModel, BartForConditionalGeneration", "BartForCausalLM"),
                                 ("T5", "T5EncoderModel, T5ForConditionalGeneration", "T5Model"),
                                 ("Marian", "MarianMTModel", "MarianModel")):
        case = next(case for case in tiny.cases() if case.name == name)
        directory, _, expected, batch = prepared_copy("class_" + unknown, case)
        config_of(directory, lambda config: config.update(architectures=[unknown]))
        refused(unknown, directory, "config.json", "field 'architectures'", f"one of {known}", f"found {unknown}")
        head = name.removeprefix("Llama").removeprefix("Bert") if "For" in name else "ForConditionalGeneration"
        same("an option in its place", directory, expected, batch, purpose=tiny.HEADS[head])
        config_of(directory, lambda config: config.pop("architectures"))
        if name == "Marian":
            refused("no class", directory, "field 'architectures'", "MarianMTModel", "found none")
        else:
            told, _ = opened(directory)
            check(told.get("purpose") == "features", "no class", told)
            refused("another purpose", directory, "Heed has no image classification for it, only " + known,
                    purpose="image classification")  # fmt: skip


def test_texts_without_an_end():
    """BART's classifier reads the decoder where the text ends."""
    case = next(case for case in tiny.cases() if case.name == "BartForSequenceClassification")
    directory, _, _, batch = prepared_copy("endless", case)
    batch["input_ids"][2] = 7
    save_file(batch, directory / "inputs.st")
    refused("a text without an end", directory, "expected a token 2 in each row")


def test_settings_of_generation():
    """What Heed does not have is refused by name where it would change something."""
    case = next(case for case in tiny.cases() if case.name == "GPT2LMHeadModel")
    directory, _, expected, batch = prepared_copy("settings", case)
    settings = directory / "generation_config.json"
    neutral = {"num_beam_groups": 1, "diversity_penalty": 0.0, "penalty_alpha": None, "guidance_scale": 1.0,
               "encoder_no_repeat_ngram_size": 0, "encoder_repetition_penalty": 1.0, "num_return_sequences": 1,
               "token_healing": False, "sequence_bias": None, "stop_strings": None}  # fmt: skip
    sampled = {"typical_p": 0.9, "epsilon_cutoff": 1e-3, "eta_cutoff": 1e-3, "top_h": 0.5}
    settings.write_text(json.dumps(neutral | sampled | {"do_sample": False}))
    same("settings that change nothing", directory, expected, batch)
    changing = sampled | {
        "num_beam_groups": 2, "diversity_penalty": 0.5, "penalty_alpha": 0.6, "encoder_no_repeat_ngram_size": 3,
        "encoder_repetition_penalty": 1.5, "guidance_scale": 1.5, "num_return_sequences": 2, "token_healing": True,
        "sequence_bias": [[[3], -1.0]], "exponential_decay_length_penalty": [5, 1.1], "force_words_ids": [[3]],
        "constraints": [1], "stop_strings": ["x"], "max_time": 1.0, "watermarking_config": {"bias": 2.0},
        "dola_layers": "low", "bad_words_ids": [[3, 4]]}  # fmt: skip
    for name, value in changing.items():
        settings.write_text(json.dumps({"do_sample": True, name: value}))
        refused(name, directory, "generation_config.json", f"field '{name}")


def test_limits():
    """Trap 12: the longest text of RoBERTa is shorter than its table."""
    case = next(case for case in tiny.cases() if case.name == "RobertaForMaskedLM")
    directory, _, _, _ = prepared_copy("limits", case)
    for length, fits in ((28, True), (29, False)):
        batch = {"input_ids": torch.full((1, length), 9)}
        save_file(batch, directory / "inputs.st")
        told, _ = opened(directory)
        check(("error" not in told) == fits, "a text of", length, told)
    check("at most 28 tokens, got 29" in told.get("error", ""), told)


def test_configs_that_do_not_fit():
    """A config must not make Heed take more memory than the weights have, nor fail in many lines."""
    directory, _, _, _ = prepared_copy("misfits")
    good = (directory / "config.json").read_text()
    for field, value in (("vocab_size", 1 << 24), ("hidden_size", 1 << 20), ("hidden_size", 25),
                         ("intermediate_size", 1 << 24), ("num_hidden_layers", 900),
                         ("num_hidden_layers", 0), ("max_position_embeddings", 1 << 24),
                         ("type_vocab_size", 1 << 20), ("num_attention_heads", 5),
                         ("hidden_act", "unheard"), ("layer_norm_eps", -1), ("is_decoder", True),
                         ("vocab_size", "many")):  # fmt: skip
        (directory / "config.json").write_text(good)
        config_of(directory, lambda config: config.update({field: value}))
        refused(f"{field} {value}", directory, str(directory))


def test_fields_of_configs():
    """Whatever a field says, what comes is logits or one line about the directory."""
    for name in ("GPT2LMHeadModel", "LlamaForCausalLM llama3", "ModernBertForMaskedLM", "Bart", "T5"):
        case = next(case for case in tiny.cases() if case.name == name)
        directory, _, _, _ = prepared_copy("fields_" + name.replace(" ", "_"), case)
        any_field(name, directory)


run([test for name, test in list(globals().items()) if name.startswith("test_")])
