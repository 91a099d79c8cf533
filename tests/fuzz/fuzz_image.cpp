// A PNG, a JPEG or an IDX file, told by its first bytes as Heed does.
#include "heed/data/images/idx.h"
#include "heed/data/images/image.h"
#include "tests/fuzz/fuzz.h"

namespace heed::fuzz {

void one(std::string_view input) {
  constexpr int64_t kMostPixels = 1 << 18;
  static const ScratchFile file("image");
  file.write(input);
  if (data::is_idx(input)) {
    const data::IdxArray array = data::read_idx(file.path(), 3, 1 << 20);
    expect(array.shape.size() == 3);
    return;
  }
  const data::Image image = data::read_image(file.path(), {.most_pixels = kMostPixels});
  expect(image.height * image.width <= kMostPixels);
  expect(std::ssize(image.pixels) == image.height * image.width * image.channels);
  const data::Image small = data::resized(data::with_channels(image, 1), 5, 7);
  expect(small.pixels.size() == 35);
}

}  // namespace heed::fuzz
