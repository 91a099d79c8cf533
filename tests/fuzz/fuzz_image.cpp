// A PNG, a JPEG or an IDX file, told by its first bytes as Heed does; annotations, which begin with
// a curly bracket, and results, which begin with a square one, as COCO has them.
#include "heed/data/images/idx.h"
#include "heed/data/images/image.h"
#include "heed/data/images/object_data.h"
#include "tests/fuzz/fuzz.h"

namespace heed::fuzz {

void one(std::string_view input) {
  constexpr int64_t kMostPixels = 1 << 18;
  static const ScratchFile file("image");
  file.write(input);
  if (input.starts_with('{') || input.starts_with('[')) {
    data::DataReport report;
    if (input.starts_with('[')) {
      data::ObjectData real;
      real.image_ids = {1, 2};
      real.category_ids = {1};
      data::read_found_objects(file.path(), real, {}, report);
    } else {
      const data::ObjectData objects =
          data::read_objects({file.path()}, {.has_pictures = false}, report);
      for (const data::LabeledObject& each : objects.objects) {
        expect(each.image >= 0 && each.image < objects.count() && each.category >= 0 &&
               each.category < std::ssize(objects.categories));
      }
    }
    expect(report.text().size() < 1 << 20);
    return;
  }
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
