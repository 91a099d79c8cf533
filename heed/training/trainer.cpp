#include "heed/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "heed/base/error.h"
#include "heed/training/epoch_batches.h"
#include "heed/training/processes/agreement.h"
#include "heed/training/processes/process_group.h"
#include "heed/training/processes/process_memory.h"
#include "heed/training/run/run_directory.h"
#include "heed/training/run/run_log.h"
#include "heed/training/run/run_plan.h"
#include "heed/training/run/run_state.h"
#include "heed/training/update.h"

namespace heed::training {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Thrown through a validation that the observer wants to end.
struct StopRequest {};

// One run: what steps, evaluations and checkpoints share.
class Run {
 public:
  Run(tasks::Task& task, const TrainingOptions& options, fs::path directory,
      const Observer& observer, SystemCalls& calls)
      : task_(task),
        options_(options),
        directory_(std::move(directory)),
        observer_(observer),
        calls_(calls),
        identity_(RunIdentity::of(task, options)),
        updater_(task, agreed(options)),
        watched_(watched_in(task, options)),
        batches_(task, options, updater_.parallel()),
        plan_(options, batches_.count(1)) {
    plan_.rate_at(0);  // refuses an unknown name before anything is touched
    if (options.files.directory.empty()) return;
    done_by_first(options.group, [&] { files_.emplace(options.files, directory_, calls); });
  }

  RunReport run() {
    resume();
    if (files_) {
      if (!plan_.is_over(state_)) files_->go_on();
      log_.emplace(files_->path(), state_.step, updater_.parameter_count(),
                   options_.files.logging_steps, calls_);
    }
    while (!plan_.is_over(state_)) {
      if (!plan_.evaluation_is_due(state_)) step();
      if (plan_.evaluation_is_due(state_)) evaluate();
      if (plan_.checkpoint_is_due(state_, saved_step_)) save_checkpoint();
      if (somebody_stops()) stop();
    }
    batches_.close();
    return finish();
  }

 private:
  // ---- With other processes

  // The options, when it is known that all processes have the same and read the same data. Before
  // the first message about anything else.
  const TrainingOptions& agreed(const TrainingOptions& options) const {
    check_usage(identity_.examples > 0, "training: expected at least one example, got none");
    if (options.group != nullptr) {
      check_agreement(*options.group, identity_.to_agree_on(task_, options));
    }
    return options;
  }

  // Whether it is one of the processes that hold the model of rank 0.
  bool holds_first_model() const { return updater_.parallel().data_rank() == 0; }

  bool leads() const { return options_.group == nullptr || options_.group->is_first(); }

  // Where rank 0 stands, if it goes on from a checkpoint.
  bool join(bool resumed) {
    const std::string text =
        told_by_first(options_.group, resumed ? to_json(state_, identity_).dump() : "");
    if (!leads() && !text.empty()) {
      state_ = run_state_from(parse_json(text, "rank 0", {.max_bytes = text.size()}), identity_);
    }
    return !text.empty();
  }

  // Random numbers decide what is dropped: in each share of a batch something else. A checkpoint
  // holds those of the first share; the others begin theirs anew with each step, so that a resumed
  // run has the same.
  void draw_apart() {
    const auto share = static_cast<uint64_t>(updater_.parallel().data_rank());
    if (share == 0) return;
    at::manual_seed(options_.seed + 0x9e3779b97f4a7c15ULL * share +
                    static_cast<uint64_t>(state_.step));
  }

  // Whether Ctrl-C came; in a group, to whomever: all must leave after the same step.
  bool somebody_stops() {
    if (options_.group != nullptr) return std::exchange(group_stops_, false);
    return observer_.stop && observer_.stop();
  }

  // ---- Steps

  void step() {
    if (!batches_.is_open()) batches_.open(state_.epoch, state_.batch);
    task_.module().train();
    const tasks::Batches batches = batches_.next(options_.gradient_accumulation_steps);
    const double rate = plan_.rate_at(state_.step);
    draw_apart();
    const Updater::Result done = update(batches, rate);
    const int64_t epoch = state_.epoch;
    ++state_.step;
    state_.batch += static_cast<int64_t>(batches.size());
    if (!batches_.has_next()) {
      batches_.close();
      ++state_.epoch;
      state_.batch = 0;
    }
    state_.loss_sum += done.loss * done.weight;
    state_.weight_sum += done.weight;
    tokens_ += done.tokens;
    report_step({.step = state_.step,
                 .total_steps = std::max(plan_.total_steps(), state_.step),
                 .epoch = epoch,
                 .loss = done.loss,
                 .mean_loss = state_.loss_sum / state_.weight_sum,
                 .learning_rate = rate,
                 .gradient_norm = done.gradient_norm,
                 .tokens_per_second = static_cast<double>(tokens_) / seconds_since(speed_start_)});
  }

