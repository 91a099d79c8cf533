// What the tests of pictures share: PNG, JPEG and IDX files.
#pragma once

#include <gtest/gtest.h>
#include <png.h>
#include <turbojpeg.h>

#include <cstdint>
#include <string>
#include <vector>

#include "heed/data/images/image.h"

namespace heed::data {

// Pixels that differ from their neighbours a little.
inline Image gradient(int64_t height, int64_t width, int64_t channels) {
  Image image{.height = height, .width = width, .channels = channels, .pixels = {}};
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < channels; ++c) {
        image.pixels.push_back(static_cast<uint8_t>((3 * x + 5 * y + 40 * c) % 256));
      }
    }
  }
  return image;
}

inline std::string png_of(const Image& image) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = image.channels == 1   ? PNG_FORMAT_GRAY
               : image.channels == 3 ? PNG_FORMAT_RGB
                                     : PNG_FORMAT_RGBA;
  png_alloc_size_t size = 0;
  EXPECT_NE(png_image_write_to_memory(&png, nullptr, &size, 0, image.pixels.data(), 0, nullptr), 0);
  std::string bytes(size, '\0');
  EXPECT_NE(
      png_image_write_to_memory(&png, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr), 0);
  bytes.resize(size);
  return bytes;
}

// `flags`: of turbojpeg.
inline std::string jpeg_of(const Image& image, int flags = 0) {
  tjhandle encoder = tjInitCompress();
  unsigned char* buffer = nullptr;
  unsigned long size = 0;  // NOLINT: turbojpeg's type
  const bool grey = image.channels == 1;
  EXPECT_EQ(tjCompress2(encoder, image.pixels.data(), static_cast<int>(image.width), 0,
                        static_cast<int>(image.height), grey ? TJPF_GRAY : TJPF_RGB, &buffer, &size,
                        grey ? TJSAMP_GRAY : TJSAMP_444, 95, flags),
            0);
  std::string bytes(reinterpret_cast<char*>(buffer), size);
  tjFree(buffer);
  tjDestroy(encoder);
  return bytes;
}

// An IDX file of bytes.
inline std::string idx_of(const std::vector<uint32_t>& shape, const std::string& content) {
  std::string bytes = {0, 0, 8, static_cast<char>(shape.size())};
  for (const uint32_t size : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 255);
  }
  return bytes + content;
}

}  // namespace heed::data
