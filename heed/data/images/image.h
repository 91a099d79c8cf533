// One picture, read from PNG or JPEG.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace heed::data {

struct Image {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 1;         // 1: grey, 3: red, green, blue
  std::vector<uint8_t> pixels;  // (height, width, channels)
};

struct ImageLimits {
  uint64_t most_bytes = uint64_t{256} << 20;  // of a file
  int64_t most_pixels = 50'000'000;           // of a picture: looked at before it is unpacked
};

// Whether bytes begin as a file of a kind that read_image() knows.
bool is_image(std::string_view bytes);

// A PNG or JPEG, told by its first bytes: grey ones have one channel, others three. What is
// transparent is black, 16 bits become 8. MissingInputError, IoError as read_file(). DataError,
// with the name of the file, for other kinds of files, for what is damaged or cut off, and for what
// is over the limits.
Image read_image(const std::filesystem::path& file, const ImageLimits& limits = {});

// A colour is the grey of its luma, ITU-R BT.601; grey has three channels that are the same.
Image with_channels(const Image& image, int64_t channels);

}  // namespace heed::data