  Updater::Result update(const tasks::Batches& batches, double rate) {
    try {
      const Updater::Result done = updater_.update(batches, rate, observer_.stop);
      group_stops_ = done.stop;
      return done;
    } catch (const NotFiniteError& error) {
      throw NotFiniteError(text_of("training: step ", state_.step + 1, ": ", error.what(), "; ",
                                   last_checkpoint_text(),
                                   "; try a smaller learning rate or look at the data"));
    }
  }

  void report_step(const StepReport& now) {
    if (log_) log_->step(now);
    if (observer_.step) observer_.step(now);
  }

  // ---- Evaluation

  void evaluate() {
    const RandomState random = RandomState::take(updater_.device());
    try {
      const AveragedWeights averaged(updater_.average());
      const auto whole = holds_first_model() ? updater_.gathered() : nullptr;
      Evaluation now = leads() ? judged() : as_judged_by_rank_0();
      state_.since_best = now.best ? 0 : state_.since_best + 1;
      state_.evaluations.push_back(std::move(now));
    } catch (const StopRequest&) {  // it will be done again when the run is resumed
      tell("stop");
      random.put_back(updater_.device());
      stop();
    }
    random.put_back(updater_.device());
    state_.evaluated_step = state_.step;
    state_.loss_sum = state_.weight_sum = 0;
    state_.seconds_at_evaluation = seconds();
    const Evaluation& now = state_.evaluations.back();
    if (log_) log_->evaluation(now);
    if (observer_.evaluation) observer_.evaluation(now);
    tokens_ = 0;
    speed_start_ = Clock::now();
  }

  Evaluation judged() {
    Evaluation now = validated();
    const Evaluation* best = state_.best();
    now.best = best == nullptr || is_better(now, *best, watched_);
    if (now.best) save_model();
    tell(now.best ? "best" : "not the best");
    return now;
  }

  // What rank 0 made of an evaluation, to all others.
  void tell(const std::string& verdict) const {
    if (options_.group != nullptr && leads()) options_.group->broadcast(verdict);
  }

  Evaluation as_judged_by_rank_0() {
    const std::string verdict = options_.group->broadcast(std::string());
    if (verdict == "stop") throw StopRequest();
    Evaluation now = evaluation_here();
    now.best = verdict == "best";
    return now;
  }

  Evaluation evaluation_here() const {
    return {.step = state_.step,
            .epoch = state_.batch == 0 ? state_.epoch - 1 : state_.epoch,
            .train_loss = state_.loss_sum / state_.weight_sum};
  }

  Evaluation validated() {
    Evaluation now = evaluation_here();
    task_.module().eval();
    now.validation = task_.validate([&](int64_t done, int64_t total) {
      if (observer_.validation) observer_.validation(done, total);
      if (done < total && observer_.stop && observer_.stop()) throw StopRequest();
    });
    for (const auto& [name, value] : now.validation) {
      if (std::isfinite(value)) continue;
      throw NotFiniteError(text_of("training: step ", state_.step, ": the validation's ", name,
                                   " is ", value, "; ", last_checkpoint_text()));
    }
    now.seconds = seconds() - state_.seconds_at_evaluation;
    return now;
  }

  void save_model() {
    if (updater_.device().is_cpu()) return task_.save(directory_);
    task_.module().to(at::kCPU);
    task_.save(directory_);
    task_.module().to(updater_.device());
  }

  // ---- Checkpoints

  void resume() {
    std::optional<Safetensors> tensors;
    done_by_first(options_.group, [&] {
      const auto newest = files_ ? files_->checkpoints().newest() : std::nullopt;
      if (!newest) return;
      state_ = run_state_from(newest->state, identity_);
      tensors = newest->tensors;
    });
    if (join(tensors.has_value())) {
      make_up_for_model();
      updater_.load(tensors ? &*tensors : nullptr);
      updater_.average().restore_steps(state_.average_steps);
      updater_.loss_scale().restore(state_.loss_scale);
      resumed_at_ = saved_step_ = state_.step;
    }
    updater_.share_random();
  }

