#include "heed/data/images/image_sheet.h"

#include <png.h>

#include <algorithm>

#include "heed/base/error.h"

namespace heed::data {

std::string png_bytes(const Image& image) {
  check_usage(std::ssize(image.pixels) == image.height * image.width * image.channels &&
                  !image.pixels.empty() && (image.channels == 1 || image.channels == 3),
              "a PNG: expected ", image.height, " × ", image.width, " × ", image.channels,
              " values of 1 or 3 channels, got ", image.pixels.size());
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  std::string bytes;
  // First how much there will be, then that.
  for (int pass = 0; pass < 2; ++pass) {
    bytes.resize(size);
    if (png_image_write_to_memory(&png, pass == 0 ? nullptr : bytes.data(), &size,
                                  /*convert_to_8_bit=*/0, image.pixels.data(), /*row_stride=*/0,
                                  nullptr) == 0) {
      throw Error(text_of("a PNG cannot be written: ", png.message));
    }
  }
  bytes.resize(size);
  return bytes;
}

Image sheet_of(const std::vector<Image>& images, const SheetOptions& options) {
  check_usage(!images.empty() && options.columns > 0 && options.gap >= 0,
              "a sheet: expected pictures, a column or more and no negative gap, got ",
              images.size(), ", ", options.columns, " and ", options.gap);
  const Image& first = images.front();
  const int64_t rows = (std::ssize(images) + options.columns - 1) / options.columns;
  Image sheet{.height = rows * (first.height + options.gap) + options.gap,
              .width = options.columns * (first.width + options.gap) + options.gap,
              .channels = first.channels};
  sheet.pixels.assign(static_cast<size_t>(sheet.height * sheet.width * sheet.channels),
                      options.ground);
  for (int64_t i = 0; i < std::ssize(images); ++i) {
    const Image& image = images[static_cast<size_t>(i)];
    check_usage(image.height == first.height && image.width == first.width &&
                    image.channels == first.channels,
                "a sheet: expected pictures that are alike, got ", image.width, " × ", image.height,
                " beside ", first.width, " × ", first.height);
    const int64_t top = i / options.columns * (first.height + options.gap) + options.gap;
    const int64_t left = i % options.columns * (first.width + options.gap) + options.gap;
    const int64_t line = image.width * image.channels;
    for (int64_t y = 0; y < image.height; ++y) {
      const auto from = image.pixels.begin() + y * line;
      std::copy(from, from + line,
                sheet.pixels.begin() + ((top + y) * sheet.width + left) * sheet.channels);
    }
  }
  return sheet;
}

}  // namespace heed::data
