#include <ATen/ATen.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/atomic.h"
#include "heed/io/file.h"
#include "heed/io/json.h"
#include "heed/io/weights/safetensors.h"
#include "heed/models/published/published_parts.h"

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
    "target_vocab.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "chat_template.jinja",
    "chat_template.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
};
constexpr uint64_t kMostKeptBytes = uint64_t{1} << 30;

// Those beside the weights, and those in the folders that modules.json names.
std::vector<std::string> kept_files(const Folders& folders) {
  std::vector<std::string> names(std::begin(kKept), std::end(kKept));
  const auto modules = folders.find("modules.json");
  if (!modules) return names;
  const JsonValue json = read_json(*modules, {.max_bytes = uint64_t{4} << 20});
  for (size_t i = 0; i < json.array_size(); ++i) {
    const fs::path folder = json.at(i).at("path").string();
    if (folder.empty() || folder.filename() != folder || folder == "..") continue;
    const bool today = folders.find(folder / "model.safetensors").has_value();
    for (const char* file : {"config.json", today ? "model.safetensors" : "pytorch_model.bin"}) {
      names.push_back((folder / file).string());
    }
  }
  return names;
}

std::string config_text(const Published& model) {
  Json json = model.config().json().json();
  json["model_type"] = model.model_type();
  json["architectures"] = {class_of(model.architecture(), model.purpose())->name};
  json.erase("torch_dtype");
  json.erase("quantization_config");  // the weights are float32 again
  json["dtype"] = "float32";
  return json_text(json);
}

}  // namespace

std::vector<std::string> replaceable_files() {
  std::vector<std::string> names = {"config.json", "model.safetensors", "README.md",
                                    std::string(kAdapterConfig), std::string(kAdapterWeights)};
  names.insert(names.end(), std::begin(kKept), std::end(kKept));
  for (const char* kind : {"Pooling", "Dense", "Normalize"}) {
    for (int place = 1; place < 10; ++place) names.push_back(text_of(place, '_', kind));
  }
  return names;
}

void Published::save(const fs::path& directory) const { save(directory, {}); }

void Published::save(const fs::path& directory, const std::vector<SavedFile>& more) const {
  const AdaptedModel parts = adapted();
  const std::vector<std::string> kept = kept_files(parts_->folders);
  std::vector<std::string> replaced = replaceable_files();
  for (const std::string& name : kept) replaced.push_back(fs::path(name).parent_path().string());
  AtomicDirectory target(directory, replaced);
  target.write("config.json", config_text(*this));
  if (parts_->adapter != nullptr && !saved_merged_) {
    parts_->adapter->write(parts, parts_->folders.base(), target);
  } else {
    std::vector<NamedTensor> tensors;
    for (Origin origin : parts_->origins) {
      if (parts_->adapter != nullptr) origin.parameter = parts_->adapter->merged(origin.parameter);
      auto saved = saved_tensors(origin, parts_->plan, parts.base);
      std::move(saved.begin(), saved.end(), std::back_inserter(tensors));
    }
    write_safetensors(target, "model.safetensors", stored(tensors), {{"format", "pt"}});
  }
  std::set<std::string> written;
  for (const SavedFile& file : more) {
    if (file.tensors.empty()) {
      target.write(file.name, file.content);
    } else {
      write_safetensors(target, file.name, stored(file.tensors), {{"format", "pt"}});
    }
    written.insert(file.name);
  }
  for (const std::string& name : kept) {
    const std::string folder = fs::path(name).parent_path().string();
    const bool old = name.ends_with(".bin") && written.count(folder + "/model.safetensors") > 0;
    if (old || written.count(name) > 0) continue;
    if (const auto file = parts_->folders.find(name)) {
      target.write(name, read_file(*file, kMostKeptBytes, FileKind::kRegular));
    }
  }
  target.commit();
}

}  // namespace heed::models::published
