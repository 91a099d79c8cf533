// What commands for pictures have in common.
#pragma once

#include <string>
#include <vector>

#include "heed/cli/common.h"
#include "heed/cli/options/task_sets.h"
#include "heed/data/images/image_data.h"
#include "heed/data/images/object_data.h"
#include "heed/nn/fields.h"

namespace heed::cli {

inline constexpr const char* kPictureGroup = "Pictures";  // heading of options in the help

struct ImageReading {
  std::string labels;
  int64_t max_pixels = data::ImageLimits().most_pixels;

  void add_to(Options& command);
  void add_max_pixels(Options& command);  // without --labels

  // The options with what the command line says: `table`, of its options those that
  // add_table_options() adds. `options`: what pictures are brought to, and the classes.
  data::ImageReadOptions completed(data::ImageReadOptions options, const ReadingOptions& table,
                                   const TimedRows& rows) const;

  // Reads pictures, and says on the messages what was left out. Throws as data::read_images does,
  // DataError for what that reports.
  data::ImageData read(const std::vector<std::string>& paths, const data::ImageReadOptions& options,
                       const ReadingOptions& table, const TimedRows& rows) const;
};

// What pictures are brought to.
struct PictureShape {
  int64_t image_size = 0;
  std::string num_channels = "0";

  void add_to(Options& command);
  data::ImageReadOptions read_options() const;
};

template <nn::OptionsOf<PictureShape> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::Field{.name = "image_size",
                  .help = "All pictures become squares with this side in pixels",
                  .least = 1,
                  .most = 4096,
                  .zero = "they have one size and keep it",
                  .group = kPictureGroup},
        o.image_size);
  visit(nn::Field{.name = "num_channels",
                  .help = "1: grey; 3: red, green and blue",
                  .choices =
                      [] {
                        return std::vector<std::string>{"0", "1", "3"};
                      },
                  .zero = "1 where all pictures are grey, else 3",
                  .group = kPictureGroup},
        o.num_channels);
}

// "12 × 12 pixels, grey".
std::string pixels_text(const data::ImageData& data);

// Of files of annotations.
struct PictureFolder {
  std::string images;

  void add_to(Options& command);

  // Reads the files, with `pictures` completed, and says on the messages what was left out. Throws
  // as data::read_objects does, DataError for what that reports.
  data::ObjectData read(const std::vector<std::string>& files,
                        const data::ImageReadOptions& pictures) const;
};

// How many were left out, on the messages.
void say_objects_left_out(const data::ObjectData& data);
void say_pictures_left_out(const data::ImageData& data);

}  // namespace heed::cli
