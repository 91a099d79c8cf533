"""Published models: tiny random ones of the `transformers` package, opened by Heed as they were saved.

For each architecture and head: logits as close to those in float64 as eager torch's in float32,
twice its error at most, with padding on the right and on the left; saved by Heed, opened by
transformers with nothing missing, unexpected or of another shape, and the same logits. Gradients, models of
pictures and adapters likewise. test_published_files.py has what the files of others are like.

usage: test_published.py HEED_PUBLISHED_TOOL [PART OF THE NAME OF A MODEL]"""

import math
import sys
from pathlib import Path

# It comes first, as it says that a package is missing.
from published_tool import (
    FOLDER, answers, ask, check, held_adapter, logits_of, masked, opened, prepared_copy, refused, run, tiny)

import torch
import transformers
from safetensors.torch import load_file, save_file


def answers_alone(model, batch):
    """The same without padding, rows of one length together."""
    mask = batch["attention_mask"].bool()
    lengths, rows = mask.sum(1), {}
    for length in lengths.unique().tolist():
        chosen = (lengths == length).nonzero().view(-1)
        part = {"attention_mask": torch.ones(len(chosen), length, dtype=torch.long)}
        for name in {"input_ids", "token_type_ids"} & set(batch):
            part[name] = batch[name][chosen][mask[chosen]].view(-1, length)
        if "decoder_input_ids" in batch:
            part["decoder_input_ids"] = batch["decoder_input_ids"][chosen]
        found = answers(model, part)
        if found.dim() == 3 and "decoder_input_ids" not in batch:
            found = torch.nn.functional.pad(found, (0, 0, 0, mask.shape[1] - length))
        rows |= dict(zip(chosen.tolist(), found))
    return torch.stack([rows[i] for i in range(len(mask))])


def counts_padding(model):
    """Whether transformers gives other answers beside padding on the left: positions that it counts, or
    its first token, which the head looks at."""
    kind = model.config.model_type
    first = type(model).__name__.endswith("SequenceClassification")
    return model.config.is_encoder_decoder or kind in ("bert", "albert", "electra", "distilbert") or \
        (first and kind in ("roberta", "xlm-roberta", "camembert", "modernbert"))


def with_positions(model, batch):
    """Left padding: positions count from the first real token (trap 49)."""
    if model.config.model_type in ("gpt2", "llama", "mistral", "qwen2", "qwen3", "gemma2",
                                   "gpt_neox"):  # fmt: skip
        mask = batch["attention_mask"]
        return batch | {"position_ids": (mask.cumsum(1) - 1).clamp(min=0)}
    return batch


def close(name, found, exact, rounded):
    """The largest error and the root of the mean square within twice those of torch, the larger ones
    of its two ways to attend."""
    found = found.double()
    check(found.shape == exact.shape, name, "shapes", found.shape, exact.shape)
    if found.shape != exact.shape:
        return
    for what, size in (("largest error", lambda x: x.abs().max().item()),
                       ("mean error", lambda x: x.pow(2).mean().sqrt().item())):  # fmt: skip
        error = size(found - exact)
        theirs = max(size(each.double() - exact) for each in rounded)
        check(error <= 2 * theirs, name, f"{what} {error:.3g}, torch's own {theirs:.3g}")


def answers_in_float32(model, batch, answers=answers):
    """By fused and by eager attention, which gives NaN beside some paddings and is left out then."""
    both = [answers(model, batch)]
    usual = model.config._attn_implementation
    model.set_attn_implementation("eager")
    eager = answers(model, batch)
    model.set_attn_implementation(usual)
    return both + ([eager] if eager.isfinite().all() else [])