  // The best model, from its checkpoint, where somebody removed its directory.
  void make_up_for_model() {
    std::optional<Safetensors> tensors;
    done_by_first(options_.group, [&] {
      const Evaluation* best = state_.best();
      if (best != nullptr) tensors = files_->if_model_is_gone(directory_, best->step);
    });
    if (told_by_first(options_.group, tensors ? "gone" : "").empty()) return;
    updater_.load(tensors ? &*tensors : nullptr);
    const AveragedWeights averaged(updater_.average());
    const auto whole = holds_first_model() ? updater_.gathered() : nullptr;
    if (!leads()) return;
    task_.module().eval();
    task_.validate({});  // what a task learns from the validation is part of the model
    save_model();
  }

  // Those who hold the model of rank 0 give their parts, and it writes.
  void save_checkpoint() {
    if (holds_first_model()) {
      const SavedTensors tensors = updater_.saved();
      if (files_) write_checkpoint(tensors);
    }
    saved_step_ = state_.step;
  }

  void write_checkpoint(const SavedTensors& tensors) {
    state_.average_steps = updater_.average().steps();
    state_.loss_scale = updater_.loss_scale().state();
    RunState now = state_;
    now.seconds = seconds();
    files_->checkpoints().save(state_.step, to_json(now, identity_), tensors);
    const Evaluation* best = state_.best();
    files_->checkpoints().prune(options_.files.save_total_limit,
                                best != nullptr ? std::optional(best->step) : std::nullopt);
  }

  std::string last_checkpoint_text() const {
    if (!files_ || saved_step_ < 0) return "there is no checkpoint yet";
    return "the last checkpoint is " + files_->checkpoints().path_of(saved_step_).string();
  }

  // A run that is stopped before its first validation leaves the model as it is: better than none.
  // (Of several processes each may hold a part of it alone; they leave the checkpoint.)
  bool leaves_first_model() {
    if (options_.group != nullptr || state_.step == 0 || state_.best() != nullptr) return false;
    const AveragedWeights averaged(updater_.average());
    save_model();
    return true;
  }

  [[noreturn]] void stop() {
    batches_.close();
    if (!options_.files.directory.empty() && saved_step_ != state_.step) save_checkpoint();
    const bool first = leaves_first_model();
    throw Interrupted(text_of(
        "stopped after step ", state_.step, " of ", plan_.total_steps(), "; ",
        last_checkpoint_text(),
        first ? text_of("; the model of this step, not validated yet, is ", directory_.string())
              : std::string()));
  }

  // ---- The end

  double seconds() const { return state_.seconds + seconds_since(start_); }

  RunReport finish() {
    RunReport report{.evaluations = state_.evaluations,
                     .best = state_.best() != nullptr ? *state_.best() : Evaluation{},
                     .steps = state_.step,
                     .resumed_at = resumed_at_,
                     .seconds = seconds(),
                     .parameters = updater_.parameter_count(),
                     .peak_bytes = peak_resident_bytes(),
                     .stopped_early = !plan_.last_step_is_done(state_)};
    if (files_) {
      // What lengthening the run needs; the best model is in its own directory.
      files_->checkpoints().prune(1, std::nullopt);
      write_summary(files_->path(), report, options_, watched_, calls_);
    }
    return report;
  }

  tasks::Task& task_;
  const TrainingOptions& options_;
  fs::path directory_;
  const Observer& observer_;
  SystemCalls& calls_;
  RunIdentity identity_;
  Updater updater_;
  tasks::Watched watched_;
  EpochBatches batches_;
  RunPlan plan_;
  std::optional<RunDirectory> files_;
  std::optional<RunLog> log_;
  RunState state_;
  int64_t resumed_at_ = 0;
  int64_t saved_step_ = -1;  // of the newest checkpoint
  bool group_stops_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point speed_start_ = Clock::now();
  int64_t tokens_ = 0;  // since speed_start_
};

}  // namespace

RunReport train(tasks::Task& task, const TrainingOptions& options, const fs::path& directory,
                const Observer& observer, SystemCalls& calls) {
  check(options);
  return Run(task, options, directory, observer, calls).run();
}

}  // namespace heed::training
