#include "heed/training/training_options.h"

#include <limits>
#include <optional>
#include <sstream>

#include "heed/base/error.h"

namespace heed::training {
namespace {

std::string value_text(double value) {
  std::ostringstream out;
  out.precision(std::numeric_limits<double>::max_digits10);
  out << value;
  return out.str();
}
std::string value_text(int64_t value) { return std::to_string(value); }
std::string value_text(uint64_t value) { return std::to_string(value); }
std::string value_text(const std::optional<double>& value) {
  return value ? value_text(*value) : "";
}
std::string value_text(const std::string& value) { return value; }
std::string value_text(bool value) { return value ? "true" : "false"; }

}  // namespace

void check(const TrainingOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check_usage(!o.files.resume || !o.files.overwrite,
              "resume: expected it without overwrite: a run goes on or begins anew");
  check_usage(!o.files.resume || !o.files.directory.empty(),
              "resume: expected a directory of run files to resume from, got none");
}

ScheduleOptions schedule_of(const TrainingOptions& o, int64_t total_steps) {
  const auto share = static_cast<int64_t>(o.warmup_ratio * static_cast<double>(total_steps));
  return {.name = o.lr_scheduler,
          .peak = o.lr,
          .warmup_steps = o.warmup_steps > 0 ? o.warmup_steps : share,
          .total_steps = total_steps};
}

Settings fingerprint(const TrainingOptions& o) {
  TrainingOptions said = o;
  said.optimizer.weight_decay = weight_decay_of(o.optimizer);
  Settings all;
  visit_fields(said, [&](const nn::Field& field, const auto& value) {
    if (!field.free) all.emplace_back(field.name, value_text(value));
  });
  all.insert(all.end(), o.files.settings.begin(), o.files.settings.end());
  return all;
}

std::optional<Difference> difference(const Settings& before, const Settings& now) {
  const auto value_of = [](const Settings& settings, const std::string& name) -> std::string {
    for (const auto& [each, value] : settings) {
      if (each == name) return "'" + value + "'";
    }
    return "not given";
  };
  for (const Settings* side : {&before, &now}) {
    for (const auto& setting : *side) {
      const std::string& name = setting.first;
      Difference found{name, value_of(before, name), value_of(now, name)};
      if (found.before != found.now) return found;
    }
  }
  return std::nullopt;
}

}  // namespace heed::training
