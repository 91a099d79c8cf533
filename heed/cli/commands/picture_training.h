// What commands that train on pictures with classes have in common.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "heed/cli/options/image_sets.h"
#include "heed/cli/options/training_settings.h"

namespace heed::cli {

// Files of pictures that stand in none of their own, such as those of IDX files. They go with it.
class PictureFiles {
 public:
  PictureFiles() = default;
  ~PictureFiles();
  PictureFiles(const PictureFiles&) = delete;
  PictureFiles& operator=(const PictureFiles&) = delete;

  // The file of this picture, a PNG where it is a new one; "" where none can be written.
  std::string file_of(const data::ImageData& data, size_t number);

 private:
  std::filesystem::path folder_ = {};  // empty: none was needed
};

struct PictureParts {
  data::ImageData train;
  data::ImageData valid;

  // "180 pictures train, 20 validate; 12 × 12 pixels, grey; 2 classes".
  std::string text() const;

  // Some of those that validate, with their classes.
  HeldOut shown(PictureFiles& files) const;
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
