#include "heed/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "heed/base/error.h"
#include "heed/base/joined.h"

namespace heed::training {

std::vector<std::string> schedule_names() {
  return {"constant", "linear", "cosine", "inverse_sqrt"};
}

double learning_rate(const ScheduleOptions& o, int64_t step) {
  const auto at = static_cast<double>(step);
  const auto warmup = static_cast<double>(std::max<int64_t>(o.warmup_steps, 0));
  if (at < warmup) return o.peak * (at + 1) / warmup;

  const double rest = std::max(1.0, static_cast<double>(o.total_steps) - warmup);
  const double progress = std::clamp((at - warmup) / rest, 0.0, 1.0);
  if (o.name == "constant") return o.peak;
  if (o.name == "linear") return o.peak * (1 - progress);
  if (o.name == "cosine") return o.peak * (1 + std::cos(std::numbers::pi * progress)) / 2;
  if (o.name == "inverse_sqrt") return o.peak * std::sqrt(std::max(1.0, warmup) / (at + 1));
  throw UsageError(
      text_of("lr_scheduler: expected one of ", joined(schedule_names()), ", got '", o.name, "'"));
}

}  // namespace heed::training
