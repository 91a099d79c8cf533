#include "heed/tasks/common/task.h"

#include <algorithm>
#include <array>

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

bool higher_is_better(const std::string& metric) {
  constexpr std::array kMistakes = {"loss", "perplexity", "bits_per_byte", "bits_per_dim", "mse",
                                    "mae",  "rmse",       "wer",           "cer"};
  return std::find(kMistakes.begin(), kMistakes.end(), metric) == kMistakes.end();
}

at::Device device_of(const torch::nn::Module& module) {
  const auto parameters = module.parameters();
  return parameters.empty() ? at::Device(at::kCPU) : parameters.front().device();
}

std::unique_ptr<Batch> Task::prepare(std::vector<int64_t> examples) const {
  return std::make_unique<Batch>(std::move(examples));
}

}  // namespace heed::tasks
