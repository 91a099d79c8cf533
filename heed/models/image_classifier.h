// A vision transformer: patches of a picture are tokens, one more token reads them all and gives
// the classes.                          Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words"
// (ViT)
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/parts/transformer_options.h"
#include "heed/nn/attention/positions.h"
#include "heed/nn/encoder.h"
#include "heed/nn/linear.h"

namespace heed::models {

struct ImageClassifierOptions {
  int64_t image_height = 0;
  int64_t image_width = 0;
  int64_t num_channels = 1;
  int64_t num_classes = 0;
  int64_t patch_size = 4;  // pixels of a side
  // How a patch becomes a token: "linear", one layer over its pixels; "convolution", layers of 3 ×
  // 3 that each halve the sides, so that patch_size is a power of 2. Xiao et al. 2021, "Early
  // Convolutions Help Transformers See Better"; Hassani et al. 2021, "Escaping the Big Data
  // Paradigm with Compact Transformers"
  std::string stem = "convolution";
  TransformerOptions transformer = {.d_model = 64,
                                    .num_heads = 4,
                                    .num_layers = 3,
                                    .d_ff = 128,
                                    .attention = {.positions = "learned"},
                                    .dropout = 0.1,
                                    .attention_dropout = 0.1,
                                    .embedding_dropout = 0};
};

std::vector<std::string> stem_names();

template <nn::OptionsOf<ImageClassifierOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::size_field("image_height"), o.image_height);
  visit(nn::size_field("image_width"), o.image_width);
  visit(nn::Field{.name = "num_channels", .least = 1, .most = 3}, o.num_channels);
  visit(nn::Field{.name = "num_classes", .least = 2, .most = nn::kLargestSize}, o.num_classes);
  visit(nn::size_field("patch_size", "Pixels of a patch's side: each patch is a token"),
        o.patch_size);
  visit(nn::Field{.name = "stem",
                  .help = "How a patch becomes a token: by one layer over its pixels, or by "
                          "convolutions that each halve the sides",
                  .choices = stem_names},
        o.stem);
  visit_fields(o.transformer, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const ImageClassifierOptions& options);

// Patches of a picture, rows and columns; the last ones are filled up with zeros.
struct PatchGrid {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t count() const { return rows * columns; }
};
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
  at::Tensor patches(const at::Tensor& images) const;  // (B, patches, C)

  struct Convolution {
    at::Tensor weight;  // (out, in, 3, 3)
    at::Tensor bias;
  };
  ImageClassifierOptions options_;
  std::vector<Convolution> convolutions_;         // none: a linear stem
  std::shared_ptr<nn::Linear> patch_;             // of a linear stem
  at::Tensor reader_;                             // (C)
  std::shared_ptr<nn::PositionTable> positions_;  // null: none are added
  std::shared_ptr<nn::Encoder> encoder_;
  std::shared_ptr<nn::Linear> output_;
};

}  // namespace heed::models
