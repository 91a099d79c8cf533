#include "heed/audio/log_mel.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "heed/audio/fourier.h"
#include "heed/audio/resample.h"
#include "heed/base/error.h"

namespace heed::audio {
namespace {

constexpr double kSmallest = 1e-10;  // of Whisper
constexpr double kAdded = 1e-6;
constexpr int64_t kLargest = 1 << 20;

// Slaney's scale: 3 mel each 200 Hz, then 27 mel for each factor of 6.4.
constexpr double kLinearEnd = 1000, kLinearMels = 15, kMelsOfFactor = 27, kFactor = 6.4;

double mel_of(double hertz, MelScale scale) {
  if (scale == MelScale::kHtk) return 2595 * std::log10(1 + hertz / 700);
  if (hertz < kLinearEnd) return hertz * kLinearMels / kLinearEnd;
  return kLinearMels + std::log(hertz / kLinearEnd) * kMelsOfFactor / std::log(kFactor);
}

double hertz_of(double mel, MelScale scale) {
  if (scale == MelScale::kHtk) return 700 * (std::pow(10, mel / 2595) - 1);
  if (mel < kLinearMels) return mel * kLinearEnd / kLinearMels;
  return kLinearEnd * std::exp((mel - kLinearMels) * std::log(kFactor) / kMelsOfFactor);
}

// A band is a few neighbours of all frequencies.
struct Band {
  size_t first = 0;
  std::vector<double> weights;
};

// A row for each band, over the frequencies of a frame: 0 to window / 2.
std::vector<Band> bands_of(const LogMelOptions& o) {
  const double half = static_cast<double>(o.sampling_rate) / 2;
  const double low = mel_of(o.low_freq, o.scale);
  const double high = mel_of(o.high_freq > 0 ? o.high_freq : half, o.scale);
  std::vector<double> edges;  // each band rises from one to the next and falls to the one behind
  for (int64_t i = 0; i < o.num_mel_bins + 2; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(o.num_mel_bins + 1);
    edges.push_back(hertz_of(low + (high - low) * share, o.scale));
  }
  std::vector<Band> bands;
  for (size_t band = 0; band + 2 < edges.size(); ++band) {
    const double begin = edges[band], middle = edges[band + 1], end = edges[band + 2];
    const double height = o.scale == MelScale::kSlaney ? 2 / (end - begin) : 1;
    Band& own = bands.emplace_back();
    for (int64_t i = 0; i <= o.window / 2; ++i) {
      const double hertz = static_cast<double>(i * o.sampling_rate) / static_cast<double>(o.window);
      const double rise = (hertz - begin) / (middle - begin);
      const double fall = (end - hertz) / (end - middle);
      const double weight = std::max(0.0, std::min(rise, fall)) * height;
      if (weight <= 0) continue;
      if (own.weights.empty()) own.first = static_cast<size_t>(i);
      own.weights.push_back(weight);
    }
  }
  return bands;
}

class Extractor {
 public:
  Extractor(const LogMelOptions& options, const std::vector<float>& samples)
      : options_(options),
        samples_(samples),
        fourier_(static_cast<size_t>(options.window)),
        bands_(bands_of(options)) {
    const auto size = static_cast<double>(options.window);
    for (int64_t i = 0; i < options.window; ++i) {
      window_.push_back(0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / size));
    }
    // A mirror needs something to show.
    length_ = std::max(std::ssize(samples), options.window / 2 + 1);
  }

  LogMel energies() {
    LogMel result{.frames = 1 + std::ssize(samples_) / options_.hop,
                  .bins = options_.num_mel_bins,
                  .values = {}};
    result.values.reserve(static_cast<size_t>(result.frames * result.bins));
    std::vector<double> rows(2 * window_.size());
    std::vector<double> powers(2 * fourier_.bins());
    double* second = rows.data() + window_.size();
    double* second_powers = powers.data() + fourier_.bins();
    for (int64_t frame = 0; frame < result.frames; frame += 2) {
      read(frame, rows.data());
      read(frame + 1, second);
      fourier_.powers(rows.data(), second, powers.data(), second_powers);
      add(powers.data(), result.values);
      if (frame + 1 < result.frames) add(second_powers, result.values);
    }
    return result;
  }

 private:
  void read(int64_t frame, double* to) const {
    const int64_t begin = frame * options_.hop - options_.window / 2;
    for (int64_t i = 0; i < options_.window; ++i) {
      const int64_t at = mirrored(begin + i);
      const double sample =
          at < std::ssize(samples_) ? static_cast<double>(samples_[static_cast<size_t>(at)]) : 0;
      to[i] = window_[static_cast<size_t>(i)] * sample;
    }
  }

  // The last frame of an even pair may not be there, and reads anything.
  int64_t mirrored(int64_t at) const {
    at = std::abs(at);
    return at < length_ ? at : std::max<int64_t>(0, 2 * (length_ - 1) - at);
  }

  void add(const double* powers, std::vector<float>& to) const {
    for (const Band& band : bands_) {
      double sum = 0;
      for (size_t i = 0; i < band.weights.size(); ++i) {
        sum += band.weights[i] * powers[band.first + i];
      }
      to.push_back(static_cast<float>(sum));
    }
  }

  const LogMelOptions& options_;
  const std::vector<float>& samples_;
  Fourier fourier_;
  std::vector<Band> bands_;
  std::vector<double> window_;
  int64_t length_ = 0;
};

void take_whisper_logarithm(LogMel& mel) {
  if (mel.frames > 1) --mel.frames;
  mel.values.resize(static_cast<size_t>(mel.frames * mel.bins));
  double largest = std::log10(kSmallest);
  std::vector<double> logs;
  for (const float value : mel.values) {
    logs.push_back(std::log10(std::max(static_cast<double>(value), kSmallest)));
    largest = std::max(largest, logs.back());
  }
  for (size_t i = 0; i < logs.size(); ++i) {
    mel.values[i] = static_cast<float>((std::max(logs[i], largest - 8) + 4) / 4);
  }
}

}  // namespace

void check(const LogMelOptions& o) {
  const auto size = [](int64_t value, const char* name) {
    check_usage(value >= 1 && value <= kLargest, name, ": expected an integer from 1 to ", kLargest,
                ", got ", value);
  };
  check_usage(o.sampling_rate >= 1, "sampling_rate: expected at least 1, got ", o.sampling_rate);
  size(o.window, "window");
  size(o.hop, "hop");
  size(o.num_mel_bins, "num_mel_bins");
  const double half = static_cast<double>(o.sampling_rate) / 2;
  const double high = o.high_freq > 0 ? o.high_freq : half;
  check_usage(o.low_freq >= 0 && o.low_freq < high && high <= half,
              "low_freq and high_freq: expected 0 <= low < high <= ", half,
              " (half the sampling rate), got ", o.low_freq, " and ", high);
}

LogMelOptions whisper_options(int64_t num_mel_bins) {
  return {.num_mel_bins = num_mel_bins, .logarithm = Logarithm::kWhisper};
}

LogMel log_mel(const Sound& sound, const LogMelOptions& options) {
  check(options);
  const Sound heard = resampled(sound, options.sampling_rate);
  LogMel mel = Extractor(options, heard.samples).energies();
  if (options.logarithm == Logarithm::kWhisper) {
    take_whisper_logarithm(mel);
  } else {
    for (float& value : mel.values) {
      value = static_cast<float>(std::log(static_cast<double>(value) + kAdded));
    }
  }
  return mel;
}

}  // namespace heed::audio
