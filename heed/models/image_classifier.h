// A vision transformer: patches of a picture are tokens, one more token reads them all and gives
// the classes.                          Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words"
// (ViT)
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "heed/models/parts/image_stem.h"
#include "heed/models/parts/transformer_options.h"
#include "heed/nn/attention/positions.h"
#include "heed/nn/encoder.h"
#include "heed/nn/layers/linear.h"

namespace heed::models {

struct ImageClassifierOptions {
  int64_t image_height = 0;
  int64_t image_width = 0;
  int64_t num_channels = 1;
  int64_t num_classes = 0;
  int64_t patch_size = 4;            // pixels of a side
  std::string stem = "convolution";  // how a patch becomes a token: see ImageStemOptions
  TransformerOptions transformer = {.d_model = 64,
                                    .num_heads = 4,
                                    .num_layers = 3,
                                    .d_ff = 128,
                                    .attention = {.positions = "learned"},
                                    .dropout = 0.1,
                                    .attention_dropout = 0.1,
                                    .embedding_dropout = 0};
};

template <nn::OptionsOf<ImageClassifierOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit_image_fields(o, visit);
  visit(nn::Field{.name = "num_classes", .least = 2, .most = nn::kLargestSize}, o.num_classes);
  visit_fields(o.transformer, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const ImageClassifierOptions& options);

PatchGrid patch_grid(const ImageClassifierOptions& options);

class ImageClassifier : public torch::nn::Module {
 public:
  explicit ImageClassifier(const ImageClassifierOptions& options);

  // (B, channels, height, width), standardised -> (B, classes). `trace` gets the attention among
  // the tokens: the one that reads them all, then the patches, a row of them after the other.
  virtual at::Tensor forward(const at::Tensor& images, nn::AttentionTrace* trace = nullptr) const;

  const ImageClassifierOptions& options() const { return options_; }

 protected:
  // Of a network that another class makes.
  struct OwnNetwork {};
  ImageClassifier(const ImageClassifierOptions& options, OwnNetwork) : options_(options) {}

 private:
  ImageClassifierOptions options_;
  std::optional<ImageStem> stem_;                 // none: another class makes the network
  at::Tensor reader_;                             // (C)
  std::shared_ptr<nn::PositionTable> positions_;  // null: none are added
  std::shared_ptr<nn::Encoder> encoder_;
  std::shared_ptr<nn::Linear> output_;
};

}  // namespace heed::models
