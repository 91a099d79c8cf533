#!/usr/bin/env python3
"""All benchmarks of attention, dense layers, training and contention, as one file for this
processor: benchmarks/results/NAME.jsonl, and the tables in docs/performance.md.

usage: .venv/bin/python benchmarks/run_all.py [--only attention,linear,training,contention]
                                              [--min-seconds S] [--name epyc-zen3]

Needs `make bench` or a build with -DHEED_BENCHMARKS=ON. Nothing else should run meanwhile. Peers that
are not installed are left out (tools/lock/packages_bench.txt). NAME is found from /proc/cpuinfo for
AMD's Zen 3 to 5. Results of benchmarks that are not run again stay in the file.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILT = ROOT / "build" / "release"


def commands(seconds):
    """The programs of each benchmark, which all print JSON lines."""
    least = ["--json", "--min-seconds", str(seconds)]
    python = [sys.executable]
    return {
        "attention": [[BUILT / "benchmarks" / "heed_bench_attention", *least],
                      [*python, ROOT / "benchmarks" / "peers.py", *least]],
        "linear": [[BUILT / "benchmarks" / "heed_bench_linear", *least]],
        "training": [[*python, ROOT / "benchmarks" / "training" / "compare.py", "--json",
                      "--min-seconds", str(6 * seconds)]],
        "contention": [[*python, ROOT / "benchmarks" / "contention.py", "--json"]],
    }


def processor():
    text = pathlib.Path("/proc/cpuinfo").read_text()

    def field(name):
        found = re.search(rf"^{name}\s*:\s*(.*)$", text, re.M)
        return found.group(1) if found else ""

    family, model = int(field("cpu family") or 0), int(field("model") or 0)
    kind = "epyc" if "EPYC" in field("model name") else field("model name").split()[0].lower()
    if field("vendor_id") == "AuthenticAMD" and family in (25, 26):
        # Of family 25, Zen 4 has the models 10 to 1f and 60 to af (hexadecimal).
        zen = 5 if family == 26 else 4 if 0x10 <= model <= 0x1F or 0x60 <= model <= 0xAF else 3
        return f"{kind}-zen{zen}"
    return f"{kind}-family{family}-model{model}"


def rows_of(command, bench):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: ended with {done.returncode}")
    return [{"bench": bench, **json.loads(line)} for line in done.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="attention,linear,training,contention")
    parser.add_argument("--min-seconds", type=float, default=0.5, help="for each side of a case")
    parser.add_argument("--name", default=processor(), help="of the file (default: %(default)s)")
    options = parser.parse_args()
    wanted = options.only.split(",")
    path = ROOT / "benchmarks" / "results" / f"{options.name}.jsonl"
    before = path.read_text("utf-8").splitlines() if path.exists() else []
    rows = [row for row in map(json.loads, before) if row["bench"] not in wanted]
    for bench, programs in commands(options.min_seconds).items():
        if bench not in wanted:
            continue
        start = time.monotonic()
        for command in programs:
            rows += rows_of(command, bench)
        print(f"{bench}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        # After each, so that one that fails does not take the others with it.
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    subprocess.run([sys.executable, ROOT / "tools" / "bench_table.py"], check=True)


if __name__ == "__main__":
    main()
