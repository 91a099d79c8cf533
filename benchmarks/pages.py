"""How long pages of attention take to write and to open, and how long the doctor takes.

Usage: pages.py HEED_PROGRAM

Writes the pages of a model with 12 layers of 12 heads for 128, 512 and 2,000 tokens and opens each in
a headless Chromium, three times: from the request until the first lines are drawn. Then `heed doctor`
reads 100,000 lines without its quick model. Needs what tests/python/browser.py needs.
"""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))
from program import heed  # noqa: E402
import browser  # noqa: E402

LENGTHS = (128, 512, 2000)
WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "bdfgklmnprst"]


def make_model(folder):
    rng = random.Random(1)
    lines = [f"{label}\t{' '.join(rng.choices(WORDS, k=20))}" for label in ("a", "b") * 20]
    (folder / "data.tsv").write_text("\n".join(lines) + "\n")
    heed("train", "classify", "--train", "data.tsv", "--out", "model", "--d-model", 144,
         "--num-heads", 12, "--num-layers", 12, "--max-length", max(LENGTHS), "--max-steps", 1,
         cwd=folder, code=0)


def opening_seconds(driver, page):
    """Until two frames after the page is loaded: then its lines are there."""
    driver.get("about:blank")
    start = time.monotonic()
    driver.get(page.as_uri())
    lines = driver.execute_async_script(
        "const done = arguments[0];"
        "requestAnimationFrame(() => requestAnimationFrame(() => "
        "done(document.querySelectorAll('#lines line').length)));")
    seconds = time.monotonic() - start
    assert lines > 0, f"{page}: nothing is drawn"
    return seconds


def pages(folder):
    rng = random.Random(2)
    driver = browser.start()
    print("tokens\twritten s\tMB\topened s (median of 3)")
    for length in LENGTHS:
        text, page = " ".join(rng.choices(WORDS, k=length)), folder / f"{length}.html"
        start = time.monotonic()
        heed("attend", "model", text, "--out", page, cwd=folder, code=0)
        written = time.monotonic() - start
        opened = statistics.median(opening_seconds(driver, page) for _ in range(3))
        print(f"{length}\t{written:.2f}\t{page.stat().st_size / 1e6:.2f}\t{opened:.2f}", flush=True)
    driver.quit()


def doctor(folder):
    rng = random.Random(3)
    with open(folder / "many.tsv", "w", encoding="utf-8") as file:
        for i in range(100_000):
            file.write(f"{'ab'[i % 2]}\t{' '.join(rng.choices(WORDS, k=rng.randrange(5, 40)))}\n")
    for arguments in (("--no-model",), ()):
        start = time.monotonic()
        heed("doctor", "many.tsv", *arguments, cwd=folder)
        print(f"heed doctor, 100,000 lines {' '.join(arguments)}\t{time.monotonic() - start:.2f} s",
              flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="heed-pages-") as name:
        make_model(Path(name))
        pages(Path(name))
        doctor(Path(name))
