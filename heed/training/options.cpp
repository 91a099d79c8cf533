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
  at_least("max_steps", 0, o.max_steps);
  at_least("eval_steps", 0, o.eval_steps);
  at_least("batch_size", 1, o.batch_size);
  at_least("batch_tokens", 0, o.batch_tokens);
  at_least("gradient_accumulation_steps", 1, o.gradient_accumulation_steps);
  check_usage(o.num_workers >= 0 && o.num_workers <= 8, "num_workers: expected 0 to 8, got ",
              o.num_workers);
  at_least("warmup_steps", 0, o.warmup_steps);
  at_least("patience", 0, o.patience);
  at_least("tensor_parallel", 1, o.tensor_parallel);
  at_least("save_steps", 0, o.files.save_steps);
  at_least("save_total_limit", 1, o.files.save_total_limit);
  at_least("logging_steps", 1, o.files.logging_steps);
  check_usage(std::isfinite(o.lr) && o.lr > 0, "lr: expected a positive number, got ", o.lr);
  check_usage(o.warmup_ratio >= 0 && o.warmup_ratio <= 1,
              "warmup_ratio: expected a share from 0 to 1, got ", o.warmup_ratio);
  check_usage(std::isfinite(o.max_grad_norm) && o.max_grad_norm >= 0,
              "max_grad_norm: expected 0 or more, got ", o.max_grad_norm);
  check(o.optimizer);
  check_usage(!o.files.resume || !o.files.overwrite,
              "resume and overwrite: expected one of them: a run goes on or begins anew");
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
  Settings all = {
      {"batch_size", std::to_string(o.batch_size)},
      {"batch_tokens", std::to_string(o.batch_tokens)},
      {"gradient_accumulation_steps", std::to_string(o.gradient_accumulation_steps)},
      {"eval_steps", std::to_string(o.eval_steps)},
      {"lr", value_text(o.lr)},
      {"lr_scheduler", o.lr_scheduler},
      {"warmup_ratio", value_text(o.warmup_ratio)},
      {"warmup_steps", std::to_string(o.warmup_steps)},
      {"max_grad_norm", value_text(o.max_grad_norm)},
      {"ema_decay", value_text(o.ema_decay)},
      {"metric_for_best_model", o.metric_for_best_model},
      {"seed", std::to_string(o.seed)},
      {"device", o.device},
      {"dtype", o.dtype},
      {"optimizer", o.optimizer.name},
      {"weight_decay", value_text(weight_decay_of(o.optimizer))},
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
