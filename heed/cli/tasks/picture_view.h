// Attention laid over a picture, for the tasks that read pictures.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "heed/data/images/image_data.h"
#include "heed/models/parts/image_stem.h"
#include "heed/viz/picture_overlay.h"

namespace heed::cli {

// The first picture of the data.
PictureOverlay overlay_of(const data::ImageData& data, const std::string& title);

// `weights`: of each patch, row by row.
PictureOverlay::Layer patch_layer(const std::string& title, const at::Tensor& weights,
                                  const models::PatchGrid& grid, int64_t patch_size);

}  // namespace heed::cli
