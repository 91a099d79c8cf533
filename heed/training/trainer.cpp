#include "heed/training/trainer.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/length_buckets.h"
#include "heed/training/schedule.h"
#include "heed/training/weight_average.h"

namespace heed::training {
namespace {

using Clock = std::chrono::steady_clock;
using Batches = std::vector<std::vector<int64_t>>;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t count_parameters(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const at::Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

void check(const TrainingOptions& o) {
  check_usage(o.epochs > 0, "epochs: expected at least 1, got ", o.epochs);
  check_usage(o.batch_size > 0, "batch size: expected at least 1, got ", o.batch_size);
  check_usage(o.accumulate > 0, "accumulate: expected at least 1, got ", o.accumulate);
  check_usage(o.learning_rate > 0, "learning rate: expected a positive number, got ",
              o.learning_rate);
  check_usage(o.warmup >= 0 && o.warmup <= 1, "warmup: expected a share from 0 to 1, got ",
              o.warmup);
  check_usage(o.clip_norm >= 0, "clip norm: expected 0 or more, got ", o.clip_norm);
}

// One run: what the steps and epochs share.
class Run {
 public:
  Run(tasks::Task& task, const TrainingOptions& options, std::filesystem::path directory,
      const Observer& observer)
      : task_(task),
        options_(options),
        directory_(std::move(directory)),
        observer_(observer),
        optimizer_(task.module().parameters(), options.optimizer),
        average_(task.module().parameters(), options.average) {
    const auto examples = static_cast<int64_t>(task.train_lengths().size());
    const int64_t batches = (examples + options.batch_size - 1) / options.batch_size;
    steps_per_epoch_ = (batches + options.accumulate - 1) / options.accumulate;
    schedule_.name = options.schedule;
    schedule_.peak = options.learning_rate;
    schedule_.total_steps = steps_per_epoch_ * options.epochs;
    schedule_.warmup_steps =
        static_cast<int64_t>(options.warmup * static_cast<double>(schedule_.total_steps));
  }

  RunReport run() {
    report_.parameters = count_parameters(task_.module());
    int64_t since_best = 0;
    for (int64_t epoch = 1; epoch <= options_.epochs; ++epoch) {
      train_epoch(epoch);
      since_best = report_.epochs.back().best ? 0 : since_best + 1;
      if (options_.patience > 0 && since_best >= options_.patience) break;
    }
    report_.steps = step_;
    report_.seconds = seconds_since(start_);
    return report_;
  }

 private:
  void train_epoch(int64_t epoch) {
    const auto start = Clock::now();
    const Batches batches = data::length_buckets(
        task_.train_lengths(), {.batch_size = options_.batch_size,
                                .seed = options_.seed * 1'000'003 + static_cast<uint64_t>(epoch)});
    loss_sum_ = 0;
    tokens_ = 0;
    steps_in_epoch_ = 0;
    epoch_start_ = start;
    task_.module().train();
    const auto group = static_cast<size_t>(options_.accumulate);
    for (size_t first = 0; first < batches.size(); first += group) {
      const size_t last = std::min(first + group, batches.size());
      update(epoch, {batches.begin() + static_cast<int64_t>(first),
                     batches.begin() + static_cast<int64_t>(last)});
      if (observer_.stop && observer_.stop()) {
        throw Interrupted(text_of("stopped after step ", step_, " of ", schedule_.total_steps));
      }
    }
    finish_epoch(epoch, start);
  }

  // One step of the optimizer from the gradients of all `batches`.
  void update(int64_t epoch, const Batches& batches) {
    optimizer_.zero_gradients();
    double loss = 0;
    for (const auto& batch : batches) {
      const tasks::Loss part = task_.loss(*task_.prepare(batch));
      (part.value / static_cast<double>(batches.size())).backward();
      loss += part.value.item<double>() / static_cast<double>(batches.size());
      tokens_ += part.tokens;
    }
    if (!std::isfinite(loss)) {
      throw Error(text_of("training: the loss of step ", step_ + 1, " is ", loss,
                          "; the best model so far stays in ", directory_.string(),
                          "; try a smaller learning rate"));
    }
    const double rate = learning_rate(schedule_, step_);
    const double norm = optimizer_.clip_gradients(options_.clip_norm);
    optimizer_.step(rate);
    average_.update();
    ++step_;
    ++steps_in_epoch_;
    loss_sum_ += loss;
    if (!observer_.step) return;
    observer_.step(
        {.step = step_,
         .total_steps = schedule_.total_steps,
         .epoch = epoch,
         .loss = loss,
         .mean_loss = loss_sum_ / static_cast<double>(steps_in_epoch_),
         .learning_rate = rate,
         .gradient_norm = norm,
         .tokens_per_second = static_cast<double>(tokens_) / seconds_since(epoch_start_)});
  }

  void finish_epoch(int64_t epoch, Clock::time_point start) {
    EpochReport now{.epoch = epoch,
                    .epochs = options_.epochs,
                    .train_loss = loss_sum_ / static_cast<double>(steps_in_epoch_)};
    task_.module().eval();
    average_.swap();
    now.validation = task_.validate([&](int64_t done, int64_t total) {
      if (observer_.validation) observer_.validation(done, total);
    });
    const tasks::Watched watched = task_.watched();
    const double value = tasks::metric(now.validation, watched.name);
    const bool first = report_.epochs.empty();
    const double best = first ? 0 : tasks::metric(report_.best.validation, watched.name);
    now.best = first || (watched.higher_is_better ? value > best : value < best);
    if (now.best) task_.save(directory_);
    average_.swap();
    now.seconds = seconds_since(start);
    report_.epochs.push_back(now);
    if (now.best) report_.best = now;
    if (observer_.epoch) observer_.epoch(now);
  }

  tasks::Task& task_;
  const TrainingOptions& options_;
  std::filesystem::path directory_;
  const Observer& observer_;
  Optimizer optimizer_;
  WeightAverage average_;
  ScheduleOptions schedule_;
  RunReport report_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point epoch_start_;
  int64_t steps_per_epoch_ = 0;
  int64_t step_ = 0;
  int64_t steps_in_epoch_ = 0;
  int64_t tokens_ = 0;
  double loss_sum_ = 0;
};

}  // namespace

RunReport train(tasks::Task& task, const TrainingOptions& options,
                const std::filesystem::path& directory, const Observer& observer) {
  check(options);
  return Run(task, options, directory, observer).run();
}

}  // namespace heed::training
