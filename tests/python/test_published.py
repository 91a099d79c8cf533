"""Published models: tiny random ones of the `transformers` package, opened by Heed as they were saved.

For each architecture and head: logits as close to those in float64 as eager torch's in float32,
twice its error at most, with padding on the right and on the left; saved by Heed, opened by
transformers with nothing missing, unexpected or of another shape, and the same logits."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import torch
    import transformers
    from safetensors.torch import load_file, save_file
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import published_models as tiny  # noqa: E402

transformers.logging.set_verbosity_error()
torch.set_num_threads(1)
TOOL = sys.argv[1]
FOLDER = Path(tempfile.mkdtemp(prefix="heed-published-"))
failures = []


def check(holds, *what):
    if not holds:
        failures.append(" ".join(str(part) for part in what))
        print("FAILED", *what)


def ask(requests):
    """What the tool says of each."""
    text = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([TOOL], input=text, capture_output=True, text=True)
    check(done.returncode == 0, "the tool ended with", done.returncode, done.stderr[-2000:])
    return [json.loads(line) for line in done.stdout.splitlines()]


def rolled(tensor, mask):
    """Rows that begin with their first real token."""
    rows = [row.roll(-int(real.argmax()), 0) for row, real in zip(tensor, mask)]
    return torch.stack(rows)


def answers(model, batch):
    """Logits, or the states of a model without a head, rows beginning with their first real token
    and, of models that look at each token, zeros behind the last."""
    with torch.no_grad():
        out = model(**batch)
    if "start_logits" in out:
        logits = torch.stack([out.start_logits, out.end_logits], -1)
    else:
        logits = out.logits if "logits" in out else out.last_hidden_state
    if "decoder_input_ids" in batch or logits.dim() == 2:
        return logits
    return masked(rolled(logits, batch["attention_mask"]), batch)


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


def masked(logits, batch):
    if logits.dim() < 3 or "decoder_input_ids" in batch:
        return logits
    lengths = batch["attention_mask"].sum(1, keepdim=True)
    real = torch.arange(logits.shape[1]) < lengths
    return logits.masked_fill(~real.unsqueeze(-1), 0)


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


# ---- What the files of others are like


def bert_case(head="ForMaskedLM"):
    return next(case for case in tiny.cases() if case.name == "Bert" + head)


def prepared_copy(name, case=None):
    """A directory with a tiny model, its tensors, its inputs and what it answers."""
    case = case or bert_case()
    model = case.model()
    directory = FOLDER / name
    model.save_pretrained(directory)
    batch = case.inputs(padding=model.config.pad_token_id or 0)
    save_file(batch, directory / "inputs.st")
    return directory, load_file(directory / "model.safetensors"), answers(model, batch), batch


def opened(directory, **more):
    """What the tool says of a directory, and the logits."""
    request = {
        "directory": str(directory),
        "inputs": str(directory / "inputs.st"),
        "outputs": str(directory / "outputs.st"),
    } | more
    told = ask([request])[0]
    logits = None if "error" in told else load_file(directory / "outputs.st")["logits"]
    return told, logits


def same(what, directory, expected, batch, bound=1e-5, **more):
    told, logits = opened(directory, **more)
    check("error" not in told, what, told.get("error"))
    if logits is None:
        return told
    error = (masked(logits, batch) - expected).abs().max().item()
    check(error <= bound, what, "differs by", error)
    return told


def refused(what, directory, *words, **more):
    told, _ = opened(directory, **more)
    message = told.get("error", "")
    check(message and "\n" not in message, what, "was not refused in one line:", told)
    for word in words:
        check(word in message, what, f"the refusal does not say '{word}':", message)


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


def test_halves_are_computed_in_float32():
    """Trap 47."""
    directory, tensors, expected, batch = prepared_copy("halves")
    for dtype, bound in ((torch.float16, 2e-2), (torch.bfloat16, 1e-1)):
        rounded = {name: tensor.to(dtype) for name, tensor in tensors.items()}
        save_file(rounded, directory / "model.safetensors")
        same(f"{dtype}", directory, expected, batch, bound)
        model = transformers.BertForMaskedLM.from_pretrained(directory, dtype=torch.float32)
        same(f"{dtype} in float32", directory, answers(model.eval(), batch), batch)


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
    refused("no model_type", directory, "model_type")
    same("an option in its place", directory, expected, batch, model_type="bert")
    config_of(directory, lambda config: config.update(model_type="rwkv"))
    refused("an unknown one", directory, "field 'model_type'", "albert, bart, bert", "rwkv.cpp",
            "docs/adding_an_architecture.md")  # fmt: skip


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


def main():
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    test_tiny_models(wanted)
    for name, test in list(globals().items()):
        if name.startswith("test_") and test is not test_tiny_models and not wanted:
            test()
    if failures:
        sys.exit(f"{len(failures)} checks failed")


main()
