#include "heed/metrics/detection.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <map>
#include <utility>

#include "heed/base/error.h"

namespace heed::metrics {
namespace {

constexpr size_t kOverlaps = 10;
constexpr size_t kRecalls = 101;
constexpr size_t kMostBoxes = 100;  // of a picture and a category
constexpr double kNothing = -1;
constexpr double kWholeOverlap = 1 - 1e-10;  // that an overlap of 1 is asked as

// As numpy.linspace has them: boxes often overlap by a round share, and then the last bit decides.
constexpr double overlap_at(size_t i) {
  return i + 1 == kOverlaps ? 0.95 : 0.5 + static_cast<double>(i) * ((0.95 - 0.5) / 9);
}

struct AreaRange {
  double least;
  double most;
  bool holds(double area) const { return area >= least && area <= most; }
};
constexpr std::array<AreaRange, 4> kAreas = {
    {{0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}}};

// What became of a box at each overlap.
struct Judged {
  double score = 0;
  std::array<bool, kOverlaps> matched = {};
  std::array<bool, kOverlaps> ignored = {};
};

// One picture and category: the boxes, the surest first.
struct Scene {
  std::vector<const RealObject*> real;
  std::vector<const FoundObject*> found;
  std::vector<double> overlaps;  // (found, real)

  double at(size_t box, size_t object) const { return overlaps[box * real.size() + object]; }
};

using Scenes = std::map<int64_t, Scene>;  // of a category, by the number of the picture

void prepare(Scene& scene) {
  std::stable_sort(scene.found.begin(), scene.found.end(),
                   [](const auto* a, const auto* b) { return a->score > b->score; });
  scene.found.resize(std::min(scene.found.size(), kMostBoxes));
  for (const FoundObject* box : scene.found) {
    for (const RealObject* object : scene.real) {
      scene.overlaps.push_back(overlap(box->box, object->box, object->crowd));
    }
  }
}

// Which object a box finds at this overlap, of those in `order`, the asked ones first; real.size():
// none. An object is found once, a crowd as often as it likes; what is asked for goes before what
// is ignored, and of several the last of the best counts.
size_t object_of(const Scene& scene, size_t box, double least, const std::vector<size_t>& order,
                 const std::vector<bool>& ignored, const std::vector<bool>& taken) {
  size_t best = scene.real.size();
  double reached = std::min(least, kWholeOverlap);
  for (const size_t object : order) {
    if (taken[object] && !scene.real[object]->crowd) continue;
    if (best < scene.real.size() && !ignored[best] && ignored[object]) break;
    if (scene.at(box, object) < reached) continue;
    reached = scene.at(box, object);
    best = object;
  }
  return best;
}

// Returns how many objects are asked for.
size_t judge(const Scene& scene, const AreaRange& area, std::vector<Judged>& boxes) {
  std::vector<bool> ignored;
  std::vector<size_t> order;
  for (const RealObject* object : scene.real) {
    ignored.push_back(object->crowd || !area.holds(object->area));
    order.push_back(order.size());
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return !ignored[a] && ignored[b]; });
  const size_t first = boxes.size();
  for (const FoundObject* box : scene.found) boxes.push_back({.score = box->score});
  for (size_t t = 0; t < kOverlaps; ++t) {
    std::vector<bool> taken(scene.real.size());
    for (size_t box = 0; box < scene.found.size(); ++box) {
      Judged& judged = boxes[first + box];
      const size_t object = object_of(scene, box, overlap_at(t), order, ignored, taken);
      judged.matched[t] = object < scene.real.size();
      judged.ignored[t] =
          judged.matched[t] ? ignored[object] : !area.holds(scene.found[box]->box.area());
      if (judged.matched[t]) taken[object] = true;
    }
  }
  return static_cast<size_t>(std::count(ignored.begin(), ignored.end(), false));
}

// Precision at each recall, and the recall that is reached, of boxes, the surest first.
struct Curve {
  std::array<double, kRecalls> precisions = {};
  double recall = 0;

