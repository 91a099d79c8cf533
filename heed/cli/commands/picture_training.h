// What commands that train on pictures with classes have in common.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/cli/options/image_sets.h"
#include "heed/cli/options/training_options.h"

namespace heed::cli {

struct PictureParts {
  data::ImageData train;
  data::ImageData valid;

  // "180 pictures train, 20 validate; 12 × 12 pixels, grey; 2 classes".
  std::string text() const;
};

// --train, --valid, --valid-share, and how pictures are read.
struct PictureTraining {
  std::vector<std::string> train = {};
  std::vector<std::string> valid = {};
  double valid_share = kValidShare;
  PictureShape shape = {};
  ImageReading reading = {};
  TimedRows rows = {};
  ReadingOptions table = {};

  void add_to(Options& options);

  // Pictures that are brought to `wanted`. Without --valid a share of each class is held back,
  // drawn by `seed`. Throws as ImageReading::read does.
  PictureParts read(data::ImageReadOptions wanted, uint64_t seed) const;
};

}  // namespace heed::cli
