"""What config.json says and leaves out: fields that are missing, older spellings, and fields that hold something else,
of tiny models of the `transformers` package; and adapters of models that read pictures and sounds.

usage: test_published_configs.py HEED_PUBLISHED_TOOL"""

import json

# It comes first, as it says that a package is missing.
from published_tool import (
    FOLDER, answers, any_field, check, held_adapter, masked, opened, prepared_copy, run, tiny)

import torch
import transformers as tf
from safetensors.torch import load_file, save_file

SMALL = tiny.SMALL
BART = dict(vocab_size=67, d_model=24, encoder_layers=2, decoder_layers=2, encoder_attention_heads=3,
            decoder_attention_heads=3, encoder_ffn_dim=40, decoder_ffn_dim=40, max_position_embeddings=30)
T5 = dict(vocab_size=67, d_model=24, d_kv=10, d_ff=40, num_layers=2, num_heads=3)
VIT = dict(hidden_size=24, num_attention_heads=3, num_hidden_layers=2, intermediate_size=40, image_size=16, patch_size=4)
WHISPER = dict(vocab_size=67, d_model=24, encoder_layers=2, encoder_attention_heads=3, decoder_layers=2,
               decoder_attention_heads=3, encoder_ffn_dim=40, decoder_ffn_dim=40, max_source_positions=12,
               max_target_positions=20, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=3)
ENDS = dict(pad_token_id=0, bos_token_id=1, eos_token_id=2)
DISTILBERT = dict(vocab_size=67, dim=24, n_heads=3, n_layers=2, hidden_dim=40, max_position_embeddings=30)
# All else is what the class has where config.json does not say it.
USUAL = (
    ("BertForMaskedLM", SMALL), ("RobertaForMaskedLM", SMALL), ("XLMRobertaForMaskedLM", SMALL),
    ("CamembertForMaskedLM", SMALL), ("DistilBertForMaskedLM", DISTILBERT), ("ElectraForMaskedLM", SMALL),
    ("AlbertForMaskedLM", SMALL), ("ModernBertForMaskedLM", SMALL | ENDS | dict(num_hidden_layers=4, cls_token_id=1,
                                                                                sep_token_id=2)),
    ("GPT2LMHeadModel", dict(vocab_size=67, n_positions=30, n_embd=24, n_layer=2, n_head=3)),
    ("GPTNeoXForCausalLM", SMALL | dict(hidden_size=48)), ("LlamaForCausalLM", SMALL), ("MistralForCausalLM", SMALL | dict(
        num_key_value_heads=3)), ("Qwen2ForCausalLM", SMALL | dict(num_key_value_heads=3)),
    ("Qwen3ForCausalLM", SMALL | dict(num_key_value_heads=3)),
    ("Gemma2ForCausalLM", SMALL | dict(num_key_value_heads=3)),
    ("BartForConditionalGeneration", BART), ("BartForSequenceClassification", BART | dict(id2label=tiny.LABELS)),
    ("MarianMTModel", BART | dict(pad_token_id=0, decoder_start_token_id=0)),
    ("T5ForConditionalGeneration", T5), ("ViTForImageClassification", VIT),
    ("WhisperForConditionalGeneration", WHISPER))  # fmt: skip


def case_of(kind, more):
    """Such a model with small numbers before its first norm, where an epsilon counts."""
    kind = getattr(tf, kind)

    class Faint(tiny.Case):
        def model(self):
            model = super().model()
            sinusoids = [module.weight for module in model.modules()
                         if "SinusoidalPositional" in type(module).__name__]
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    first = ("embed" in name or ".wte" in name or ".wpe" in name or "shared" in name) and \
                        "orm" not in name and "hidden_mapping" not in name and "cls_token" not in name
                    if first and not any(parameter is table for table in sinusoids):
                        parameter *= 0.02
            return model

        def inputs(self, left=False, padding=0):
            generator = torch.Generator().manual_seed(3)
            if kind is tf.ViTForImageClassification:
                return {"pixel_values": torch.randn(4, 3, 16, 16, generator=generator)}
            batch = super().inputs(left, padding)
            if kind is tf.WhisperForConditionalGeneration:
                return {"input_features": torch.randn(24, 80, 24, generator=generator),
                        "decoder_input_ids": batch["decoder_input_ids"]}
            return batch

    name = kind.__name__
    sequences = name.endswith(("ForConditionalGeneration", "MTModel"))
    end = 2 if name == "BartForSequenceClassification" else None  # that of BART, where it reads the text
    return Faint("usual " + name, lambda: kind(kind.config_class(**more)), first=6, targets=sequences, end=end)


def answer_of(model, batch):
    if "attention_mask" in batch:
        return answers(model, batch)
    with torch.no_grad():
        return model(**batch).logits


def with_another_epsilon(model, batch):
    for module in model.modules():
        for name in ("eps", "variance_epsilon"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 1e-5 if getattr(module, name) < 5e-6 else 1e-6)
    return answer_of(model, batch)


