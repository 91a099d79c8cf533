#include <ATen/ATen.h>

#include <utility>

#include "heed/base/error.h"
#include "heed/io/atomic.h"
#include "heed/io/file.h"
#include "heed/io/json.h"
#include "heed/io/safetensors.h"
#include "heed/models/published/published.h"

namespace heed::models::published {
namespace {

namespace fs = std::filesystem;

// What stands beside the weights and does not change with them.
constexpr std::string_view kKept[] = {
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "source.spm",
    "target.spm",
    "generation_config.json",
    "preprocessor_config.json",
    "chat_template.jinja",
    "chat_template.json",
};
constexpr uint64_t kMostKeptBytes = uint64_t{1} << 30;

std::vector<std::string> replaceable() {
  std::vector<std::string> names = {"config.json", "model.safetensors", "README.md"};
  names.insert(names.end(), std::begin(kKept), std::end(kKept));
  return names;
}

std::string_view class_of(const Architecture& architecture, Purpose purpose) {
  for (const ClassName& each : architecture.classes) {
    if (each.purpose == purpose) return each.name;
  }
  return {};
}

std::string config_text(const Published& model) {
  Json json = model.config().json().json();
  json["model_type"] = model.architecture().model_type;
  json["architectures"] = {class_of(model.architecture(), model.purpose())};
  json.erase("torch_dtype");
  json["dtype"] = "float32";
  return json_text(json);
}

}  // namespace

void Published::save(const fs::path& directory) const {
  // The class without a head has no prefix.
  const std::string base = purpose_ == Purpose::kFeatures ? "" : std::string(architecture_->base);
  std::vector<NamedTensor> tensors;
  for (const Origin& origin : origins_) {
    auto saved = saved_tensors(origin, plan_, base);
    std::move(saved.begin(), saved.end(), std::back_inserter(tensors));
  }
  std::vector<StoredTensor> stored;
  for (const NamedTensor& each : tensors) {
    stored.push_back({.name = each.name,
                      .dtype = SafetensorsDtype::kF32,
                      .shape = each.tensor.sizes().vec(),
                      .data = static_cast<const std::byte*>(each.tensor.const_data_ptr()),
                      .bytes = each.tensor.nbytes()});
  }
  AtomicDirectory target(directory, replaceable());
  target.write("config.json", config_text(*this));
  write_safetensors(target, "model.safetensors", stored, {{"format", "pt"}});
  for (const std::string_view name : kKept) {
    std::error_code ignored;
    if (!fs::exists(directory_ / name, ignored)) continue;
    target.write(name, read_file(directory_ / name, kMostKeptBytes, FileKind::kRegular));
  }
  target.commit();
}

}  // namespace heed::models::published
