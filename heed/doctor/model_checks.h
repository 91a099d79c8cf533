// The checks of a trained model that numbers are enough for, each adding what it finds to a report.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "heed/doctor/finding.h"
#include "heed/io/safetensors.h"

namespace heed::doctor {

// Parameters that are no numbers; matrices that are zero throughout.
void check_parameters(const Safetensors& parameters, Report& report);

// What a classifier of one label a text made of an example whose label is known.
struct Judgement {
  int64_t tokens = 0;
  int32_t expected = 0;
  std::vector<double> probabilities;  // one a class, their sum 1
};

// Whether what is called 80 % sure is right four times in five: the expected calibration error over
// ten bins and the temperature that makes the loss least (Guo et al. 2017). Nothing is found in
// fewer than 200 examples.
void check_calibration(std::span<const Judgement> judgements, Report& report);

// Classes that are hardly ever found, and lengths at which it is much worse than elsewhere: by more
// than chance explains (three standard errors).
void check_accuracy(std::span<const Judgement> judgements, const std::vector<std::string>& labels,
                    Report& report);

// A line of a log: values against steps.
struct LoggedSeries {
  std::vector<double> steps;
  std::vector<double> values;
};

// The curves of the run that made the model, named as log.jsonl has them ("train_loss",
// "validation.loss", "gradient_norm"): nothing learned, not trained long enough, overfitted,
// gradients that jump. Advice is tied to what is seen.
void check_training(const std::map<std::string, LoggedSeries>& log, Report& report);

}  // namespace heed::doctor
