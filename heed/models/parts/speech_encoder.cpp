#include "heed/models/parts/speech_encoder.h"

#include <ATen/ATen.h>

#include <bit>
#include <cmath>

#include "heed/base/error.h"
#include "heed/models/parts/token_input.h"
#include "heed/ops/dropout.h"

namespace heed::models {
namespace {

int64_t samples_of(double milliseconds, const SpeechOptions& o) {
  return std::llround(milliseconds * static_cast<double>(o.sampling_rate) / 1000);
}

}  // namespace

std::vector<std::string> mel_scale_names() { return {"slaney", "htk"}; }

void check(const SpeechOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check(o.transformer);
  check_usage(o.transformer.before_attention == "none",
              "before_attention: the layers of a Conformer have a convolution already, expected "
              "none, got '",
              o.transformer.before_attention, "'");
  check_usage(std::has_single_bit(static_cast<uint64_t>(o.subsampling)),
              "subsampling: expected 1, 2, 4 or 8, got ", o.subsampling);
  check_usage(o.kernel_size % 2 == 1, "kernel_size: expected an odd number, got ", o.kernel_size);
  audio::check(log_mel_options(o));
}

audio::LogMelOptions log_mel_options(const SpeechOptions& o) {
  return {.sampling_rate = o.sampling_rate,
          .window = samples_of(o.frame_length, o),
          .hop = samples_of(o.frame_shift, o),
          .num_mel_bins = o.num_mel_bins,
          .scale = o.mel_scale == "htk" ? audio::MelScale::kHtk : audio::MelScale::kSlaney};
}

int64_t most_steps(const SpeechOptions& o) {
  const auto frames = static_cast<int64_t>(1000 * o.max_seconds / o.frame_shift) + 2;
  return nn::Subsampling::steps(frames, o.subsampling);
}

SpeechEncoder::SpeechEncoder(const SpeechOptions& options) : options_(options) {
  check(options);
  const TransformerOptions& transformer = options.transformer;
  subsampling_ = register_module(
      "subsampling",
      std::make_shared<nn::Subsampling>(nn::SubsamplingOptions{.bins = options.num_mel_bins,
                                                               .factor = options.subsampling,
                                                               .channels = options.num_channels,
                                                               .d_model = transformer.d_model}));
  positions_ = make_positions(transformer.attention.positions,
                              {.max_length = most_steps(options), .d_model = transformer.d_model});
  if (positions_) register_module("positions", positions_);
  encoder_ = register_module(
      "encoder", std::make_shared<nn::ConformerEncoder>(
                     transformer.num_layers, layer_options(transformer), options.kernel_size));
}

nn::Subsampling::Result SpeechEncoder::forward(const at::Tensor& frames, const at::Tensor& lengths,
                                               nn::AttentionTrace* trace) const {
  check_usage(frames.dim() == 3 && frames.size(2) == options_.num_mel_bins,
              "frames: expected (B, T, ", options_.num_mel_bins, "), got ", frames.sizes());
  nn::Subsampling::Result result = subsampling_->forward(frames, lengths);
  at::Tensor x = result.states;
  if (positions_) x = positions_->forward(x);
  x = heed::dropout(x, {.probability = is_training() ? options_.transformer.embedding_dropout : 0});
  result.states = encoder_->forward(x, result.lengths, trace);
  return result;
}

}  // namespace heed::models
