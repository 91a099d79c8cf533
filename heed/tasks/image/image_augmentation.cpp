#include "heed/tasks/image/image_augmentation.h"

#include <ATen/ATen.h>

#include <cmath>

namespace heed::tasks {

at::Tensor drawn_moves(at::IntArrayRef sizes, const AugmentationOptions& options) {
  const int64_t count = sizes[0];
  const auto height = static_cast<double>(sizes[2]);
  const auto width = static_cast<double>(sizes[3]);
  // From −most to most.
  const auto drawn = [&](double most) { return (2 * at::rand({count}) - 1) * most; };
  const at::Tensor angle = drawn(options.max_rotation * M_PI / 180);
  const at::Tensor scale = 1 / (1 + drawn(options.max_scale));
  const at::Tensor right = drawn(options.max_shift) * (2 / width);
  const at::Tensor down = drawn(options.max_shift) * (2 / height);
  at::Tensor mirror = at::ones({count});
  if (options.flip) mirror = 1 - 2 * at::randint(2, {count}).to(at::kFloat);
  const at::Tensor cosine = at::cos(angle) * scale;
  const at::Tensor sine = at::sin(angle) * scale;
  const at::Tensor across = at::stack({cosine * mirror, -sine * (height / width), right}, 1);
  const at::Tensor along = at::stack({sine * mirror * (width / height), cosine, down}, 1);
  return at::stack({across, along}, 1);
}

at::Tensor moved_pictures(const at::Tensor& images, const at::Tensor& moves) {
  const at::Tensor places = at::affine_grid_generator(moves.to(images.device()), images.sizes(),
                                                      /*align_corners=*/false);
  constexpr int64_t kBilinear = 0;
  constexpr int64_t kBorder = 1;
  return at::grid_sampler(images, places, kBilinear, kBorder, /*align_corners=*/false);
}

at::Tensor augmented(const at::Tensor& images, const AugmentationOptions& options) {
  if (!options.any()) return images;
  return moved_pictures(images, drawn_moves(images.sizes(), options));
}

}  // namespace heed::tasks
