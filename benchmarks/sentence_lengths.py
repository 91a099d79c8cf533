#!/usr/bin/env python3
"""Translation without attention, by an RNN with attention and by a transformer, in equal time: BLEU and
chrF for sentences of each length (docs/attention_and_recurrence.md).

usage: .venv/bin/python benchmarks/sentence_lengths.py [PROGRAM] [--minutes N] [--seeds N] [--threads N]
       [--only NAME,…] [--data FOLDER] [--out FOLDER] [--json]

Each model trains for --minutes: two short runs say how long a step and a validation take, and the run
that counts gets as many steps as fit, so that its learning rate has come down when the time is over. The
time that it took stands in the table. Validation chooses the model; the test is read once. Multi30k,
English to German, one BPE of 8,000 tokens for both sides, lower case; beam 5. Sentences are sorted into
groups by the words of the source. With --out the models stay there, and a model that is there already is
not trained again.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMON = ["--tokenizer", "bpe:8000", "--lowercase", "--d-model", "256", "--dropout", "0.3",
          "--embedding-dropout", "0.3", "--attention-dropout", "0.1", "--max-length", "256",
          "--batch-tokens", "6144", "--lr-scheduler", "cosine", "--warmup-ratio", "0.1",
          "--patience", "0", "--dtype", "float32"]
RNN = ["--architecture", "rnn", "--num-layers", "1", "--lr", "2e-3"]
TRANSFORMER = ["--num-heads", "4", "--num-layers", "3", "--d-ff", "1024", "--norm-first", "true",
               "--lr", "1.5e-3", "--beta2", "0.98", "--epsilon", "1e-9"]
MODELS = {
    "none": ("RNN without attention", [*RNN, "--rnn-attention", "none"]),
    "dot": ("RNN, dot attention, input feeding", [*RNN, "--rnn-attention", "dot"]),
    "additive": ("RNN, additive attention", [*RNN, "--rnn-attention", "additive"]),
    "transformer": ("transformer", TRANSFORMER),
    "conv": ("transformer, convolutions before attention", [*TRANSFORMER, "--before-attention", "conv"]),
    "gru": ("transformer, GRUs before attention", [*TRANSFORMER, "--before-attention", "gru"]),
}
UPPER = (8, 11, 14, 18)  # words of a group's longest sentence; the last group has what is longer
EVALUATIONS = 8
PROBE_STEPS = (10, 40)


class Runs:
    def __init__(self, options, folder, scratch):
        self.options = options
        self.folder = folder  # of the models
        self.scratch = scratch
        self.data = {name: [options.data / f"{name}.{side}" for side in ("en", "de")]
                     for name in ("train", "val", "test_2016_flickr")}

    def heed(self, *words):
        return subprocess.run([self.options.program, *map(str, words)], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def train(self, out, settings, seed, steps, evaluations):
        """What summary.json says of the run."""
        self.heed("train", "seq2seq", "--train", *self.data["train"], "--valid", *self.data["val"],
                  "--out", out, *COMMON, *settings, "--seed", seed, "--threads", self.options.threads,
                  "--max-steps", steps, "--eval-steps", max(1, steps // evaluations))
        return summary_of(out)

    def steps_that_fit(self, name):
        """As many as --minutes have room for, beside the validations."""
        seconds = [self.train(self.scratch / f"{name}-{steps}", MODELS[name][1], 1, steps, 1)["seconds"]
                   for steps in PROBE_STEPS]
        step = (seconds[1] - seconds[0]) / (PROBE_STEPS[1] - PROBE_STEPS[0])
        validation = max(0.0, seconds[0] - PROBE_STEPS[0] * step)
        return max(EVALUATIONS, int((60 * self.options.minutes - EVALUATIONS * validation) / step))

    def place(self, name, seed):
        return self.folder / f"{name}-{seed}"

    def score(self, metric, written, references):
        files = [self.scratch / "written", self.scratch / "references"]
        for file, lines in zip(files, (written, references)):
            file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return json.loads(self.heed("score", metric, files[0], "--references", files[1], "--lowercase",
                                    "--json"))[metric]

    def measure(self, model):
        source, reference = self.data["test_2016_flickr"]
        written = lines_of(self.heed("predict", model, source, "--threads", self.options.threads))
        sources = lines_of(source.read_text("utf-8"))
        references = lines_of(reference.read_text("utf-8"))
        groups = {"all": list(range(len(sources)))}
        groups.update(by_length(sources))
        result = {}
        for group, numbers in groups.items():
            texts = [[lines[i] for i in numbers] for lines in (written, references)]
            result[group] = {"sentences": len(numbers),
                             **{metric: self.score(metric, *texts)
                                for metric in ("bleu", "chrf")}}
        return result


def lines_of(text):
    return text.removesuffix("\n").split("\n")


def summary_of(model):
    return json.loads(pathlib.Path(f"{model}.run", "summary.json").read_text("utf-8"))


def by_length(sources):
    """{"1–8": [numbers of the sentences], …}"""
    groups = {}
    least = 1
    lengths = [len(source.split()) for source in sources]
    for most in (*UPPER, max(lengths)):
        numbers = [i for i, length in enumerate(lengths) if least <= length <= most]
        if numbers:
            groups[f"{least}–{most}"] = numbers
        least = most + 1
    return groups


def run(options, runs):
    """[{name, seed, seconds, steps, parameters, groups}]"""
    results = []
    for name in options.only.split(","):
        steps = None
        for seed in range(1, options.seeds + 1):
            model = runs.place(name, seed)
            if not model.exists():
                steps = steps or runs.steps_that_fit(name)
                runs.train(model, MODELS[name][1], seed, steps, EVALUATIONS)
            summary = summary_of(model)
            results.append({"name": name, "seed": seed, "seconds": summary["seconds"],
                            "steps": summary["steps"], "parameters": summary["parameters"],
                            "groups": runs.measure(model)})
            print(f"{name}, seed {seed}: {results[-1]['groups']['all']}", file=sys.stderr, flush=True)
    return results


def table(results, metric):
    groups = results[0]["groups"]
    print(f"\n| {metric} | minutes | steps | parameters | "
          + " | ".join(f"{group} ({of['sentences']:,})" for group, of in groups.items()) + " |")
    print("|---" * (4 + len(groups)) + "|")
    for name in dict.fromkeys(result["name"] for result in results):
        own = [result for result in results if result["name"] == name]

        def mean(values):
            return statistics.mean(values(result) for result in own)

        scores = [mean(lambda result: result["groups"][group][metric]) for group in groups]
        print(f"| {MODELS[name][0]} | {mean(lambda r: r['seconds']) / 60:.1f} "
              f"| {mean(lambda r: r['steps']):,.0f} | {own[0]['parameters']:,} | "
              + " | ".join(f"{score:.1f}" for score in scores) + " |")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=str(ROOT / "build/release/heed"))
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="none,dot,additive,transformer")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data/multi30k")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    unknown = [name for name in options.only.split(",") if name not in MODELS]
    if unknown:
        parser.error(f"--only: expected some of {', '.join(MODELS)}, got {', '.join(unknown)}")
    return options


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as temporary:
        scratch = pathlib.Path(temporary)
        folder = options.out or scratch
        folder.mkdir(parents=True, exist_ok=True)
        results = run(options, Runs(options, folder, scratch))
    if options.json:
        print(json.dumps({"minutes": options.minutes, "threads": options.threads, "runs": results}))
        return
    for metric in ("bleu", "chrf"):
        table(results, metric)


if __name__ == "__main__":
    main()
