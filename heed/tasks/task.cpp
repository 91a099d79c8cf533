#include "heed/tasks/task.h"

#include "heed/base/error.h"

namespace heed::tasks {

double metric(const Metrics& metrics, const std::string& name) {
  std::string known;
  for (const auto& [each, value] : metrics) {
    if (each == name) return value;
    known += (known.empty() ? "" : ", ") + each;
  }
  throw UsageError(text_of("metric: expected one of ", known, ", got '", name, "'"));
}

}  // namespace heed::tasks
