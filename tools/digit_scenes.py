#!/usr/bin/env python3
"""Puts digits of MNIST together to scenes with a box around each, for `heed train detect`.

    tools/digit_scenes.py MNIST OUT [--seed 1] [--scenes 5000] [--size 96] [--least 2] [--most 6]

MNIST holds train-images-idx3-ubyte.gz and the three files beside it. Each scene is a grey PNG with `least` to
`most` digits, which are made smaller or larger (--least-scale, --most-scale) and hardly cover each other.
OUT/train.json, valid.json and test.json are COCO files of them (images, annotations, categories), OUT/train … have
the pictures: `scenes` to train, a tenth as many to validate, from the last 5,000 pictures of MNIST's training part,
and a tenth to test, from its test part; no digit is in two of them. The same seed gives the same pixels.
"""

import argparse
import functools
import gzip
import json
import random
import struct
import zlib
from pathlib import Path

SIDE = 28  # of a picture of MNIST
INK = 40  # from which value on a pixel is one of the digit
HELD_BACK = 5000  # pictures of the training part that validate
COVERED = 0.1  # share of a box that another one may cover, at most


def read_digits(folder, part):
    """[(28 × 28 pixels, digit)]"""
    with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as file:
        _, count, height, width = struct.unpack(">4I", file.read(16))
        assert (height, width) == (SIDE, SIDE), f"{folder}: pictures of {width} × {height}"
        pixels = file.read()
    with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as file:
        labels = file.read()[8:]
    size = SIDE * SIDE
    return [(pixels[i * size : (i + 1) * size], labels[i]) for i in range(count)]


@functools.lru_cache(maxsize=None)
def taps(side):
    """Of each new pixel of a line the two old ones that it lies between, and how near it is to the second."""
    result = []
    for i in range(side):
        at = min(max((i + 0.5) * SIDE / side - 0.5, 0), SIDE - 1)
        first = min(int(at), SIDE - 2)
        result.append((first, at - first))
    return result


def scaled(pixels, side):
    """Rows of a digit brought to side × side pixels."""
    rows = []
    for y, down in taps(side):
        upper, lower = pixels[y * SIDE : (y + 1) * SIDE], pixels[(y + 1) * SIDE : (y + 2) * SIDE]
        line = [a + (b - a) * down for a, b in zip(upper, lower)]
        rows.append([int(line[x] + (line[x + 1] - line[x]) * right) for x, right in taps(side)])
    return rows


def box_of(rows):
    """Left, top, right, bottom of what is drawn."""
    down = [y for y, row in enumerate(rows) if max(row) >= INK]
    across = [x for row in rows for x, value in enumerate(row) if value >= INK]
    return min(across), min(down), max(across) + 1, max(down) + 1


def covers(a, b):
    """Whether one of two boxes covers too much of the other."""
    both = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return both > COVERED * min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))


def scene(source, digits, options):
    """Pixels of a canvas, and (digit, box) of what is on it."""
    canvas = bytearray(options.size * options.size)
    placed = []
    wanted = source.randint(options.least, options.most)
    for _ in range(200):
        if len(placed) == wanted:
            break
        pixels, digit = source.choice(digits)
        rows = scaled(pixels, round(SIDE * source.uniform(options.least_scale, options.most_scale)))
        left, top, right, bottom = box_of(rows)
        x, y = (source.randint(0, options.size - side) for side in (right - left, bottom - top))
        box = (x, y, x + right - left, y + bottom - top)
        if any(covers(box, other) for _, other in placed):
            continue
        for row in range(top, bottom):
            start = (y + row - top) * options.size + x
            for column in range(left, right):
                at = start + column - left
                canvas[at] = max(canvas[at], rows[row][column])
        placed.append((digit, box))
    return bytes(canvas), placed


def png(size, pixels):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    rows = b"".join(b"\0" + pixels[y * size : (y + 1) * size] for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write(part, count, digits, source, options):
    (options.out / part).mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for number in range(1, count + 1):
        pixels, placed = scene(source, digits, options)
        name = f"{part}/{number:05d}.png"
        (options.out / name).write_bytes(png(options.size, pixels))
        images.append({"id": number, "file_name": name, "width": options.size, "height": options.size})
        for digit, (left, top, right, bottom) in placed:
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": digit + 1,
                                "bbox": [left, top, right - left, bottom - top],
                                "area": (right - left) * (bottom - top), "iscrowd": 0})
    categories = [{"id": digit + 1, "name": str(digit)} for digit in range(10)]
    text = json.dumps({"images": images, "annotations": annotations, "categories": categories})
    (options.out / f"{part}.json").write_text(text + "\n", "utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("mnist", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenes", type=int, default=5000, help="to train on")
    parser.add_argument("--size", type=int, default=96, help="pixels of a side")
    parser.add_argument("--least", type=int, default=2, help="digits of a scene")
    parser.add_argument("--most", type=int, default=6)
    parser.add_argument("--least-scale", type=float, default=0.75, help="of a digit of 28 pixels")
    parser.add_argument("--most-scale", type=float, default=1.5)
    options = parser.parse_args()
    source = random.Random(options.seed)
    train = read_digits(options.mnist, "train")
    held = max(1, options.scenes // 10)
    write("train", options.scenes, train[:-HELD_BACK], source, options)
    write("valid", held, train[-HELD_BACK:], source, options)
    write("test", held, read_digits(options.mnist, "t10k"), source, options)


if __name__ == "__main__":
    main()
