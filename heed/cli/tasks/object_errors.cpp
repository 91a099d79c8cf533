#include "heed/cli/tasks/object_errors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace heed::cli {
namespace {

constexpr double kLeastOverlap = 0.5;  // of boxes that are about the same object

using metrics::FoundObject;
using metrics::RealObject;

// The objects of each picture that nothing was found to be yet.
class OpenObjects {
 public:
  OpenObjects(const std::vector<RealObject>& real, size_t pictures) : of_picture_(pictures) {
    for (const RealObject& object : real) {
      of_picture_[static_cast<size_t>(object.image)].push_back(object);
    }
  }

  // The one that is most nearly where `found` is, which is open no longer, unless it is a crowd.
  // `category`: its own; none: any.
  std::optional<RealObject> take(const FoundObject& found, std::optional<int64_t> category) {
    auto& open = of_picture_[static_cast<size_t>(found.image)];
    auto best = open.end();
    double most = kLeastOverlap;
    for (auto each = open.begin(); each != open.end(); ++each) {
      if (category ? each->category != *category : each->crowd) continue;
      const double shared = metrics::overlap(found.box, each->box, each->crowd);
      if (shared < most) continue;
      most = shared;
      best = each;
    }
    if (best == open.end()) return std::nullopt;
    const RealObject object = *best;
    if (!object.crowd) open.erase(best);
    return object;
  }

  const std::vector<std::vector<RealObject>>& of_picture() const { return of_picture_; }

 private:
  std::vector<std::vector<RealObject>> of_picture_;
};

}  // namespace

std::vector<TaskEvaluation::Wrong> object_errors(const std::vector<RealObject>& real,
                                                 std::vector<FoundObject> found, double least,
                                                 const ObjectNames& names) {
  std::erase_if(found, [&](const FoundObject& each) { return each.score < least; });
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  OpenObjects open(real, names.pictures.size());
  std::erase_if(found, [&](const FoundObject& each) { return open.take(each, each.category); });
  std::vector<TaskEvaluation::Wrong> wrong;
  const auto add = [&](int64_t image, const std::optional<int64_t>& expected,
                       const std::optional<int64_t>& predicted, double score,
                       const metrics::PixelBox& box) {
    const auto name = [&](const std::optional<int64_t>& category) {
      return category ? names.categories[static_cast<size_t>(*category)] : std::string();
    };
    wrong.push_back({.confidence = score,
                     .row = {{"where", names.pictures[static_cast<size_t>(image)]},
                             {"expected", name(expected)},
                             {"predicted", name(predicted)},
                             {"score", score},
                             {"bbox", {box.x, box.y, box.width, box.height}}}});
  };
  for (const FoundObject& each : found) {
    const auto other = open.take(each, std::nullopt);
    add(each.image, other ? std::optional(other->category) : std::nullopt, each.category,
        each.score, each.box);
  }
  for (const auto& objects : open.of_picture()) {
    for (const RealObject& each : objects) {
      if (!each.crowd) add(each.image, each.category, std::nullopt, 0, each.box);
    }
  }
  return wrong;
}

}  // namespace heed::cli
