// How well objects are found in pictures: average precision and recall over the overlap of boxes,
// as COCO measures them (Lin et al. 2014, "Microsoft COCO: Common Objects in Context"; the same
// numbers as COCOeval of pycocotools 2 with iouType "bbox").
#pragma once

#include <cstdint>
#include <vector>

namespace heed::metrics {

// Pixels, from the left and the top of the picture.
struct PixelBox {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  double area() const { return width * height; }
};

// Intersection over union, from 0 to 1. Of an object that is a crowd, over the found box instead.
double overlap(const PixelBox& found, const PixelBox& real, bool is_crowd = false);

struct RealObject {
  int64_t image = 0;     // its number, from 0
  int64_t category = 0;  // likewise
  PixelBox box = {};
  double area = 0;     // that tells small from large: the file's, which may be that of an outline
  bool crowd = false;  // many objects in one box: neither asked for nor counted as wrong
};

struct FoundObject {
  int64_t image = 0;
  int64_t category = 0;
  PixelBox box = {};
  double score = 0;  // the higher, the surer
};

// From 0 to 1, means over the categories that have objects; −1 where no category has any. `ap`:
// the precision at recalls of 0, 0.01 … 1, and that over overlaps from 0.50 to 0.95 in steps of
// 0.05; `ap50`, `ap75`: of one overlap. Small objects have an area of at most 32² pixels, medium
// ones up to 96². `ar`: the share of the objects that is found, over the same overlaps, by the 1,
// 10, 100 surest boxes of each picture and category; all else is measured on the 100 surest.
struct DetectionScores {
  double ap = -1;
  double ap50 = -1;
  double ap75 = -1;
  double ap_small = -1;
  double ap_medium = -1;
  double ap_large = -1;
  double ar1 = -1;
  double ar10 = -1;
  double ar100 = -1;
  double ar_small = -1;
  double ar_medium = -1;
  double ar_large = -1;
  std::vector<double> ap_of_category = {};    // `ap`, of each
  std::vector<double> ap50_of_category = {};  // `ap50`
};

// Objects in the order of their files: of equal scores the first counts as the surer one. (Where a
// file of annotations has one with the id 0, pycocotools takes what matches it as wrong; this does
// not.) Throws UsageError for a number of a picture or a category that is not below `images`,
// `categories`.
DetectionScores detection_scores(const std::vector<RealObject>& real,
                                 const std::vector<FoundObject>& found, int64_t images,
                                 int64_t categories);

}  // namespace heed::metrics
