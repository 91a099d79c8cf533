"""`heed train … --watch PORT`: a run in the browser while it goes on, and its report at the end.

Usage: test_watch.py HEED_PROGRAM
"""

import gzip
import html
import json
import math
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
import wave
from pathlib import Path

from program import HEED, heed
from test_detect import png
import browser


def rows(count, seed):
    rng = random.Random(seed)
    words = {"food": "bread cheese soup rice".split(), "weather": "rain sun snow wind".split()}
    return "".join(f"{label}\t{' '.join(rng.choices(words[label], k=5))}\n"
                   for label in sorted(words) for _ in range(count))


class Run:
    """A training that goes on until it is stopped."""

    def __init__(self, folder, out="live"):
        said = tempfile.NamedTemporaryFile(dir=folder, suffix=".stderr", delete=False)
        self.said = Path(said.name)
        self.process = subprocess.Popen(
            [HEED, "train", "classify", "--train", "train.tsv", "--valid", "valid.tsv", "--out", out,
             "--d-model", "32", "--num-heads", "2", "--num-layers", "1", "--threads", "1", "--epochs",
             "100000", "--patience", "0", "--logging-steps", "1", "--eval-steps", "20", "--overwrite",
             "--watch", "0"],
            cwd=folder, stderr=said, stdout=subprocess.DEVNULL)
        while self.process.poll() is None:
            found = re.search(r"watch the run at (\S+)\n", self.said.read_text())
            if found:
                self.address = found.group(1)
                return
            time.sleep(0.02)
        raise AssertionError(self.said.read_text())

    def get(self, path="", **headers):
        request = urllib.request.Request(self.address + path, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode("utf-8"), answer.headers

    def wait_for(self, text):
        end = time.monotonic() + 120
        while time.monotonic() < end:
            page = self.get()[0]
            if text in page:
                return page
            time.sleep(0.1)
        raise AssertionError(f"never came: {text}\n{page[:2000]}")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=120)
        return self.said.read_text(), self.process.returncode


class Watch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-watch-"))
        (cls.folder / "train.tsv").write_text(rows(40, 1))
        (cls.folder / "valid.tsv").write_text(rows(10, 2))
        cls.run_ = Run(cls.folder)
        cls.page = cls.run_.wait_for("attention-3.html")

    @classmethod
    def tearDownClass(cls):
        if cls.run_.process.poll() is None:
            cls.run_.stop()
        shutil.rmtree(cls.folder)

    def test_curves_gradients_and_examples(self):
        self.assertRegex(self.page, r"<p>Step \d+ of \d+, epoch \d+: loss")
        for heading in ("Loss and metrics", "Learning rate, gradients, speed", "Validations",
                        "How it was made"):
            self.assertIn(f"<h2>{heading}</h2>", self.page)
        self.assertRegex(self.page, r"<h2>Example 1, by the model of step \d+</h2>")
        self.assertGreaterEqual(self.page.count("data:image/svg+xml;base64,"), 5)
        held_out = (self.folder / "valid.tsv").read_text()
        for text in re.findall(r"<h2>Example[^<]*</h2>\s*<p>([^<]*)</p>", self.page):
            self.assertIn(text, held_out)

    def test_it_goes_on(self):
        step = int(re.search(r"<p>Step (\d+) of", self.page).group(1))
        end = time.monotonic() + 60
        while int(re.search(r"<p>Step (\d+) of", self.run_.get()[0]).group(1)) <= step:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)

    def test_attention_of_an_example(self):
        page, headers = self.run_.get("attention-1.html")
        self.assertIn("Where the model looked", page)
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.run_.get("attention-4.html")
        self.assertEqual(refused.exception.code, 404)

    def test_only_this_machine_by_its_own_name(self):
        for host in ("evil.example:80", "127.0.0.1.evil.example"):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                self.run_.get(Host=host)
            self.assertEqual(refused.exception.code, 403)
        self.assertIn("<h1>", self.run_.get(Host="localhost:9999")[0])
        port = int(self.run_.address.rsplit(":", 1)[1].strip("/"))
        for address in {each[4][0] for each in socket.getaddrinfo(socket.gethostname(), None,
                                                                  socket.AF_INET)}:
            if not address.startswith("127."):
                with self.assertRaises(OSError):
                    socket.create_connection((address, port), timeout=5).close()

    def test_nothing_can_be_sent(self):
        request = urllib.request.Request(self.run_.address, data=b"x", method="POST")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        self.assertEqual(refused.exception.code, 405)

    def test_a_port_that_is_taken(self):
        port = self.run_.address.rsplit(":", 1)[1].strip("/")
        refused = heed("train", "classify", "--train", "none.tsv", "--out", "other", "--watch", port,
                       cwd=self.folder, code=2)
        self.assertIn(f"--watch {port}: the port is taken by another program", refused.stderr)
        refused = heed("train", "classify", "--train", "none.tsv", "--out", "other", "--watch", 65536,
                       cwd=self.folder, code=2)
        self.assertIn("expected a port from 0 to 65535", refused.stderr)

    @unittest.skipIf(browser.missing(), browser.missing())
    def test_in_a_browser(self):
        driver = browser.start()
        try:
            driver.get(self.run_.address)
            driver.execute_script("window.same = true")
            text = "return document.querySelector('main p').textContent"
            first, end = driver.execute_script(text), time.monotonic() + 60
            while driver.execute_script(text) == first:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.2)
            self.assertTrue(driver.execute_script("return window.same"))  # it was not loaded anew
            pictures = driver.execute_script(
                "return [...document.images].every((each) => each.naturalWidth > 0)")
            self.assertTrue(pictures)
            if browser.axe_script():
                self.assertEqual(browser.accessibility_faults(driver), [])
            self.assertEqual(driver.get_log("browser"), [])
            other = Run(self.folder, out="short")
            driver.get(other.address)
            other.stop()
            end = time.monotonic() + 60
            while "does not answer" not in driver.find_element("id", "live").text:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.2)
        finally:
            driver.quit()


