#!/usr/bin/env python3
"""Thirty seconds of speech by Whisper tiny.en in float32, greedy: seconds, and whether the words are the same.

usage: .venv/bin/python benchmarks/published/transcription.py [--program PATH] [--threads N] [--rounds N]
           [--clock wall|cpu] [--tiny]

`heed transcribe` against faster-whisper (CTranslate2), both without times, from samples to text. The sound is
that of ../shared/data/published/jfk.npy, repeated to 30 seconds. Starting is left out of both: of Heed the time of
one sound is taken off that of the same sound twice.
"""

import re
import tempfile
import wave
from pathlib import Path

import common

RATE = 16000


def sound(seconds):
    import numpy

    once = numpy.load(common.data("published", "jfk.npy")).astype(numpy.float32)
    return numpy.resize(once, seconds * RATE)


def write(path, samples):
    import numpy

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(RATE)
        file.writeframes((samples * 32767).round().clip(-32768, 32767).astype(numpy.int16).tobytes())
    return path


def faster_whisper(options):
    common.needed("faster_whisper")
    from faster_whisper import WhisperModel

    model = WhisperModel(str(common.whisper_file()), device="cpu", compute_type="float32", cpu_threads=options.threads,
                         local_files_only=True)

    def text(samples):
        parts, _ = model.transcribe(samples, beam_size=1, temperature=0, without_timestamps=True, vad_filter=False,
                                    condition_on_previous_text=False, language="en")
        return " ".join(part.text for part in parts)

    return text


def words(text):
    return re.findall(r"[a-z']+", text.lower())


def measure(options):
    directory = common.whisper()
    samples = sound(11 if options.tiny else 30)
    theirs = faster_whisper(options)
    theirs(samples)
    times = {"heed transcribe": [], "faster-whisper": []}
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder) / "speech.wav", samples)
        for _ in range(options.rounds):
            once, out, _ = common.run(options, "transcribe", directory, file, "--no-timestamps")
            twice, *_ = common.run(options, "transcribe", directory, file, file, "--no-timestamps")
            times["heed transcribe"].append(twice - once)
            seconds, said = common.timed(options.clock, lambda: theirs(samples))
            times["faster-whisper"].append(seconds)
    same = words(out) == words(said)
    common.compared(f"Whisper tiny.en float32, {len(samples) // RATE} s, {len(words(out))} words, "
                    f"{'the same' if same else 'not the same'}", times, lambda seconds: f"{seconds:.2f} s",
                    {"faster-whisper": "≥ 1.2, the same words"})
    if not same:
        print(f"heed: {out}\nfaster-whisper: {said}")


def main():
    options = common.parsed(common.parser(__doc__))
    common.head(options, ["faster-whisper", "ctranslate2"])
    common.whole([lambda: measure(options)])


if __name__ == "__main__":
    main()
