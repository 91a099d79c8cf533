#include "heed/audio/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "heed/base/error.h"

namespace heed::audio {
namespace {

constexpr double kZeroCrossings = 6;
constexpr double kRolloff = 0.99;

// The weights of the old samples around a new one; there are as many kinds of places between two
// old samples as there are new samples until both meet again.
class Phases {
 public:
  Phases(int64_t from, int64_t to) : from_(from), to_(to) {
    const double band = static_cast<double>(std::min(from, to)) * kRolloff;
    half_ = static_cast<int64_t>(std::ceil(kZeroCrossings * static_cast<double>(from) / band));
    weights_.reserve(static_cast<size_t>(to * taps()));
    for (int64_t phase = 0; phase < to; ++phase) {
      const int64_t first = before(phase) - half_;
      for (int64_t i = first; i < first + taps(); ++i) {
        // How far the old sample is from the new one, in zero crossings.
        const double distance = (static_cast<double>(i) / static_cast<double>(from) -
                                 static_cast<double>(phase) / static_cast<double>(to)) *
                                band;
        weights_.push_back(weight(distance) * band / static_cast<double>(from));
      }
    }
  }

  float at(const std::vector<float>& samples, int64_t number) const {
    const int64_t phase = number % to_;
    const int64_t first = number / to_ * from_ + before(phase) - half_;
    const double* weights = weights_.data() + phase * taps();
    const int64_t begin = std::max<int64_t>(0, -first);
    const int64_t end = std::min<int64_t>(taps(), std::ssize(samples) - first);
    double sum = 0;
    for (int64_t i = begin; i < end; ++i) {
      sum += weights[i] * static_cast<double>(samples[static_cast<size_t>(first + i)]);
    }
    return static_cast<float>(sum);
  }

 private:
  int64_t taps() const { return 2 * half_ + 2; }
  int64_t before(int64_t phase) const { return phase * from_ / to_; }

  static double weight(double distance) {
    if (std::abs(distance) >= kZeroCrossings) return 0;
    const double angle = std::numbers::pi * distance;
    const double window = std::cos(angle / kZeroCrossings / 2);
    return (distance == 0 ? 1 : std::sin(angle) / angle) * window * window;
  }

  int64_t from_, to_;
  int64_t half_ = 0;
  std::vector<double> weights_;
};

}  // namespace

Sound resampled(const Sound& sound, int64_t sampling_rate) {
  check_usage(sampling_rate >= 1 && sound.sampling_rate >= 1,
              "resample: expected rates of at least 1, got ", sound.sampling_rate, " and ",
              sampling_rate);
  if (sampling_rate == sound.sampling_rate) return sound;
  const int64_t common = std::gcd(sound.sampling_rate, sampling_rate);
  const int64_t from = sound.sampling_rate / common, to = sampling_rate / common;
  const Phases phases(from, to);
  const int64_t count = (std::ssize(sound.samples) * to + from - 1) / from;
  Sound result{.sampling_rate = sampling_rate, .samples = {}};
  result.samples.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) result.samples.push_back(phases.at(sound.samples, i));
  return result;
}

}  // namespace heed::audio
