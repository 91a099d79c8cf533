// A sound that tools/sound_oracles.py makes as well, and sounds as files.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "heed/audio/sound.h"

namespace heed::audio::test {

// A rising tone and noise.
inline Sound tone(int64_t rate, int64_t count) {
  Sound sound{.sampling_rate = rate, .samples = {}};
  uint32_t state = 1;
  for (int64_t i = 0; i < count; ++i) {
    state = (state * 1103515245U + 12345U) % (1U << 31);
    const double time = static_cast<double>(i) / static_cast<double>(rate);
    sound.samples.push_back(
        static_cast<float>(0.4 * std::sin(2 * std::numbers::pi * (200 + 2000 * time) * time) +
                           0.1 * (state / 1073741824.0 - 1)));
  }
  return sound;
}

inline void append_number(std::string& bytes, uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 255);
}

// A WAV file of 16 bits; each sample stands in all channels.
inline std::string wav(const Sound& sound, uint32_t channels = 1) {
  const auto count = static_cast<uint32_t>(sound.samples.size()) * channels;
  const auto rate = static_cast<uint32_t>(sound.sampling_rate);
  std::string bytes = "RIFF";
  append_number(bytes, 36 + 2 * count, 4);
  bytes += "WAVEfmt ";
  append_number(bytes, 16, 4);
  append_number(bytes, 1, 2);
  append_number(bytes, channels, 2);
  append_number(bytes, rate, 4);
  append_number(bytes, rate * 2 * channels, 4);
  append_number(bytes, 2 * channels, 2);
  append_number(bytes, 16, 2);
  bytes += "data";
  append_number(bytes, 2 * count, 4);
  for (const float sample : sound.samples) {
    const auto number = static_cast<int32_t>(std::lround(sample * 32767));
    for (uint32_t c = 0; c < channels; ++c) append_number(bytes, static_cast<uint32_t>(number), 2);
  }
  return bytes;
}

}  // namespace heed::audio::test
