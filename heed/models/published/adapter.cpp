#include "heed/models/published/adapter.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/io/atomic.h"
#include "heed/io/json.h"
#include "heed/io/named.h"
#include "heed/io/safetensors.h"
#include "heed/io/utf8.h"
#include "heed/models/published/folders.h"

namespace heed::models::published {
namespace {

constexpr std::string_view kWeightEnding = ".weight";

std::string without_ending(std::string name, std::string_view ending) {
  if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  return name;
}

// "bert.encoder.layer.0.attention.self.query" -> "query".
std::string last_name(const std::string& name) { return name.substr(name.rfind('.') + 1); }

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find_first_of(", ", begin), text.size());
    if (end > begin) names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

// As peft matches target_modules.
bool is_target(const std::string& name, const std::vector<std::string>& targets) {
  return std::any_of(targets.begin(), targets.end(), [&](const std::string& target) {
    return name == target || name.ends_with("." + target);
  });
}

bool classifies(Purpose purpose) {
  return purpose == Purpose::kSequenceClassification || purpose == Purpose::kTokenClassification ||
         purpose == Purpose::kQuestionAnswering || purpose == Purpose::kImageClassification;
}

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

// The part of the head that a tensor belongs to: "classifier", "pooler".
std::string part_of(const std::string& theirs) {
  const std::string name = lookup_name(theirs);
  return name.substr(0, name.find('.'));
}

// What makes queries and values, of parts that are queries, keys and values.
std::vector<size_t> usual_parts(const std::string& ours, size_t parts) {
  const bool all = ours.ends_with("attention.query_key_value");
  if (all && parts == 3) return {0, 2};
  if (all || ours.ends_with("cross_attention.query")) return {0};
  if (ours.ends_with("cross_attention.key_value")) return {parts - 1};
  return {};
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

// ---- Which layers

std::vector<Adapter::Layer> Adapter::linear_layers(const AdaptedModel& model) const {
  std::map<const c10::TensorImpl*, const Origin*> origins;
  for (const Origin& each : model.origins) origins[each.parameter.unsafeGetTensorImpl()] = &each;
  std::vector<Layer> layers;
  for (const auto& item : model.module.named_modules({}, /*include_self=*/false)) {
    const auto linear = std::dynamic_pointer_cast<nn::Linear>(item.value());
    if (!linear) continue;
    const auto found = origins.find(linear->weight.unsafeGetTensorImpl());
    const bool known = std::any_of(layers.begin(), layers.end(),
                                   [&](const Layer& each) { return each.linear == linear; });
    if (found == origins.end() || known) continue;
    Layer layer{.ours = item.key(), .linear = linear, .origin = found->second};
    int64_t begin = 0;
    for (size_t i = 0; i < layer.origin->theirs.size(); ++i) {
      layer.names.push_back(
          without_ending(saved_name(layer.origin->theirs[i], model.base), kWeightEnding));
      layer.rows.push_back({begin, layer.origin->rows[i]});
      begin += layer.origin->rows[i];
    }
    if (!is_saved(layer.names[0])) layers.push_back(std::move(layer));
  }
  return layers;
}

// As peft has it: where the name of a module ends with one that is saved ("pre_classifier" with
// "classifier").
bool Adapter::is_saved(const std::string& name) const {
  return std::any_of(saved_.begin(), saved_.end(), [&](const std::string& module) {
    return (name + ".").find(module + ".") != std::string::npos;
  });
}

// A head that classifies, and whatever of a head begins anew.
void Adapter::choose_saved(const AdaptedModel& model) {
  std::set<std::string> parts;
  for (const Origin& origin : model.origins) {
    for (const std::string& theirs : origin.theirs) {
      const bool own = classifies(model.purpose) && !theirs.starts_with('.');
      if (own || model.fresh.count(lookup_name(theirs)) > 0) parts.insert(part_of(theirs));
    }
  }
  saved_.assign(parts.begin(), parts.end());
}

// The names, or ends of names, of what gets an adapter.
std::vector<std::string> Adapter::targets(const AdaptedModel& model) const {
  const std::string& wanted = options_.target_modules;
  const bool usual = wanted == "auto";
  const std::vector<Layer> layers = linear_layers(model);
  std::set<std::string> ends;
  std::vector<std::string> all;
  for (const Layer& layer : layers) {
    for (const std::string& name : layer.names) ends.insert(last_name(name));
    const bool output = layer.ours.starts_with("head.") || layer.ours == "language_model.output" ||
                        layer.ours == "encoder_decoder.output";
    if (usual) {
      for (const size_t i : usual_parts(layer.ours, layer.names.size())) {
        all.push_back(layer.names[i]);
      }
    } else if (!output) {
      all.insert(all.end(), layer.names.begin(), layer.names.end());
    }
  }
  if (usual || wanted == "all-linear") return all;
  std::vector<std::string> given = split_names(wanted);
  check_usage(!given.empty(), "target_modules: expected names of linear layers, got none");
  for (const std::string& target : given) {
    const bool known = std::any_of(layers.begin(), layers.end(), [&](const Layer& layer) {
      return std::any_of(layer.names.begin(), layer.names.end(),
                         [&](const std::string& name) { return is_target(name, {target}); });
    });
    check_usage(known, "target_modules: no linear layer of this model is called '", target,
                "'; there are ", joined(std::vector<std::string>(ends.begin(), ends.end())));
  }
  return given;
}

// ---- Made and read

Adapter::Adapter(const AdaptedModel& model, const AdapterOptions& options) : options_(options) {
  visit_fields(options, nn::FieldCheck());
  check_usage(options.lora_r > 0, "lora_r: expected a rank of at least 1, got ", options.lora_r);
  choose_saved(model);
  const std::vector<std::string> wanted = targets(model);
  for (Layer& layer : linear_layers(model)) {
    for (size_t i = 0; i < layer.names.size(); ++i) {
      if (is_target(layer.names[i], wanted)) layer.adapted.push_back(i);
    }
    if (layer.adapted.empty()) continue;
    put_into(layer, options.lora_r);
    layers_.push_back(std::move(layer));
  }
}

void Adapter::put_into(Layer& layer, int64_t rank) const {
  const auto r = static_cast<double>(rank);
  nn::LowRankOptions own{.rank = rank,
                         .scale = options_.lora_alpha / (rank_stabilised_ ? std::sqrt(r) : r),
                         .dropout = options_.lora_dropout,
                         .magnitudes = options_.use_dora};
  for (const size_t i : layer.adapted) own.parts.push_back(layer.rows[i]);
  nn::set_low_rank(*layer.linear, own)->train(layer.linear->is_training());
}

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
    const std::string module = without_ending(lookup_name(layer.origin->theirs[i]), kWeightEnding);
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

void Adapter::freeze_others(const AdaptedModel& model) const {
  for (at::Tensor& parameter : model.module.parameters()) parameter.requires_grad_(false);
  for (const Layer& layer : layers_) {
    for (at::Tensor& parameter : low_rank_of(*layer.linear)->parameters()) {
      parameter.requires_grad_(true);
    }
  }
  for (const Origin& origin : model.origins) {
    const bool saved = std::any_of(
        origin.theirs.begin(), origin.theirs.end(),
        [&](const std::string& theirs) { return is_saved(saved_name(theirs, model.base)); });
    if (saved) origin.parameter.requires_grad_(true);
  }
}

// ---- Merged

at::Tensor Adapter::merged(const at::Tensor& parameter) const {
  for (const Layer& layer : layers_) {
    if (layer.linear->weight.is_same(parameter)) {
      return low_rank_of(*layer.linear)->merged(parameter);
    }
  }
  return parameter;
}

void Adapter::merge() {
  for (const Layer& layer : layers_) merge_low_rank(*layer.linear);
  layers_.clear();
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