  double mean() const {
    double sum = 0;
    for (const double each : precisions) sum += each;
    return sum / kRecalls;
  }
};

Curve curve_of(const std::vector<Judged>& boxes, size_t overlap, size_t asked) {
  std::vector<double> recalls;
  std::vector<double> precisions;
  double right = 0;
  double wrong = 0;
  for (const Judged& box : boxes) {
    if (!box.ignored[overlap]) (box.matched[overlap] ? right : wrong) += 1;
    recalls.push_back(right / static_cast<double>(asked));
    precisions.push_back(right / (right + wrong + std::numeric_limits<double>::epsilon()));
  }
  // What a lower recall may have as well: precision never rises with recall.
  for (size_t i = precisions.size(); i-- > 1;) {
    precisions[i - 1] = std::max(precisions[i - 1], precisions[i]);
  }
  Curve curve;
  if (!recalls.empty()) curve.recall = recalls.back();
  for (size_t i = 0; i < kRecalls; ++i) {
    const auto at = std::lower_bound(recalls.begin(), recalls.end(), 0.01 * static_cast<double>(i));
    if (at == recalls.end()) break;
    curve.precisions[i] = precisions[static_cast<size_t>(at - recalls.begin())];
  }
  return curve;
}

// Of one category and one range of areas, with `most` boxes of each picture.
struct CategoryScores {
  std::array<double, kOverlaps> precisions;
  std::array<double, kOverlaps> recalls;
  bool has_objects = false;
};

CategoryScores scores_of(const Scenes& scenes, const AreaRange& area, size_t most) {
  std::vector<Judged> boxes;
  size_t asked = 0;
  for (const auto& [image, scene] : scenes) {
    const size_t first = boxes.size();
    asked += judge(scene, area, boxes);
    boxes.resize(std::min(boxes.size(), first + most));
  }
  CategoryScores scores{.precisions = {}, .recalls = {}, .has_objects = asked > 0};
  if (asked == 0) return scores;
  std::stable_sort(boxes.begin(), boxes.end(),
                   [](const Judged& a, const Judged& b) { return a.score > b.score; });
  for (size_t t = 0; t < kOverlaps; ++t) {
    const Curve curve = curve_of(boxes, t, asked);
    scores.precisions[t] = curve.mean();
    scores.recalls[t] = curve.recall;
  }
  return scores;
}

double mean_over_overlaps(const std::array<double, kOverlaps>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / kOverlaps;
}

// Of the categories that have objects.
class Mean {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  double value() const { return count_ == 0 ? kNothing : sum_ / count_; }

 private:
  double sum_ = 0;
  int count_ = 0;
};

std::vector<Scenes> scenes_of(const std::vector<RealObject>& real,
                              const std::vector<FoundObject>& found, int64_t images,
                              int64_t categories) {
  std::vector<Scenes> scenes(static_cast<size_t>(categories));
  const auto scene = [&](const auto& object) -> Scene& {
    check_usage(object.image >= 0 && object.image < images && object.category >= 0 &&
                    object.category < categories,
                "detection: expected one of ", images, " pictures and of ", categories,
                " categories, got numbers ", object.image, " and ", object.category);
    return scenes[static_cast<size_t>(object.category)][object.image];
  };
  for (const RealObject& object : real) scene(object).real.push_back(&object);
  for (const FoundObject& object : found) scene(object).found.push_back(&object);
  for (Scenes& category : scenes) {
    for (auto& [image, each] : category) prepare(each);
  }
  return scenes;
}

}  // namespace

double overlap(const PixelBox& found, const PixelBox& real, bool is_crowd) {
  const double width =
      std::min(found.x + found.width, real.x + real.width) - std::max(found.x, real.x);
  const double height =
      std::min(found.y + found.height, real.y + real.height) - std::max(found.y, real.y);
  if (width <= 0 || height <= 0) return 0;
  const double both = width * height;
  return both / (is_crowd ? found.area() : found.area() + real.area() - both);
}

DetectionScores detection_scores(const std::vector<RealObject>& real,
                                 const std::vector<FoundObject>& found, int64_t images,
                                 int64_t categories) {
  const auto scenes = scenes_of(real, found, images, categories);
  const auto over_categories = [&](size_t area, size_t most, const auto& add) {
    for (const Scenes& category : scenes) add(scores_of(category, kAreas[area], most));
  };
  DetectionScores result;
  Mean ap, ap50, ap75, ar100;
  over_categories(0, kMostBoxes, [&](const CategoryScores& scores) {
    result.ap_of_category.push_back(scores.has_objects ? mean_over_overlaps(scores.precisions)
                                                       : kNothing);
    result.ap50_of_category.push_back(scores.has_objects ? scores.precisions[0] : kNothing);
    if (!scores.has_objects) return;
    ap.add(mean_over_overlaps(scores.precisions));
    ap50.add(scores.precisions[0]);
    ap75.add(scores.precisions[5]);
    ar100.add(mean_over_overlaps(scores.recalls));
  });
  result.ap = ap.value();
  result.ap50 = ap50.value();
  result.ap75 = ap75.value();
  result.ar100 = ar100.value();
  const std::array<double*, 3> precisions = {&result.ap_small, &result.ap_medium, &result.ap_large};
  const std::array<double*, 3> recalls = {&result.ar_small, &result.ar_medium, &result.ar_large};
  for (size_t size = 0; size < 3; ++size) {
    Mean precision, recall;
    over_categories(size + 1, kMostBoxes, [&](const CategoryScores& scores) {
      if (!scores.has_objects) return;
      precision.add(mean_over_overlaps(scores.precisions));
      recall.add(mean_over_overlaps(scores.recalls));
    });
    *precisions[size] = precision.value();
    *recalls[size] = recall.value();
  }
  for (const auto& [most, to] :
       {std::pair<size_t, double*>{1, &result.ar1}, std::pair<size_t, double*>{10, &result.ar10}}) {
    Mean recall;
    over_categories(0, most, [&](const CategoryScores& scores) {
      if (scores.has_objects) recall.add(mean_over_overlaps(scores.recalls));
    });
    *to = recall.value();
  }
  return result;
}

}  // namespace heed::metrics