class Bits(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="heed-watch-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "train.tsv").write_text(rows(40, 1))

    def train(self, out, *options):
        heed("train", "classify", "--train", "train.tsv", "--out", out, "--d-model", 32, "--num-heads",
             2, "--num-layers", 1, "--threads", 1, "--epochs", 4, *options, cwd=self.folder, code=0)
        return (self.folder / out / "model.safetensors").read_bytes()

    def test_who_watches_changes_nothing(self):
        self.assertEqual(self.train("alone"), self.train("watched", "--watch", 0))

    def test_the_report_at_the_end_shows_the_same(self):
        self.train("model")
        run = self.folder / "model.run"
        report = (run / "report.html").read_text("utf-8")
        self.assertIn("<h2>Example 1</h2>", report)
        self.assertNotIn("<script", report)
        for link in re.findall(r'<a href="([^"]+)"', report):
            self.assertIn("Where the model looked", (run / link).read_text("utf-8"))

    def test_a_run_that_was_watched_is_resumed_without(self):
        (self.folder / "valid.tsv").write_text(rows(10, 2))
        run = Run(self.folder)
        run.wait_for("attention-1.html")
        message, code = run.stop()
        self.assertEqual(code, 130, message)
        heed("train", "classify", "--train", "train.tsv", "--valid", "valid.tsv", "--out", "live",
             "--d-model", 32, "--num-heads", 2, "--num-layers", 1, "--threads", 1, "--max-steps", 1,
             "--patience", 0, "--logging-steps", 1, "--eval-steps", 20, "--resume", cwd=self.folder,
             code=0)


def write_texts(folder):
    (folder / "train.tsv").write_text(rows(15, 1))
    return ["--train", "train.tsv", "--num-layers", 1]


def write_several(folder):
    (folder / "train.tsv").write_text("".join(
        f"{['food', 'food;rain', ''][i % 3]}\t{['bread', 'soup and rain', 'stone'][i % 3]} {i}\n" for i in range(30)))
    return ["--train", "train.tsv", "--label-separator", ";", "--num-layers", 1]


def write_entities(folder):
    (folder / "train.conll").write_text("".join(
        f"Ann\tB-PER\n{'Lee' if i % 2 else 'Fox'}\tI-PER\nsaw\tO\nRome\tB-LOC\n\n" for i in range(30)))
    return ["--train", "train.conll"]


def write_counting(folder):
    (folder / "train.txt").write_text(" ".join(f"w{i}" for i in range(800)))
    return ["--train", "train.txt", "--num-layers", 1, "--max-length", 64]


def write_pairs(folder):
    (folder / "pairs.tsv").write_text("source\ttarget\n" + "".join(f"one w{i}\tein w{i}\n" for i in range(30)))
    return ["--train", "pairs.tsv", "--source-column", "source", "--target-column", "target",
            "--num-layers", 1]


def write_stories(folder):
    (folder / "train.txt").write_text("".join(
        f"1 Ann went to the {['hall', 'garden'][i % 2]}.\n2 Where is Ann?\t{['hall', 'garden'][i % 2]}\t1\n"
        for i in range(30)))
    return ["--train", "train.txt", "--num-hops", 1]


def write_spans(folder):
    (folder / "train.jsonl").write_text("".join(json.dumps(
        {"context": f"Ann lives in {['Rome', 'Oslo'][i % 2]} now {i}", "question": "Where does Ann live?",
         "answers": [{"text": ["Rome", "Oslo"][i % 2], "answer_start": 13}]}) + "\n" for i in range(30)))
    return ["--train", "train.jsonl", "--num-layers", 1]


def write_series(folder):
    (folder / "series.csv").write_text("time,a\n" + "".join(f"{t},{t % 7}\n" for t in range(120)))
    return ["--train", "series.csv", "--context-length", 14, "--horizon", 7, "--patch-length", 7,
            "--patch-stride", 7, "--num-layers", 1]


def write_nodes(folder):
    options = write_links(folder)
    (folder / "nodes.tsv").write_text("node\tclass\tage\n" + "".join(
        f"n{i}\t{['old', 'young'][i % 2]}\t{i % 2}\n" for i in range(24)))
    return [*options, "--test-share", 0.2]


def write_taken(folder):
    (folder / "taken.tsv").write_text("user\titem\n" + "".join(
        f"u{u}\t{'abcdefgh'[(u + k) % 8]}\n" for u in range(12) for k in range(5)))
    return ["--train", "taken.tsv", "--num-layers", 1]


def write_table(folder):
    (folder / "fees.csv").write_text("age,town,fee\n" + "".join(
        f"{20 + i * 7 % 40},{['city', 'coast'][i % 2]},{['low', 'high'][i // 20]}\n" for i in range(40)))
    return ["--train", "fees.csv", "--target", "fee", "--num-layers", 1]


def write_pictures(folder):
    with gzip.open(folder / "train-images-idx3-ubyte.gz", "wb") as file:
        file.write(struct.pack(">BBBBIII", 0, 0, 8, 3, 40, 8, 8))
        file.write(b"".join(bytes([i % 2 * 200 + i]) * 64 for i in range(40)))
    with gzip.open(folder / "train-labels-idx1-ubyte.gz", "wb") as file:
        file.write(struct.pack(">BBBBI", 0, 0, 8, 1, 40) + bytes(i % 2 for i in range(40)))
    return ["--train", "train-images-idx3-ubyte.gz", "--num-layers", 1, "--patch-size", 2]


def write_written_pictures(folder):
    return [*write_pictures(folder), "--levels", 2]


def write_annotations(folder):
    images, annotations = [], []
    for i in range(12):
        (folder / f"{i}.png").write_bytes(png(16, 16, bytes([250 if at % 16 < 6 else i for at in range(256)])))
        images.append({"id": i, "file_name": f"{i}.png", "width": 16, "height": 16})
        annotations.append({"id": i, "image_id": i, "category_id": 1, "bbox": [0, 0, 6, 16], "area": 96,
                            "iscrowd": 0})
    (folder / "objects.json").write_text(json.dumps(
        {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "bar"}]}))
    return ["--train", "objects.json", "--patch-size", 4, "--num-queries", 3, "--num-layers", 1,
            "--num-decoder-layers", 1]


