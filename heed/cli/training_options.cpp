#include "heed/cli/training_options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "heed/cli/common.h"

namespace heed::cli {
namespace {

template <typename... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, format, arguments...);
  return buffer;
}

}  // namespace

void TrainingSettings::add_to(CLI::App& app) {
  const std::string group = "Training";
  training::TrainingOptions& o = options;
  app.add_option("--epochs", o.epochs, "Passes over the training examples")->group(group);
  app.add_option("--batch-size", o.batch_size, "Examples in a batch")->group(group);
  app.add_option("--accumulate", o.accumulate, "Batches summed before each update")->group(group);
  app.add_option("--lr", o.learning_rate, "Learning rate at its peak")->group(group);
  app.add_option("--schedule", o.schedule, "How the learning rate falls after the warm-up")
      ->check(CLI::IsMember({"constant", "linear", "cosine", "inverse_sqrt"}))
      ->group(group);
  app.add_option("--warmup", o.warmup, "Share of the run in which the learning rate rises")
      ->group(group);
  app.add_option("--optimizer", o.optimizer.name, "Update rule")
      ->check(CLI::IsMember({"adam", "adamw", "sgd"}))
      ->group(group);
  app.add_option("--weight-decay", o.optimizer.weight_decay, "Pull of all weights towards zero")
      ->group(group);
  app.add_option("--beta1", o.optimizer.beta1, "Adam: memory of the mean gradient")->group(group);
  app.add_option("--beta2", o.optimizer.beta2, "Adam: memory of the mean square")->group(group);
  app.add_option("--epsilon", o.optimizer.epsilon, "Adam: added to the root")->group(group);
  app.add_option("--momentum", o.optimizer.momentum, "SGD: memory of the gradient")->group(group);
  app.add_option("--clip-norm", o.clip_norm, "Largest norm of the gradients; 0: no limit")
      ->group(group);
  app.add_option("--average", o.average,
                 "Decay of a running average of the weights, which is what is saved; 0: none")
      ->group(group);
  app.add_option("--patience", o.patience,
                 "Epochs without a better model before stopping; 0: never stop early")
      ->group(group);
  app.add_option("--seed", o.seed, "Seed of everything random")->group(group);
}

training::Observer TrainingView::observer() {
  training::Observer observer;
  observer.step = [this](const training::StepReport& now) {
    if (bar_ == nullptr) bar_ = std::make_unique<ProgressBar>("training", now.total_steps);
    bar_->update(now.step, formatted("epoch %lld  loss %.4f  %.0f tokens/s",
                                     static_cast<long long>(now.epoch), now.mean_loss,
                                     now.tokens_per_second));
  };
  observer.epoch = [this](const training::EpochReport& now) {
    if (bar_ != nullptr) bar_->clear();
    std::cerr << formatted("epoch %lld/%lld  train loss %.4f  validation ",
                           static_cast<long long>(now.epoch), static_cast<long long>(now.epochs),
                           now.train_loss)
              << text_of_metrics(now.validation) << "  " << duration_text(now.seconds)
              << (now.best ? "  best so far, saved" : "") << '\n';
  };
  observer.stop = [] { return InterruptGuard::interrupted(); };
  return observer;
}

void TrainingView::print_summary(const training::RunReport& report, const std::string& directory,
                                 bool json) {
  bar_.reset();
  std::cerr << "heed: best model of epoch " << report.best.epoch << " in " << directory << ": "
            << text_of_metrics(report.best.validation) << "; " << report.parameters
            << " parameters, " << duration_text(report.seconds) << '\n';
  if (!json) return;
  nlohmann::ordered_json summary = json_of(report.best.validation);
  summary["epoch"] = report.best.epoch;
  summary["steps"] = report.steps;
  summary["seconds"] = report.seconds;
  summary["parameters"] = report.parameters;
  std::cout << summary.dump() << '\n';
}

}  // namespace heed::cli
