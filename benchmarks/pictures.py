"""How long pictures of attention and the doctor's page take, and how large they are.

Usage: pictures.py HEED_PROGRAM MODEL DATA

MODEL is a classifier of texts and DATA its labelled lines, such as demo/model and
examples/sentiment/valid.tsv after `make demo`. Prints, for each, the seconds of the processor (user and
system, the start of the program among them: its first line) and the size of the file.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

SHORT = "not a bad film at all , but far from a great one"
LONG = " ".join([SHORT] * 20)


def measured(name, *arguments, out=None):
    before = os.times()
    subprocess.run([str(word) for word in arguments], check=True, capture_output=True)
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    size = f"{out.stat().st_size / 1e3:.0f}" if out else ""
    print(f"| {name} | {seconds:.2f} | {size} |", flush=True)


def main(heed, model, data):
    print("| what | s of the processor | kB |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="heed-pictures-") as folder:
        measured("`heed --version`: the start alone", heed, "--version")
        for length, text in (("13 words", SHORT), ("260 words", LONG)):
            for kind in ("png", "svg", "pdf", "html"):
                out = Path(folder) / f"heat.{kind}"
                measured(f"attention of {length}, .{kind}", heed, "attend", model, text, "--out", out, out=out)
        out = Path(folder) / "report.html"
        measured("`heed doctor MODEL DATA`, the page", heed, "doctor", model, data, "--out", out, out=out)


if __name__ == "__main__":
    main(*sys.argv[1:])
