#include "heed/models/image_encoder.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"
#include "heed/models/parts/image_patches.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/dropout.h"
#include "heed/ops/linear.h"

namespace heed::models {

void check(const ImageEncoderOptions& o) {
  for (const auto& [name, size] :
       {std::pair{"image_height", o.image_height}, std::pair{"image_width", o.image_width},
        std::pair{"patch_height", o.patch_height}, std::pair{"patch_width", o.patch_width},
        std::pair{"channels", o.channels}}) {
    nn::FieldCheck()(nn::size_field(name), size);
  }
  check_usage(o.image_height % o.patch_height == 0 && o.image_width % o.patch_width == 0,
              "patch_size: expected a divisor of the image size ", o.image_height, " x ",
              o.image_width, ", got ", o.patch_height, " x ", o.patch_width);
  check(o.transformer);
}

ImageEncoder::ImageEncoder(const ImageEncoderOptions& options) : options_(options) {
  check(options);
  const TransformerOptions& o = options.transformer;
  const int64_t patches =
      options.image_height / options.patch_height * (options.image_width / options.patch_width);
  const auto table = [&](at::IntArrayRef sizes) {
    const at::Tensor values = at::empty(sizes);
    return nn::init_is_on() ? values.normal_(0, 0.02) : values;
  };
  patch_weight = register_parameter(
      "patch_weight",
      table({o.d_model, options.channels, options.patch_height, options.patch_width}));
  patch_bias = register_parameter("patch_bias", at::zeros({o.d_model}));
  whole = register_parameter("whole", table({1, 1, o.d_model}));
  positions = register_parameter("positions", table({1, 1 + patches, o.d_model}));
  encoder =
      register_module("encoder", std::make_shared<nn::Encoder>(o.num_layers, layer_options(o)));
  nn::init_linear_layers(*this, nn::init_from(o.init));
}

at::Tensor ImageEncoder::positions_for(int64_t rows, int64_t columns) const {
  const int64_t own_rows = options_.image_height / options_.patch_height;
  const int64_t own_columns = options_.image_width / options_.patch_width;
  if (rows == own_rows && columns == own_columns) return positions;
  const int64_t width = positions.size(-1);
  const at::Tensor grid =
      positions.slice(1, 1).reshape({1, own_rows, own_columns, width}).permute({0, 3, 1, 2});
  const at::Tensor other = at::upsample_bicubic2d(grid, {rows, columns}, /*align_corners=*/false)
                               .permute({0, 2, 3, 1})
                               .reshape({1, rows * columns, width});
  return at::cat({positions.slice(1, 0, 1), other}, 1);
}

at::Tensor ImageEncoder::forward(const at::Tensor& pixels, nn::AttentionTrace* trace) const {
  const ImageEncoderOptions& o = options_;
  const bool fits = pixels.dim() == 4 && pixels.size(1) == o.channels && pixels.size(2) > 0 &&
                    pixels.size(3) > 0 && pixels.size(2) % o.patch_height == 0 &&
                    pixels.size(3) % o.patch_width == 0;
  check_usage(fits, "pixels: expected (B, ", o.channels, ", height, width) in squares of ",
              o.patch_height, " x ", o.patch_width, ", got ", pixels.sizes());
  const int64_t rows = pixels.size(2) / o.patch_height;
  const int64_t columns = pixels.size(3) / o.patch_width;
  const at::Tensor x =
      heed::linear(cut_into_patches(pixels, rows, columns), patch_weight.flatten(1), patch_bias);
  const at::Tensor all = at::cat({whole.expand({x.size(0), -1, -1}), x}, 1);
  const at::Tensor input =
      heed::dropout(all + positions_for(rows, columns),
                    {.probability = is_training() ? o.transformer.embedding_dropout : 0});
  return encoder->forward(input, Pattern::full(), trace);
}

}  // namespace heed::models
