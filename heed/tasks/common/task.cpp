#include "heed/tasks/common/task.h"

#include "heed/base/error.h"
#include "heed/base/joined.h"

namespace heed::tasks {

double metric(const Metrics& metrics, const std::string& name) {
  for (const auto& [each, value] : metrics) {
    if (each == name) return value;
  }
  throw UsageError(text_of("metric: expected one of ",
                           joined(metrics, ", ", [](const auto& each) { return each.first; }),
                           ", got '", name, "'"));
}

Watched watched_among(const std::vector<Watched>& watchable, const std::string& name,
                      const std::string& usual) {
  const std::string& wanted = name.empty() ? usual : name;
  for (const Watched& each : watchable) {
    if (each.name == wanted) return each;
  }
  throw UsageError(text_of("the metric that decides which model is best: expected one of ",
                           joined(watchable, ", ", [](const Watched& each) { return each.name; }),
                           ", got '", wanted, "'"));
}

at::Device device_of(const torch::nn::Module& module) {
  const auto parameters = module.parameters();
  return parameters.empty() ? at::Device(at::kCPU) : parameters.front().device();
}

std::unique_ptr<Batch> Task::prepare(std::vector<int64_t> examples) const {
  return std::make_unique<Batch>(std::move(examples));
}

}  // namespace heed::tasks
