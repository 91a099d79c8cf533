"""Writes what the `tokenizers` package makes of regular expressions: the pieces into which Split
takes texts, in every way. heed/text/regex/regex_cases_test.cpp holds Heed to them.

    .venv/bin/python tools/regex_oracle.py
"""

import json
import pathlib

from tokenizers import Regex, pre_tokenizers

FILE = pathlib.Path(__file__).resolve().parents[1] / "heed/text/regex/testdata/cases.jsonl"

TEXTS = [
    "「引用」、。ー々〆 漢字とかな カタカナ",
    "ΑΒΓ ς σ ἄνθρωπος",
    "fooBarBaz XMLHttpRequest",
    "STRASSE Straße ss ß ﬁ fi İı",
    "one\r\ntwo\n\nthree\x0b\x85",
    "x² ½ cup, 3¼-inch ٣४",
    "aab ab aaab b",
    "الله أَكْبَرُ 한국어",
    "a,b;c [d] a͏̄b",
    "abcxyz aeiou 😀👨‍👩‍👧 é",
]

REGEXES = [
    r"\p{Han}+", r"\p{Greek}+", r"\p{Latin}+", r"\p{Hiragana}+", r"\p{Arabic}+", r"\p{Hangul}+",
    r"[^\p{Han}]+", r"\P{Han}+", r"\p{^Han}+", r"\pL", r"\p{Letter}+", r"\p{Lu}\p{Ll}*",
    r"\p{Alpha}+", r"\p{Alnum}+", r"\p{Punct}+", r"\p{Emoji}", r"\p{M}", r"\p{Nd}+",
    r"[[:alpha:]]+", r"[[:^alpha:]]+", r"[a-z&&[^aeiou]]+", r"[a-c[x-z]]+", r"[\s\S]",
    r"[^\w\s]+", r"[\w-]+", r"\h+", r"\H+", r"\d+", r"\R", r"\v+", r"\X", r"\O", r"\N+",
    r"\b", r"\B", r"\y", r"\A.", r".\z", r"^.", r".$", r"\G.",
    r"(?=\p{Lu})", r"(?<=\p{Ll})(?=\p{Lu})", r"(?<!a)b", r"(?<=a+)b", r"(?=a)|b", r"a|", r"x*",
    r"a{2,3}+", r"a{,2}b", r"a{2}?b", r"(?>a+)b", r"a++b", r"(a|b)\1", r"(?<n>a)\k<n>",
    r"(?~ab)", r"(?m).+", r"(?i)ss", r"(?i)ß", r"(?i:fi)", r"(?i)σ", r"(?x) a b # c",
    r"\u00e9", r"\x{1F600}", r"a\Kb", r"(?:(?=(\w))\1)+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
]

BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]


def cases():
    """The lines of FILE."""
    lines = []
    for pattern in REGEXES:
        for text in TEXTS:
            case = {"regex": pattern, "text": text}
            for behavior in BEHAVIORS:
                for invert in (False, True):
                    split = pre_tokenizers.Split(Regex(pattern), behavior, invert)
                    key = behavior + (" inverted" if invert else "")
                    case[key] = [piece for piece, _ in split.pre_tokenize_str(text)]
            if case["isolated"] != [text]:
                lines.append(json.dumps(case, ensure_ascii=False))
    return "".join(line + "\n" for line in lines)


if __name__ == "__main__":
    FILE.write_text(cases(), encoding="utf-8")
    print(FILE)