def write_sounds(folder):
    for i in range(20):
        file = folder / "sounds" / ["high", "low"][i % 2] / f"{i}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(file), "wb") as out:
            out.setparams((1, 2, 8000, 0, "NONE", ""))
            tone = [int(9000 * math.sin(at * [0.9, 0.2][i % 2] + i)) for at in range(3000)]
            out.writeframes(struct.pack("<3000h", *tone))
    return ["--train", "sounds", "--sampling-rate", 8000, "--num-mel-bins", 20, "--num-channels", 8,
            "--num-layers", 1]


def write_said(folder):
    options = write_sounds(folder)[2:]
    (folder / "said.csv").write_text("file,text\n" + "".join(
        f"sounds/{['high', 'low'][i % 2]}/{i}.wav,{['high', 'low'][i % 2]}\n" for i in range(20)))
    return ["--train", "said.csv", *options]


def write_links(folder):
    (folder / "nodes.tsv").write_text("node\tage\n" + "".join(f"n{i}\t{i % 7}\n" for i in range(24)))
    (folder / "edges.tsv").write_text("source\ttarget\n" + "".join(
        f"n{i}\tn{(i + step) % 24}\n" for i in range(24) for step in (1, 2)))
    return ["--train", "nodes.tsv", "--edges", "edges.tsv"]


