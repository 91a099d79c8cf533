#include "heed/tasks/speech/sound_frames.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "heed/base/error.h"
#include "heed/tasks/common/batches.h"

namespace heed::tasks {
namespace {

// Of a band that is always silent.
constexpr double kSmallestBandDeviation = 1e-3;

constexpr int64_t kSoundsAtOnce = 16;

}  // namespace

FrameBatch FrameBatch::to(at::Device device) const {
  return {.frames = frames.to(device), .lengths = lengths.to(device)};
}

models::FrameScale scale_of(const std::vector<const audio::LogMel*>& sounds) {
  check_usage(!sounds.empty(), "frames: expected at least one sound, got none");
  const auto bins = static_cast<size_t>(sounds.front()->bins);
  std::vector<double> sums(bins), squares(bins);
  double count = 0;
  for (const audio::LogMel* sound : sounds) {
    count += static_cast<double>(sound->frames);
    for (size_t i = 0; i < sound->values.size(); ++i) {
      const double value = sound->values[i];
      sums[i % bins] += value;
      squares[i % bins] += value * value;
    }
  }
  models::FrameScale scale;
  for (size_t bin = 0; bin < bins; ++bin) {
    const double mean = sums[bin] / count;
    const double variance = std::max(0.0, squares[bin] / count - mean * mean);
    scale.means.push_back(mean);
    scale.deviations.push_back(std::max(std::sqrt(variance), kSmallestBandDeviation));
  }
  return scale;
}

FrameBatch frame_batch(const std::vector<const audio::LogMel*>& sounds,
                       const models::FrameScale& scale) {
  std::vector<int64_t> lengths;
  for (const audio::LogMel* sound : sounds) lengths.push_back(sound->frames);
  const int64_t longest = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  const auto bins = std::ssize(scale.means);
  FrameBatch batch{.frames = at::zeros({std::ssize(sounds), longest, bins}),
                   .lengths = at::tensor(lengths, at::kLong)};
  auto* to = batch.frames.mutable_data_ptr<float>();
  for (const audio::LogMel* sound : sounds) {
    for (size_t i = 0; i < sound->values.size(); ++i) {
      const size_t bin = i % scale.means.size();
      to[i] = static_cast<float>((sound->values[i] - scale.means[bin]) / scale.deviations[bin]);
    }
    to += longest * bins;
  }
  return batch;
}

std::vector<const audio::LogMel*> frames_of(const std::vector<data::SoundExample>& examples) {
  std::vector<const audio::LogMel*> frames;
  for (const data::SoundExample& example : examples) frames.push_back(&example.features);
  return frames;
}

void for_each_frame_batch(const std::vector<const audio::LogMel*>& sounds,
                          const models::FrameScale& scale, at::Device device,
                          const Progress& progress, const UseFrames& use) {
  std::vector<int64_t> lengths;
  for (const audio::LogMel* sound : sounds) lengths.push_back(sound->frames);
  for_each_batch(lengths, kSoundsAtOnce, progress, [&](const std::vector<int64_t>& numbers) {
    std::vector<const audio::LogMel*> some;
    for (const int64_t number : numbers) some.push_back(sounds[static_cast<size_t>(number)]);
    use(numbers, frame_batch(some, scale).to(device));
  });
}

}  // namespace heed::tasks
