#include "heed/models/published/adapter.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/models/published/adapter_names.h"

namespace heed::models::published {
namespace {

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find_first_of(", ", begin), text.size());
    if (end > begin) names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

bool classifies(Purpose purpose) {
  return purpose == Purpose::kSequenceClassification || purpose == Purpose::kTokenClassification ||
         purpose == Purpose::kQuestionAnswering || purpose == Purpose::kImageClassification;
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

}  // namespace

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
      const std::string name = saved_name(layer.origin->theirs[i], model.base);
      layer.names.push_back(module_name(without_ending(name, kWeightEnding), model.plan));
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

// ---- Made

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

}  // namespace heed::models::published
