#!/usr/bin/env python3
"""Pictures of MNIST written by `heed train image-generation`: bits per dimension, and how many are recognised.

usage: python3 benchmarks/image_generation.py MNIST --work FOLDER [--program HEED] [--threads N] [--seeds N]
           [--samples N] [--temperatures T,…] [--classifier MODEL] [-- OPTION…]

MNIST: a folder with its four files. Trains a classifier (`heed train image`, its defaults) in FOLDER, unless
--classifier names one; then for each seed a generator with the options behind `--`. Of the generator: bits per
dimension of the 10,000 test pictures, read once, beside what counts of the codes that train need (place; place and
class; code before) as it said itself on the pictures that validate; the seconds of training; and for each
temperature the share of N samples of each class (100) that the classifier takes for that class, with the worst class.
The same share of the test pictures says what the classifier itself misses. Models that are in FOLDER already are used
again. Prints a Markdown row for each seed and temperature, and the means; a sheet of each is left in FOLDER.

A picture that is cut from its training data would be recognised too: `nearest` is the mean distance (root of the mean
squared difference of pixels) of samples to the nearest of 10,000 training pictures, beside that of test pictures.
Needs numpy.
"""

import argparse
import gzip
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pictures_of(path):
    with gzip.open(path) as file:
        return numpy.frombuffer(file.read(), numpy.uint8)[16:].reshape(-1, 784)


class Heed:
    def __init__(self, program, threads):
        self.program, self.threads = program, ["--threads", str(threads)]

    def run(self, *arguments):
        result = subprocess.run([self.program, *map(str, arguments), *self.threads], capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(f"{arguments}: {result.returncode}\n{result.stderr}")
        return result

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout)


def trained(heed, task, train, out, *options):
    """Seconds that training took, and what it said; of a model that is there already, what is kept beside it."""
    kept = out.with_suffix(".said.json")
    if not kept.exists():
        start = time.perf_counter()
        said = heed.run("train", task, "--train", train, "--out", out, "--overwrite", *options).stderr
        kept.write_text(json.dumps({"seconds": time.perf_counter() - start, "said": said}))
    return json.loads(kept.read_text())


def recall_of_classes(scores):
    confusion = numpy.array(scores["confusion"], float)  # rows: true classes
    return numpy.diag(confusion) / confusion.sum(1)


def nearest(some, pictures):
    """Mean over `some` of the distance to the nearest of `pictures`."""
    a, b = some.astype(numpy.float32), pictures.astype(numpy.float32)
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * a @ b.T
    return float(numpy.sqrt(squares.min(1).clip(0) / a.shape[1]).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--program", default=ROOT / "build/release/heed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--temperatures", default="1,0.9,0.8")
    parser.add_argument("--classifier", type=pathlib.Path)
    words, options = sys.argv[1:], []  # behind `--`: of heed train image-generation
    if "--" in words:
        words, options = words[: words.index("--")], words[words.index("--") + 1 :]
    given = parser.parse_args(words)
    heed = Heed(given.program, given.threads)
    given.work.mkdir(parents=True, exist_ok=True)
    train, test = (given.mnist / f"{name}-images-idx3-ubyte.gz" for name in ("train", "t10k"))
    classifier = given.classifier or given.work / "classifier"
    if not given.classifier:
        trained(heed, "image", train, classifier)
    scores = heed.json("eval", classifier, test)
    print(f"classifier: {scores['accuracy']:.4f} of the test pictures, "
          f"{recall_of_classes(scores).min():.4f} of the worst class")
    some_train = pictures_of(train)[:10_000]
    print(f"nearest: {nearest(pictures_of(test)[:1000], some_train):.1f} of test pictures\n")

    bits, shares = [], {}
    print("| seed | seconds | bits per dimension, test | exact | temperature | recognised | worst class | nearest |")
    print("|---|---|---|---|---|---|---|---|")
    for seed in range(1, given.seeds + 1):
        model = given.work / f"generator{seed}"
        run = trained(heed, "image-generation", train, model, "--seed", seed, *options)
        scores = heed.json("eval", model, test)
        bits.append(scores["bits_per_dim"])
        for temperature in given.temperatures.split(","):
            name = f"samples{seed}-{temperature}"
            sampling = ["--num-samples", given.samples, "--temperature", temperature, "--seed", seed]
            lines = heed.run("generate", model, *sampling, "--out", given.work / name, "--json").stdout.splitlines()
            pixels = numpy.array([sum(json.loads(line)["pixels"], []) for line in lines])
            heed.run("generate", model, "--num-samples", 16, "--temperature", temperature, "--seed", seed,
                     "--out", given.work / f"{name}.png")
            recall = recall_of_classes(heed.json("eval", classifier, given.work / name))
            shares.setdefault(temperature, []).append(float(recall.mean()))
            print(f"| {seed} | {run['seconds']:.0f} | {scores['bits_per_dim']:.4f} | {scores['exact']} | {temperature} "
                  f"| {recall.mean():.4f} | {recall.min():.2f} | {nearest(pixels, some_train):.1f} |", flush=True)
        counted = re.findall(r"^  (\w.*?) +([\d.]+) bits per dimension", run["said"], re.M)
        print(f"\nseed {seed}, on the pictures that validate: "
              + ", ".join(f"{name} {value}" for name, value in counted)
              + f"; quantisation loses {scores['quantization_rmse']:.2f} of 255\n", flush=True)
    print(f"mean of {given.seeds}: {statistics.mean(bits):.4f} bits per dimension; recognised "
          + ", ".join(f"{statistics.mean(each):.4f} at {temperature}" for temperature, each in shares.items()))


if __name__ == "__main__":
    main()
