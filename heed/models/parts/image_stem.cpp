#include "heed/models/parts/image_stem.h"

#include <ATen/ATen.h>

#include <bit>
#include <cmath>

#include "heed/base/error.h"
#include "heed/models/parts/image_patches.h"
#include "heed/nn/parameters/init.h"

namespace heed::models {

std::vector<std::string> stem_names() { return {"convolution", "linear"}; }

void check(const ImageStemOptions& o) {
  constexpr int64_t kMostPixels = 50'000'000;
  check_usage(o.image_height <= kMostPixels / o.image_width,
              "image_height, image_width: expected at ", "most ", kMostPixels, " pixels, got ",
              o.image_width, " × ", o.image_height);
  const bool halves = std::has_single_bit(static_cast<uint64_t>(o.patch_size)) && o.patch_size > 1;
  check_usage(
      o.stem == "linear" || halves,
      "patch_size: expected a power of 2 above 1, as each convolution halves the sides, got ",
      o.patch_size);
  check_usage(o.stem == "linear" || o.d_model % (o.patch_size / 2) == 0,
              "d_model: expected a multiple of patch_size / 2 (", o.patch_size / 2,
              "), as each convolution doubles the channels, got ", o.d_model);
}

PatchGrid patch_grid(const ImageStemOptions& o) {
  return {.rows = (o.image_height + o.patch_size - 1) / o.patch_size,
          .columns = (o.image_width + o.patch_size - 1) / o.patch_size};
}

ImageStem::ImageStem(torch::nn::Module& owner, const ImageStemOptions& options)
    : options_(options) {
  if (options.stem == "linear") {
    patch_ = owner.register_module(
        "patch", std::make_shared<nn::Linear>(nn::LinearOptions{
                     .in = options.num_channels * options.patch_size * options.patch_size,
                     .out = options.d_model}));
    return;
  }
  int64_t in = options.num_channels;
  for (int64_t left = options.patch_size / 2; left >= 1; left /= 2) {
    const int64_t out = options.d_model / left;
    const auto i = convolutions_.size();
    at::Tensor weight = at::empty({out, in, 3, 3});
    // He et al. 2015, eq. 10: N(0, 2 / inputs), for the ReLU behind it.
    if (nn::init_is_on()) weight.normal_(0, std::sqrt(2.0 / static_cast<double>(9 * in)));
    convolutions_.push_back(
        {.weight = owner.register_parameter(text_of("convolution", i, "_weight"), weight),
         .bias = owner.register_parameter(text_of("convolution", i, "_bias"), at::zeros({out}))});
    in = out;
  }
}

at::Tensor ImageStem::forward(const at::Tensor& images) const {
  const ImageStemOptions& o = options_;
  check_usage(images.dim() == 4 && images.size(1) == o.num_channels &&
                  images.size(2) == o.image_height && images.size(3) == o.image_width,
              "images: expected (B, ", o.num_channels, ", ", o.image_height, ", ", o.image_width,
              "), got ", images.sizes());
  const PatchGrid grid = patch_grid(o);
  const int64_t side = o.patch_size;
  at::Tensor x = at::constant_pad_nd(
      images, {0, grid.columns * side - o.image_width, 0, grid.rows * side - o.image_height});
  if (patch_) return patch_->forward(cut_into_patches(x, grid.rows, grid.columns));
  for (const Convolution& each : convolutions_) {
    x = at::relu(at::conv2d(x, each.weight, each.bias, /*stride=*/1, /*padding=*/1));
    x = at::max_pool2d(x, 2);
  }
  return x.flatten(2).transpose(1, 2);
}

}  // namespace heed::models
