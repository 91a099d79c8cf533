// The options of a training run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "heed/nn/fields.h"
#include "heed/training/optimizer.h"
#include "heed/training/precision.h"
#include "heed/training/schedule.h"

namespace heed::training {

class ProcessGroup;

inline constexpr double kMostCounted = 1e15;  // updates, examples, tokens

// Names and values, in the order in which they are shown.
using Settings = std::vector<std::pair<std::string, std::string>>;

// Where a run leaves what is not the model: DIRECTORY/checkpoints/step-00000123/, log.jsonl,
// summary.json, events.out.tfevents.* (docs/training.md). It stands beside the model's directory
// and not in it, because that one is exchanged whole at each save: at no moment of a crash may the
// checkpoints be on the side that is thrown away.
struct RunFiles {
  std::filesystem::path directory;  // empty: no such files, and nothing to resume from
  int64_t save_steps = 0;           // updates; 0: with each evaluation, at the end and when stopped
  int64_t save_total_limit = 2;     // checkpoints, besides that of the best model
  int64_t logging_steps = 10;       // updates for each line of the log
  bool resume = false;              // go on from the newest checkpoint; without one, begin
  bool overwrite = false;           // begin anew where there is a model or a run already
  Settings settings = {};           // of the task: a resumed run must have the same
  std::string program = {};         // "heed 0.1.0", for the summary
};

struct TrainingOptions {
  int64_t epochs = 8;
  int64_t max_steps = 0;     // updates of the whole run; 0: those of the epochs
  int64_t eval_steps = 0;    // updates between evaluations; 0: after each epoch
  int64_t batch_size = 32;   // examples
  int64_t batch_tokens = 0;  // instead of batch_size: tokens, padding included; 0: off
  // Batches before an update. They count by their weight (tasks/common/task.h), so their gradient
  // is that of one batch that holds them all.
  int64_t gradient_accumulation_steps = 1;
  int64_t num_workers = 0;  // threads that prepare batches ahead; 0: none
  double lr = 1e-3;
  std::string lr_scheduler = "linear";  // see training/schedule.h
  double warmup_ratio = 0.1;            // share of all steps
  int64_t warmup_steps = 0;             // instead of the share; 0: off
  double max_grad_norm = 1;             // 0: gradients are not clipped
  double layer_lr_decay = 1;            // see training/layer_rates.h
  bool gradient_checkpointing = false;  // see nn/transformer/recompute.h
  double ema_decay = 0;                 // decay of the weights' running average; 0: none
  int64_t patience = 0;  // evaluations without a better model before stopping; 0: never
  // Metric that decides which model is best, see tasks::Watched; empty: as the task has it.
  std::string metric_for_best_model = {};
  uint64_t seed = 1;
  std::string device = "cpu";     // see training/precision.h
  std::string dtype = "float32";  // of the products in training; validation is float32
  OptimizerOptions optimizer = {};
  RunFiles files = {};
  // The processes that train together, each with the same options and data; null: this one alone.
  // Each takes its share of every batch (examples r, r + size, …), and the gradients are summed, so
  // that the update is that of one process. Rank 0 validates and writes all files.
  ProcessGroup* group = nullptr;
  // Processes that hold one model together, a divisor of those of the group: ranks 0 … n − 1, n …
  // 2 n − 1, … (training/processes/parallel.h). Each such set takes its share of a batch as one.
  int64_t tensor_parallel = 1;
};

// A field that may be another one when the run is resumed.
constexpr nn::Field free_field(nn::Field field) {
  field.free = true;
  return training_field(field);
}
constexpr nn::Field counted(const char* name, const char* help, double least) {
  return {.name = name, .help = help, .least = least, .most = kMostCounted};
}

template <nn::OptionsOf<RunFiles> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  const auto count = [](const char* name, const char* help, double least) {
    nn::Field field = counted(name, help, least);
    field.group = "Run files";
    field.free = true;
    return field;
  };
  visit(count("save_steps", "Updates between checkpoints; 0: with each validation", 0),
        o.save_steps);
  visit(count("save_total_limit",
              "Checkpoints to keep while the run goes on, besides that of the best model; one "
              "stays when it has ended",
              1),
        o.save_total_limit);
  visit(count("logging_steps", "Updates for each line of the log", 1), o.logging_steps);
}