class Prepared:
    """A model saved, its inputs written, and what must come out."""

    def __init__(self, case):
        self.case = case
        self.directory = FOLDER / case.name.replace(" ", "_").replace(",", "")
        model = case.model()
        model.save_pretrained(self.directory)
        self.kind = type(model)
        padding = model.config.pad_token_id or 0
        self.batches = {"right": case.inputs(padding=padding), "left": case.inputs(left=True, padding=padding)}
        self.rounded, self.exact = {}, {}
        alone = counts_padding(model)
        for side, batch in self.batches.items():
            full = with_positions(model, batch) if side == "left" else batch
            self.rounded[side] = answers_in_float32(
                model, full, answers_alone if alone and side == "left" else answers)  # fmt: skip
            save_file(batch, self.directory / f"inputs_{side}.st")
        model = tiny.exact_rotary(model.double())
        for side, batch in self.batches.items():
            full = with_positions(model, batch) if side == "left" else batch
            # In float64 Gemma 2 of transformers gives NaN beside padding.
            if (alone and side == "left") or model.config.model_type == "gemma2":
                self.exact[side] = answers_alone(model, batch)
            else:
                self.exact[side] = answers(model, full)

    def requests(self):
        for side in self.batches:
            request = {
                "directory": str(self.directory),
                "inputs": str(self.directory / f"inputs_{side}.st"),
                "outputs": str(self.directory / f"outputs_{side}.st"),
            }
            if side == "right":
                request["save"] = str(self.directory) + "_saved"
            yield request

    def compare(self, said):
        name = self.case.name
        for side, batch in self.batches.items():
            told = said[side]
            check("error" not in told, name, told.get("error"))
            if "error" in told:
                return
            check(told["left_out"] == [] and told["fresh"] == [], name, told)
            found = load_file(self.directory / f"outputs_{side}.st")["logits"]
            close(f"{name}, padding on the {side}:", masked(found, batch), self.exact[side],
                  self.rounded[side])  # fmt: skip
        self.reload()

    def reload(self):
        """Trap 50."""
        model, said = self.kind.from_pretrained(
            str(self.directory) + "_saved", output_loading_info=True, dtype=torch.float32)
        for what in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
            check(not said.get(what), self.case.name, "saved:", what, said.get(what))
        again = answers(model.eval(), self.batches["right"])
        check(torch.equal(again, self.rounded["right"][0]), self.case.name, "saved: other logits")


def test_tiny_models(wanted):
    prepared = [Prepared(case) for case in tiny.cases() if wanted in case.name]
    requests, places = [], []
    for each in prepared:
        for side, request in zip(each.batches, each.requests()):
            requests.append(request)
            places.append((each, side))
    said = {}
    for (each, side), told in zip(places, ask(requests)):
        said.setdefault(each, {})[side] = told
    for each in prepared:
        each.compare(said[each])
    print(len(prepared), "models")


def cases_called(*names):
    """In the order of the names."""
    found = {case.name: case for case in tiny.cases()}
    return [found[name] for name in names]


WRITERS = ("GPT2LMHeadModel", "GPTNeoXForCausalLM", "LlamaForCausalLM", "LlamaForCausalLM yarn",
           "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM", "Gemma2ForCausalLM", "Bart scaled",
           "Marian", "Marian of two vocabularies", "T5", "T5 gated")


def test_writing():
    """What follows three texts, token by token with a cache, greedy and by beams: the ids are the same."""
    rows = [0, 1, 2]
    for case in cases_called(*WRITERS):
        directory, _, _, batch = prepared_copy("writes_" + case.name.replace(" ", "_"), case)
        model = case.model()
        for more in ({"no_repeat_ngram_size": 2}, {"num_beams": 3, "min_length": 9, "no_repeat_ngram_size": 3}):
            start = model.config.decoder_start_token_id if case.targets else None
            settings = transformers.GenerationConfig(
                eos_token_id=[2, 30, 40], pad_token_id=0, bos_token_id=1, decoder_start_token_id=start,
                max_new_tokens=12, **more)  # fmt: skip
            settings.save_pretrained(directory)
            model.generation_config = settings
            told, _ = opened(directory, written=rows)
            for row in rows:
                ids = batch["input_ids"][row][batch["attention_mask"][row].bool()][None]
                with torch.no_grad():
                    # The cache of T5 there has as many layers as the encoder.
                    expected = model.generate(ids, attention_mask=torch.ones_like(ids),
                                              use_cache="T5" not in case.name)[0].tolist()  # fmt: skip
                expected = expected[1 if case.targets else ids.shape[1]:]
                end = [i for i, token in enumerate(expected) if token in settings.eos_token_id]
                expected = expected[:end[0]] if end else expected
                found = told["written"][row] if "written" in told else told
                check(found == expected, case.name, more, "writes", found, "not", expected)


