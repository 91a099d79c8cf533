#!/usr/bin/env python3
"""Checks the files of this checkout: length, loose ends, names.

- A C++ file has at most 400 lines of code (blank lines and comments do not count).
- No loose ends: TODO, FIXME, XXX, HACK, merge marks.
- File names are lower_case_with_underscores; x_test.cpp stands beside x.cpp or x.h, unless a
  test of several files says so by having no namesake and a comment in its first line.
- An installed header (cmake/HeedInstall.cmake says which are not) includes only installed ones, and
  nothing of GoogleTest.
- Text files end with a newline, and have no trailing blanks, tabs for indentation or CRLF.

Prints one line for each mistake; exit status 1 if there is any. Runs as the test tree.files.
"""

import fnmatch
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONGEST = 400
CODE = {".h", ".cpp"}
TEXT = CODE | {".py", ".sh", ".cmake", ".md", ".txt", ".json", ".toml", ".in"}
LOOSE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|^(<<<<<<<|>>>>>>>) ", re.MULTILINE)
DATA = {"testdata", "golden"}  # folders whose files may look as they like
OUR_OWN = {"tools/check_tree.py"}  # it names what it looks for


def our_files():
    """What git tracks, or everything but build and .venv where this is no git checkout."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode == 0 and listing.stdout:
        paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*")
                 if not {"build", ".venv", ".git"} & set(path.relative_to(ROOT).parts)]
    return sorted(path for path in paths if path.is_file() and not path.is_symlink())


def lines_of_code(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    lines = (line.strip() for line in text.split("\n"))
    return sum(1 for line in lines if line and not line.startswith("//"))


def check_code(path, name, text):
    count = lines_of_code(text)
    if count > LONGEST:
        yield f"{name}: {count} lines of code (at most {LONGEST}); split it"
    if not re.fullmatch(r"[a-z0-9_]+", path.stem):
        yield f"{name}: file names are lower_case_with_underscores"
    if path.stem.endswith("_test") and name.startswith("heed/"):
        stem = path.stem[: -len("_test")]
        beside = any((path.parent / (stem + suffix)).is_file() for suffix in CODE)
        if not beside and not text.startswith("//"):
            yield (f"{name}: no {stem}.h or {stem}.cpp beside it; "
                   "say in a comment in the first line what it tests")


def check_text(path, name, text):
    if "\r" in text:
        yield f"{name}: CRLF line ends"
    if text and not text.endswith("\n"):
        yield f"{name}: no newline at the end"
    if name not in OUR_OWN:
        for match in LOOSE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{name}:{line}: a loose end: {match.group().strip()}"
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip() and path.suffix != ".md":
            yield f"{name}:{number}: trailing blanks"
        if line.startswith("\t") and path.suffix in CODE | {".py", ".cmake"}:
            yield f"{name}:{number}: a tab"


def check_installed(paths):
    """The headers that cmake --install copies, by the patterns of its EXCLUDE, stand by themselves."""
    rules = (ROOT / "cmake" / "HeedInstall.cmake").read_text("utf-8")
    left_out = re.findall(r'PATTERN "([^"]+)" EXCLUDE', rules)
    installed = {}
    for path in paths:
        name = path.relative_to(ROOT)
        if name.parts[0] == "heed" and path.suffix == ".h" and not any(
                fnmatch.fnmatch(part, pattern) for part in name.parts[1:] for pattern in left_out):
            installed[str(name)] = path.read_text("utf-8")
    if not installed or not left_out:
        yield "cmake/HeedInstall.cmake: found no installed headers, or no pattern that leaves some out"
    for name, text in installed.items():
        for included in re.findall(r'^#include [<"]([^>"]+)', text, re.MULTILINE):
            if included.startswith(("gtest/", "gmock/")):
                yield f"{name}: is installed and includes {included}; test helpers stand in testing/"
            elif included.startswith("heed/") and included not in installed:
                yield f"{name}: is installed and includes {included}, which is not"


def main():
    mistakes, count = [], 0
    mistakes += check_installed(our_files())
    for path in our_files():
        if path.suffix not in TEXT or DATA & set(path.relative_to(ROOT).parts):
            continue
        name = str(path.relative_to(ROOT))
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError as error:
            mistakes.append(f"{name}: not UTF-8 ({error})")
            continue
        count += 1
        mistakes += check_text(path, name, text)
        if path.suffix in CODE:
            mistakes += check_code(path, name, text)
    for mistake in mistakes:
        print(mistake)
    print(f"tree: {count} files, {len(mistakes)} mistakes")
    return 1 if mistakes or not count else 0


if __name__ == "__main__":
    sys.exit(main())
