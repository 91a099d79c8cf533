#!/usr/bin/env python3
"""Writes all of benchmarks/results/ into docs/performance.md: tables, the goal beside what was
measured, one section for each processor.

usage: tools/bench_table.py [--print]

A file of benchmarks/results/ holds what was measured on one processor; benchmarks/run_all.py writes
it. Of two lines with the same benchmark, case, pass, dtype, shape and peer the later one counts. What
stands between `<!-- bench begin -->` and `<!-- bench end -->` is replaced.
"""

import argparse
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench begin -->", "<!-- bench end -->"
IDENTITY = ("bench", "case", "pass", "dtype", "shape", "peer")
TITLES = {"attention": "Attention", "linear": "Dense layers",
          "training": "Training and inference of whole models",
          "contention": "Beside other processes: milliseconds for a thousand tokens or texts"}
# benchmarks/results/NAME.jsonl
PROCESSORS = {"epyc-zen5": "AMD EPYC, Zen 5", "epyc-zen4": "AMD EPYC, Zen 4",
              "epyc-zen3": "AMD EPYC, Zen 3"}


def rows_of(path):
    rows = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            rows[tuple(row[name] for name in IDENTITY)] = row
        except (ValueError, KeyError, TypeError) as error:
            sys.exit(f"{path}:{number}: not a result of a benchmark: {error!r}")
    return list(rows.values())


def milliseconds(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def cells_of(row):
    speedup = row["speedup"]
    share = row.get("peak_share")
    return (
        row["case"],
        row["pass"].replace("+", " + "),
        row["dtype"],
        row["shape"],
        milliseconds(row["heed_ms"]),
        row["peer"] or "",
        milliseconds(row["peer_ms"]),
        "" if speedup is None else f"{speedup:.2f}×",
        "" if not share else f"{share:.0%}",
        row.get("goal", ""),
        row.get("measured", ""),
        {True: "yes", False: "**no**", None: ""}[row.get("met")],
    )


HEAD = ("case", "pass", "dtype", "shape", "Heed ms", "peer", "peer ms", "speed-up",
        "of peak", "goal", "measured", "met")
RIGHT = {"Heed ms", "peer ms", "speed-up", "of peak"}


def table_of(title, rows):
    goals = [row["met"] for row in rows if row.get("met") is not None]
    lines = ["<details>",
             f"<summary>{title}: {sum(goals)} of {len(goals)} goals met</summary>",
             "",
             "| " + " | ".join(HEAD) + " |",
             "|" + "|".join("---:" if name in RIGHT else "---" for name in HEAD) + "|"]
    lines += ["| " + " | ".join(cells_of(row)) + " |" for row in rows]
    return "\n".join([*lines, "", "</details>", ""])


def section_of(path):
    rows = rows_of(path)
    if not rows:
        sys.exit(f"{path}: no results")
    threads = sorted({row["threads"] for row in rows})
    names = ", ".join(sorted({row["cpu"] for row in rows}))
    lines = [f"### {PROCESSORS.get(path.stem, path.stem)}", "",
             f"{names}; threads: {', '.join(map(str, threads))}.", ""]
    for bench, title in TITLES.items():
        own = [row for row in rows if row["bench"] == bench]
        if own:
            lines.append(table_of(title, own))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--print", action="store_true", help="prints the tables")
    options = parser.parse_args()
    files = sorted((ROOT / "benchmarks" / "results").glob("*.jsonl"), reverse=True)
    tables = "\n".join(map(section_of, files))
    if options.print:
        print(tables)
        return
    text = PAGE.read_text("utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        sys.exit(f"{PAGE}: expected one '{BEGIN}' and after it one '{END}'")
    before, after = text[:text.index(BEGIN)], text[text.index(END):]
    PAGE.write_text(f"{before}{BEGIN}\n{tables}{after}", "utf-8")


if __name__ == "__main__":
    main()
