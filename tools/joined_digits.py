#!/usr/bin/env python3
"""Joins clips of single digits to longer sounds with a table of what is said in each, for `heed train asr`.

    tools/joined_digits.py RECORDINGS OUT [--seed 1] [--sounds 3000] [--least 3] [--most 7]

RECORDINGS holds files called 7_jackson_3.wav (digit, speaker, take), as the free spoken digit dataset
does. Each sound has digits of one speaker with a short silence between them. OUT/train.csv is made of
takes from 15 on, OUT/valid.csv of takes 10 to 14 (a tenth as many), OUT/test.csv of takes 5 to 9 (as many
again); no clip is in two of them. The same seed gives the same files.
"""

import argparse
import random
import struct
import wave
from collections import defaultdict
from pathlib import Path

WORDS = "zero one two three four five six seven eight nine".split()
PARTS = {"train": range(15, 1000), "valid": range(10, 15), "test": range(5, 10)}


def clips_of(folder):
    """{part: {speaker: [(digit, file)]}}"""
    clips = {part: defaultdict(list) for part in PARTS}
    for file in sorted(folder.glob("*_*_*.wav")):
        digit, speaker, take = file.stem.split("_")
        for part, takes in PARTS.items():
            if int(take) in takes:
                clips[part][speaker].append((int(digit), file))
    return clips


def read(file):
    with wave.open(str(file), "rb") as clip:
        assert clip.getsampwidth() == 2 and clip.getnchannels() == 1, f"{file}: not 16 bits of one channel"
        return clip.getframerate(), clip.readframes(clip.getnframes())


def silence(rate, source):
    count = int(rate * source.uniform(0.02, 0.2))
    return struct.pack(f"<{count}h", *(source.randint(-2, 2) for _ in range(count)))


def join(chosen, source):
    rate, sound = 0, b""
    for _, file in chosen:
        rate, samples = read(file)
        sound += silence(rate, source) + samples
    return rate, sound + silence(rate, source)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("recordings", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sounds", type=int, default=3000, help="to train on")
    parser.add_argument("--least", type=int, default=3, help="digits of a sound")
    parser.add_argument("--most", type=int, default=7)
    options = parser.parse_args()
    source = random.Random(options.seed)
    for part, speakers in clips_of(options.recordings).items():
        count = options.sounds if part == "train" else max(1, options.sounds // 10)
        (options.out / part).mkdir(parents=True, exist_ok=True)
        lines = ["file,text"]
        for number in range(count):
            clips = speakers[source.choice(sorted(speakers))]
            chosen = [source.choice(clips) for _ in range(source.randint(options.least, options.most))]
            rate, sound = join(chosen, source)
            name = f"{part}/{number:05d}.wav"
            with wave.open(str(options.out / name), "wb") as file:
                file.setparams((1, 2, rate, 0, "NONE", ""))
                file.writeframes(sound)
            lines.append(f"{name},{' '.join(WORDS[digit] for digit, _ in chosen)}")
        (options.out / f"{part}.csv").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
