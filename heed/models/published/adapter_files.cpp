// An adapter in the files of the package peft, read and written.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/atomic.h"
#include "heed/io/json.h"
#include "heed/io/named.h"
#include "heed/io/utf8.h"
#include "heed/io/weights/safetensors.h"
#include "heed/models/published/adapter.h"
#include "heed/models/published/adapter_names.h"
#include "heed/models/published/folders.h"

namespace heed::models::published {
namespace {

// peft's names of what a model is for.
constexpr NameTable<Purpose, 6> kTaskTypes{{
    {"SEQ_CLS", Purpose::kSequenceClassification},
    {"TOKEN_CLS", Purpose::kTokenClassification},
    {"QUESTION_ANS", Purpose::kQuestionAnswering},
    {"CAUSAL_LM", Purpose::kCausalLm},
    {"SEQ_2_SEQ_LM", Purpose::kConditionalGeneration},
    {"FEATURE_EXTRACTION", Purpose::kFeatures},
}};

Json task_type_of(Purpose purpose) {
  const std::string_view name = name_in(kTaskTypes, purpose);
  return name.empty() ? Json(nullptr) : Json(name);
}

JsonValue read_adapter_config(const std::filesystem::path& directory) {
  return read_json(directory / kAdapterConfig, {.max_bytes = uint64_t{16} << 20});
}

// Settings of peft that change what an adapter computes and that Heed does not have.
void refuse_others(const JsonValue& config) {
  for (const char* name :
       {"rank_pattern", "alpha_pattern", "layer_replication", "trainable_token_indices",
        "lora_bias", "target_parameters", "use_qalora", "use_bdlora", "alora_invocation_tokens",
        "arrow_config", "kasa_config", "velora_config", "monteclora_config"}) {
    if (!config.has(name)) continue;
    const Json& value = config.at(name).json();
    const bool off = value == Json(false) || (value.is_structured() && value.empty());
    if (!off) {
      config.at(name).fail("nothing: Heed does not have it");
    }
  }
  if (config.has("bias") && config.at("bias").string() != "none") {
    config.at("bias").fail("\"none\": Heed trains no biases beside an adapter");
  }
  if (config.has("init_lora_weights") && config.at("init_lora_weights").json().is_string()) {
    const JsonValue begun = config.at("init_lora_weights");
    for (const char* changes : {"pissa", "olora", "corda", "loftq", "lora_ga"}) {
      if (begun.string().starts_with(changes)) {
        begun.fail("an adapter that leaves the weights of its base as they were");
      }
    }
  }
}

}  // namespace

std::optional<Purpose> purpose_of_adapter(const std::filesystem::path& directory) {
  const JsonValue config = read_adapter_config(directory);
  if (!config.has("task_type")) return std::nullopt;
  const std::string type = config.at("task_type").string();
  for (const auto& [name, purpose] : kTaskTypes) {
    if (name == type) return purpose;
  }
  return std::nullopt;
}

// ---- Read

void Adapter::read_options(const std::filesystem::path& directory) {
  const JsonValue config = read_adapter_config(directory);
  config.at("peft_type").one_of<bool>({{"LORA", true}});
  refuse_others(config);
  options_.lora_r = config.at("r").integer({.least = 1, .most = 1 << 16});
  options_.lora_alpha = config.at("lora_alpha").number({.least = 0, .most = 1e9});
  if (config.has("lora_dropout")) {
    options_.lora_dropout =
        config.at("lora_dropout").number({.least = 0, .most = nn::kLargestShare});
  }
  options_.use_dora = config.has("use_dora") && config.at("use_dora").boolean();
  rank_stabilised_ = config.has("use_rslora") && config.at("use_rslora").boolean();
  if (config.has("modules_to_save")) saved_ = config.at("modules_to_save").strings();
}

Adapter::Adapter(const AdaptedModel& model, const std::filesystem::path& directory,
                 const Weights& weights, std::set<std::string>& used) {
  choose_saved(model);
  read_options(directory);
  for (Layer& layer : linear_layers(model)) {
    if (read_layer(model, weights, layer, used)) layers_.push_back(std::move(layer));
  }
}

// Whether there is something for this layer.
bool Adapter::read_layer(const AdaptedModel& model, const Weights& weights, Layer& layer,
                         std::set<std::string>& used) {
  std::vector<at::Tensor> a, b, magnitudes;
  for (size_t i = 0; i < layer.names.size(); ++i) {
    std::string module = without_ending(lookup_name(layer.origin->theirs[i]), kWeightEnding);
    const std::string newer = module_name(module, model.plan);
    if (weights.find(newer + ".lora_A.weight").defined()) module = newer;
    const auto take = [&](const std::string& name) {
      used.insert(name);
      return weights.at(name).to(at::kFloat);
    };
    if (!weights.find(module + ".lora_A.weight").defined()) continue;
    layer.adapted.push_back(i);
    a.push_back(take(module + ".lora_A.weight"));
    b.push_back(take(module + ".lora_B.weight"));
    const at::Tensor& weight = layer.linear->weight;
    const int64_t rank = a.front().dim() == 2 ? a.front().size(0) : 0;
    if (rank == 0 || a.back().sizes() != at::IntArrayRef({rank, weight.size(1)}) ||
        b.back().sizes() != at::IntArrayRef({layer.rows[i].count, rank})) {
      throw DataError("the adapter of " + excerpt(module),
                      text_of("expected shapes ", at::IntArrayRef({rank, weight.size(1)}), " and ",
                              at::IntArrayRef({layer.rows[i].count, rank}), ", found ",
                              a.back().sizes(), " and ", b.back().sizes()));
    }
    if (!options_.use_dora) continue;
    magnitudes.push_back(take(module + ".lora_magnitude_vector").flatten());
    if (magnitudes.back().numel() != layer.rows[i].count) {
      throw DataError("the adapter of " + excerpt(module),
                      text_of("expected ", layer.rows[i].count, " magnitudes, found ",
                              magnitudes.back().numel()));
    }
  }
  if (layer.adapted.empty()) return false;
  const auto rows = [&](const std::vector<at::Tensor>& parts) {
    const at::Tensor all = at::cat(parts);
    return layer.origin->layout == Layout::kByHead ? by_head(all, model.plan.heads, false) : all;
  };
  put_into(layer, a.front().size(0));
  const c10::AutoGradMode no_gradients(false);
  const std::shared_ptr<nn::LowRank> own = low_rank_of(*layer.linear);
  own->a.copy_(at::cat(a));
  own->b.copy_(rows(b));
  if (options_.use_dora) own->magnitudes.copy_(rows(magnitudes));
  return true;
}

// ---- Written

// The ends of the names where they mean just these layers, otherwise the whole names.
std::vector<std::string> Adapter::target_names(const AdaptedModel& model) const {
  std::set<std::string> whole;
  std::set<std::string> ends;
  for (const Layer& layer : layers_) {
    for (const size_t i : layer.adapted) {
      whole.insert(layer.names[i]);
      ends.insert(last_name(layer.names[i]));
    }
  }
  std::vector<std::string> names(ends.begin(), ends.end());
  for (const Layer& layer : linear_layers(model)) {
    for (const std::string& name : layer.names) {
      if (is_target(name, names) && whole.count(name) == 0) return {whole.begin(), whole.end()};
    }
  }
  return names;
}

std::vector<NamedTensor> Adapter::tensors(const AdaptedModel& model) const {
  const c10::AutoGradMode no_gradients(false);
  std::vector<NamedTensor> all;
  for (const Layer& layer : layers_) {
    const nn::LowRank& own = *low_rank_of(*layer.linear);
    const bool heads = layer.origin->layout == Layout::kByHead;
    const auto rows = [&](const at::Tensor& whole) {
      return heads ? by_head(whole, model.plan.heads, true) : whole;
    };
    const int64_t rank = own.options().rank;
    int64_t first = 0;
    for (size_t p = 0; p < layer.adapted.size(); ++p) {
      const std::string name = std::string(kAdapterPrefix) + layer.names[layer.adapted[p]];
      const int64_t count = layer.rows[layer.adapted[p]].count;
      const auto part = [&](const at::Tensor& whole, int64_t begin, int64_t size) {
        return whole.detach().narrow(0, begin, size).contiguous();
      };
      all.push_back({name + ".lora_A.weight", part(own.a, static_cast<int64_t>(p) * rank, rank)});
      all.push_back({name + ".lora_B.weight", part(rows(own.b), first, count)});
      if (own.magnitudes.defined()) {
        all.push_back({name + ".lora_magnitude_vector", part(rows(own.magnitudes), first, count)});
      }
      first += count;
    }
  }
  for (const Origin& origin : model.origins) {
    for (NamedTensor& each : saved_tensors(origin, model.plan, model.base)) {
      if (is_saved(each.name))
        all.push_back({std::string(kAdapterPrefix) + each.name, std::move(each.tensor)});
    }
  }
  return all;
}

void Adapter::write(const AdaptedModel& model, const std::filesystem::path& base,
                    AtomicDirectory& target) const {
  const bool transposed = std::any_of(layers_.begin(), layers_.end(), [](const Layer& layer) {
    return layer.origin->layout == Layout::kTransposed;
  });
  Json config = {{"peft_type", "LORA"},
                 {"task_type", task_type_of(model.purpose)},
                 {"base_model_name_or_path", std::filesystem::absolute(base).string()},
                 {"r", options_.lora_r},
                 {"lora_alpha", options_.lora_alpha},
                 {"lora_dropout", options_.lora_dropout},
                 {"target_modules", target_names(model)},
                 {"modules_to_save", saved_},
                 {"use_dora", options_.use_dora},
                 {"use_rslora", rank_stabilised_},
                 {"fan_in_fan_out", transposed},
                 {"bias", "none"},
                 {"init_lora_weights", true},
                 {"inference_mode", true}};
  const double whole = std::floor(options_.lora_alpha);
  if (whole == options_.lora_alpha) config["lora_alpha"] = static_cast<int64_t>(whole);
  if (saved_.empty()) config["modules_to_save"] = nullptr;
  target.write(kAdapterConfig, json_text(config));
  const std::vector<NamedTensor> all = tensors(model);
  write_safetensors(target, kAdapterWeights, stored(all), {{"format", "pt"}});
}

}  // namespace heed::models::published
