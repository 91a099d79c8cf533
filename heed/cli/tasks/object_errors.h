// What a detector of objects got wrong, object by object.
#pragma once

#include <string>
#include <vector>

#include "heed/cli/task_adapter.h"
#include "heed/metrics/detection.h"

namespace heed::cli {

struct ObjectNames {
  std::vector<std::string> pictures;
  std::vector<std::string> categories;
};

// What was found with a score of at least `least` where no object of its category is, boxes that
// overlap by half being one place, the surest first: what is expected there is another category,
// or nothing. Then what was not found.
std::vector<TaskEvaluation::Wrong> object_errors(const std::vector<metrics::RealObject>& real,
                                                 std::vector<metrics::FoundObject> found,
                                                 double least, const ObjectNames& names);

}  // namespace heed::cli
