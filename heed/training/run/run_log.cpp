#include "heed/training/run/run_log.h"

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/io/atomic.h"
#include "heed/io/file.h"
#include "heed/io/json.h"
#include "heed/ops/threads.h"
#include "heed/training/processes/process_memory.h"

namespace heed::training {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLongestLine = 1 << 20;

OrderedJson metrics_json(const tasks::Metrics& metrics) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, value] : metrics) json[name] = value;
  return json;
}

OrderedJson evaluation_json(const Evaluation& e) {
  return {{"step", e.step},
          {"epoch", e.epoch},
          {"train_loss", e.train_loss},
          {"validation", metrics_json(e.validation)},
          {"seconds", e.seconds}};
}

std::string line_of(const OrderedJson& json) { return json.dump() + '\n'; }

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Calls `use` with each whole line and its content.
template <typename Use>
void for_each_line(const fs::path& file, const Use& use) {
  LineReader lines(file, {.max_line_bytes = kLongestLine});
  std::optional<DataError> broken;  // only the last line may be cut off
  for (std::string_view line; lines.next(line);) {
    if (broken) throw *broken;
    try {
      use(line, parse_json(line, lines.where(), {.max_bytes = kLongestLine}));
    } catch (const DataError& error) {
      broken = error;
    }
  }
}

// Lines up to `step`, as one text.
std::string lines_up_to(const fs::path& file, int64_t step) {
  std::string kept;
  for_each_line(file, [&](std::string_view line, const JsonValue& json) {
    if (json.at("step").integer() <= step) kept += std::string(line) + '\n';
  });
  return kept;
}

}  // namespace

RunLog::RunLog(const fs::path& directory, int64_t step, int64_t parameters, int64_t logging_steps,
               SystemCalls& calls)
    : log_every_(logging_steps) {
  const fs::path file = directory / kLogFile;
  if (fs::exists(file)) {
    AtomicFile kept(file, calls);
    if (step > 0) kept.write(lines_up_to(file, step));
    kept.commit();
  }
  lines_.emplace(file, calls);
  lines_->append(line_of(
      {{"event", "start"}, {"step", step}, {"time", unix_time()}, {"parameters", parameters}}));
  events_.emplace(directory, step + 1, calls);
}

void RunLog::step(const StepReport& now) {
  if (now.step % log_every_ != 0) return;
  OrderedJson json = {
      {"event", "step"},  {"step", now.step},           {"epoch", now.epoch},
      {"loss", now.loss}, {"mean_loss", now.mean_loss}, {"learning_rate", now.learning_rate}};
  // Infinite at a step that the loss scale left out, which JSON cannot say.
  if (std::isfinite(now.gradient_norm)) json["gradient_norm"] = now.gradient_norm;
  json["tokens_per_second"] = now.tokens_per_second;
  json["memory_bytes"] = resident_bytes();
  lines_->append(line_of(json));
  events_->scalar("train/loss", now.step, now.loss);
  events_->scalar("train/learning_rate", now.step, now.learning_rate);
  events_->scalar("train/gradient_norm", now.step, now.gradient_norm);
  events_->scalar("train/tokens_per_second", now.step, now.tokens_per_second);
}

void RunLog::evaluation(const Evaluation& now) {
  OrderedJson json = {{"event", "evaluation"}};
  json.update(evaluation_json(now));
  json["best"] = now.best;
  lines_->append(line_of(json));
  for (const auto& [name, value] : now.validation) {
    events_->scalar("validation/" + name, now.step, value);
  }
}

std::map<std::string, Series> read_log(const fs::path& directory) {
  std::map<std::string, Series> all;
  for_each_line(directory / kLogFile, [&](std::string_view, const JsonValue& json) {
    const double step = json.at("step").number();
    const auto add = [&](const std::string& name, const Json& value) {
      if (!value.is_number()) return;
      all[name].steps.push_back(step);
      all[name].values.push_back(value.get<double>());
    };
    if (json.at("event").string() == "start") return;
    for (const auto& [name, value] : json.json().items()) {
      if (name == "step") continue;
      if (name != "validation") add(name, value);
    }
    if (!json.has("validation")) return;
    for (const auto& [name, value] : json.at("validation").json().items()) {
      add("validation." + name, value);
    }
  });
  return all;
}

std::vector<Evaluation> read_evaluations(const fs::path& directory) {
  std::vector<Evaluation> all;
  for_each_line(directory / kLogFile, [&](std::string_view, const JsonValue& json) {
    if (json.at("event").string() != "evaluation") return;
    Evaluation& now = all.emplace_back(Evaluation{.step = json.at("step").integer(),
                                                  .epoch = json.at("epoch").integer(),
                                                  .train_loss = json.at("train_loss").number(),
                                                  .seconds = json.at("seconds").number(),
                                                  .best = json.at("best").boolean()});
    for (const auto& [name, value] : json.at("validation").json().items()) {
      now.validation.emplace_back(name, value.get<double>());
    }
  });
  return all;
}

void write_summary(const fs::path& directory, const RunReport& report,
                   const TrainingOptions& options, const tasks::Watched& watched,
                   SystemCalls& calls) {
  OrderedJson settings = OrderedJson::object();
  settings["epochs"] = std::to_string(options.epochs);
  settings["max_steps"] = std::to_string(options.max_steps);
  for (const auto& [name, value] : fingerprint(options)) settings[name] = value;
  OrderedJson json = {
      {"program", options.files.program},
      {"steps", report.steps},
      {"resumed_at", report.resumed_at},
      {"stopped_early", report.stopped_early},
      {"seconds", report.seconds},
      {"peak_memory_bytes", report.peak_bytes},
      {"parameters", report.parameters},
      {"watched", watched.name},
      {"best", evaluation_json(report.best)},
  };
  if (!report.evaluations.empty()) json["last"] = evaluation_json(report.evaluations.back());
  json["cpu"] = cpu_name();
  json["threads"] = heed::threads();
  json["settings"] = settings;
  AtomicFile file(directory / "summary.json", calls);
  file.write(json_text(json));
  file.commit();
}

}  // namespace heed::training
