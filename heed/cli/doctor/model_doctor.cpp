#include "heed/cli/doctor/model_doctor.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>

#include "heed/base/error.h"
#include "heed/cli/common.h"
#include "heed/cli/doctor/attention_checks.h"
#include "heed/cli/doctor/layer_sizes.h"
#include "heed/data/limits.h"
#include "heed/doctor/model_checks.h"
#include "heed/io/weights/safetensors.h"
#include "heed/ops/linear.h"
#include "heed/training/processes/process_memory.h"
#include "heed/training/run/run_directory.h"
#include "heed/training/run/run_log.h"

namespace heed::cli {
namespace {

constexpr size_t kInputsOfBatch = 12;  // to look at padding with
constexpr size_t kInputsOfLayers = 8;  // to look at outputs and gradients of layers with
constexpr int64_t kProductSide = 1024;
constexpr int kProducts = 5;

// So many of the inputs at most, spread over them.
std::vector<std::string> spread(const std::vector<std::string>& inputs, size_t most) {
  const size_t step = std::max<size_t>(1, (inputs.size() + most - 1) / most);
  std::vector<std::string> some;
  for (size_t i = 0; i < inputs.size(); i += step) some.push_back(inputs[i]);
  return some;
}

// Hands what the model attends to in each input to `use`, but for inputs that it cannot read, as
// evaluation says.
template <typename Use>
void attend_to_each(const TaskAdapter& model, const std::vector<std::string>& inputs,
                    const AttentionRequest& request, const Use& use) {
  for (const std::string& input : inputs) {
    try {
      use(model.attend(input, request));
    } catch (const DataError&) {
    } catch (const UsageError&) {
    }
  }
}

void look_at_attention(const TaskAdapter& model, const std::vector<std::string>& parts,
                       const std::vector<std::string>& inputs, doctor::Report& report) {
  for (const std::string& part : parts.empty() ? std::vector<std::string>{""} : parts) {
    AttentionChecks checks(part);
    attend_to_each(model, inputs, {.part = part}, [&](const AttentionView& view) {
      // The lines of a document are shares of sentences, and not what a head gives.
      if (view.lines.empty()) checks.add(view);
    });
    checks.report(report);
  }
}

// Of the layers with an input.
int64_t parameters_of_a_token(const std::vector<doctor::LayerSize>& layers) {
  int64_t count = 0;
  for (const doctor::LayerSize& layer : layers) count += layer.multiplies ? layer.parameters : 0;
  return count;
}

std::vector<doctor::LayerSize> look_at_layers(const TaskAdapter& model,
                                              const std::vector<std::string>& parts,
                                              const std::vector<std::string>& inputs,
                                              doctor::Report& report) {
  if (model.network() == nullptr) {
    report.not_checked.push_back({"outputs and gradients of layers",
                                  "models of this task give no gradients of their answers here"});
    return {};
  }
  const auto layers = layer_sizes(*model.network(), [&] {
    at::Tensor sum;
    attend_to_each(model, spread(inputs, kInputsOfLayers),
                   {.part = parts.empty() ? "" : parts.front(), .gradients = true},
                   [&](const AttentionView& view) {
                     if (view.score.defined()) sum = sum.defined() ? sum + view.score : view.score;
                   });
    return sum;
  });
  doctor::check_layers(layers, report);
  return layers;
}

// Multiplications and additions a second in a product of matrices, the best of a few.
double machine_speed() {
  const at::NoGradGuard no_grad;
  const at::Tensor a = at::ones({kProductSide, kProductSide});
  double best = 0;
  for (int i = 0; i < kProducts; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const at::Tensor product = heed::linear(a, a);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const auto side = static_cast<double>(kProductSide);
    best = std::max(best, 2 * side * side * side / seconds.count());
  }
  return best;
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

void look_at_speed(const TaskEvaluation& evaluation, double seconds,
                   const std::vector<doctor::LayerSize>& layers, doctor::Report& report) {
  if (evaluation.tokens == 0) {
    report.not_checked.push_back(
        {"speed", "what this task reads and writes is not counted in tokens of one kind"});
    return;
  }
  doctor::check_speed({.tokens_per_second = static_cast<double>(evaluation.tokens) / seconds,
                       .parameters = parameters_of_a_token(layers),
                       .machine = machine_speed(),
                       .peak_bytes = training::peak_resident_bytes(),
                       .allowed_bytes = training::resident_bytes() + data::free_memory()},
                      report);
}

void evaluate(const TaskAdapter& model, const std::vector<std::string>& files,
              const std::vector<doctor::LayerSize>& layers, doctor::Report& report) {
  const auto start = std::chrono::steady_clock::now();
  const TaskEvaluation evaluation = model.evaluate(files, progress_bar("evaluating"));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  warn(evaluation.warnings);
  report.numbers["metrics"] = json_of(evaluation.metrics);
  report.numbers["evaluation"] = {{"seconds", seconds.count()},
                                  {"peak_memory_bytes", training::peak_resident_bytes()}};
  doctor::check_calibration(evaluation.judgements, report);
  doctor::check_accuracy(evaluation.judgements,
                         {.labels = evaluation.labels, .columns = evaluation.columns}, report);
  look_at_speed(evaluation, seconds.count(), layers, report);
}

}  // namespace

doctor::Report examine_model(const AnyTask& task, const std::vector<std::string>& files) {
  doctor::Report report;
  doctor::check_parameters(Safetensors::from_directory(task.directory()), report);
  look_at_training(task.directory(), report);
  if (files.empty() || !report.go_on()) return report;
  const std::unique_ptr<TaskAdapter> model = task.load();
  const DoctorExamples examples = model->doctor_examples(files);
  report.not_checked = examples.not_checked;
  const auto is_left_out = [&](const char* check) {
    return std::any_of(examples.not_checked.begin(), examples.not_checked.end(),
                       [&](const doctor::NotChecked& each) { return each.check == check; });
  };
  const std::vector<std::string>& parts = task.kind().attention_parts;
  if (!is_left_out("attention")) look_at_attention(*model, parts, examples.inputs, report);
  const auto layers = look_at_layers(*model, parts, examples.inputs, report);
  if (!is_left_out("padding")) {
    check_padding(*model, spread(examples.inputs, kInputsOfBatch), report);
  }
  evaluate(*model, files, layers, report);
  return report;
}

}  // namespace heed::cli
