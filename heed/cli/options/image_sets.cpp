#include "heed/cli/options/image_sets.h"

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

data::ImageReadOptions ImageReading::completed(data::ImageReadOptions options,
                                               const ReadingOptions& table,
                                               const TimedRows& rows) const {
  options.table = open_table_options(table, rows);
  options.limits.most_pixels = max_pixels;
  options.labels = labels;
  return options;
}

data::ImageData ImageReading::read(const std::vector<std::string>& paths,
                                   const data::ImageReadOptions& options,
                                   const ReadingOptions& table, const TimedRows& rows) const {
  data::DataReport report;
  data::ImageData data =
      data::read_images(paths_of(paths), completed(options, table, rows), report);
  throw_or_warn(report);
  say_pictures_left_out(data);
  return data;
}

void say_pictures_left_out(const data::ImageData& data) {
  say_count(joined(data.files), data.left_out, "pictures left out, which cannot be used");
}

}  // namespace heed::cli
