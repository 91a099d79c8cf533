#include "heed/cli/commands/picture_training.h"

#include "heed/base/error.h"

namespace heed::cli {

std::string PictureParts::text() const {
  return text_of(train.count(), " pictures train, ", valid.count(), " validate; ",
                 pixels_text(train), "; ", train.labels.size(), " classes");
}

void PictureTraining::add_to(Options& options) {
  add_example_files(options, {train, valid, valid_share},
                    "Pictures (a folder with a folder for each class, an IDX file, a list)");
  shape.add_to(options);
  reading.add_to(options);
  rows.add_skip_bad(options);
  table.add_table_options(options);
  table.add_max_classes(options, "Classes, at most");
}

PictureParts PictureTraining::read(data::ImageReadOptions wanted, uint64_t seed) const {
  PictureParts parts{.train = reading.read(train, wanted, table, rows), .valid = {}};
  if (!valid.empty()) {
    ImageReading others = reading;
    others.labels.clear();  // those of the pictures that train
    wanted.height = parts.train.height;
    wanted.width = parts.train.width;
    wanted.channels = parts.train.channels;
    wanted.label_names = parts.train.labels;
    parts.valid = others.read(valid, wanted, table, rows);
    return parts;
  }
  data::DataReport report;
  parts.valid = data::take_validation(parts.train, valid_share, seed, report);
  throw_or_warn(report);
  return parts;
}

}  // namespace heed::cli
