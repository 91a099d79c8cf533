// The learning rate of each step: a linear warm-up, then a decay.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace heed::training {

struct ScheduleOptions {
  std::string name = "linear";  // "constant", "linear", "cosine" or "inverse_sqrt"
  double peak = 1e-3;           // the learning rate at the end of the warm-up
  int64_t warmup_steps = 0;
  int64_t total_steps = 1;  // where linear and cosine reach 0
};

// What a schedule may be called.
std::vector<std::string> schedule_names();

// The learning rate of step `step`, counted from 0. Throws UsageError for an unknown name.
//   warm-up       peak · (step + 1) / warmup_steps
//   linear        peak · (1 − progress)                     progress from 0 to 1 after the warm-up
//   cosine        peak · (1 + cos(π · progress)) / 2        Loshchilov & Hutter 2017, eq. 5
//   inverse_sqrt  peak · √(warmup_steps / (step + 1))       Vaswani et al. 2017, eq. 3
double learning_rate(const ScheduleOptions& options, int64_t step);

}  // namespace heed::training
