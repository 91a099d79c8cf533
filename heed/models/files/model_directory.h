// A trained model as a directory: config.json, model.safetensors and its tokenizers, in the layout
// that Hugging Face tools use (docs/model_directory.md). What all kinds of models share.
#pragma once

#include <torch/nn/module.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/io/weights/safetensors.h"
#include "heed/models/files/parameters.h"
#include "heed/models/files/weight_check.h"
#include "heed/text/tokenizer.h"

namespace heed::models {

inline constexpr std::string_view kTokenizerFile = "tokenizer.json";
// Of a model whose two sides have vocabularies of their own.
inline constexpr std::string_view kTargetTokenizerFile = "target_tokenizer.json";
// Of a model that reads the characters of words beside their subwords.
inline constexpr std::string_view kCharactersFile = "characters.json";
// Of a recommender: its items, and what its users took.
inline constexpr std::string_view kItemsFile = "items.tsv";
inline constexpr std::string_view kHistoriesFile = "histories.tsv";

struct TokenizerFile {
  std::string_view name = kTokenizerFile;
  const text::Tokenizer* tokenizer = nullptr;
};

struct TextFile {
  std::string_view name;
  std::string text;
};

struct ModelFiles {
  OrderedJson config;  // "model_type" and "task" among its fields
  const torch::nn::Module* module = nullptr;
  std::vector<TokenizerFile> tokenizers;
  std::vector<TextFile> texts = {};
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save_model(const ModelFiles& files, const std::filesystem::path& directory);

// Throws UsageError where `directory` holds anything that save_model() would not replace.
void check_replaceable_model(const std::filesystem::path& directory);

// A file of a tokenizer, and the field of config.json that says how many tokens it may have.
struct SizedTokenizer {
  std::string_view name = kTokenizerFile;
  const char* size = "vocab_size";
};

// An open model directory. Throws MissingInputError where there is none, DataError where a file in
// it cannot be used; the message names the file and the field.
class ModelDirectory {
 public:
  // `model_type`: what config.json must say of itself.
  ModelDirectory(std::filesystem::path path, std::string_view model_type);

  const std::filesystem::path& path() const { return path_; }
  const JsonValue& config() const { return config_; }
  std::shared_ptr<const text::Tokenizer> tokenizer(const SizedTokenizer& file = {}) const;
  void check_size(const text::Tokenizer& tokenizer, const SizedTokenizer& file) const;

  // The model of these options with the weights of the directory, in evaluation mode. The options
  // are checked, by themselves and against the weights, before it is made. What is wrong with them
  // is a DataError that names config.json: there they stand.
  template <typename Model, typename Options>
  std::shared_ptr<Model> model(const Options& options,
                               void (*against_weights)(const WeightCheck&, const Options&)) const {
    const Safetensors weights = Safetensors::from_directory(path_);
    std::shared_ptr<Model> made;
    try {
      check(options);
      against_weights(WeightCheck(config_, weights), options);
      made = std::make_shared<Model>(options);
    } catch (const UsageError& error) {
      throw DataError((path_ / "config.json").string(), error.what());
    }
    load_parameters(*made, weights);
    made->eval();
    return made;
  }

 private:
  std::filesystem::path path_;
  JsonValue config_;
};

// What config.json says the model is ("heed_text_classifier"), for those who choose a loader.
std::string model_type_of(const std::filesystem::path& directory);

}  // namespace heed::models
