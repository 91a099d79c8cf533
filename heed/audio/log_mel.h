// What models hear: the energy of a sound in bands that are as wide as people hear them, on a
// logarithmic scale, a row for every few milliseconds.
#pragma once

#include <cstdint>
#include <vector>

#include "heed/audio/sound.h"

namespace heed::audio {

enum class MelScale : uint8_t {
  kSlaney,  // linear up to 1 kHz, logarithmic above; bands of equal area   Slaney 1998 (librosa)
  kHtk,     // 2595 log₁₀(1 + f / 700); bands of equal height               Young et al., HTK
};

enum class Logarithm : uint8_t {
  kNatural,  // ln(x + 10⁻⁶)
  // log₁₀ of at least 10⁻¹⁰; not below the largest of the sound − 8; (x + 4) / 4; without the last
  // row                                                                   Radford et al. 2023
  kWhisper,
};

struct LogMelOptions {
  int64_t sampling_rate = 16'000;
  int64_t window = 400;  // samples of a frame, under a Hann window
  int64_t hop = 160;     // samples from one frame to the next
  int64_t num_mel_bins = 80;
  double low_freq = 0;   // Hz, of the lowest band
  double high_freq = 0;  // of the highest one; 0: half the sampling rate
  MelScale scale = MelScale::kSlaney;
  Logarithm logarithm = Logarithm::kNatural;
};

// Throws UsageError for what cannot be: sizes below 1, a band without room.
void check(const LogMelOptions& options);

// What Whisper reads: 80 bands (large-v3: 128) of 16 kHz.
LogMelOptions whisper_options(int64_t num_mel_bins = 80);

// A row for each frame.
struct LogMel {
  int64_t frames = 0;
  int64_t bins = 0;
  std::vector<float> values;  // (frames, bins)
};

// Frames are centred on every hop-th sample, the sound mirrored at its ends; a sound shorter than
// that needs has zeros behind it. 1 + samples / hop frames. The numbers are those of torchaudio's
// MelSpectrogram and of transformers' WhisperFeatureExtractor within float32's precision. Another
// sampling rate is resampled first. Throws UsageError as check() does.
LogMel log_mel(const Sound& sound, const LogMelOptions& options);

}  // namespace heed::audio
