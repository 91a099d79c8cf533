#!/usr/bin/env python3
"""Writes benchmark results into a Markdown file as a table: the goal beside what was measured.

usage: tools/bench_table.py RESULTS.jsonl... [--name attention] [--into README.md]

RESULTS are lines from `heed_bench_* --json` and benchmarks/peers.py --json. The table replaces what
stands between `<!-- bench:NAME begin -->` and `<!-- bench:NAME end -->`. Of two lines with the
same case, pass, dtype, shape and peer the later one counts. Without --into: prints the table.
"""

import argparse
import json
import pathlib
import sys

IDENTITY = ("case", "pass", "dtype", "shape", "peer")


def rows_of(paths):
    rows = {}
    for path in paths:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                rows[tuple(row[name] for name in IDENTITY)] = row
            except (ValueError, KeyError, TypeError) as error:
                sys.exit(f"{path}:{number}: not a result of a benchmark: {error!r}")
    if not rows:
        sys.exit(f"no results in {', '.join(map(str, paths))}")
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


def table_of(rows):
    machines = sorted({f"{row['cpu']}, {row['threads']} threads" for row in rows})
    goals = [row["met"] for row in rows if row.get("met") is not None]
    lines = [
        f"{'; '.join(machines)}. {sum(goals)} of {len(goals)} goals met. *Of peak*: of the "
        "multiply-add peak, or of the read bandwidth where memory is the limit.",
        "",
        "| " + " | ".join(HEAD) + " |",
        "|" + "|".join("---:" if name in RIGHT else "---" for name in HEAD) + "|",
    ]
    lines += ["| " + " | ".join(cells_of(row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def put_between_marks(path, name, table):
    text = path.read_text("utf-8")
    begin, end = f"<!-- bench:{name} begin -->", f"<!-- bench:{name} end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        sys.exit(f"{path}: expected one '{begin}' and after it one '{end}'")
    before, after = text[: text.index(begin)], text[text.index(end):]
    path.write_text(f"{before}{begin}\n{table}{after}", "utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", nargs="+", type=pathlib.Path)
    parser.add_argument("--name", default="attention", help="of the marks")
    parser.add_argument("--into", type=pathlib.Path, help="a Markdown file with the marks")
    options = parser.parse_args()
    table = table_of(rows_of(options.results))
    if options.into:
        put_between_marks(options.into, options.name, table)
    else:
        print(table, end="")


if __name__ == "__main__":
    main()
