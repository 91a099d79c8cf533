// Sounds as numbers: reading WAV, FLAC and what else libsndfile knows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace heed::audio {

// One channel.
struct Sound {
  int64_t sampling_rate = 0;   // samples a second
  std::vector<float> samples;  // in [−1, 1] as files of integers have them

  double seconds() const {
    return static_cast<double>(samples.size()) / static_cast<double>(sampling_rate);
  }
};

inline constexpr double kMostSeconds = 4 * 3600;

// The mean of all channels. Throws MissingInputError where there is no such file; DataError, naming
// the file, for what is no sound or of a kind that is not known, has no samples, ends before its
// header says, holds NaN or infinity, or is longer than `most_seconds`; IoError where reading
// fails.
Sound read_sound(const std::filesystem::path& file, double most_seconds = kMostSeconds);

// Whether a file is a sound by its name: .wav, .flac, .ogg, .opus, .mp3, .aiff, .aif, .au, .caf.
bool has_sound_name(const std::filesystem::path& file);

}  // namespace heed::audio
