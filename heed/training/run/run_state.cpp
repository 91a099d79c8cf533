#include "heed/training/run/run_state.h"

#include "heed/base/error.h"

namespace heed::training {
namespace {

constexpr int64_t kFormat = 1;

OrderedJson metrics_json(const tasks::Metrics& metrics) {
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

OrderedJson evaluation_json(const Evaluation& e) {
  return {{"step", e.step},       {"epoch", e.epoch}, {"train_loss", e.train_loss},
          {"seconds", e.seconds}, {"best", e.best},   {"validation", metrics_json(e.validation)}};
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

}  // namespace

const Evaluation* RunState::best() const {
  const Evaluation* best = nullptr;
  for (const Evaluation& each : evaluations) {
    if (each.best) best = &each;
  }
  return best;
}

// FNV-1a, 64 bits.
DataFingerprint DataFingerprint::of(const std::vector<int64_t>& lengths) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const int64_t length : lengths) {
    hash = (hash ^ static_cast<uint64_t>(length)) * 0x100000001B3;
  }
  return {.examples = static_cast<int64_t>(lengths.size()), .lengths = hash};
}

OrderedJson to_json(const RunState& s, const Settings& settings, const DataFingerprint& data) {
  OrderedJson evaluations = OrderedJson::array();
  for (const Evaluation& each : s.evaluations) evaluations.push_back(evaluation_json(each));
  OrderedJson pairs = OrderedJson::array();
  for (const auto& [name, value] : settings) pairs.push_back(OrderedJson::array({name, value}));
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
      {"examples", data.examples},
      {"lengths", std::to_string(data.lengths)},
      {"settings", pairs},
      {"evaluations", evaluations},
  };
}

RunState run_state_from(const JsonValue& json, const Settings& settings,
                        const DataFingerprint& data) {
  const auto whole = [&](const char* name, int64_t least) {
    return json.at(name).integer({.least = least});
  };
  if (whole("format", 0) != kFormat) json.at("format").fail(text_of(kFormat));
  check_same(settings_from(json.at("settings")), settings, json.file());
  check_usage(whole("examples", 0) == data.examples &&
                  json.at("lengths").string() == std::to_string(data.lengths),
              json.file(), ": the run to be resumed has other training data (",
              whole("examples", 0), " examples, now ", data.examples,
              "); give the same files, or begin another run elsewhere");
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
