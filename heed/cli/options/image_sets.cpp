#include "heed/cli/options/image_sets.h"

#include <iostream>
#include <utility>

#include "heed/base/joined.h"

namespace heed::cli {

void ImageReading::add_to(Options& command) {
  const std::string group = "Pictures";
  command
      .add("--labels", labels,
           "Of an IDX file of pictures: the IDX file of their classes; without: told by its name")
      .group(group);
  command
      .add("--max-pixels", max_pixels,
           "Pixels of a picture at most: a larger one is refused before it is unpacked")
      .at_least(1)
      .group(group);
}

data::ImageData ImageReading::read(const std::vector<std::string>& paths,
                                   data::ImageReadOptions options, const ReadingOptions& table,
                                   const TimedRows& rows) const {
  const data::ReadOptions file = table.parsed();
  options.table = {.encoding = file.encoding,
                   .delimiter = file.delimiter,
                   .skip_bad = rows.skip_bad,
                   .limits = file.limits};
  options.limits.most_pixels = max_pixels;
  options.labels = labels;
  data::DataReport report;
  data::ImageData data = data::read_images(paths_of(paths), options, report);
  throw_or_warn(report);
  if (data.left_out > 0) {
    std::cerr << "heed: " << joined(data.files) << ": " << data.left_out
              << " pictures left out, which cannot be used\n";
  }
  return data;
}

}  // namespace heed::cli
