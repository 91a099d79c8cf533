// Pictures with their classes: IDX files, folders of a class each, lists.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/file_format.h"
#include "heed/data/images/image.h"
#include "heed/data/images/resampling.h"

namespace heed::data {

// Whether the name of a file ends as those of pictures do: .png, .jpg, .jpeg.
bool has_image_name(const std::filesystem::path& file);

struct ImageReadOptions {
  OpenTableOptions table = {};  // of lists; skip_bad: of all
  ImageLimits limits = {};
  // What all pictures are brought to. 0: they stay as they are, and must be alike; of channels, 1
  // where all are grey, else 3.
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  Resampling resampling = Resampling::kBilinear;
  bool resize = true;                 // false: pictures of another size than these cannot be used
  std::filesystem::path labels = {};  // of an IDX file of pictures; empty: told by its name
  bool has_labels = true;             // false: classes are not read
  std::vector<std::string> label_names = {};  // the classes, if they are known
  // Pictures that cannot be used are in ImageData::unusable, neither reported nor left out.
  bool keep_unusable = false;
};

struct ImageSize {
  int64_t height = 0;
  int64_t width = 0;
};

struct ImageData {
  std::vector<std::string> files;  // for messages
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 1;
  std::vector<uint8_t> pixels;        // (N, height, width, channels)
  std::vector<std::string> labels;    // C, sorted or as they are fixed
  std::vector<int32_t> classes;       // N; none without labels
  std::vector<std::string> names;     // N: of the files, or "images.gz[7]", counted from 0
  std::vector<ImageSize> sizes = {};  // N: of the pictures in their files
  int64_t left_out = 0;               // rows and pictures, with skip_bad
  struct Unusable {
    int64_t place = 0;  // how many pictures stand before it
    std::string where;
    std::string why;
  };
  std::vector<Unusable> unusable = {};  // in order, with keep_unusable

  int64_t count() const { return static_cast<int64_t>(names.size()); }
  int64_t size() const { return height * width * channels; }
};

// Reads pictures, which add up. A path is
//   a folder: each folder in it is a class, its PNGs and JPEGs, also in folders below, are those of
//     the class; without labels, or without folders in it, the pictures in it;
//   an IDX file of bytes, plain or gzip (LeCun, "The MNIST database"): its classes are in the file
//     named by `labels`, or the one whose name has "labels" in place of "images" and "idx1" in
//     place of "idx3";
//   a PNG or a JPEG;
//   a list, a table with a picture in each row: the path, seen from where the list is, and, with
//     labels, its class; the columns are the first two, or those called image, file or path, and
//     label or class.
//
// What cannot be used is reported (kMalformedRow, kMissingLabel, kUnknownLabel) or, with skip_bad,
// left out: pictures that are damaged, over the limits or of another size; rows without a class.
// MissingInputError for a path that is not there; DataError for IDX files that are cut off or have
// other numbers of pictures and classes, and what would not fit into memory.
ImageData read_images(const std::vector<std::filesystem::path>& paths,
                      const ImageReadOptions& options, DataReport& report);

// Takes the pictures that are held out of `data`, with their classes, where there are any.
ImageData take_images(ImageData& data, const std::vector<bool>& held);

// Takes a share of the pictures for validation out of `train`, the same of each class, and notes
// it; none left over for it is reported (kNoExamples).
ImageData take_validation(ImageData& train, double share, uint64_t seed, DataReport& report);

}  // namespace heed::data
