#include "heed/cli/commands/picture_training.h"

#include "heed/base/error.h"

namespace heed::cli {

std::string PictureParts::text() const {
  return text_of(train.count(), " pictures train, ", valid.count(), " validate; ", train.width,
                 " × ", train.height,
                 train.channels == 1 ? " pixels, grey; " : " pixels, colours; ",
                 train.labels.size(), " classes");
}

void PictureTraining::add_to(Options& options) {
  const std::string group = "Pictures";
  add_example_files(options, {train, valid, valid_share},
                    "Pictures (a folder with a folder for each class, an IDX file, a list)");
  options
      .add(
          "--image-size", image_size,
          "All pictures become squares with this side in pixels; 0: they have one size and keep it")
      .range(0, 4096)
      .group(group);
  options
      .add("--num-channels", num_channels,
           "1: grey; 3: red, green and blue; 0: 1 where all pictures are grey, else 3")
      .one_of({"0", "1", "3"})
      .group(group);
  reading.add_to(options);
  rows.add_skip_bad(options);
  table.add_table_options(options);
  table.add_max_classes(options, "Classes, at most");
}

data::ImageReadOptions PictureTraining::shape() const {
  return {.height = image_size, .width = image_size, .channels = num_channels};
}

PictureParts PictureTraining::read(data::ImageReadOptions shape, uint64_t seed) const {
  PictureParts parts{.train = reading.read(train, shape, table, rows), .valid = {}};
  if (!valid.empty()) {
    ImageReading others = reading;
    others.labels.clear();  // those of the pictures that train
    shape.height = parts.train.height;
    shape.width = parts.train.width;
    shape.channels = parts.train.channels;
    shape.label_names = parts.train.labels;
    parts.valid = others.read(valid, shape, table, rows);
    return parts;
  }
  data::DataReport report;
  parts.valid = data::take_validation(parts.train, valid_share, seed, report);
  throw_or_warn(report);
  return parts;
}

}  // namespace heed::cli
