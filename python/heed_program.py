"""The console script of the package `heed`: its program. Apart from the package, so that a command
does not wait for torch to be imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["main"]

_FOLDER = Path(__file__).resolve().parent / "heed"
_PROGRAM = _FOLDER / "bin" / "heed"
_SENTENCE = "not a bad film at all , but far from a great one"

_DEMO_USAGE = """usage: heed demo [FOLDER]

Trains a sentiment classifier on the sentences that the package brings along, tries it, and draws what
it attends to; about half a minute. Everything is written below FOLDER, ./demo if none is given.
"""


def _environment() -> dict[str, str]:
    """With the fonts of the package where the system has none."""
    fonts = _FOLDER / "share" / "fonts" / "fonts.conf"
    if Path("/etc/fonts/fonts.conf").exists() or not fonts.is_file():
        return dict(os.environ)
    return {"FONTCONFIG_FILE": str(fonts), **os.environ}


def _run(*arguments: object) -> str:
    """Runs the program and gives its standard output; ends as it ended where it failed."""
    command = [str(_PROGRAM), *map(str, arguments)]
    result = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=False, env=_environment()
    )
    if result.returncode != 0:
        raise SystemExit(result.returncode)
    return result.stdout


def _say(line: str) -> None:
    print(f"\ndemo: {line}", file=sys.stderr, flush=True)


def _demo(arguments: list[str]) -> int:
    if len(arguments) > 1 or (arguments and arguments[0].startswith("-")):
        asked = arguments[0] in ("-h", "--help")
        print(_DEMO_USAGE, end="", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    folder = Path(arguments[0] if arguments else "demo")
    data = _FOLDER / "demo"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"heed: demo: {folder}: {error.strerror}", file=sys.stderr)
        return 74
    model = folder / "model"
    _say("training a classifier on the sentences of the package (about 20 s)")
    _run("train", "classify", "--config", data / "settings.toml", "--train", data / "train.tsv",
         "--valid", data / "valid.tsv", "--out", model)  # fmt: skip
    _say(f"validation accuracy: heed eval {model} {data / 'valid.tsv'}")
    print(_run("eval", model, data / "valid.tsv"), end="", flush=True)
    _say(f"sentences that it has not seen: heed predict {model} {data / 'unseen.txt'}")
    unseen = (data / "unseen.txt").read_text("utf-8").splitlines()
    for label, sentence in zip(_run("predict", model, data / "unseen.txt").splitlines(), unseen):
        print(f"{label}\t{sentence}", flush=True)
    _say(f'what it attends to: heed attend {model} "{_SENTENCE}" --out {folder / "heat.png"}')
    print(_run("attend", model, _SENTENCE, "--out", folder / "heat.png"), end="", flush=True)
    _say(f"done: the model is {model}, its attention {folder / 'heat.png'}")
    return 0


def main() -> int:
    """Runs the program in this process's place; ``heed demo`` is of the package."""
    if not _PROGRAM.is_file():
        print(f"heed: {_PROGRAM} is missing; install the wheel (`make wheel`)", file=sys.stderr)
        return 66
    arguments = sys.argv[1:]
    if arguments[:1] == ["demo"]:
        return _demo(arguments[1:])
    os.execve(_PROGRAM, [str(_PROGRAM), *arguments], _environment())


if __name__ == "__main__":
    sys.exit(main())
