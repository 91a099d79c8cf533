// What the curves of a run say of the model that came of it.
#include <algorithm>
#include <cmath>

#include "heed/base/format.h"
#include "heed/doctor/model_checks.h"

namespace heed::doctor {
namespace {

constexpr double kLearned = 0.02;    // of the loss, the least that must have gone
constexpr double kGoingOn = 0.03;    // of the first loss, in the last part of a run
constexpr double kOverfitted = 1.5;  // the last validation loss so many times the best
constexpr double kMuchLoss = 0.1;    // and so much of the first loss above it
constexpr double kJump = 100;        // a gradient norm so many times the median
constexpr size_t kFewSteps = 20;     // too few to have a median

using Log = std::map<std::string, LoggedSeries>;

const LoggedSeries* find(const Log& log, const char* name) {
  const auto found = log.find(name);
  return found == log.end() || found->second.values.empty() ? nullptr : &found->second;
}

void check_learning(const LoggedSeries& train, Report& report) {
  const double first = train.values.front();
  const double least = *std::min_element(train.values.begin(), train.values.end());
  if (train.values.size() < 2 || least <= (1 - kLearned) * first) return;
  report.add({.check = "training",
              .severity = Severity::kWarning,
              .summary = formatted("the training loss hardly moved: %.4g at first, %.4g at best",
                                   first, least),
              .advice = "try ten times the --lr, then a tenth of it; see that texts and labels "
                        "belong together (heed doctor DATA)"});
}

void check_validation(const LoggedSeries& train, const LoggedSeries& valid, Report& report) {
  const auto best = std::min_element(valid.values.begin(), valid.values.end());
  const auto last = valid.values.back();
  const size_t count = valid.values.size();
  const double first = std::max(train.values.front(), valid.values.front());
  if (last > std::max(kOverfitted * *best, *best + kMuchLoss * first) &&
      train.values.back() < train.values.front()) {
    report.add(
        {.check = "training",
         .severity = Severity::kNote,
         .summary = formatted("it learned the training data by heart: the validation loss "
                              "was %.4g at step %.0f and %.4g at the end, while that of "
                              "training fell to %.4g",
                              *best, valid.steps[static_cast<size_t>(best - valid.values.begin())],
                              last, train.values.back()),
         .advice = "more data, more --dropout, a smaller model or fewer --epochs; the model "
                   "that was kept is the best one, not the last"});
  }
  // A third of the run, at least one validation back.
  if (count < 3 || best != valid.values.end() - 1) return;
  const double before = valid.values[count - 1 - std::max<size_t>(1, count / 3)];
  if (before - last < kGoingOn * first) return;
  report.add({.check = "training",
              .severity = Severity::kNote,
              .summary = formatted("it was still getting better when it ended: the validation loss "
                                   "went from %.4g to %.4g in the last third",
                                   before, last),
              .advice = "train it longer: the same command with --resume and more --epochs"});
}

void check_gradients(const LoggedSeries& norms, Report& report) {
  if (norms.values.size() < kFewSteps) return;
  std::vector<double> sorted = norms.values;
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted[sorted.size() / 2];
  report.numbers["gradient_norm"] = {{"median", median}, {"largest", sorted.back()}};
  if (sorted.back() <= kJump * median) return;
  const auto at = std::max_element(norms.values.begin(), norms.values.end());
  report.add({.check = "gradients",
              .severity = Severity::kWarning,
              .summary = formatted(
                  "gradients jump: a norm of %.3g at step %.0f, %.3g in the middle", sorted.back(),
                  norms.steps[static_cast<size_t>(at - norms.values.begin())], median),
              .advice = "clip them (--max-grad-norm 1), warm up longer (--warmup-steps) or take a "
                        "smaller --lr"});
}

}  // namespace

void check_training(const Log& log, Report& report) {
  const LoggedSeries* train = find(log, "train_loss");
  const LoggedSeries* valid = find(log, "validation.loss");
  const LoggedSeries* norms = find(log, "gradient_norm");
  if (train != nullptr) {
    report.made("training");
    check_learning(*train, report);
    if (valid != nullptr) check_validation(*train, *valid, report);
  }
  if (norms != nullptr) {
    report.made("gradients");
    check_gradients(*norms, report);
  }
}

}  // namespace heed::doctor
