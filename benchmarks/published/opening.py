#!/usr/bin/env python3
"""Opening a directory of 500 MB: seconds to the first token, and memory that two processes share.

usage: .venv/bin/python benchmarks/published/opening.py [--program PATH] [--threads N] [--rounds N]
           [--clock wall|cpu] [--tiny]

SmolLM2-135M in float32 (513 MiB), its file in the page cache. The first token is that of a prompt of one token,
from the start of `heed generate` until it has printed it; beside it the time of `heed --version`, which is what the
program takes to start at all. Pages: two processes that generate are stopped, and /proc/PID/smaps says of
model.safetensors how much of it is mapped and resident, and how much of that falls to each of them.
"""

import signal
import statistics
import subprocess
from pathlib import Path

import common

MIB = 2**20


def first_token(options, directory):
    return common.run(options, "generate", directory, "--prompt", "The", "--max-new-tokens", 1, "--temperature", 0)[0]


def mapped(pid, name):
    """Bytes of a file in a process: resident, its share of them, and those of no file."""
    found, of_file, nowhere = {"Rss": 0, "Pss": 0, "Anonymous": 0}, False, 0
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        key, _, value = line.partition(":")
        if "-" in line.split(" ", 1)[0]:
            of_file = line.endswith(name)
        elif key in found and value.endswith("kB"):
            if of_file:
                found[key] += int(value.split()[0]) * 1024
            elif key == "Anonymous":
                nowhere += int(value.split()[0]) * 1024
    return found["Rss"], found["Pss"], nowhere


def two_processes(options, directory):
    processes = [subprocess.Popen(
        common.command(options, "generate", directory, "--prompt", "The", "--max-new-tokens", 2000, "--temperature", 0),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
    try:
        for process in processes:
            process.stdout.read(16)  # some tokens: all weights have been read
            process.send_signal(signal.SIGSTOP)
        return [mapped(process.pid, "model.safetensors") for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()


def measure(options):
    common.needed("torch", "transformers")
    directory = common.smollm2("float32")
    size = (directory / "model.safetensors").stat().st_size
    first_token(options, directory)  # the file is in the cache from here on
    times = {"first token": [], "heed --version": []}
    for _ in range(options.rounds):
        times["first token"].append(first_token(options, directory))
        times["heed --version"].append(common.run(options, "--version")[0])
    case = f"SmolLM2-135M float32, {size / MIB:.0f} MiB"
    for way, goal in (("first token", "≤ 0.3 s"), ("heed --version", "")):
        common.row(case, way, f"{statistics.median(times[way]):.2f} s", goal=goal)
    for number, (resident, share, others) in enumerate(two_processes(options, directory), 1):
        common.row(case, f"process {number} of 2", f"{resident / MIB:.0f} MiB of the file, its share "
                   f"{share / MIB:.0f}; {others / MIB:.0f} MiB of its own", goal="shared: half")


def main():
    options = common.parsed(common.parser(__doc__))
    common.head(options, [])
    common.whole([lambda: measure(options)])


if __name__ == "__main__":
    main()
