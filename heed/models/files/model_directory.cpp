#include "heed/models/files/model_directory.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/atomic.h"
#include "heed/models/files/config_limit.h"
#include "heed/models/published/architecture.h"
#include "heed/models/published/folders.h"
#include "heed/models/published/published.h"

namespace heed::models {
namespace {

constexpr const char* kConfig = "config.json";
constexpr const char* kWeights = "model.safetensors";
constexpr const char* kCard = "README.md";  // which the program writes when the training has ended

// What a save may replace: its own files and nothing else.
std::vector<std::string> replaceable() {
  return {kConfig,
          kWeights,
          kCard,
          std::string(kTokenizerFile),
          std::string(kTargetTokenizerFile),
          std::string(kCharactersFile),
          std::string(kItemsFile),
          std::string(kHistoriesFile)};
}

JsonValue read_config(const std::filesystem::path& directory) {
  recover(directory);
  if (!std::filesystem::is_directory(directory)) {
    throw MissingInputError(text_of(directory.string(), ": expected the directory of a trained ",
                                    "model (config.json, model.safetensors, tokenizer.json)"));
  }
  return read_json(directory / kConfig, {.max_bytes = kLargestConfig});
}

}  // namespace

void save_model(const ModelFiles& files, const std::filesystem::path& directory) {
  AtomicDirectory target(directory, replaceable());
  target.write(kConfig, json_text(files.config));
  write_safetensors(target, kWeights, stored_parameters(*files.module), {{"format", "pt"}});
  for (const TokenizerFile& file : files.tokenizers) {
    target.write(file.name, file.tokenizer->to_json());
  }
  for (const TextFile& file : files.texts) target.write(file.name, file.text);
  target.commit();
}

void check_replaceable_model(const std::filesystem::path& directory) {
  std::vector<std::string> names = replaceable();
  const std::vector<std::string> published = published::replaceable_files();
  names.insert(names.end(), published.begin(), published.end());
  check_replaceable(directory, names);
}

ModelDirectory::ModelDirectory(std::filesystem::path path, std::string_view model_type)
    : path_(std::move(path)), config_(read_config(path_)) {
  const JsonValue type = config_.at("model_type");
  if (type.string() != model_type) type.fail(text_of('"', model_type, '"'));
}

std::shared_ptr<const text::Tokenizer> ModelDirectory::tokenizer(const SizedTokenizer& file) const {
  auto tokenizer =
      std::make_shared<const text::Tokenizer>(text::Tokenizer::load(path_ / file.name));
  check_size(*tokenizer, file);
  return tokenizer;
}

void ModelDirectory::check_size(const text::Tokenizer& tokenizer,
                                const SizedTokenizer& file) const {
  const JsonValue size = config_.at(file.size);
  if (tokenizer.size() <= size.integer()) return;
  size.fail(text_of("at least the ", tokenizer.size(), " of ", file.name));
}

std::string model_type_of(const std::filesystem::path& directory) {
  const published::Folders folders(directory);
  return published::model_type_of(read_config(folders.that_has(kConfig)));
}

}  // namespace heed::models
