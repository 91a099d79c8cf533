#include "heed/cli/options/image_sets.h"

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/cli/options/field_options.h"

namespace heed::cli {

void PictureShape::add_to(Options& command) { visit_fields(*this, FieldOptions(command)); }

data::ImageReadOptions PictureShape::read_options() const {
  return {.height = image_size, .width = image_size, .channels = std::stoll(num_channels)};
}

std::string pixels_text(const data::ImageData& data) {
  return text_of(data.width, " × ", data.height,
                 data.channels == 1 ? " pixels, grey" : " pixels, colours");
}

void ImageReading::add_to(Options& command) {
  command
      .add("--labels", labels,
           "Of an IDX file of pictures: the IDX file of their classes; without: told by its name")
      .group(kPictureGroup);
  add_max_pixels(command);
}

void ImageReading::add_max_pixels(Options& command) {
  command
      .add("--max-pixels", max_pixels,
           "Pixels of a picture at most: a larger one is refused before it is unpacked")
      .at_least(1)
      .group(kPictureGroup);
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

void PictureFolder::add_to(Options& command) {
  command
      .add("--images", images,
           "Folder of the pictures that annotations name; without: the folder of the annotations")
      .group(kPictureGroup);
}

data::ObjectData PictureFolder::read(const std::vector<std::string>& files,
                                     const data::ImageReadOptions& pictures) const {
  data::DataReport report;
  data::ObjectData data =
      data::read_objects(paths_of(files), {.pictures = pictures, .folder = images}, report);
  throw_or_warn(report);
  say_objects_left_out(data);
  return data;
}

void say_objects_left_out(const data::ObjectData& data) {
  say_count(joined(data.pictures.files), data.left_out,
            "pictures and objects left out, which cannot be used");
}

void say_pictures_left_out(const data::ImageData& data) {
  say_count(joined(data.files), data.left_out, "pictures left out, which cannot be used");
}

}  // namespace heed::cli
