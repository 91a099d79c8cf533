// The checks of a trained model that numbers are enough for, each adding what it finds to a report.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heed/doctor/finding.h"
#include "heed/io/weights/safetensors.h"

namespace heed::doctor {

// Parameters that are no numbers; matrices that are zero throughout.
void check_parameters(const Safetensors& parameters, Report& report);

// What a classifier of one label a text made of an example whose label is known.
struct Judgement {
  int64_t tokens = 0;
  int32_t expected = 0;
  std::vector<double> probabilities;      // one a class, their sum 1
  std::vector<std::string> columns = {};  // what the data says of it beside text and label

  size_t likeliest() const;
  bool is_right() const { return likeliest() == static_cast<size_t>(expected); }
};

struct JudgedNames {
  std::vector<std::string> labels;
  std::vector<std::string> columns = {};
};

// Whether what is called 80 % sure is right four times in five: the expected calibration error over
// ten bins and the temperature that makes the loss least (Guo et al. 2017). Nothing is found in
// fewer than 200 examples.
void check_calibration(std::span<const Judgement> judgements, Report& report);

// Classes that are hardly ever found, and lengths and values of further columns at which it is much
// worse than elsewhere: by more than chance explains (three standard errors). Columns of more than
// 20 values sort nothing.
void check_accuracy(std::span<const Judgement> judgements, const JudgedNames& names,
                    Report& report);

// What one layer made of a batch.
struct LayerSize {
  std::string name;                     // "encoder.layer_0.feed_forward.up"
  int64_t parameters = 0;               // of its own
  bool multiplies = false;              // it takes what another layer gave: no embedding
  double output = 0;                    // root mean square of what it gave
  double largest = 0;                   // the largest magnitude of that
  double change = 0;                    // from token to token: root mean square ÷ output
  std::optional<double> gradient = {};  // root mean square, by its parameters; none: it has none
};

// Layers whose outputs are so large that half precision does not hold them, that give the same
// whatever they get, or that no gradient reaches; gradients that are a million times larger or
// smaller in one layer than in most.
void check_layers(std::span<const LayerSize> layers, Report& report);

struct Speed {
  double tokens_per_second = 0;
  int64_t parameters = 0;      // that each token meets
  double machine = 0;          // multiplications and additions a second of a matrix product
  uint64_t peak_bytes = 0;     // the most memory that the process had
  uint64_t allowed_bytes = 0;  // that it may have; 0: nobody says
};

// What it uses of what the machine can do: a token costs a multiplication and an addition with each
// parameter. Found are models of a million parameters and more that use less than 3 % of it, and
// memory that is nearly all there is.
void check_speed(const Speed& speed, Report& report);

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