def test_attention():
    """The weights of each layer, of a row without padding, are those of eager torch."""
    for case in cases_called(*WRITERS, "RobertaForMaskedLM", "AlbertForMaskedLM", "DistilBertForMaskedLM",
                             "ElectraForMaskedLM", "ModernBertForMaskedLM", "BartForSequenceClassification",
                             "T5ForQuestionAnswering"):
        directory, _, _, batch = prepared_copy("attends_" + case.name.replace(" ", "_"), case)
        model = case.model()
        model.set_attn_implementation("eager")
        with torch.no_grad():
            out = model(**batch, output_attentions=True)
        expected = {}
        for name, layers in (("self", [*(out.get("encoder_attentions") or ()),
                                       *(out.get("decoder_attentions") or out.get("attentions") or ())]),
                             ("cross", out.get("cross_attentions") or ())):  # fmt: skip
            expected |= {f"{name}.{i}": weights[0] for i, weights in enumerate(layers)}
        told, logits = opened(directory, attention=True)
        found = {} if logits is None else load_file(directory / "outputs.st")
        found.pop("logits", None)
        check(set(found) == set(expected) and expected, case.name, "attends in", sorted(found),
              "not in", sorted(expected), told.get("error"))  # fmt: skip
        for name in set(found) & set(expected):
            error = (found[name][0] - expected[name]).abs().max().item()
            check(error <= 1e-5, case.name, name, f"differs by {error:.3g}")


def gradients_of(model, batch, weight):
    model.zero_grad()
    (logits_of(model(**batch)) * weight).sum().backward()
    # As GPT-NeoX is saved.
    return {name.replace("lm_head", "embed_out") if model.config.model_type == "gpt_neox" else name:
            parameter.grad.double() for name, parameter in model.named_parameters()
            if parameter.grad is not None}  # fmt: skip


def test_gradients():
    """The gradient of a loss, saved as if it were the model: as close to that in float64 as torch's, the larger
    error of its two ways to attend."""
    for case in cases_called(
            "BertForSequenceClassification", "BertForQuestionAnswering", "RobertaForMaskedLM",
            "XLMRobertaForTokenClassification", "CamembertForQuestionAnswering",
            "DistilBertForMaskedLM", "ElectraForTokenClassification", "AlbertForMaskedLM",
            "ModernBertForMaskedLM", "GPT2LMHeadModel", "GPTNeoXForCausalLM", "LlamaForCausalLM",
            "LlamaForTokenClassification", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM",
            "Gemma2ForCausalLM", "Bart scaled", "Marian of two vocabularies", "T5", "BartForSequenceClassification",
            "T5ForQuestionAnswering", "T5ForTokenClassification", "LlamaForQuestionAnswering"):  # fmt: skip
        directory, _, expected, batch = prepared_copy("gradients_" + case.name.replace(" ", "_"), case)
        model = case.model()
        weight = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
        if "decoder_input_ids" not in batch and weight.dim() == 3:
            weight = masked(weight, batch)
        save_file(batch | {"weight": weight}, directory / "inputs.st")
        usual = model.config._attn_implementation
        rounded = []
        for kind in ("eager", usual):
            model.set_attn_implementation(kind)
            rounded.append(gradients_of(model, batch, weight))
        exacts = gradients_of(tiny.exact_rotary(model.double()), batch, weight)
        told, _ = opened(directory, gradients=str(directory) + "_saved")
        check("error" not in told, case.name, "gradients:", told.get("error"))
        if "error" in told:
            continue
        found = load_file(Path(str(directory) + "_saved") / "model.safetensors")
        ours, theirs = 0.0, 0.0
        largest = max(exact.abs().max().item() for exact in exacts.values())
        for name, exact in exacts.items():
            check(name in found, case.name, "no gradient of", name)
            scale = max(exact.abs().max().item(), 1e-3 * largest)  # some are 0 but for rounding
            ours = max(ours, (found[name].double() - exact).abs().max().item() / scale)
            for each in rounded:
                error = (each[name] - exact).abs().max().item()
                theirs = max(theirs, error / scale if math.isfinite(error) else 0)
        check(ours <= 2 * theirs, case.name, f"gradients: error {ours:.3g}, torch's own {theirs:.3g}")


