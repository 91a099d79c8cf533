#!/usr/bin/env python3
"""Writes what torchaudio and transformers hear of given sounds: heed/audio/testdata/oracles.json.

heed/audio/log_mel_test.cpp and resample_test.cpp compare Heed with that file, in which the versions
stand. To make it again (of torchaudio what is written in Python is enough, and goes with any torch):

    python3 -m venv build/oracles
    build/oracles/bin/pip install torch==2.13.0 numpy==2.4.6 transformers==5.24.0
    build/oracles/bin/pip install --no-deps torchaudio==2.11.1
    rm -r build/oracles/lib/python3*/site-packages/torchaudio/lib
    build/oracles/bin/python tools/sound_oracles.py
"""

import importlib.metadata
import json
import math
from pathlib import Path

import numpy as np
import torch
import torchaudio
from transformers import WhisperFeatureExtractor

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "heed" / "audio" / "testdata" / "oracles.json"


def tone(rate, count):
    """A rising tone and noise, as heed/audio/testing/tone.h makes them."""
    state, samples = 1, []
    for i in range(count):
        state = (state * 1103515245 + 12345) % 2**31
        time = i / rate
        samples.append(0.4 * math.sin(2 * math.pi * (200 + 2000 * time) * time)
                       + 0.1 * (state / 2**30 - 1))
    return np.array(samples, np.float32)


def numbers(array):
    return [float(f"{value:.9g}") for value in np.asarray(array, np.float64).reshape(-1)]


def resampling():
    for old, new, count in ((8000, 16000, 60), (16000, 8000, 90), (44100, 16000, 200),
                            (16000, 22050, 50), (48000, 16000, 1), (11025, 16000, 30)):
        sound = torch.from_numpy(tone(old, count)).double()
        yield {"from": old, "to": new, "samples": count,
               "values": numbers(torchaudio.functional.resample(sound, old, new))}


def log_mels():
    torch.set_default_dtype(torch.float64)  # the bands too
    for rate, count, window, hop, bins, scale, low, high in (
            (16000, 1700, 400, 160, 80, "slaney", 0, 0), (16000, 1700, 400, 160, 40, "htk", 0, 0),
            (8000, 900, 200, 80, 23, "htk", 20, 3800), (16000, 900, 512, 100, 30, "slaney", 50, 7000),
            (16000, 240, 400, 160, 20, "slaney", 0, 0)):
        mel = torchaudio.transforms.MelSpectrogram(
            sample_rate=rate, n_fft=window, hop_length=hop, n_mels=bins, mel_scale=scale,
            norm="slaney" if scale == "slaney" else None, f_min=low, f_max=high or None)
        energies = mel(torch.from_numpy(tone(rate, count)).double())
        yield {"sampling_rate": rate, "samples": count, "window": window, "hop": hop, "bins": bins,
               "scale": scale, "low": low, "high": high,
               "values": numbers(torch.log(energies + 1e-6).T)}
    torch.set_default_dtype(torch.float32)


def whisper():
    for bins, count in ((80, 4000), (128, 1600)):
        extractor = WhisperFeatureExtractor(feature_size=bins)
        features = extractor(tone(16000, count), sampling_rate=16000, return_tensors="np")
        rows = features["input_features"][0].T
        yield {"bins": bins, "samples": count, "frames": len(rows), "first": numbers(rows[:28]),
               "last": numbers(rows[-1])}


def main():
    made_by = {name: importlib.metadata.version(name)
               for name in ("torch", "torchaudio", "transformers", "numpy")}
    parts = {"resample": list(resampling()), "log_mel": list(log_mels()),
             "whisper": list(whisper())}
    lines = [f'"made_by": {json.dumps(made_by)}']
    for name, cases in parts.items():
        lines.append(f'"{name}": [\n' + ",\n".join(json.dumps(case) for case in cases) + "]")
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("{" + ",\n".join(lines) + "}\n", "utf-8")


if __name__ == "__main__":
    main()