// How long a run is, and its batches.
template <typename Options, typename Visit>
void visit_batch_fields(Options& o, const Visit& visit) {
  visit(free_field(counted("epochs", "Passes over the training examples", 1)), o.epochs);
  visit(free_field(counted("max_steps", "Updates of the whole run, instead of epochs; 0: off", 0)),
        o.max_steps);
  visit(
      training_field(counted("eval_steps", "Updates between validations; 0: after each epoch", 0)),
      o.eval_steps);
  visit(training_field(counted("batch_size", "Examples in a batch", 1)), o.batch_size);
  visit(training_field(counted(
            "batch_tokens", "Tokens in a batch with its padding, instead of examples; 0: off", 0)),
        o.batch_tokens);
  visit(training_field(
            counted("gradient_accumulation_steps", "Batches summed before each update", 1)),
        o.gradient_accumulation_steps);
  visit(free_field(counted("tensor_parallel",
                           "Of several processes, how many hold one model together", 1)),
        o.tensor_parallel);
  visit(free_field({.name = "num_workers",
                    .help = "Threads that prepare batches ahead; 0: none",
                    .most = 8}),
        o.num_workers);
}

// The learning rate and what an update is.
template <typename Options, typename Visit>
void visit_update_fields(Options& o, const Visit& visit) {
  visit(training_field(
            {.name = "lr", .help = "Learning rate at its peak", .most = 1e9, .above = true}),
        o.lr);
  visit(training_field({.name = "lr_scheduler",
                        .help = "How the learning rate falls after the warm-up",
                        .choices = schedule_names}),
        o.lr_scheduler);
  visit(training_field({.name = "warmup_ratio",
                        .help = "Share of the run in which the learning rate rises",
                        .most = 1}),
        o.warmup_ratio);
  visit(training_field(counted("warmup_steps", "The same in updates; 0: the share counts", 0)),
        o.warmup_steps);
  visit(training_field(
            {.name = "layer_lr_decay",
             .help = "What the learning rate of a layer is multiplied by for each layer above "
                     "it; the embeddings lie below all",
             .most = 1,
             .above = true}),
        o.layer_lr_decay);
  visit_fields(o.optimizer, visit);
  visit(training_field({.name = "max_grad_norm",
                        .help = "Largest norm of the gradients; 0: no limit",
                        .most = 1e9}),
        o.max_grad_norm);
  visit(training_field({.name = "ema_decay",
                        .help =
                            "Decay of a running average of the weights, which is what is saved; 0: "
                            "none",
                        .most = 1,
                        .below = true}),
        o.ema_decay);
}

// All but what is no setting: group and files.settings.
template <nn::OptionsOf<TrainingOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit_batch_fields(o, visit);
  visit_update_fields(o, visit);
  visit(free_field(
            counted("patience",
                    "Validations without a better model before stopping; 0: never stop early", 0)),
        o.patience);
  visit(training_field({.name = "metric_for_best_model",
                        .help = "Metric of the validation that decides which model is best",
                        .automatic = "what the task is usually judged by"}),
        o.metric_for_best_model);
  visit(training_field({.name = "seed", .help = "Seed of everything random"}), o.seed);
  visit(training_field(
            {.name = "device",
             .help = "cpu, cuda or cuda:NUMBER; the code for CUDA was never run on a GPU"}),
        o.device);
  visit(
      training_field({.name = "dtype",
                      .help = "Of products in training; weights stay float32. float16 is for CUDA: "
                              "never run",
                      .choices = precision_names}),
      o.dtype);
  visit(training_field({.name = "gradient_checkpointing",
                        .help = "Keep the inputs of layers alone and make the rest again for the "
                                "gradients: less memory, more time"}),
        o.gradient_checkpointing);
  visit_fields(o.files, visit);
}

// Throws UsageError naming the option that cannot be used.
void check(const TrainingOptions& options);

// Of a run of that many updates.
ScheduleOptions schedule_of(const TrainingOptions& options, int64_t total_steps);

// All options that change what a run computes, RunFiles::settings among them; not the length of the
// run and what only watches it.
Settings fingerprint(const TrainingOptions& options);

// The first setting that is not the same in both.
struct Difference {
  std::string name;
  std::string before;  // "'16'", or "not given"
  std::string now;
};
std::optional<Difference> difference(const Settings& before, const Settings& now);

}  // namespace heed::training
