#include "heed/tasks/image/image_augmentation.h"

#include <ATen/ATen.h>

#include <cmath>

namespace heed::tasks {

at::Tensor augmented(const at::Tensor& images, const AugmentationOptions& options) {
  if (!options.any()) return images;
  const int64_t count = images.size(0);
  const auto height = static_cast<double>(images.size(2));
  const auto width = static_cast<double>(images.size(3));
  // From −most to most.
  const auto drawn = [&](double most) { return (2 * at::rand({count}) - 1) * most; };
  const at::Tensor angle = drawn(options.max_rotation * M_PI / 180);
  const at::Tensor scale = 1 / (1 + drawn(options.max_scale));
  const at::Tensor right = drawn(options.max_shift) * (2 / width);
  const at::Tensor down = drawn(options.max_shift) * (2 / height);
  at::Tensor mirror = at::ones({count});
  if (options.flip) mirror = 1 - 2 * at::randint(2, {count}).to(at::kFloat);
  // Where each new pixel is taken from: both sides of a picture go from −1 to 1.
  const at::Tensor cosine = at::cos(angle) * scale;
  const at::Tensor sine = at::sin(angle) * scale;
  const at::Tensor across = at::stack({cosine * mirror, -sine * (height / width), right}, 1);
  const at::Tensor along = at::stack({sine * mirror * (width / height), cosine, down}, 1);
  const at::Tensor places = at::affine_grid_generator(
      at::stack({across, along}, 1).to(images.device()), images.sizes(), /*align_corners=*/false);
  constexpr int64_t kBilinear = 0;
  constexpr int64_t kBorder = 1;
  return at::grid_sampler(images, places, kBilinear, kBorder, /*align_corners=*/false);
}

}  // namespace heed::tasks
