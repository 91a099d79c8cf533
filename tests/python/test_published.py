"""Published models: tiny random ones of the `transformers` package, opened by Heed as they were saved.

For each architecture and head: logits as close to those in float64 as eager torch's in float32,
twice its error at most, with padding on the right and on the left; saved by Heed, opened by
transformers with nothing missing, unexpected or of another shape, and the same logits. Gradients, models of
pictures and adapters likewise. test_published_files.py has what the files of others are like.

usage: test_published.py HEED_PUBLISHED_TOOL [PART OF THE NAME OF A MODEL]"""

import sys
from pathlib import Path

# It comes first, as it says that a package is missing.
from published_tool import FOLDER, answers, ask, check, masked, opened, prepared_copy, refused, run, tiny

import torch
import transformers
from safetensors.torch import load_file, save_file


def answers_alone(model, batch):
    """The same, each row by itself: in float64 Gemma 2 of transformers gives NaN beside padding."""
    length = batch["attention_mask"].shape[1]
    rows = []
    for ids, real in zip(batch["input_ids"], batch["attention_mask"].bool()):
        row = answers(model, {"input_ids": ids[real][None],
                              "attention_mask": torch.ones(1, int(real.sum()), dtype=torch.long)})
        if row.dim() == 3:
            row = torch.nn.functional.pad(row, (0, 0, 0, length - row.shape[1]))
        rows.append(row)
    return torch.cat(rows)


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


def answers_in_float32(model, batch):
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
        self.batches = {"right": case.inputs(padding=padding)}
        if not case.targets and model.config.model_type not in ("bert", "albert", "electra", "distilbert"):
            if not self.kind.__name__.endswith("SequenceClassification") or \
                    model.config.model_type not in ("roberta", "xlm-roberta", "camembert", "modernbert"):
                self.batches["left"] = case.inputs(left=True, padding=padding)
        self.rounded, self.exact = {}, {}
        for side, batch in self.batches.items():
            full = with_positions(model, batch) if side == "left" else batch
            self.rounded[side] = answers_in_float32(model, full)
            save_file(batch, self.directory / f"inputs_{side}.st")
        model = tiny.exact_rotary(model.double())
        for side, batch in self.batches.items():
            full = with_positions(model, batch) if side == "left" else batch
            if model.config.model_type == "gemma2":
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


def test_gradients():
    """The gradient of a loss, saved as if it were the model: as close to that in float64 as torch's."""
    names = ("BertForSequenceClassification", "LlamaForCausalLM", "Qwen3ForCausalLM",
             "GPT2LMHeadModel", "GPTNeoXForCausalLM", "Gemma2ForCausalLM", "AlbertForMaskedLM",
             "ModernBertForMaskedLM", "Bart scaled", "T5")  # fmt: skip
    for case in tiny.cases():
        if case.name not in names:
            continue
        directory, _, expected, batch = prepared_copy("gradients_" + case.name.replace(" ", "_"), case)
        model = case.model()
        weight = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
        if "decoder_input_ids" not in batch and weight.dim() == 3:
            weight = masked(weight, batch)
        save_file(batch | {"weight": weight}, directory / "inputs.st")
        wanted = []
        for exact in (False, True):
            model = tiny.exact_rotary(model.double()) if exact else model
            model.zero_grad()
            (model(**batch).logits * weight).sum().backward()
            # As GPT-NeoX is saved.
            wanted.append({name.replace("lm_head", "embed_out") if "NeoX" in case.name else name:
                           parameter.grad.double() for name, parameter in
                           model.named_parameters() if parameter.grad is not None})  # fmt: skip
        told, _ = opened(directory, gradients=str(directory) + "_saved")
        check("error" not in told, case.name, "gradients:", told.get("error"))
        if "error" in told:
            continue
        found = load_file(Path(str(directory) + "_saved") / "model.safetensors")
        ours, theirs = 0.0, 0.0
        largest = max(exact.abs().max().item() for exact in wanted[1].values())
        for name, exact in wanted[1].items():
            check(name in found, case.name, "no gradient of", name)
            scale = max(exact.abs().max().item(), 1e-3 * largest)  # some are 0 but for rounding
            ours = max(ours, (found[name].double() - exact).abs().max().item() / scale)
            theirs = max(theirs, (wanted[0][name] - exact).abs().max().item() / scale)
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
    "Qwen3ForCausalLM": "CAUSAL_LM", "Gemma2ForCausalLM": "CAUSAL_LM", "Bart scaled": "SEQ_2_SEQ_LM",
    "T5": "SEQ_2_SEQ_LM"}  # fmt: skip


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
            kind = type(case.model())
            adapted = peft.get_peft_model(kind.from_pretrained(directory), peft.LoraConfig(
                task_type=ADAPTED[case.name], r=3, lora_alpha=5, target_modules="all-linear",
                use_dora=dora, exclude_modules=["qa_outputs", "classifier", "pre_classifier"]))  # fmt: skip
            with torch.no_grad():
                for parameter in adapted.parameters():
                    if parameter.requires_grad:
                        parameter += torch.randn_like(parameter) * 0.05
            folder = FOLDER / name
            adapted.save_pretrained(folder)
            save_file(batch, folder / "inputs.st")
            # Of its base: peft's model for question answering forgets the token types.
            expected = answers(adapted.eval().base_model, batch)
            told, logits = opened(folder, save=str(folder) + "_saved", merged=str(folder) + "_merged")
            check("error" not in told, name, told.get("error"))
            if logits is None:
                continue
            scale = expected.abs().max().item()

            def near(what, logits, name=name, expected=expected, scale=scale):
                error = (logits - expected).abs().max().item()
                check(error <= 2e-5 * max(scale, 1), name, what, f"differs by {error:.3g} of {scale:.3g}")

            near("opened", masked(logits, batch))
            again = peft.PeftModel.from_pretrained(kind.from_pretrained(directory), str(folder) + "_saved")
            near("saved and opened by peft", answers(again.eval().base_model, batch))
            ours = set(load_file(Path(str(folder) + "_saved") / "adapter_model.safetensors"))
            theirs = set(load_file(folder / "adapter_model.safetensors"))
            check(ours == theirs, name, "saved: other tensors", sorted(ours ^ theirs)[:4])
            near("merged", answers(kind.from_pretrained(str(folder) + "_merged").eval(), batch))
    check(found == set(ADAPTED), "no case is called", set(ADAPTED) - found)


if len(sys.argv) > 2:
    run([lambda: test_tiny_models(sys.argv[2])])
else:
    run([lambda: test_tiny_models(""), test_gradients, test_pictures, test_adapters])