# Of each task: what writes its data to a folder and returns the options that train on them, and what the page
# calls an example, with what is right of it behind "=>". Embedders are in test_published_tuning.py.
EXAMPLES = [
    ("classify", write_texts, r"(\w+ ){4}\w+ => (food|weather)"),
    ("classify", write_several, r"(bread \d+ => food|soup and rain \d+ => food;rain|stone \d+ => none of the labels)"),
    ("ner", write_entities, r"Ann (Lee|Fox) saw Rome => \[Ann \1\]\(PER\) saw \[Rome\]\(LOC\)"),
    ("lm", write_counting, r"w?\d+( w\d+)* => w\d+( w\d+)*"),
    ("seq2seq", write_pairs, r"one (w\d+) => ein \1"),
    ("qa", write_stories, r"Ann went to the (\w+)\.\tWhere is Ann\? => \1"),
    ("qa", write_spans, r"Ann lives in (\w+) now \d+\tWhere does Ann live\? => \1"),
    ("forecast", write_series, r"What follows the 14 rows before (\d+) => \1: a( [0-6]){5} …"),
    ("graph", write_nodes, r"n(\d*[02468] => old|\d*[13579] => young)"),
    ("recommend", write_taken, r"u\d+ => [a-h]"),
    ("table", write_table, r"fees\.csv:\d+ => fee = (high|low)"),
    ("image", write_pictures, r"train-images-idx3-ubyte\.gz\[\d+\] => [01]"),
    ("image-generation", write_written_pictures, r"train-images-idx3-ubyte\.gz\[\d+\] => [01]"),
    ("detect", write_annotations, r"\d+\.png => bar 0,0,6,16"),
    ("speech", write_sounds, r"sounds/(high|low)/\d+\.wav => \1"),
    ("asr", write_said, r"sounds/(high|low)/\d+\.wav => \1"),
    ("links", write_links, r"n\d+ – n\d+ => (linked|not linked)"),
]


class Examples(unittest.TestCase):
    def test_each_task_shows_what_was_asked_and_what_is_right(self):
        for task, write, expected in EXAMPLES:
            with self.subTest(write.__name__), tempfile.TemporaryDirectory(prefix="heed-watch-") as folder:
                folder = Path(folder)
                shares = [] if task == "recommend" else ["--valid-share", 0.3]
                heed("train", task, *write(folder), "--out", "model", "--d-model", 16, "--num-heads", 2,
                     *shares, "--epochs", 1, "--threads", 1, cwd=folder, code=0)
                run = folder / "model.run"
                report = html.unescape((run / "report.html").read_text("utf-8"))
                shown = re.findall(r"<h2>Example \d</h2>\s*<p>([^<]*)</p>\s*<p>What is right: ([^<]*)</p>\s*"
                                   r"<p>→ ([^<]*)</p>", report)
                self.assertEqual(len(shown), 3, report[:3000])
                for example, right, answer in shown:
                    self.assertRegex(f"{example} => {right}", f"^{expected}$")
                    self.assertTrue(answer or task == "seq2seq")  # which may write nothing yet
                for i in (1, 2, 3):
                    self.assertIn("Where the model looked", (run / f"attention-{i}.html").read_text("utf-8"))


if __name__ == "__main__":
    unittest.main()
