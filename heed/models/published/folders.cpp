#include "heed/models/published/folders.h"

#include <utility>

#include "heed/base/error.h"
#include "heed/io/json.h"

namespace heed::models::published {
namespace {

// As it stands there, from here or from the adapter on.
std::filesystem::path base_of(const std::filesystem::path& adapter) {
  const JsonValue config = read_json(adapter / kAdapterConfig, {.max_bytes = uint64_t{16} << 20});
  const JsonValue field = config.at("base_model_name_or_path");
  const std::filesystem::path name = field.string();
  for (const std::filesystem::path& place : {name, adapter / name}) {
    if (has_file(place / "config.json")) return place;
  }
  throw MissingInputError(
      text_of(field.file(),
              ": field 'base_model_name_or_path': expected the directory of the model "
              "that this adapter is for, found none at '",
              name.string(), "'; write its path there"));
}

}  // namespace

bool has_file(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored);
}

void check_no_variant(const std::filesystem::path& directory) {
  std::error_code ignored;
  std::string variant;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool weights = name.ends_with(".safetensors") || name.ends_with(".bin");
    if (weights && name.starts_with("model.") && name != "model.safetensors") variant = name;
    if (weights && name.starts_with("pytorch_model.") && name != "pytorch_model.bin") {
      variant = name;
    }
  }
  if (variant.empty()) return;
  for (const char* name : {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                           "pytorch_model.bin.index.json"}) {
    if (has_file(directory / name)) return;
  }
  const bool torch = variant.ends_with(".bin");
  throw MissingInputError(text_of(directory.string(), ": its weights are a variant, ", variant,
                                  "; call the file ",
                                  torch ? "pytorch_model.bin" : "model.safetensors"));
}

Folders::Folders(std::filesystem::path directory, std::filesystem::path base)
    : directory_(std::move(directory)),
      base_(directory_),
      is_adapter_(has_file(directory_ / kAdapterConfig)) {
  if (is_adapter_) {
    base_ = base.empty() ? base_of(directory_) : std::move(base);
  } else {
    check_usage(base.empty(), "base: ", directory_.string(), " is no adapter (", kAdapterConfig,
                "), so it has none");
  }
}

std::optional<std::filesystem::path> Folders::find(const std::filesystem::path& name) const {
  const std::filesystem::path file = that_has(name) / name;
  if (!has_file(file)) return std::nullopt;
  return file;
}

const std::filesystem::path& Folders::that_has(const std::filesystem::path& name) const {
  return has_file(directory_ / name) ? directory_ : base_;
}

}  // namespace heed::models::published
