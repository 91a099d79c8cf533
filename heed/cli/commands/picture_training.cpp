#include "heed/cli/commands/picture_training.h"

#include <cstdlib>
#include <system_error>

#include "heed/base/error.h"
#include "heed/data/images/image_sheet.h"
#include "heed/io/atomic.h"

namespace heed::cli {
namespace {

namespace fs = std::filesystem;

// Empty where there can be none.
fs::path new_folder() {
  std::error_code error;
  std::string name = (fs::temp_directory_path(error) / "heed-pictures-XXXXXX").string();
  return error || ::mkdtemp(name.data()) == nullptr ? fs::path() : fs::path(name);
}

data::Image image_of(const data::ImageData& data, size_t number) {
  const auto first = data.pixels.begin() + static_cast<int64_t>(number) * data.size();
  return {.height = data.height,
          .width = data.width,
          .channels = data.channels,
          .pixels = {first, first + data.size()}};
}

}  // namespace

PictureFiles::~PictureFiles() {
  std::error_code error;
  if (!folder_.empty()) fs::remove_all(folder_, error);
}

std::string PictureFiles::file_of(const data::ImageData& data, size_t number) {
  const fs::path name = data.names[number];
  std::error_code error;
  if (fs::is_regular_file(name, error)) return name.string();
  if (folder_.empty()) folder_ = new_folder();
  if (folder_.empty()) return "";
  const fs::path file = folder_ / (name.filename().string() + ".png");
  if (fs::exists(file, error)) return "";  // of another picture that is called the same
  try {
    AtomicFile target(file);
    target.write(data::png_bytes(image_of(data, number)));
    target.commit();
  } catch (const IoError&) {  // no reason not to train
    return "";
  }
  return file.string();
}

HeldOut PictureParts::shown(PictureFiles& files) const {
  return held_out_of(static_cast<size_t>(valid.count()), [&](size_t i) {
    return HeldOutExample{.input = files.file_of(valid, i),
                          .about = {.name = valid.names[i],
                                    .right = valid.labels[static_cast<size_t>(valid.classes[i])]}};
  });
}

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
