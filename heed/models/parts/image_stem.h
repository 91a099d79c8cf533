// How a picture becomes tokens: one for each patch, a row of them after the other.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/nn/fields.h"
#include "heed/nn/layers/linear.h"

namespace heed::models {

struct ImageStemOptions {
  int64_t image_height = 0;
  int64_t image_width = 0;
  int64_t num_channels = 1;
  int64_t patch_size = 4;  // pixels of a side
  // "linear", one layer over the pixels of a patch; "convolution", layers of 3 × 3 that each halve
  // the sides, so that patch_size is a power of 2. Xiao et al. 2021, "Early Convolutions Help
  // Transformers See Better"; Hassani et al. 2021, "Escaping the Big Data Paradigm with Compact
  // Transformers"
  std::string stem = "convolution";
  int64_t d_model = 0;  // C
};

std::vector<std::string> stem_names();

// Throws UsageError naming the fields that do not go together, each of which its own list allows.
void check(const ImageStemOptions& options);

// Patches of a picture, rows and columns; the last ones are filled up with zeros.
struct PatchGrid {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t count() const { return rows * columns; }
};
PatchGrid patch_grid(const ImageStemOptions& options);

// The fields of a model that reads pictures: those of its members with these names.
template <typename Options, typename Visit>
void visit_image_fields(Options& o, const Visit& visit) {
  visit(nn::size_field("image_height"), o.image_height);
  visit(nn::size_field("image_width"), o.image_width);
  visit(nn::Field{.name = "num_channels", .least = 1, .most = 3}, o.num_channels);
  visit(nn::size_field("patch_size", "Pixels of a patch's side: each patch is a token"),
        o.patch_size);
  visit(nn::Field{.name = "stem",
                  .help = "How a patch becomes a token: by one layer over its pixels, or by "
                          "convolutions that each halve the sides",
                  .choices = stem_names},
        o.stem);
}

// Of a model with these members and `transformer`.
template <typename Options>
ImageStemOptions stem_options(const Options& o) {
  return {.image_height = o.image_height,
          .image_width = o.image_width,
          .num_channels = o.num_channels,
          .patch_size = o.patch_size,
          .stem = o.stem,
          .d_model = o.transformer.d_model};
}

// Registers its weights in the module that it belongs to.
class ImageStem {
 public:
  ImageStem(torch::nn::Module& owner, const ImageStemOptions& options);

  // (B, channels, height, width) -> (B, patches, C). Throws UsageError for another shape.
  at::Tensor forward(const at::Tensor& images) const;

  struct Convolution {
    at::Tensor weight;  // (out, in, 3, 3)
    at::Tensor bias;
  };

 private:
  ImageStemOptions options_;
  std::vector<Convolution> convolutions_;  // none: a linear stem
  std::shared_ptr<nn::Linear> patch_;      // of a linear stem
};

}  // namespace heed::models
