"""Texts to compare tokenizers on: real ones where ../shared/data is there, and generated ones of
many scripts, with emoji, combining marks, odd white space, control and unassigned characters."""

import functools
import os
import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parents[2]

# First and last code point of what the words of a line are made of.
SCRIPTS = {
    "latin": [(0x61, 0x7A), (0x41, 0x5A), (0xC0, 0x24F), (0x1E00, 0x1EFF)],
    "ascii": [(0x20, 0x7E)],
    "greek": [(0x370, 0x3FF), (0x1F00, 0x1FFF)],
    "cyrillic": [(0x400, 0x52F), (0x1C80, 0x1C8F)],
    "armenian, georgian": [(0x530, 0x58F), (0x10A0, 0x10FF), (0x1C90, 0x1CBF)],
    "hebrew": [(0x590, 0x5FF), (0xFB1D, 0xFB4F)],
    "arabic": [(0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0xFB50, 0xFDFF)],
    "indic": [(0x900, 0xDFF), (0x1CD0, 0x1CFF), (0xA8E0, 0xA8FF)],
    "thai, lao, tibetan, burmese": [(0xE00, 0x109F), (0x1A20, 0x1AAD), (0xA9E0, 0xA9FE)],
    "khmer, mongolian": [(0x1780, 0x18AF)],
    "ethiopic, cherokee": [(0x1200, 0x13FF), (0xAB70, 0xABBF)],
    "canadian, runic, tagalog": [(0x1400, 0x177F)],
    "chinese": [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF)],
    "japanese": [(0x3000, 0x30FF), (0x4E00, 0x5000), (0x31F0, 0x31FF), (0xFF65, 0xFF9F)],
    "korean": [(0xAC00, 0xD7FF), (0x1100, 0x11FF), (0x3130, 0x318F)],
    "historic": [(0x10000, 0x10FFF), (0x12000, 0x123FF), (0x13000, 0x1345F)],
    "newer": [(0x11000, 0x11FFF), (0x16A00, 0x16FFF), (0x1E000, 0x1EEFF), (0xA700, 0xABFF)],
    "symbols": [(0x2000, 0x2BFF), (0xA0, 0xBF), (0x1D400, 0x1D7FF), (0x3200, 0x33FF)],
    "emoji": [(0x1F000, 0x1FBFF), (0x2600, 0x27BF), (0x1F3FB, 0x1F3FF)],
    "wide": [(0xFE10, 0xFE6F), (0xFF00, 0xFFEF)],
    "private, tags": [(0xE000, 0xE0FF), (0xE0000, 0xE01EF), (0xF0000, 0xF00FF)],
    "anything": [(0, 0xD7FF), (0xE000, 0x10FFFF)],
}
SPACES = [" "] * 12 + list("\t\n\r\v\f\x1c\x85\xa0\u1680\u2003\u2009\u200b\u2028\u2029\u202f\u3000\ufeff")
MARKS = "\u0300\u0301\u0308\u030a\u0316\u0323\u0327\u0334\u0345\u05b0\u064b\u093c\u0e38\u20d0\u3099"
PUNCTUATION = ".,;:!?'\"()[]{}-_/\\@#$%&*+=<>|~`^«»“”‘’…—–、。！？।؟·"
EMOJI = ["😀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪", "1️⃣", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]
PLAIN = ("the of and a to in is you that it he was for on are as with his they I at be this have "
         "don't it's U.S.A. e-mail 3.14 1,000 New-York naïve café Straße İstanbul ﬁne ½ ① Ⅷ "
         "hello HELLO Hello [PAD] [UNK] [MASK] <br> <s> </s>").split()


def kept(function):
    """Made once for the same arguments; each caller has a list of its own."""
    once = functools.cache(function)

    @functools.wraps(function)
    def copied(*arguments, **named):
        return list(once(*arguments, **named))
    return copied


@kept
def generated(count, seed=20):
    """`count` lines, the same for the same seed."""
    random_ = random.Random(seed)
    scripts = list(SCRIPTS.values())

    def character(ranges):
        while True:
            first, last = random_.choice(ranges)
            c = random_.randint(first, last)
            if not 0xD800 <= c < 0xE000:
                return chr(c)

    def word(ranges):
        kind = random_.random()
        if kind < 0.1:
            return random_.choice(EMOJI)
        if kind < 0.25:
            return random_.choice(PLAIN)
        if kind < 0.35:
            return "".join(random_.choices("0123456789", k=random_.randint(1, 5)))
        letters = [character(ranges) for _ in range(random_.randint(1, 8))]
        for _ in range(random_.choice([0, 0, 0, 1, 2, 3])):
            letters.insert(random_.randint(0, len(letters)), random_.choice(MARKS))
        return "".join(letters)

    lines = []
    for _ in range(count):
        ranges = random_.choice(scripts)
        line = ""
        for _ in range(random_.randint(0, 12)):
            line += word(ranges)
            if random_.random() < 0.25:
                line += random_.choice(PUNCTUATION) * random_.choice([1, 1, 1, 2, 3])
            if random_.random() < 0.9:
                line += random_.choice(SPACES) * random_.choice([1, 1, 1, 2])
        lines.append(line)
    return lines


@kept
def every_code_point(per_line=64):
    """Lines that together hold every code point, each beside a letter; of the planes in which all
    are unassigned or all private every 65th and the last two, which are no characters. Without U+1171E:
    Unicode 16, which Debian 13's ICU has and the tokenizers package has not, calls it no accent."""
    def is_one(c):
        alike = c >= 0x40000 and c >> 16 != 0xE
        return c != 0x1171E and not 0xD800 <= c < 0xE000 and (not alike or c % 65 == 0 or c & 0xFFFF >= 0xFFFE)

    points = [chr(c) for c in range(0x110000) if is_one(c)]
    return [" ".join(f"a{c}B" for c in points[i:i + per_line])
            for i in range(0, len(points), per_line)]


def shared_data():
    """The folder of real data, or None."""
    for folder in (os.environ.get("HEED_SHARED_DATA"), ROOT.parent / "shared" / "data"):
        if folder and pathlib.Path(folder).is_dir():
            return pathlib.Path(folder)
    return None


@kept
def real():
    """Sentences of sst2 and multi30k; nothing where they are missing."""
    folder = shared_data()
    if folder is None:
        return []
    lines = []
    for name in ("sst2/stsa.binary.train", "sst2/stsa.binary.dev", "multi30k/val.de",
                 "multi30k/val.en", "multi30k/train.de"):
        lines += (folder / name).read_text("utf-8").split("\n")
    return lines


@kept
def more_real():
    """All texts of ../shared/data that are lines, about 150,000."""
    folder = shared_data()
    if folder is None:
        return []
    lines = real()
    for name in ("multi30k/train.en", "tinyshakespeare/input.txt", "names/names.txt",
                 "subword_nmt/corpus.en", "wnut17/wnut17train.conll",
                 "babi/qa3_three-supporting-facts_train.txt"):
        lines += (folder / name).read_text("utf-8").split("\n")
    return lines
