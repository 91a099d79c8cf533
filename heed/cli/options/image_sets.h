// What commands for pictures have in common.
#pragma once

#include <string>
#include <vector>

#include "heed/cli/common.h"
#include "heed/cli/options/task_sets.h"
#include "heed/data/images/image_data.h"

namespace heed::cli {

struct ImageReading {
  std::string labels;
  int64_t max_pixels = data::ImageLimits().most_pixels;

  void add_to(Options& command);

  // Reads pictures, and says on the messages what was left out. `options`: what pictures are
  // brought to, and the classes. `table`: of its options those that add_table_options() adds.
  // Throws as data::read_images does, DataError for what that reports.
  data::ImageData read(const std::vector<std::string>& paths, data::ImageReadOptions options,
                       const ReadingOptions& table, const TimedRows& rows) const;
};

}  // namespace heed::cli
