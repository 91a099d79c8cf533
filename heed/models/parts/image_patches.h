// Pictures as tokens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace heed::models {

// (B, C, rows · h, columns · w) -> (B, rows · columns, C · h · w): the pixels of each patch beside
// each other, row by row.                  Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words"
inline at::Tensor cut_into_patches(const at::Tensor& images, int64_t rows, int64_t columns) {
  const int64_t height = images.size(2) / rows;
  const int64_t width = images.size(3) / columns;
  return images.reshape({images.size(0), images.size(1), rows, height, columns, width})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({images.size(0), rows * columns, -1});
}

}  // namespace heed::models
