// What a model heard and where it listened: the energies of a sound over time, and below them, in
// the same time, a strip for each thing that has a weight at each moment. PNG, SVG or PDF.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/viz/drawing/color_map.h"

namespace heed {

struct SoundPicture {
  std::string title = {};
  int64_t frames = 0;
  int64_t bins = 0;
  std::vector<float> energies = {};  // (frames, bins), the lowest band first; drawn at the bottom
  double seconds_per_frame = 0;

  struct Strip {
    std::string name;            // "layer 1, head 2"
    std::vector<float> weights;  // of steps from the first moment on; what is not finite is orange
  };
  std::vector<Strip> strips = {};
  double seconds_per_step = 0;
};

// The energies as pixels, the highest band on top. Frames beside each other share a column where
// there are more than 2,000 of them. Errors: those of write_sound_picture for the sound itself.
struct SoundPixels {
  int64_t height = 0;
  int64_t width = 0;
  int64_t frames_per_column = 1;
  std::vector<Color> colors = {};  // (height, width)
};
SoundPixels sound_pixels(const SoundPicture& picture);

// Draws to `path`, which must end in .png, .svg or .pdf, and returns what whoever asked for it
// should know. Each strip has colours of its own, from 0 to its largest weight. Written to a
// temporary file first and renamed. The same input gives the same bytes. Errors: UsageError for a
// sound without frames, numbers that do not match, more than kMostSoundFrames frames or another
// file extension; IoError if the file cannot be written.
std::vector<std::string> write_sound_picture(const SoundPicture& picture, const std::string& path);

inline constexpr int64_t kMostSoundFrames = 100'000;

}  // namespace heed
