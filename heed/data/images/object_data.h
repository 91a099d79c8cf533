// Pictures with the objects in them, as files of COCO have them:
//
//   {"images": [{"id": 7, "file_name": "7.png", "width": 96, "height": 96}, …],
//    "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [x, y, width, height],
//                     "area": 380, "iscrowd": 0}, …],
//    "categories": [{"id": 3, "name": "cat"}, …]}
//
//                     Lin et al. 2014, "Microsoft COCO: Common Objects in Context"; cocodataset.org
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/images/image_data.h"

namespace heed::data {

struct ObjectReadOptions {
  // Of the pictures and of all: sizes, limits, skip_bad, keep_unusable; label_names: the
  // categories, if they are known.
  ImageReadOptions pictures = {};
  std::filesystem::path folder = {};  // that file names are seen from; empty: that of the file
  bool has_pictures = true;           // false: they are not opened, and may be missing
  bool has_objects = true;            // false: only `images` is read
};

struct LabeledObject {
  int64_t image = 0;     // number of the picture
  int64_t category = 0;  // number of the category
  double x = 0;          // pixels of the picture as its file has it
  double y = 0;
  double width = 0;
  double height = 0;
  double area = 0;     // as the file says, of an outline; without, that of the box
  bool crowd = false;  // many objects in one box
};

struct ObjectData {
  ImageData pictures;                   // N, without labels; of names and sizes alone, unopened
  std::vector<int64_t> image_ids;       // N, of their file
  std::vector<std::string> categories;  // C, in the order of the files or as they are fixed
  std::vector<int64_t> category_ids;    // C; none where they are fixed
  std::vector<LabeledObject> objects;   // in the order of the files
  int64_t left_out = 0;                 // pictures and objects, with skip_bad

  int64_t count() const { return pictures.count(); }
};

// Reads files of annotations, which add up; the ids of pictures and objects are those of one file
// each, categories are known by their names.
//
// What cannot be used is reported (kMalformedRow) with file and field, such as
// annotations[3].bbox, or left out: a picture that is damaged, of another size than the file says
// or than the first, or has the id of another one; an object without picture, category or box, with
// the id of another one, with a box without extent or more than a pixel outside its picture. The
// objects of a picture that is left out are left out with it. No picture at all is reported
// (kNoExamples). MissingInputError for a file that is not there; DataError for what is not strict
// JSON (NaN is not) or lacks one of the lists.
ObjectData read_objects(const std::vector<std::filesystem::path>& files,
                        const ObjectReadOptions& options, DataReport& report);

// Takes a share of the pictures, with their objects, for validation out of `train`, and notes it;
// none left over for it is reported (kNoExamples).
ObjectData take_validation(ObjectData& train, double share, uint64_t seed, DataReport& report);

// An object that somebody found: a row of COCO's results,
//   [{"image_id": 7, "category_id": 3, "bbox": [x, y, width, height], "score": 0.98}, …]
// or one of the "objects" of a picture, with an object {"image_id": 7, "objects": [{…}, …]} a line.
struct FoundInFile {
  int64_t image = 0;  // numbers, as above
  int64_t category = 0;
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  double score = 0;
};

// Of the pictures and the categories of `real`, which is of one file. What cannot be used is
// reported (kMalformedRow); errors as above.
std::vector<FoundInFile> read_found_objects(const std::filesystem::path& file,
                                            const ObjectData& real, const Limits& limits,
                                            DataReport& report);

}  // namespace heed::data
