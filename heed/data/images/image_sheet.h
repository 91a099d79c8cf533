// Pictures as files: PNGs, and many on one sheet.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/data/images/image.h"

namespace heed::data {

// A picture's PNG, grey or red, green and blue, of 8 bits. The same picture gives the same bytes.
std::string png_bytes(const Image& image);

struct SheetOptions {
  int64_t columns = 1;
  int64_t gap = 2;       // pixels between the pictures, and around them
  uint8_t ground = 128;  // grey of the gaps, and of places without a picture
};

// Pictures of one size and one number of channels beside each other, row by row. Throws UsageError
// where there are none, or they are not alike.
Image sheet_of(const std::vector<Image>& images, const SheetOptions& options);

}  // namespace heed::data
