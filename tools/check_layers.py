#!/usr/bin/env python3
"""Holds the includes of heed/ to the layers that its CMake files declare.

`heed_folder(NAME [TORCH] [DEPENDS folder...] [SEEN_BY folder...] [ROOMS room...])` in
heed/*/CMakeLists.txt says what a folder sees: itself and whatever its DEPENDS reach, without the
folders whose SEEN_BY names others; and ROOMS, from the ground up, what its rooms see: themselves
and the rooms before them. This checks that

- every #include "heed/..." names an existing file of a folder that the including folder sees,
- and of a room that the including room sees, tests left out,
- no folder depends on itself by way of others,
- a folder without TORCH includes no header of torch, ATen or c10 and sees no folder that does,
- nothing that others may include brings in the catch-all headers of torch,
- a header starts with #pragma once and is included by its full path, "heed/base/error.h".

The program (heed/cli) sees everything but has rooms too, which heed_rooms(NAME ROOMS room...) declares;
tests and examples are not layers. Prints one line for each
mistake; exit status 1 if there is any. Runs as the test tree.layers.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)
TORCH = re.compile(r"(torch|ATen|c10|caffe2)/")
CATCH_ALL = {"torch/torch.h", "torch/all.h", "torch/extension.h"}


class Folder:
    def __init__(self, declaration):
        words = re.sub(r"#[^\n]*", "", declaration).split()
        self.name = words[0]
        self.torch = "TORCH" in words
        lists = {"DEPENDS": [], "LIBRARIES": [], "ROOMS": [], "SEEN_BY": []}
        taking = None
        for word in words[1:]:
            if word == "TORCH" or word in lists:
                taking = lists.get(word)
            elif taking is not None:
                taking.append(word)
        self.depends = lists["DEPENDS"]
        self.seen_by = lists["SEEN_BY"]  # the only ones that may include it; none: all above it
        # The floors, each of rooms that do not see each other: ROOMS a b|c d.
        self.floors = [floor.split("|") for floor in lists["ROOMS"]]

    def room_of(self, name):
        """(floor, room) of a file, its path given from the folder on; None where it has no room.

        A room is a folder (. for the files beside CMakeLists.txt) or a pattern of file names; the
        file's own name goes before a pattern, a pattern before a folder.
        """
        rooms = [(floor, room) for floor, here in enumerate(self.floors) for room in here]
        folder = str(name.parent)

        def is_pattern_of(room):
            directory, _, pattern = room.rpartition("/")
            return "*" in pattern and (directory or ".") == folder and name.match(pattern)

        for matches in (str(name).__eq__, is_pattern_of, folder.__eq__):
            for floor, room in rooms:
                if matches(room):
                    return floor, room
        return None


def read_folders(declared_by="heed_folder"):
    folders = {}
    for path in sorted(ROOT.glob("heed/*/CMakeLists.txt")):
        match = re.search(rf"^{declared_by}\(([^)]*)\)", path.read_text("utf-8"), re.MULTILINE)
        if match:
            folder = Folder(match.group(1))
            folders[path.parent.name] = folder
    return folders


def seen_from(name, folders):
    """The folders that `name` sees, itself included; raises ValueError on a circle."""
    reached = reached_from(name, folders)
    return {other for other in reached
            if other == name or not folders[other].seen_by or name in folders[other].seen_by}


def reached_from(name, folders, trail=()):
    if name in trail:
        raise ValueError(" -> ".join([*trail, name]))
    reached = {name}
    for other in folders[name].depends:
        if other in folders:
            reached |= reached_from(other, folders, (*trail, name))
    return reached


def check_declarations(folders):
    for directory, folder in folders.items():
        where = f"heed/{directory}/CMakeLists.txt"
        if folder.name != directory:
            yield f"{where}: declares folder '{folder.name}' (expected '{directory}')"
        for other in folder.depends:
            if other not in folders:
                yield f"{where}: depends on '{other}', which is no folder of heed/"
            elif folders[other].torch and not folder.torch:
                yield f"{where}: is free of torch but depends on '{other}', which is not"
        for other in folder.seen_by:
            if other not in folders:
                yield f"{where}: is seen by '{other}', which is no folder of heed/"
        try:
            seen_from(directory, folders)
        except ValueError as circle:
            yield f"{where}: depends on itself: {circle}"


def check_room(name, target, folder):
    """What is wrong with file `name` including `target`, both from the folder on."""
    here, there = folder.room_of(name), folder.room_of(target)
    if here is None or there is None:
        return f"{name if here is None else target} is in none of the ROOMS of its folder"
    if here == there or there[0] < here[0]:
        return None
    return f"room '{here[1]}' does not see room '{there[1]}' ({target}); see ROOMS"


def is_test(name):
    return "testing" in name.parts or name.stem.endswith("_test")


def check_file(path, folders, programs):
    name = path.relative_to(ROOT / "heed").parts[0]
    where = path.relative_to(ROOT)
    text = path.read_text("utf-8")
    if path.suffix == ".h" and "#pragma once" not in text:
        yield f"{where}: a header without #pragma once"
    program = name not in folders  # or a header of heed/ itself
    seen = set(folders) if program else seen_from(name, folders)
    rooms = (programs if program else folders).get(name)
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start(2)) + 1
        quote, target = match.groups()
        if target in CATCH_ALL and (path.suffix == ".h" or not path.stem.endswith("_test")):
            yield f"{where}:{line}: {target} costs seconds in every file; include what is used"
        if TORCH.match(target):
            if not program and not folders[name].torch:
                yield f"{where}:{line}: {target} in folder '{name}', which is free of torch"
        elif target.startswith("heed/"):
            parts = pathlib.PurePosixPath(target).parts
            if not (ROOT / target).is_file():
                yield f"{where}:{line}: {target} does not exist"
            elif (len(parts) > 2 and parts[1] == name and rooms and rooms.floors
                  and not is_test(path.relative_to(ROOT / "heed" / name))):
                mistake = check_room(
                    pathlib.PurePosixPath(path.relative_to(ROOT / "heed" / name)),
                    pathlib.PurePosixPath(*parts[2:]), rooms)
                if mistake:
                    yield f"{where}:{line}: {mistake}"
            elif len(parts) > 2 and parts[1] not in seen and parts[1] != name:
                yield (f"{where}:{line}: folder '{name}' does not see '{parts[1]}' ({target}); "
                       f"it sees {', '.join(sorted(seen))}")
        elif quote == '"':
            yield f'{where}:{line}: "{target}" is not a full path ("heed/folder/file.h")'


def main():
    folders, programs = read_folders(), read_folders("heed_rooms")
    mistakes = list(check_declarations(folders))
    if not any("depends on itself" in mistake for mistake in mistakes):
        for path in sorted([*ROOT.glob("heed/*.h"), *ROOT.glob("heed/*/**/*")]):
            if path.suffix in (".h", ".cpp"):
                mistakes += check_file(path, folders, programs)
    for mistake in mistakes:
        print(mistake)
    print(f"layers: {len(folders)} folders, {len(mistakes)} mistakes")
    return 1 if mistakes or not folders else 0


if __name__ == "__main__":
    sys.exit(main())
