#include "heed/models/published/embedder.h"

#include <ATen/ATen.h>

#include <array>

#include "heed/base/error.h"
#include "heed/io/json.h"

namespace heed::models::published {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostModuleBytes = uint64_t{4} << 20;

JsonValue read(const fs::path& file) { return read_json(file, {.max_bytes = kMostModuleBytes}); }

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(file, ignored);
}

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
  const Weights weights(directory, "");
  EmbedderModules::Dense dense{.weight = weights.at("linear.weight").to(at::kFloat),
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
  if (!is_there(directory / "modules.json")) return read_ones;
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
  if (!is_there(file)) return;
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

Embedder::Embedder(const fs::path& directory)
    : model_(register_module("model", heed::load(directory, {.purpose = Purpose::kFeatures}))),
      modules_(read_modules(directory)) {
  read_prompts(directory, modules_);
  eval();
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
