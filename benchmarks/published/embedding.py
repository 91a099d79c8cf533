#!/usr/bin/env python3
"""Vectors of 10,000 sentences of mixed lengths by all-MiniLM-L6-v2 in float32: sentences a second.

usage: .venv/bin/python benchmarks/published/embedding.py [--sentences N] [--program PATH] [--threads N] [--rounds N]
           [--clock wall|cpu] [--tiny]

`heed embed` against sentence-transformers (batches of 32, which it sorts by length) and ONNX Runtime (the same
network exported by torch, mean and length 1 by NumPy, batches of 32 sorted by length). Sentences of SST-2 and TREC. All
tokenise; starting is left out of all: of Heed the time of two sentences is taken off. The vectors must agree.
"""

import tempfile
from pathlib import Path

import common

BATCH = 32
GOALS = {"ONNX Runtime": "≥ 1.3", "sentence-transformers": "≥ 1.6"}


def sentences(count):
    rows = [row for names in (("sst2", "stsa.binary.train"), ("trec", "TREC.train.all"))
            for row in common.labelled(common.data(*names))]
    step = max(1, len(rows) // count)
    return [text for _, text in rows[::step]][:count]


def sentence_transformers(directory, _):
    common.needed("sentence_transformers")
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(directory), device="cpu")
    return lambda lines: model.encode(lines, batch_size=BATCH, show_progress_bar=False)


def exported(directory, folder):
    """The network as an ONNX file: ids, mask and types to states."""
    import torch
    import transformers

    model = transformers.AutoModel.from_pretrained(directory, attn_implementation="eager").eval()

    class States(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids, mask, types):
            return self.model(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state

    example = torch.ones(2, 7, dtype=torch.long)
    names = ["ids", "mask", "types"]
    wide = {name: {0: "batch", 1: "length"} for name in [*names, "states"]}
    torch.onnx.export(States().eval(), (example, example, example * 0), folder / "model.onnx", input_names=names,
                      output_names=["states"], dynamic_axes=wide, opset_version=17, dynamo=False)
    return folder / "model.onnx"


def onnx_runtime(directory, options):
    common.needed("onnx", "onnxruntime")
    import numpy
    import onnxruntime
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    with tempfile.TemporaryDirectory() as folder:
        session = onnxruntime.InferenceSession(exported(directory, Path(folder)), settings, ["CPUExecutionProvider"])

    def vectors(lines):
        order = sorted(range(len(lines)), key=lambda i: -len(lines[i]))
        found = numpy.empty((len(lines), 384), numpy.float32)
        for begin in range(0, len(order), BATCH):
            part = order[begin : begin + BATCH]
            batch = tokenizer([lines[i] for i in part], padding=True, truncation=True, max_length=256,
                              return_tensors="np")
            mask = batch["attention_mask"]
            states, = session.run(None, {"ids": batch["input_ids"], "mask": mask, "types": batch["token_type_ids"]})
            sums = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
            found[part] = sums / numpy.linalg.norm(sums, axis=1, keepdims=True)
        return found

    return vectors


def heed(options, directory, lines):
    import numpy

    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder) / "lines.txt", Path(folder) / "out.npy"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        seconds, *_ = common.run(options, "embed", directory, file, "--out", out)
        return seconds, numpy.load(out)


def measure(options):
    import numpy
    import torch

    torch.set_num_threads(options.threads)
    directory = common.minilm()
    lines = sentences(options.sentences)
    peers = {}
    for name, make in {"ONNX Runtime": lambda: onnx_runtime(directory, options),
                       "sentence-transformers": lambda: sentence_transformers(directory, options)}.items():
        try:
            peers[name] = make()
            peers[name](lines[:64])
        except common.Skip as why:
            print(f"skipped: {name}: {why}")
    times = {way: [] for way in ["heed embed", *peers]}
    for _ in range(options.rounds):
        start, _ = heed(options, directory, lines[:2])
        seconds, ours = heed(options, directory, lines)
        times["heed embed"].append(seconds - start)
        for name, peer in peers.items():
            seconds, theirs = common.timed(options.clock, lambda peer=peer: peer(lines))
            times[name].append(seconds)
            difference = numpy.abs(ours - theirs).max()
            if not difference < 1e-4:
                raise SystemExit(f"the vectors of {name} differ by {difference}")
    common.compared(f"{len(lines)} sentences, MiniLM, float32", times,
                    lambda seconds: f"{len(lines) / seconds:.0f} sentences/s", GOALS)


def main():
    made = common.parser(__doc__)
    made.add_argument("--sentences", type=int, default=10000)
    options = common.parsed(made)
    if options.tiny:
        options.sentences = 300
    common.head(options, ["torch", "transformers", "sentence-transformers", "onnxruntime"])
    common.whole([lambda: measure(options)])


if __name__ == "__main__":
    main()
