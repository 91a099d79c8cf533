// What a run leaves to be looked at: log.jsonl, TensorBoard's event files, summary.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "heed/training/run/append_file.h"
#include "heed/training/run/event_file.h"
#include "heed/training/run/reports.h"
#include "heed/training/training_options.h"

namespace heed::training {

inline constexpr const char* kLogFile = "log.jsonl";  // of a run that has begun

// It has one object a line, with "event" one of
//   start       step, time (seconds since 1970), parameters
//   step        step, epoch, loss, mean_loss, learning_rate, gradient_norm, tokens_per_second,
//               memory_bytes; every logging_steps updates
//   evaluation  step, epoch, train_loss, validation: {metric: value}, seconds, best
class RunLog {
 public:
  // Goes on behind `step`: lines of later steps, which a resumed run takes again, are removed.
  // Throws IoError, as all of it does.
  RunLog(const std::filesystem::path& directory, int64_t step, int64_t parameters,
         int64_t logging_steps, SystemCalls& calls);

  void step(const StepReport& now);
  void evaluation(const Evaluation& now);

 private:
  int64_t log_every_;
  std::optional<AppendFile> lines_;
  std::optional<EventFile> events_;
};

// One line of a picture: values against steps.
struct Series {
  std::vector<double> steps;
  std::vector<double> values;
};

// The series of a log by name: "loss", "learning_rate", "train_loss", "validation.accuracy", ….
// A last line that a crash cut off is left out. Throws MissingInputError, IoError, DataError.
std::map<std::string, Series> read_log(const std::filesystem::path& directory);

// The evaluations of a log, those before the run was resumed too. Throws as read_log does.
std::vector<Evaluation> read_evaluations(const std::filesystem::path& directory);

// DIRECTORY/summary.json: time, memory, the best evaluation, the last one, options, the machine.
void write_summary(const std::filesystem::path& directory, const RunReport& report,
                   const TrainingOptions& options, const tasks::Watched& watched,
                   SystemCalls& calls);

}  // namespace heed::training
