#include "heed/models/published/config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"

namespace heed::models::published {
namespace {

std::optional<JsonValue> first_of(const JsonValue& json, Config::Names names) {
  for (const std::string_view name : names) {
    if (json.has(name)) return json.at(name);
  }
  return std::nullopt;
}

// As transformers calls them, as Heed does, and where they are gated.
struct ActivationName {
  std::string_view theirs;
  std::string_view plain;
  std::string_view gated;
};
constexpr std::array<ActivationName, 8> kActivations{{
    {"gelu", "gelu", "geglu"},
    {"gelu_python", "gelu", "geglu"},
    {"gelu_new", "gelu_tanh", "geglu_tanh"},
    {"gelu_pytorch_tanh", "gelu_tanh", "geglu_tanh"},
    {"gelu_fast", "gelu_tanh", "geglu_tanh"},
    {"relu", "relu", "reglu"},
    {"silu", "silu", "swiglu"},
    {"swish", "silu", "swiglu"},
}};

double yarn_attention_factor(const JsonValue& scaling, double factor) {
  if (scaling.has("attention_factor")) return scaling.at("attention_factor").number();
  const auto magnitude = [&](double scale) {
    return factor <= 1 ? 1.0 : 0.1 * scale * std::log(factor) + 1.0;
  };
  if (scaling.has("mscale") && scaling.has("mscale_all_dim")) {
    return magnitude(scaling.at("mscale").number()) /
           magnitude(scaling.at("mscale_all_dim").number());
  }
  return magnitude(1);
}

}  // namespace

bool Config::is_null(std::string_view name) const {
  const auto found = json_.json().find(std::string(name));
  return found != json_.json().end() && found->is_null();
}

bool Config::has_tensor(std::string_view name) const {
  return std::binary_search(tensors_.begin(), tensors_.end(), name);
}

int64_t Config::size(Names names) const {
  const auto found = first_of(json_, names);
  return (found ? *found : json_.at(*names.begin()))
      .integer({.least = 1, .most = nn::kLargestSize});
}

int64_t Config::integer(Names names, int64_t missing, IntegerRange range) const {
  const auto found = first_of(json_, names);
  return found ? found->integer(range) : missing;
}

double Config::number(Names names, double missing, NumberRange range) const {
  const auto found = first_of(json_, names);
  return found ? found->number(range) : missing;
}

bool Config::boolean(Names names, bool missing) const {
  const auto found = first_of(json_, names);
  return found ? found->boolean() : missing;
}

std::string Config::text(Names names, std::string missing) const {
  const auto found = first_of(json_, names);
  return found ? found->string() : std::move(missing);
}

Sides Config::sides(std::string_view name) const {
  constexpr IntegerRange kRange{.least = 1, .most = 1 << 14};
  const JsonValue value = json_.at(name);
  if (value.json().is_object()) {
    return {value.at("height").integer(kRange), value.at("width").integer(kRange)};
  }
  if (!value.json().is_array()) return {value.integer(kRange), value.integer(kRange)};
  if (value.array_size() != 2) value.fail("a number, or height and width");
  return {value.at(size_t{0}).integer(kRange), value.at(size_t{1}).integer(kRange)};
}

std::string Config::activation(Names names, std::string missing, bool gated) const {
  const auto found = first_of(json_, names);
  const std::string name = found ? found->string() : std::move(missing);
  for (const ActivationName& each : kActivations) {
    if (each.theirs == name) return std::string(gated ? each.gated : each.plain);
  }
  json_.at(*names.begin()).fail("one of " + joined(kActivations, ", ", &ActivationName::theirs));
}

std::vector<std::string> Config::labels() const {
  constexpr int64_t kMost = 1 << 20;
  std::vector<std::string> labels;
  if (json_.has("id2label")) {
    const JsonValue names = json_.at("id2label");
    if (!names.json().is_object() || names.json().empty()) names.fail("a label or more");
    for (size_t i = 0; i < names.json().size(); ++i) {
      labels.push_back(names.at(std::to_string(i)).string());
    }
    return labels;
  }
  const int64_t count = integer({"num_labels"}, 2, {.least = 1, .most = kMost});
  for (int64_t i = 0; i < count; ++i) labels.push_back(text_of("LABEL_", i));
  return labels;
}

void Config::expect(std::string_view name, bool value) const { expect_json(name, value); }
void Config::expect(std::string_view name, int64_t value) const { expect_json(name, value); }
void Config::expect(std::string_view name, const char* value) const { expect_json(name, value); }

void Config::expect_json(std::string_view name, const Json& value) const {
  if (!json_.has(name) || json_.at(name).json() == value) return;
  json_.at(name).fail(value.dump() + ", which is all that Heed has for this architecture");
}

void read_rotary(const Config& config, double default_theta, TransformerOptions& o,
                 double default_share) {
  const JsonValue& json = config.json();
  o.attention.positions = "rotary";
  nn::AttentionDetails& details = o.details.attention;
  const auto parameters = first_of(json, {"rope_parameters", "rope_scaling"});
  const NumberRange range{.least = 1, .most = 1e12};
  o.attention.rope_theta = config.number({"rope_theta", "rotary_emb_base"}, default_theta, range);
  details.rotary_share =
      config.number({"partial_rotary_factor", "rotary_pct"}, default_share, {0, 1});
  if (!parameters) return;
  const Config inner(*parameters);
  o.attention.rope_theta = inner.number({"rope_theta"}, o.attention.rope_theta, range);
  details.rotary_share = inner.number({"partial_rotary_factor"}, details.rotary_share, {0, 1});
  nn::RotaryScaling& scaling = details.rotary_scaling;
  const auto kind = first_of(*parameters, {"rope_type", "type"});
  if (!kind || kind->string() == "default") return;
  scaling.kind =
      kind->one_of<std::string>({{"linear", "linear"}, {"llama3", "llama3"}, {"yarn", "yarn"}});
  scaling.factor = parameters->at("factor").number({.least = 1e-3, .most = 1e6});
  scaling.low_factor = inner.number({"low_freq_factor"}, 1);
  scaling.high_factor = inner.number({"high_freq_factor"}, 4);
  scaling.fast = inner.number({"beta_fast"}, 32);
  scaling.slow = inner.number({"beta_slow"}, 1);
  scaling.original_length =
      inner.number({"original_max_position_embeddings"}, static_cast<double>(o.max_length));
  if (scaling.kind == "yarn") {
    scaling.attention_factor = yarn_attention_factor(*parameters, scaling.factor);
  }
}

}  // namespace heed::models::published
