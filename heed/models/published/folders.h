// Where the files of a published model stand: in one directory, or, of a PEFT adapter, in its own
// and in that of the model that it adapts.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace heed::models::published {

class Folders {
 public:
  // `base`: of an adapter, in place of base_model_name_or_path of its adapter_config.json. Throws
  // DataError where that cannot be used, MissingInputError where there is no such directory.
  explicit Folders(std::filesystem::path directory, std::filesystem::path base = {});

  // As it was given.
  const std::filesystem::path& directory() const { return directory_; }
  // That of the weights: the same, but of an adapter.
  const std::filesystem::path& base() const { return base_; }
  bool is_adapter() const { return is_adapter_; }

  // The file of this name: the adapter's own, or else that of its base; none where there is none.
  std::optional<std::filesystem::path> find(const std::filesystem::path& name) const;
  // The directory that the file of this name is in, or would be looked for in.
  const std::filesystem::path& that_has(const std::filesystem::path& name) const;

 private:
  std::filesystem::path directory_;
  std::filesystem::path base_;
  bool is_adapter_;
};

bool has_file(const std::filesystem::path& file);

// Throws MissingInputError where the weights of a directory are a variant alone, as they are called
// where transformers saved them with `variant="fp16"`: model.fp16.safetensors.
void check_no_variant(const std::filesystem::path& directory);

inline constexpr std::string_view kAdapterConfig = "adapter_config.json";
inline constexpr std::string_view kAdapterWeights = "adapter_model.safetensors";
inline constexpr std::string_view kAdapterPrefix = "base_model.model.";  // of its tensors' names
inline constexpr std::string_view kOldAdapterWeights = "adapter_model.bin";

}  // namespace heed::models::published
