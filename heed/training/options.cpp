#include "heed/training/options.h"

#include <cmath>
#include <limits>
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

}  // namespace

void check(const TrainingOptions& o) {
  const auto at_least = [](const char* name, int64_t least, int64_t value) {
    check_usage(value >= least, name, ": expected at least ", least, ", got ", value);
  };
  at_least("epochs", 1, o.epochs);
  at_least("steps", 0, o.steps);
  at_least("evaluate_every", 0, o.evaluate_every);
  at_least("batch_size", 1, o.batch_size);
  at_least("batch_tokens", 0, o.batch_tokens);
  at_least("accumulate", 1, o.accumulate);
  check_usage(o.workers >= 0 && o.workers <= 8, "workers: expected 0 to 8, got ", o.workers);
  at_least("warmup_steps", 0, o.warmup_steps);
  at_least("patience", 0, o.patience);
  at_least("tensor_parallel", 1, o.tensor_parallel);
  at_least("checkpoint_every", 0, o.files.checkpoint_every);
  at_least("keep", 1, o.files.keep);
  at_least("log_every", 1, o.files.log_every);
  check_usage(std::isfinite(o.learning_rate) && o.learning_rate > 0,
              "learning_rate: expected a positive number, got ", o.learning_rate);
  check_usage(o.warmup >= 0 && o.warmup <= 1, "warmup: expected a share from 0 to 1, got ",
              o.warmup);
  check_usage(std::isfinite(o.clip_norm) && o.clip_norm >= 0, "clip_norm: expected 0 or more, got ",
              o.clip_norm);
  check(o.optimizer);
  check_usage(!o.files.resume || !o.files.overwrite,
              "resume and overwrite: expected one of them: a run goes on or begins anew");
  check_usage(!o.files.resume || !o.files.directory.empty(),
              "resume: expected a directory of run files to resume from, got none");
}

ScheduleOptions schedule_of(const TrainingOptions& o, int64_t total_steps) {
  const auto share = static_cast<int64_t>(o.warmup * static_cast<double>(total_steps));
  return {.name = o.schedule,
          .peak = o.learning_rate,
          .warmup_steps = o.warmup_steps > 0 ? o.warmup_steps : share,
          .total_steps = total_steps};
}

Settings fingerprint(const TrainingOptions& o) {
  Settings all = {
      {"batch_size", std::to_string(o.batch_size)},
      {"batch_tokens", std::to_string(o.batch_tokens)},
      {"accumulate", std::to_string(o.accumulate)},
      {"evaluate_every", std::to_string(o.evaluate_every)},
      {"learning_rate", value_text(o.learning_rate)},
      {"schedule", o.schedule},
      {"warmup", value_text(o.warmup)},
      {"warmup_steps", std::to_string(o.warmup_steps)},
      {"clip_norm", value_text(o.clip_norm)},
      {"average", value_text(o.average)},
      {"watch", o.watch},
      {"seed", std::to_string(o.seed)},
      {"device", o.device},
      {"dtype", o.dtype},
      {"optimizer", o.optimizer.name},
      {"weight_decay", value_text(o.optimizer.weight_decay)},
      {"beta1", value_text(o.optimizer.beta1)},
      {"beta2", value_text(o.optimizer.beta2)},
      {"epsilon", value_text(o.optimizer.epsilon)},
      {"momentum", value_text(o.optimizer.momentum)},
      {"l1", value_text(o.optimizer.l1)},
      {"l2", value_text(o.optimizer.l2)},
  };
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
