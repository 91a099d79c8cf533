#include "heed/cli/tasks/picture_view.h"

#include <ATen/ATen.h>

namespace heed::cli {

PictureOverlay overlay_of(const data::ImageData& data, const std::string& title) {
  PictureOverlay overlay{.title = title, .height = data.height, .width = data.width};
  const auto size = static_cast<size_t>(data.size());
  for (size_t i = 0; i < size; i += static_cast<size_t>(data.channels)) {
    const auto part = [&](size_t c) {
      return data.pixels[i + (data.channels == 3 ? c : 0)] / 255.0;
    };
    overlay.pixels.push_back({part(0), part(1), part(2)});
  }
  return overlay;
}

PictureOverlay::Layer patch_layer(const std::string& title, const at::Tensor& weights,
                                  const models::PatchGrid& grid, int64_t patch_size) {
  const at::Tensor flat = weights.to(at::kFloat).contiguous();
  const auto* first = flat.const_data_ptr<float>();
  return {.title = title,
          .rows = grid.rows,
          .columns = grid.columns,
          .covered_height = static_cast<double>(grid.rows * patch_size),
          .covered_width = static_cast<double>(grid.columns * patch_size),
          .values = {first, first + flat.numel()}};
}

}  // namespace heed::cli
