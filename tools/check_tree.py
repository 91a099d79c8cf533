#!/usr/bin/env python3
"""Checks the files of this checkout: length, loose ends, names.

- A C++ file has at most 400 lines of code (blank lines and comments do not count), a function at
  most 60 from its first brace to its last.
- No loose ends: TODO, FIXME, XXX, HACK, merge marks.
- File names are lower_case_with_underscores; x_test.cpp stands beside x.cpp or x.h, unless a
  test of several files says so by having no namesake and a comment in its first line.
- The public headers are heed/*.h and what they include (cmake/install_headers.cmake installs them):
  none of the program's, of leaf code or of tests is among them, and none includes GoogleTest;
  heed/heed.h includes all of heed/*.h; the library itself includes none of those. What those
  headers need besides what heed/*.h includes stands in tools/public_headers.txt, so that no header
  becomes public because another happens to include it. heed/tasks.h includes the header of each
  task; with --write this adds those that it lacks (`tools/lint.sh format` does).
- What is compiled once for each instruction set (namespace HEED_ISA) ends in _leaf.h.
- Two headers of one name are the same thing on two levels (NAMESAKES).
- Text files end with a newline, and have no trailing blanks, tabs for indentation or CRLF.

Prints one line for each mistake; exit status 1 if there is any. Runs as the test tree.files.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONGEST = 400
LONGEST_FUNCTION = 60
CODE = {".h", ".cpp"}
TEXT = CODE | {".py", ".sh", ".cmake", ".md", ".txt", ".json", ".toml", ".in"}
LOOSE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|^(<<<<<<<|>>>>>>>) ", re.MULTILINE)
DATA = {"testdata", "golden"}  # folders whose files may look as they like
LEAF = re.compile(r"^namespace [\w:]*\bHEED_ISA\b", re.MULTILINE)
# A kernel, the operator that calls it, the layer that has its weights; what a page shows and how
# the program fills it.
NAMESAKES = {"attention.h", "attention_page.h", "dropout.h", "embedding.h", "linear.h", "norm.h",
             "pattern.h", "sharing.h"}
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


# Comments, texts and preprocessor lines, in which a brace opens nothing.
NO_CODE = re.compile(r'R"(\w*)\((?:.|\n)*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\''
                     r'|//[^\n]*|/\*(?:.|\n)*?\*/|^[ \t]*#(?:\\\n|[^\n])*', re.MULTILINE)
NO_FUNCTION = re.compile(r"(?:(?:public|private|protected):\s*)?"
                         r"(?:class|struct|namespace|enum|union|extern)\b")


def functions(text):
    """Line and length of everything in braces behind parentheses: functions, and lambdas in them."""
    text = NO_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    line, head, opened = 1, "", []
    for character in text:
        line += character == "\n"
        if character == "{":
            opened.append((line, head.strip()))
        elif character == "}" and opened:
            first, before = opened.pop()
            if "(" in before and not NO_FUNCTION.match(before):
                yield first, line - first + 1
        head = "" if character in "{};" else head + character


def check_code(path, name, text):
    for line, length in functions(text):
        if length > LONGEST_FUNCTION:
            yield f"{name}:{line}: a function of {length} lines (at most {LONGEST_FUNCTION})"
    count = lines_of_code(text)
    if count > LONGEST:
        yield f"{name}: {count} lines of code (at most {LONGEST}); split it"
    if not re.fullmatch(r"[a-z0-9_]+", path.stem):
        yield f"{name}: file names are lower_case_with_underscores"
    if path.suffix == ".h" and LEAF.search(text) and not path.stem.endswith("_leaf"):
        yield f"{name}: is compiled once for each instruction set; its name must end in _leaf.h"
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


INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)', re.MULTILINE)
NOT_PUBLIC = {"heed/torch_headers.h"}  # what is precompiled while Heed is built
MEANT = "tools/public_headers.txt"
VERSION = "heed/version.h"  # of no folder: the library has it too
PRIVATE = re.compile(r"heed/cli/|/testing/|_leaf\.h$|_test\.h$")


def check_public_headers(root=ROOT):
    """The headers of heed/ themselves, and what a program gets with them."""
    def included_by(name):
        return INCLUDE.findall((root / name).read_text("utf-8"))

    thin = {str(path.relative_to(root)) for path in root.glob("heed/*.h")} - NOT_PUBLIC
    public, wanted = set(), sorted(thin)
    while wanted:
        name = wanted.pop()
        if name in public or not (root / name).is_file():
            continue
        public.add(name)
        wanted += [each for each in included_by(name) if each.startswith("heed/")]
    if "heed/heed.h" not in thin:
        yield "heed/heed.h: the header that includes all public ones is not there"
        return
    for name in sorted(thin - {"heed/heed.h"} - set(included_by("heed/heed.h"))):
        yield f"heed/heed.h: does not include {name}"
    for name in sorted(public):
        for included in included_by(name):
            if PRIVATE.search(included) or included in NOT_PUBLIC:
                yield f"{name}: is public and includes {included}, which is not"
            if included.startswith(("gtest/", "gmock/")):
                yield f"{name}: is public and includes {included}; test helpers stand in testing/"
    direct = {included for name in thin for included in included_by(name)}
    needed = public - thin - direct
    lines = (root / MEANT).read_text("utf-8").split("\n")
    meant = [line for line in lines if line and not line.startswith("#")]

    def is_of(name, pattern):
        return pathlib.PurePosixPath(name).match(pattern)

    for name in sorted(name for name in needed if not any(is_of(name, each) for each in meant)):
        by = sorted(each for each in public if name in included_by(each))
        yield (f"{name}: would be public because {by[0]} includes it; declare there what is needed, "
               f"or add it to {MEANT}")
    for pattern in meant:
        if not any(is_of(name, pattern) for name in needed):
            yield f"{MEANT}: {pattern} is not among what public headers need"
    for path in sorted(root.glob("heed/*/**/*")):
        if path.suffix not in CODE:
            continue
        name = str(path.relative_to(root))
        for included in included_by(name):
            if included in thin - {VERSION}:
                yield f"{name}: includes {included}, which is for programs; include what is used"


TASKS = "heed/tasks.h"
TASK = re.compile(r"^class \w+ final : public Task(Of<\w+>)? \{", re.MULTILINE)


def tasks_not_included(root=ROOT):
    included = INCLUDE.findall((root / TASKS).read_text("utf-8"))
    headers = sorted(root.glob("heed/tasks/*/*.h"))
    tasks = [str(path.relative_to(root)) for path in headers if TASK.search(path.read_text("utf-8"))]
    return [name for name in tasks if name not in included]


def check_tasks():
    for name in tasks_not_included():
        yield f"{TASKS}: does not include {name}, a task; `tools/lint.sh format` adds it"


def write_tasks():
    """Behind the last include: clang-format sorts them."""
    text = (ROOT / TASKS).read_text("utf-8")
    missing = "".join(f'#include "{name}"\n' for name in tasks_not_included())
    (ROOT / TASKS).write_text(text + missing, "utf-8")


def check_namesakes(headers):
    by_name = {}
    for name in headers:
        by_name.setdefault(pathlib.PurePosixPath(name).name, []).append(name)
    for name, here in by_name.items():
        if len(here) > 1 and name not in NAMESAKES:
            yield f"{here[0]}: is called as {', '.join(here[1:])}; say by its name what it is"
        if len(here) == 1 and name in NAMESAKES:
            yield f"tools/check_tree.py: {name} is the name of one header alone"


def main():
    mistakes, count = [], 0
    if sys.argv[1:] == ["--write"]:
        write_tasks()
    mistakes += check_public_headers()
    mistakes += check_tasks()
    mistakes += check_namesakes(str(path.relative_to(ROOT)) for path in our_files()
                                if path.suffix == ".h")
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
