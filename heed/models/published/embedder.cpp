#include "heed/models/published/embedder.h"

#include <ATen/ATen.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/models/published/assembly.h"
#include "heed/models/published/folders.h"
#include "heed/models/published/weights.h"

namespace heed::models::published {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostModuleBytes = uint64_t{4} << 20;

JsonValue read(const fs::path& file) { return read_json(file, {.max_bytes = kMostModuleBytes}); }

std::vector<Pooling> poolings_of(const JsonValue& config) {
  struct Mode {
    const char* field;
    Pooling pooling;
  };
  constexpr std::array<Mode, 4> kModes{{{"pooling_mode_cls_token", Pooling::kFirst},
                                        {"pooling_mode_max_tokens", Pooling::kMax},
                                        {"pooling_mode_mean_tokens", Pooling::kMean},
                                        {"pooling_mode_lasttoken", Pooling::kLast}}};
  if (config.has("pooling_mode")) {
    return {config.at("pooling_mode")
                .one_of<Pooling>({{"cls", Pooling::kFirst},
                                  {"max", Pooling::kMax},
                                  {"mean", Pooling::kMean},
                                  {"lasttoken", Pooling::kLast}})};
  }
  for (const char* other :
       {"pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens"}) {
    if (config.has(other) && config.at(other).boolean()) {
      config.at(other).fail("false: Heed does not pool so");
    }
  }
  std::vector<Pooling> all;
  for (const Mode& mode : kModes) {
    if (config.has(mode.field) && config.at(mode.field).boolean()) all.push_back(mode.pooling);
  }
  if (all.empty()) throw DataError(config.file(), "expected a pooling mode, found none");
  return all;
}

EmbedderModules::Dense dense_of(const fs::path& directory) {
  const JsonValue config = read(directory / "config.json");
  const Weights weights(directory);
  EmbedderModules::Dense dense{.folder = directory.filename().string(),
                               .weight = weights.at("linear.weight").to(at::kFloat),
                               .bias = weights.find("linear.bias")};
  if (dense.bias.defined()) dense.bias = dense.bias.to(at::kFloat);
  if (config.has("activation_function")) {
    const std::string name = config.at("activation_function").string();
    dense.activation = name.substr(name.rfind('.') + 1);
    if (dense.activation != "Identity" && dense.activation != "Tanh") {
      config.at("activation_function").fail("Identity or Tanh");
    }
  }
  return dense;
}

// The last part of "sentence_transformers.models.Pooling".
std::string kind_of(const JsonValue& module) {
  const std::string type = module.at("type").string();
  return type.substr(type.rfind('.') + 1);
}

EmbedderModules read_modules(const fs::path& directory) {
  EmbedderModules read_ones;
  if (!has_file(directory / "modules.json")) return read_ones;
  const JsonValue modules = read(directory / "modules.json");
  for (size_t i = 0; i < modules.array_size(); ++i) {
    const JsonValue module = modules.at(i);
    const std::string kind = kind_of(module);
    const fs::path path = module.at("path").string();
    if (path.is_absolute() || path.lexically_normal().string().starts_with("..")) {
      module.at("path").fail("a folder of the same directory");
    }
    if (kind == "Pooling") {
      read_ones.poolings = poolings_of(read(directory / path / "config.json"));
    } else if (kind == "Dense") {
      read_ones.dense.push_back(dense_of(directory / path));
    } else if (kind == "Normalize") {
      read_ones.normalize = true;
    } else if (kind != "Transformer") {
      module.at("type").fail("Transformer, Pooling, Dense or Normalize");
    }
  }
  return read_ones;
}

void read_prompts(const fs::path& directory, EmbedderModules& modules) {
  const fs::path file = directory / "config_sentence_transformers.json";
  if (!has_file(file)) return;
  const JsonValue config = read(file);
  if (!config.has("prompts")) return;
  const JsonValue prompts = config.at("prompts");
  for (const auto& [name, text] : prompts.json().items()) {
    modules.prompts.emplace_back(name, prompts.at(name).string());
  }
  if (config.has("default_prompt_name")) {
    modules.default_prompt = config.at("default_prompt_name").string();
  }
}

}  // namespace

Embedder::Embedder(const fs::path& directory, const std::optional<FineTuningOptions>& options)
    : model_(register_module("model", heed::load(directory, {.purpose = Purpose::kFeatures}))),
      modules_(read_modules(model_->folders().that_has("modules.json"))) {
  read_prompts(model_->folders().that_has("config_sentence_transformers.json"), modules_);
  for (EmbedderModules::Dense& dense : modules_.dense) {
    const std::string name = text_of("dense_", &dense - modules_.dense.data());
    dense.weight = register_parameter(name + "_weight", dense.weight);
    if (dense.bias.defined()) dense.bias = register_parameter(name + "_bias", dense.bias);
  }
  if (options) {
    prepare(*model_, *options);
  } else {
    model_->merge_adapter();
  }
  eval();
}

void Embedder::save(const fs::path& directory, int64_t max_length) const {
  std::vector<SavedFile> files;
  const auto limits = model_->folders().find("sentence_bert_config.json");
  Json limit = limits ? read(*limits).json() : Json{{"do_lower_case", false}};
  limit["max_seq_length"] = max_length;
  files.push_back({.name = "sentence_bert_config.json", .content = json_text(limit)});
  if (!model_->folders().find("modules.json")) {
    Json modules = Json::array();
    for (const auto& [place, kind] : {std::pair{0, "Transformer"}, std::pair{1, "Pooling"}}) {
      const std::string path = place == 0 ? "" : text_of(place, '_', kind);
      modules.push_back({{"idx", place},
                         {"name", std::to_string(place)},
                         {"path", path},
                         {"type", std::string("sentence_transformers.models.") + kind}});
    }
    const Json pooling = {{"word_embedding_dimension", model_->transformer().d_model},
                          {"pooling_mode_cls_token", false},
                          {"pooling_mode_mean_tokens", true},
                          {"pooling_mode_max_tokens", false},
                          {"pooling_mode_mean_sqrt_len_tokens", false}};
    files.push_back({.name = "modules.json", .content = json_text(modules)});
    files.push_back({.name = "1_Pooling/config.json", .content = json_text(pooling)});
  }
  for (const EmbedderModules::Dense& dense : modules_.dense) {
    SavedFile file{.name = dense.folder + "/model.safetensors"};
    file.tensors.push_back({"linear.weight", dense.weight.detach().contiguous()});
    if (dense.bias.defined()) {
      file.tensors.push_back({"linear.bias", dense.bias.detach().contiguous()});
    }
    files.push_back(std::move(file));
  }
  model_->save(directory, files);
}

at::Tensor Embedder::forward(const TextBatch& batch) const {
  const at::Tensor states = model_->states(batch);
  std::vector<at::Tensor> parts;
  for (const Pooling pooling : modules_.poolings) {
    parts.push_back(pooled(states, batch.lengths, pooling));
  }
  at::Tensor x = parts.size() == 1 ? parts[0] : at::cat(parts, -1);
  for (const EmbedderModules::Dense& dense : modules_.dense) {
    x = at::linear(x, dense.weight, dense.bias);
    if (dense.activation == "Tanh") x = x.tanh();
  }
  if (modules_.normalize) x = x / x.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
  return x;
}

}  // namespace heed::models::published
