// What models for sounds have in common: what they hear, and the encoder that reads it.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/audio/log_mel.h"
#include "heed/models/parts/transformer_options.h"
#include "heed/nn/attention/positions.h"
#include "heed/nn/layers/subsampling.h"
#include "heed/nn/transformer/conformer_layer.h"

namespace heed::models {

struct SpeechOptions {
  int64_t sampling_rate = 16'000;  // that sounds are brought to
  double frame_length = 25;        // milliseconds
  double frame_shift = 10;
  int64_t num_mel_bins = 40;  // M
  std::string mel_scale = "htk";
  double max_seconds = 30;
  int64_t subsampling = 4;  // frames that become one step of the encoder
  int64_t num_channels = 32;
  int64_t kernel_size = 15;
  TransformerOptions transformer = {.d_model = 64,
                                    .num_heads = 4,
                                    .num_layers = 4,
                                    .d_ff = 256,
                                    .attention = {.positions = "rotary"},
                                    .activation = "silu",
                                    .init = "xavier_uniform",
                                    .dropout = 0.1,
                                    .attention_dropout = 0.1,
                                    .embedding_dropout = 0.1};
};

// "slaney", "htk".
std::vector<std::string> mel_scale_names();

template <nn::OptionsOf<SpeechOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  const auto sound = [](Field field) {
    field.group = "Sound";
    return field;
  };
  visit(sound({.name = "sampling_rate",
               .help = "Samples a second that sounds are brought to",
               .least = 1000,
               .most = 384'000}),
        o.sampling_rate);
  visit(sound({.name = "frame_length",
               .help = "Milliseconds of sound that are heard at once",
               .least = 1,
               .most = 1000}),
        o.frame_length);
  visit(sound({.name = "frame_shift",
               .help = "Milliseconds from one frame to the next",
               .least = 1,
               .most = 1000}),
        o.frame_shift);
  visit(sound({.name = "num_mel_bins",
               .help = "Bands of frequencies that are heard apart",
               .least = 1,
               .most = 1024}),
        o.num_mel_bins);
  visit(sound({.name = "mel_scale",
               .help = "How the bands lie over the frequencies",
               .choices = mel_scale_names}),
        o.mel_scale);
  visit(sound({.name = "max_seconds",
               .help = "Of a sound, at most",
               .least = 0.01,
               .most = audio::kMostSeconds}),
        o.max_seconds);
  visit(Field{.name = "subsampling",
              .help = "Frames that become one step of the encoder: 1, 2, 4 or 8",
              .least = 1,
              .most = 8},
        o.subsampling);
  visit(Field{.name = "num_channels",
              .help = "Of the convolutions that make steps of frames",
              .least = 1,
              .most = 1 << 14},
        o.num_channels);
  visit(Field{.name = "kernel_size",
              .help = "Steps that the convolution of a layer sees, an odd number",
              .least = 1,
              .most = 1 << 14},
        o.kernel_size);
  visit_fields(o.transformer, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const SpeechOptions& options);

// What such a model hears.
audio::LogMelOptions log_mel_options(const SpeechOptions& options);

// Steps of the longest sound.
int64_t most_steps(const SpeechOptions& options);

class SpeechEncoder : public torch::nn::Module {
 public:
  explicit SpeechEncoder(const SpeechOptions& options);

  // Standardised frames (B, T, M), of whose rows the first lengths[b] count -> (B, ⌈T / s⌉, C) and
  // the lengths of that. What a sound gives does not depend on the others of its batch. `trace`
  // gets the attention among steps. Throws UsageError for frames of another width.
  nn::Subsampling::Result forward(const at::Tensor& frames, const at::Tensor& lengths = {},
                                  nn::AttentionTrace* trace = nullptr) const;

  const SpeechOptions& options() const { return options_; }

 private:
  SpeechOptions options_;
  std::shared_ptr<nn::Subsampling> subsampling_;
  std::shared_ptr<nn::PositionTable> positions_;  // null: none are added
  std::shared_ptr<nn::ConformerEncoder> encoder_;
};

}  // namespace heed::models
