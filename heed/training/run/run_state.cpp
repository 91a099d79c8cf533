#include "heed/training/run/run_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/training/named_parameters.h"

namespace heed::training {
namespace {

constexpr int64_t kFormat = 2;

OrderedJson ordered_metrics(const tasks::Metrics& metrics) {
  OrderedJson all = OrderedJson::array();  // and not an object: the order is kept
  for (const auto& [name, value] : metrics) all.push_back(OrderedJson::array({name, value}));
  return all;
}

tasks::Metrics metrics_from(const JsonValue& json) {
  tasks::Metrics metrics;
  for (size_t i = 0; i < json.array_size(); ++i) {
    metrics.emplace_back(json.at(i).at(size_t{0}).string(), json.at(i).at(size_t{1}).number());
  }
  return metrics;
}

OrderedJson state_of_evaluation(const Evaluation& e) {
  return {
      {"step", e.step},       {"epoch", e.epoch}, {"train_loss", e.train_loss},
      {"seconds", e.seconds}, {"best", e.best},   {"validation", ordered_metrics(e.validation)}};
}

Evaluation evaluation_from(const JsonValue& json) {
  return {.step = json.at("step").integer({.least = 0}),
          .epoch = json.at("epoch").integer({.least = 1}),
          .train_loss = json.at("train_loss").number(),
          .validation = metrics_from(json.at("validation")),
          .seconds = json.at("seconds").number({.least = 0}),
          .best = json.at("best").boolean()};
}

Settings settings_from(const JsonValue& json) {
  Settings settings;
  for (size_t i = 0; i < json.array_size(); ++i) {
    settings.emplace_back(json.at(i).at(size_t{0}).string(), json.at(i).at(size_t{1}).string());
  }
  return settings;
}

void check_same(const JsonValue& json, const RunIdentity& identity) {
  const auto refuse = [&](const auto&... what) {
    throw UsageError(text_of(json.file(), ": the run to be resumed has ", what...,
                             ", or begin another run with --overwrite or elsewhere"));
  };
  if (const auto differs = difference(settings_from(json.at("settings")), identity.settings)) {
    refuse(differs->name, ' ', differs->before, ", now it is ", differs->now,
           "; resume with the same value");
  }
  const int64_t examples = json.at("examples").integer({.least = 0});
  if (examples != identity.examples) {
    refuse("other training data (", examples, " examples, now ", identity.examples,
           "); give the same files");
  }
  const JsonValue sources = json.at("sources");
  for (const tasks::Source& each : identity.sources) {
    if (sources.has(each.name) && sources.at(each.name).string() == each.checksum) continue;
    refuse("other contents of the ", each.name, "; give the same files");
  }
}

}  // namespace

const Evaluation* RunState::best() const {
  const Evaluation* best = nullptr;
  for (const Evaluation& each : evaluations) {
    if (each.best) best = &each;
  }
  return best;
}

tasks::Watched watched_in(const tasks::Task& task, const TrainingOptions& options) {
  return task.watched(options.metric_for_best_model);
}

bool is_better(const Evaluation& now, const Evaluation& best, const tasks::Watched& watched) {
  const double value = tasks::metric(now.validation, watched.name);
  const double record = tasks::metric(best.validation, watched.name);
  if (value != record) return watched.higher_is_better ? value > record : value < record;
  const auto loss_of = [](const Evaluation& each) {
    const auto is_loss = [](const auto& metric) { return metric.first == "loss"; };
    const auto& all = each.validation;
    const auto found = std::find_if(all.begin(), all.end(), is_loss);
    return found != all.end() ? found->second : 0;  // a task may have none
  };
  return loss_of(now) < loss_of(best);
}

RunIdentity RunIdentity::of(const tasks::Task& task, const TrainingOptions& options) {
  RunIdentity identity{.settings = {{"task", task.name()}},
                       .examples = std::ssize(task.train_lengths()),
                       .sources = task.sources()};
  for (auto& setting : fingerprint(options)) identity.settings.push_back(std::move(setting));
  return identity;
}

Settings RunIdentity::to_agree_on(tasks::Task& task, const TrainingOptions& options) const {
  Settings all = settings;
  std::erase_if(all, [](const auto& each) { return each.first == "device"; });  // one each
  const auto add = [&](const std::string& name, int64_t value) {
    all.emplace_back(name, std::to_string(value));
  };
  add("epochs", options.epochs);
  add("max_steps", options.max_steps);
  add("patience", options.patience);
  add("tensor_parallel", options.tensor_parallel);
  add("save_steps", options.files.save_steps);
  add("run files", options.files.directory.empty() ? 0 : 1);
  add("number of training examples", examples);
  for (const tasks::Source& each : sources) {
    all.emplace_back("checksum of the " + each.name, each.checksum);
  }
  for (const auto& [name, tensor] : named_parameters(task.module())) {
    all.emplace_back("shape of " + name, text_of(tensor.sizes()));
  }
  return all;
}

OrderedJson to_json(const RunState& s, const RunIdentity& identity) {
  OrderedJson evaluations = OrderedJson::array();
  for (const Evaluation& each : s.evaluations) evaluations.push_back(state_of_evaluation(each));
  OrderedJson pairs = OrderedJson::array();
  for (const auto& [name, value] : identity.settings) {
    pairs.push_back(OrderedJson::array({name, value}));
  }
  OrderedJson sources = OrderedJson::object();
  for (const tasks::Source& each : identity.sources) sources[each.name] = each.checksum;
  return {
      {"format", kFormat},
      {"step", s.step},
      {"epoch", s.epoch},
      {"batch", s.batch},
      {"evaluated_step", s.evaluated_step},
      {"since_best", s.since_best},
      {"loss_sum", s.loss_sum},
      {"weight_sum", s.weight_sum},
      {"seconds", s.seconds},
      {"seconds_at_evaluation", s.seconds_at_evaluation},
      {"average_steps", s.average_steps},
      {"loss_scale", s.loss_scale.value},
      {"loss_scale_good_steps", s.loss_scale.good_steps},
      {"examples", identity.examples},
      {"sources", sources},
      {"settings", pairs},
      {"evaluations", evaluations},
  };
}

RunState run_state_from(const JsonValue& json, const RunIdentity& identity) {
  const auto whole = [&](const char* name, int64_t least) {
    return json.at(name).integer({.least = least});
  };
  if (whole("format", 0) != kFormat) json.at("format").fail(text_of(kFormat));
  check_same(json, identity);
  RunState state;
  state.step = whole("step", 0);
  state.epoch = whole("epoch", 1);
  state.batch = whole("batch", 0);
  state.evaluated_step = whole("evaluated_step", 0);
  state.since_best = whole("since_best", 0);
  state.loss_sum = json.at("loss_sum").number();
  state.weight_sum = json.at("weight_sum").number({.least = 0});
  state.seconds = json.at("seconds").number({.least = 0});
  state.seconds_at_evaluation = json.at("seconds_at_evaluation").number({.least = 0});
  state.average_steps = whole("average_steps", 0);
  state.loss_scale = {.value = json.at("loss_scale").number({.least = 1}),
                      .good_steps = whole("loss_scale_good_steps", 0)};
  const JsonValue evaluations = json.at("evaluations");
  for (size_t i = 0; i < evaluations.array_size(); ++i) {
    state.evaluations.push_back(evaluation_from(evaluations.at(i)));
  }
  return state;
}

}  // namespace heed::training
