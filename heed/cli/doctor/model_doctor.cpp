#include "heed/cli/doctor/model_doctor.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "heed/base/error.h"
#include "heed/cli/common.h"
#include "heed/cli/doctor/attention_checks.h"
#include "heed/doctor/model_checks.h"
#include "heed/doctor/samples.h"
#include "heed/io/safetensors.h"
#include "heed/training/processes/process_memory.h"
#include "heed/training/run/run_directory.h"
#include "heed/training/run/run_log.h"

namespace heed::cli {
namespace {

constexpr size_t kTexts = 32;          // to look at attention in
constexpr size_t kTextsOfBatch = 12;   // to look at padding with
constexpr size_t kLongestText = 4000;  // bytes: matrices are looked at

// The tasks whose inputs are plain texts.
std::optional<doctor::Task> texts_of(const std::string& task) {
  const std::vector<std::string> known = doctor::task_names();
  if (std::find(known.begin(), known.end(), task) == known.end()) return std::nullopt;
  return doctor::task_named(task);
}

// Some texts of the files, from the shortest to the longest.
std::vector<std::string> some_texts(const std::vector<std::string>& files, doctor::Task task,
                                    const OrderedJson& description) {
  data::ReadOptions options;
  if (description.contains("label_separator")) {
    options.label_separator = description["label_separator"].get<std::string>();
  }
  const doctor::Data data = doctor::read_samples({{"data", paths_of(files)}}, task, options);
  std::vector<std::string> texts;
  for (const doctor::Sample& sample : data.splits[0].samples) {
    if (sample.text.size() > kLongestText || data::trimmed(sample.text).empty()) continue;
    texts.push_back(sample.text);
    std::replace_if(
        texts.back().begin(), texts.back().end(),
        [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  }
  std::stable_sort(texts.begin(), texts.end(),
                   [](const auto& a, const auto& b) { return a.size() < b.size(); });
  std::vector<std::string> some;
  const size_t count = std::min(texts.size(), kTexts);
  for (size_t i = 0; i < count; ++i) {
    some.push_back(texts[count > 1 ? i * (texts.size() - 1) / (count - 1) : 0]);
  }
  return some;
}

std::vector<std::string> every(size_t step, const std::vector<std::string>& texts) {
  std::vector<std::string> some;
  for (size_t i = 0; i < texts.size(); i += step) some.push_back(texts[i]);
  return some;
}

void look_at_attention(const TaskAdapter& model, const std::vector<std::string>& parts,
                       const std::vector<std::string>& texts, doctor::Report& report) {
  for (const std::string& part : parts.empty() ? std::vector<std::string>{""} : parts) {
    AttentionChecks checks(part);
    for (const std::string& text : texts) {
      try {
        const AttentionView view = model.attend(text, {.part = part});
        if (!view.calls.empty()) checks.add(view);
      } catch (const DataError&) {  // one that it cannot read, as evaluation says
      } catch (const UsageError&) {
      }
    }
    checks.report(report);
  }
}

void look_at_training(const std::string& directory, doctor::Report& report) {
  const std::filesystem::path run = training::run_directory_of(directory);
  if (!std::filesystem::exists(run / "log.jsonl")) return;
  std::map<std::string, doctor::LoggedSeries> log;
  for (const auto& [name, series] : training::read_log(run)) {
    log[name] = {.steps = series.steps, .values = series.values};
  }
  doctor::check_training(log, report);
}

void evaluate(const TaskAdapter& model, const std::vector<std::string>& files,
              doctor::Report& report) {
  const auto start = std::chrono::steady_clock::now();
  const Evaluation evaluation = model.evaluate(files, progress_bar("evaluating"));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  warn(evaluation.warnings);
  report.numbers["metrics"] = json_of(evaluation.metrics);
  report.numbers["evaluation"] = {{"seconds", seconds.count()},
                                  {"peak_memory_bytes", training::peak_resident_bytes()}};
  doctor::check_calibration(evaluation.judgements, report);
  doctor::check_accuracy(evaluation.judgements, evaluation.labels, report);
}

}  // namespace

doctor::Report examine_model(const AnyTask& task, const std::vector<std::string>& files) {
  const std::string& name = task.kind().name;
  doctor::Report report;
  doctor::check_parameters(Safetensors::from_directory(task.directory()), report);
  look_at_training(task.directory(), report);
  if (files.empty() || !report.go_on()) return report;
  const std::unique_ptr<TaskAdapter> model = task.load();
  if (const auto kind = texts_of(name)) {
    const std::vector<std::string> texts = some_texts(files, *kind, model->description());
    look_at_attention(*model, task.kind().attention_parts, texts, report);
    check_padding(*model, every((texts.size() + kTextsOfBatch - 1) / kTextsOfBatch, texts), report);
  }
  evaluate(*model, files, report);
  return report;
}

}  // namespace heed::cli