def test_fields_that_are_missing():
    """Traps 10, 14, 15, 18, 38: whatever is usual may be missing. The epsilon is seen in the logits."""
    for name, more in USUAL:
        case = case_of(name, more)
        model = case.model()
        directory = FOLDER / case.name.replace(" ", "_")
        model.save_pretrained(directory)
        batch = case.inputs(padding=getattr(model.config, "pad_token_id", 0) or 0)
        save_file(batch, directory / "inputs.st")
        path = directory / "config.json"
        given, usual = json.loads(path.read_text()), json.loads(type(model.config)().to_json_string(use_diff=False))
        left = {field: value for field, value in given.items()
                if field in ("model_type", "architectures") or field not in usual or value != usual[field]}
        check(len(left) < len(given) - 5, name, "leaves out too little:", sorted(left))
        path.write_text(json.dumps(left))
        expected = answer_of(type(model).from_pretrained(directory).eval(), batch)
        told, logits = opened(directory)
        check("error" not in told, name, told.get("error"))
        if logits is None:
            continue
        logits = masked(logits, batch) if "attention_mask" in batch else logits
        scale = max(expected.abs().max().item(), 1e-3)
        error = (logits - expected).abs().max().item() / scale
        seen = (with_another_epsilon(case.model(), batch) - expected).abs().max().item() / scale
        check(error <= 2e-5, name, f"without its usual fields differs by {error:.3g} of the largest")
        # Not before Marian's first norm, where sinusoids stand.
        check(seen > 1e-4 or "Marian" in name, name, f"with another epsilon differs by {seen:.3g} alone")


def older(config):
    """As transformers 4 wrote it."""
    parameters = config.pop("rope_parameters")
    if config["model_type"] == "modernbert":
        config.pop("layer_types")
        return config | {"global_rope_theta": parameters["full_attention"]["rope_theta"], "global_attn_every_n_layers": 3,
                         "local_rope_theta": parameters["sliding_attention"]["rope_theta"]}
    if config["model_type"] == "gpt_neox":
        return config | {"rotary_emb_base": parameters["rope_theta"],
                         "rotary_pct": parameters["partial_rotary_factor"]}
    config.pop("layer_types", None)
    return config | {"rope_theta": parameters["rope_theta"], "rope_scaling": None}


def test_theta():
    """Traps 10, 38: another θ than the usual, in both spellings."""
    turned = dict(rope_parameters=dict(rope_type="default", rope_theta=70.0))
    of_kinds = {kind: dict(rope_type="default", rope_theta=theta)
                for kind, theta in (("full_attention", 70.0), ("sliding_attention", 5.0))}
    window = dict(sliding_window=4, num_key_value_heads=3)
    for name, more in (
            ("LlamaForCausalLM", SMALL | turned), ("MistralForCausalLM", SMALL | turned | window),
            ("Qwen2ForCausalLM", SMALL | turned | window | dict(use_sliding_window=True, max_window_layers=1)),
            ("Qwen3ForCausalLM", SMALL | turned | dict(head_dim=8, num_key_value_heads=3)),
            ("Gemma2ForCausalLM", SMALL | turned | window | dict(head_dim=8)),
            ("GPTNeoXForCausalLM", SMALL | dict(hidden_size=48, rope_parameters=turned["rope_parameters"] | {
                "partial_rotary_factor": 0.5})),
            ("ModernBertForMaskedLM", SMALL | ENDS | dict(num_hidden_layers=4, cls_token_id=1, sep_token_id=2,
                                                          local_attention=6, rope_parameters=of_kinds))):
        kind = getattr(tf, name)
        directory, _, expected, batch = prepared_copy("theta_" + name, tiny.Case(
            name, lambda kind=kind, more=more: kind(kind.config_class(**(ENDS | more)))))
        path = directory / "config.json"
        new = json.loads(path.read_text())
        if "GPTNeoX" in name:  # the class moves it there
            check(new["rope_parameters"]["partial_rotary_factor"] == 0.5, new["rope_parameters"])
        old = older(json.loads(path.read_text()))
        usual = {field: value for field, value in old.items() if not field.startswith("rope_") and "rope_theta" not in
                 field and field != "rotary_emb_base"}
        for spelling, config, same in (("new", new, True), ("old", old, True), ("no", usual, False)):
            path.write_text(json.dumps(config))
            told, logits = opened(directory)
            check("error" not in told, name, spelling, told.get("error"))
            if logits is not None:
                error = (masked(logits, batch) - expected).abs().max().item()
                check((error <= 2e-5 * max(1, expected.abs().max().item())) == same, name,
                      f"with θ in {spelling} spelling differs by {error:.3g}")


def pictures_and_sounds():
    """Name -> directory, batch and class, of models that learn nothing of texts."""
    for name, more in USUAL[-2:]:
        case = case_of(name, more)
        model = case.model()
        directory = FOLDER / ("plain_" + name)
        model.save_pretrained(directory)
        save_file(case.inputs(), directory / "inputs.st")
        yield name, directory, load_file(directory / "inputs.st"), type(model)


def test_fields_of_pictures_and_sounds():
    for name, directory, _, _ in pictures_and_sounds():
        any_field(name, directory)


def test_adapters_of_pictures_and_sounds():
    try:
        import peft
    except ImportError:
        print("without adapters: the package peft is not installed")
        return
    for name, directory, batch, kind in pictures_and_sounds():
        targets = ["q_proj", "v_proj", "o_proj", "fc1", "fc2"] if "ViT" in name else ["q_proj", "k_proj", "fc1"]
        for dora in (False, True):
            held_adapter(f"{name}_{dora}", directory, kind, batch, answer_of, peft.LoraConfig(
                r=3, lora_alpha=5, target_modules=targets, use_dora=dora,
                modules_to_save=["classifier"] if "ViT" in name else None))


run([test_fields_that_are_missing, test_theta, test_fields_of_pictures_and_sounds,
     test_adapters_of_pictures_and_sounds])
