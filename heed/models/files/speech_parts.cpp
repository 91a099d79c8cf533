#include "heed/models/files/speech_parts.h"

#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/models/files/number_lists.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

constexpr double kLargestBand = 1e30;
constexpr double kSmallestBand = 1e-30;

std::vector<double> band_numbers(const JsonValue& value, int64_t count, double least) {
  if (static_cast<int64_t>(value.array_size()) != count) {
    value.fail(text_of(count, " numbers, as num_mel_bins says"));
  }
  return numbers_from(value, {.least = least, .most = kLargestBand});
}

}  // namespace

OrderedJson scale_json(const FrameScale& scale) {
  return {{"means", scale.means}, {"deviations", scale.deviations}};
}

FrameScale scale_from(const JsonValue& config, int64_t bins) {
  return {.means = band_numbers(config.at("means"), bins, -kLargestBand),
          .deviations = band_numbers(config.at("deviations"), bins, kSmallestBand)};
}

void check_encoder(const WeightCheck& check, const SpeechOptions& o) {
  const int64_t channels = o.subsampling > 1 ? o.num_channels : 1;
  check.shape(
      "encoder.subsampling.projection.weight",
      {o.transformer.d_model, channels * nn::Subsampling::steps(o.num_mel_bins, o.subsampling)},
      "num_mel_bins");
  check.shape("encoder.encoder.layer_0.convolution.weight",
              {o.transformer.d_model, 1, o.kernel_size}, "kernel_size");
  check.stack("encoder.encoder", o.transformer);
}

}  // namespace heed::models
