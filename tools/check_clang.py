#!/usr/bin/env python3
"""clang's warnings over all that a build folder compiles, without compiling any to the end: with the
precompiled headers a file takes a second or two. Usage: check_clang.py BUILD JOBS"""

import json
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def syntax_only(command):
    words = shlex.split(command)
    while "clang" not in words[0].rsplit("/", 1)[-1]:  # ccache and what sets it up
        words = words[1:]
    at = words.index("-o")
    del words[at:at + 2]
    return [word if word != "-c" else "-fsyntax-only" for word in words]


def check(entry):
    result = subprocess.run(syntax_only(entry["command"]), cwd=entry["directory"],
                            capture_output=True, text=True)
    return result.stderr if result.returncode else ""


def main():
    build, jobs = sys.argv[1], int(sys.argv[2])
    with open(f"{build}/compile_commands.json", encoding="utf-8") as file:
        entries = [entry for entry in json.load(file) if not entry["file"].endswith((".hxx.cxx",))]
    with ThreadPoolExecutor(jobs) as pool:
        complaints = [text for text in pool.map(check, entries) if text]
    sys.stdout.write("".join(complaints))
    print(f"clang: {len(entries)} files, {len(complaints)} with complaints")
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