def picture_gradients(config):
    torch.manual_seed(5)
    model = transformers.ViTForImageClassification(
        transformers.ViTConfig(**config, id2label=tiny.LABELS)).eval()  # fmt: skip
    directory = FOLDER / "picture_gradients"
    model.save_pretrained(directory)
    pixels, weight = torch.randn(6, 2, 24, 16), torch.randn(6, 3)
    save_file({"pixel_values": pixels, "weight": weight}, directory / "inputs.st")
    wanted = []
    for dtype in (torch.float32, torch.float64):
        model = transformers.ViTForImageClassification.from_pretrained(directory).to(dtype)
        (model(pixels.to(dtype), interpolate_pos_encoding=True).logits * weight).sum().backward()
        model.save_pretrained(str(directory) + "_exact", state_dict={
            name: parameter.grad.double() for name, parameter in model.named_parameters()})  # fmt: skip
        wanted.append(load_file(Path(str(directory) + "_exact") / "model.safetensors"))
    told, _ = opened(directory, gradients=str(directory) + "_saved")
    check("error" not in told, "gradients of pictures:", told.get("error"))
    if "error" in told:
        return
    found = load_file(Path(str(directory) + "_saved") / "model.safetensors")
    check(set(found) == set(wanted[1]), "gradients of pictures: other names")
    largest = max(exact.abs().max().item() for exact in wanted[1].values())
    ours, theirs = 0.0, 0.0
    for name, exact in wanted[1].items():
        scale = max(exact.abs().max().item(), 1e-3 * largest)
        ours = max(ours, (found[name].double() - exact).abs().max().item() / scale)
        theirs = max(theirs, (wanted[0][name] - exact).abs().max().item() / scale)
    check(ours <= 2 * theirs, f"gradients of pictures: error {ours:.3g}, torch's own {theirs:.3g}")


def test_pictures():
    """Trap 41: ViT at its own size and at another, whose positions are interpolated."""
    config = dict(hidden_size=24, num_attention_heads=3, num_hidden_layers=2, intermediate_size=40,
                  image_size=16, patch_size=4, num_channels=2, hidden_dropout_prob=0.0,
                  attention_probs_dropout_prob=0.0)  # fmt: skip
    for kind, more in ((transformers.ViTModel, {}), (transformers.ViTForImageClassification,
                       dict(id2label=tiny.LABELS)), (transformers.ViTModel, dict(qkv_bias=False))):
        torch.manual_seed(4)
        model = kind(transformers.ViTConfig(**config, **more)).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += torch.randn_like(parameter) * 0.1
        name = f"{kind.__name__} {more.get('qkv_bias', '')}"
        directory = FOLDER / name.replace(" ", "_")
        model.save_pretrained(directory)
        for height, width in ((16, 16), (24, 16)):
            pixels = torch.randn(5, 2, height, width)
            save_file({"pixel_values": pixels}, directory / "inputs.st")

            def answer(model, pixels=pixels):
                with torch.no_grad():
                    out = model(pixels, interpolate_pos_encoding=True)
                return out.logits if "logits" in out else out.last_hidden_state

            rounded = [answer(model)]
            again = kind.from_pretrained(directory).double()
            told, logits = opened(directory, save=str(directory) + "_saved")
            check("error" not in told, name, told.get("error"))
            if logits is None:
                continue
            close(f"{name} {height} x {width}:", logits, answer(again, pixels.double()), rounded)
            saved, said = kind.from_pretrained(str(directory) + "_saved", output_loading_info=True)
            check(not any(said.get(what) for what in ("missing_keys", "unexpected_keys",
                  "mismatched_keys")), name, "saved:", said)  # fmt: skip
            check(torch.equal(answer(saved.eval()), rounded[0]), name, "saved: other logits")
    picture_gradients(config)
    save_file({"pixel_values": torch.randn(1, 2, 15, 16)}, directory / "inputs.st")
    refused("a picture of no whole squares", directory, "expected (B, 2, height, width) in squares of 4 x 4")


ADAPTED = {
    "BertForSequenceClassification": "SEQ_CLS", "BertForQuestionAnswering": "QUESTION_ANS",
    "RobertaForTokenClassification": "TOKEN_CLS", "RobertaForSequenceClassification": "SEQ_CLS",
    "DistilBertForSequenceClassification": "SEQ_CLS", "AlbertForSequenceClassification": "SEQ_CLS",
    "ElectraForSequenceClassification": "SEQ_CLS", "BertForMaskedLM": None, "BertModel": "FEATURE_EXTRACTION",
    "ModernBertForSequenceClassification": "SEQ_CLS", "GPT2ForSequenceClassification": "SEQ_CLS",
    "GPT2LMHeadModel": "CAUSAL_LM", "GPTNeoXForCausalLM": "CAUSAL_LM", "LlamaForCausalLM": "CAUSAL_LM",
    "XLMRobertaForTokenClassification": "TOKEN_CLS", "CamembertForSequenceClassification": "SEQ_CLS",
    "MistralForCausalLM": "CAUSAL_LM", "Qwen2ForCausalLM": "CAUSAL_LM", "Marian of two vocabularies": "SEQ_2_SEQ_LM",
    "Qwen3ForCausalLM": "CAUSAL_LM", "Gemma2ForCausalLM": "CAUSAL_LM", "Bart scaled": "SEQ_2_SEQ_LM",
    "T5": "SEQ_2_SEQ_LM", "T5ForTokenClassification": "TOKEN_CLS", "Qwen2ForQuestionAnswering": "QUESTION_ANS"}  # fmt: skip


def test_adapters():
    """What peft wrote opens with its logits; saved again, peft opens it; merged, transformers does."""
    try:
        import peft
    except ImportError:
        print("without adapters: the package peft is not installed")
        return
    found = set()
    for case in tiny.cases():
        if case.name not in ADAPTED:
            continue
        found.add(case.name)
        for dora in (False, True):
            name = case.name.replace(" ", "_") + ("_dora" if dora else "_lora")
            directory, _, _, batch = prepared_copy(name + "_base", case)
            held_adapter(name, directory, type(case.model()), batch, answers, peft.LoraConfig(
                task_type=ADAPTED[case.name], r=3, lora_alpha=5, target_modules="all-linear",
                use_dora=dora, exclude_modules=["qa_outputs", "classifier", "pre_classifier"]))  # fmt: skip
    check(found == set(ADAPTED), "no case is called", set(ADAPTED) - found)


if len(sys.argv) > 2:
    run([lambda: test_tiny_models(sys.argv[2])])
else:
    run([lambda: test_tiny_models(""), test_writing, test_attention, test_gradients, test_pictures, test_adapters])
